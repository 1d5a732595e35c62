"""Any directory of images, with or without votes from a labels CSV."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.images import decode_file
from engine.sources.labels import Labels, read_labels
from engine.sources.rows import Item, Reject, Source, SourceProblem

IMAGE_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
}  # fmt: skip
# What lies beside images in ordinary datasets and needs no mention
COMPANION_SUFFIXES = {
    ".csv", ".tsv", ".txt", ".md", ".rst", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini",
    ".cfg", ".log", ".html", ".pdf", ".py", ".ipynb", ".sh", ".npy", ".npz", ".parquet", ".mat", ".h5",
    ".pkl", ".db", ".zip", ".tar", ".gz", ".7z",
}  # fmt: skip
COMPANION_NAMES = {"license", "readme", "copying", "makefile", "sha256sums", "md5sums"}
SPLITS = {
    "train": "train", "training": "train",
    "valid": "validation", "val": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class _File:
    source: str  # relative to the root, with '/', printable
    path: Path


def open_folder(root: Path, spec: str, labels: Path | None = None) -> Source:
    """Open every image under `root` in a fixed order. Names are listed now, bytes are read in Item.load.

    Hidden files and folders are skipped, links to folders are not followed. The first-level folders train,
    valid / val / validation and test name the split unless the labels do. An image without a row in the
    labels stays, without votes. Raises SourceProblem when there is nothing to read or the labels do not fit.
    """
    if not root.is_dir():
        raise SourceProblem(f"There is no directory at {root}. Check the path after 'folder:'.")
    listing = list(_walk(root))
    files = [entry for entry in listing if isinstance(entry, _File)]
    if not files:
        raise SourceProblem(
            f"No images in {root} or the folders below it. Expected files ending in .jpg, .png, .webp, ...; "
            "check the path."
        )
    table = None if labels is None else read_labels(labels)
    note = ""
    if table is not None:
        table.check_files({file.source for file in files}, root)
        bare = sum(table.votes.get(file.source) is None for file in files)
        if bare:
            note = f"{bare:,} of {len(files):,} images have no votes in {table.path.name}"

    def entries() -> Iterator[Item | Reject]:
        for entry in listing:
            yield entry if isinstance(entry, Reject) else _item(entry, table)

    return Source(
        spec=spec,
        title=root.resolve().name or str(root),
        classes=None if table is None else table.classes,
        entries=entries,
        count=len(listing),
        note=note,
    )


def _item(file: _File, labels: Labels | None) -> Item:
    folder, _, rest = file.source.partition("/")
    split = SPLITS.get(folder.lower()) if rest else None
    votes = None
    if labels is not None:
        votes = labels.votes.get(file.source)
        split = labels.splits.get(file.source, split)
    return Item(file.source, partial(decode_file, file.path, file.source), split, votes)


def _walk(root: Path) -> Iterator[_File | Reject]:
    """Images and rejects below `root`: a folder's files by name, then its folders by name."""
    problems: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=problems.append):  # does not follow links to folders
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(name for name in names if not _is_hidden(name)):
            path = Path(folder, name)
            source = printable(path.relative_to(root).as_posix())
            suffix = path.suffix.lower()
            if suffix in IMAGE_SUFFIXES:
                if _is_regular(path):
                    yield _File(source, path)
                else:
                    yield Reject(source, "list", f"{source} is not a regular file.")
            elif suffix not in COMPANION_SUFFIXES and path.stem.lower() not in COMPANION_NAMES:
                ending = f"The ending '{suffix}'" if suffix else "A name without an ending"
                yield Reject(source, "list", f"{ending} is no format read here; save it as JPEG or PNG.")
    for problem in problems:
        source = printable(os.path.relpath(str(problem.filename), root))
        yield Reject(source, "list", f"The folder {source} cannot be read: {problem.strerror}.")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"  # macOS puts ghosts of every image there


def _is_regular(path: Path) -> bool:
    """False for pipes and devices, whose reading might never end. A broken link stays: load says why."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def printable(name: str) -> str:
    """A file name that is not UTF-8 on disk, made storable: the odd bytes as \\xNN. Others are unchanged."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
