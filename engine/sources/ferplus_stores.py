"""Where FER+'s pictures and label files lie: in folders, in a zip of them, or in Kaggle's fer2013.csv.

Each store answers the same questions: `pictures`, which names lie in which folder (None where rows, not
names, hold the pictures); `text`, what a text file says, None when there is none; `load`, what the picture
shows that has this name, or stands on this data row counted from 0. Nothing is unpacked to disk, and every
load is safe from several threads at once.
"""

import zipfile
from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from engine.images import decode, decode_file
from engine.sources.rows import ImageProblem, SourceProblem

FOLDERS = ("FER2013Train", "FER2013Valid", "FER2013Test")
USAGE = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
NEW_CSV = "fer2013new.csv"
SIDE = 48  # pixels
MAX_TEXT = 64 * 2**20  # bytes; the real fer2013new.csv has 1.6 MB
MAX_PICTURE = 16 * 2**20  # bytes; a real picture has 2 kB
MAX_LINE = 2**16  # bytes; 48 x 48 numbers of up to three digits take 9 kB


class FolderStore:
    """FER2013Train, FER2013Valid, FER2013Test as directories of PNG files."""

    def __init__(self, root: Path) -> None:
        self.root, self.where = root, str(root)
        self.pictures: dict[str, frozenset[str]] | None = {
            folder: _png(path.name for path in (root / folder).iterdir())
            for folder in FOLDERS
            if (root / folder).is_dir()
        }

    def text(self, name: str) -> str | None:
        path = self.root / name
        if name == NEW_CSV and not path.is_file():  # Microsoft's repository has it beside data/
            path = self.root.resolve().parent / name
        return _decoded(path.read_bytes(), path) if path.is_file() else None

    def load(self, folder: str, name: str, row: int) -> Image.Image:
        return decode_file(self.root / folder / name, f"{folder}/{name}")


class ZipStore:
    """The same folders inside a zip, at any depth."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        try:
            self.zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as problem:
            raise SourceProblem(f"{path} is no readable zip: {problem}. Download or copy it again.") from None
        members = {name for name in self.zip.namelist() if not name.endswith("/")}
        roots = {head for name in members for head, found, _ in [name.partition("FER2013Train/")] if found}
        roots = {root for root in roots if root == "" or (root.endswith("/") and "__MACOSX" not in root)}
        if not roots:
            raise SourceProblem(
                f"{path} holds no folder FER2013Train, so it is not FER+. "
                "To read other images, unpack them and use folder:PATH."
            )
        self.root = min(roots, key=len)
        self.pictures: dict[str, frozenset[str]] | None = {}
        for folder in FOLDERS:
            head = f"{self.root}{folder}/"
            names = [name[len(head) :] for name in members if name.startswith(head)]
            if names:
                self.pictures[folder] = _png(name for name in names if "/" not in name)

    def text(self, name: str) -> str | None:
        parent = self.root.rstrip("/").rpartition("/")[0]
        for root in (self.root, f"{parent}/" if parent else ""):
            if root + name in self.zip.NameToInfo:
                try:
                    return _decoded(self._read(root + name, MAX_TEXT), f"{self.where}/{root}{name}")
                except ImageProblem as problem:
                    raise SourceProblem(f"{problem} Download or copy {self.where} again.") from None
        return None

    def load(self, folder: str, name: str, row: int) -> Image.Image:
        return decode(self._read(f"{self.root}{folder}/{name}", MAX_PICTURE), f"{folder}/{name}")

    def _read(self, member: str, limit: int) -> bytes:
        """zipfile reads no more than the size it announced, so that size is the one to check."""
        size = self.zip.getinfo(member).file_size
        if size > limit:
            raise ImageProblem(f"{member} claims {size // 2**20:,} MB; the limit is {limit // 2**20}.")
        try:
            return self.zip.read(member)
        except Exception as problem:  # zlib.error, BadZipFile, EOFError; RuntimeError for an encrypted entry
            raise ImageProblem(f"{member} cannot be read from the zip: {problem}.") from None


class KaggleStore:
    """Kaggle's fer2013.csv: row i holds the picture whose votes stand on row i of fer2013new.csv."""

    pictures: dict[str, frozenset[str]] | None = None

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)
        self.offsets = array("q")  # byte at which each row starts: 300 MB of text stay on disk
        self.folders: list[str] = []
        with path.open("rb") as file:
            header = [cell.strip(b' "\r\n').lower() for cell in file.readline(MAX_LINE).split(b",")]
            if b"pixels" not in header or b"usage" not in header:
                raise SourceProblem(
                    f"{path} lacks the columns 'pixels' and 'Usage'. Take fer2013.csv from Kaggle's "
                    "'Challenges in Representation Learning'; the train.csv beside it has no splits."
                )
            self.pixels_at, usage_at, width = header.index(b"pixels"), header.index(b"usage"), len(header)
            offset = file.tell()
            for number, line in enumerate(file, start=2):
                cells = line.split(b",")
                usage = cells[usage_at].strip(b' "\r\n').decode("latin-1") if len(cells) == width else ""
                if usage in USAGE:
                    self.offsets.append(offset)
                    self.folders.append(USAGE[usage])
                elif line.strip():
                    raise SourceProblem(
                        f"{path}, line {number}: expected {width} columns and a Usage of {', '.join(USAGE)}. "
                        "Download the file again."
                    )
                offset += len(line)

    def text(self, name: str) -> str | None:
        path = self.path.parent / name
        return _decoded(path.read_bytes(), path) if path.is_file() else None

    def load(self, folder: str, name: str, row: int) -> Image.Image:
        source = f"{folder}/{name}"
        try:
            with self.path.open("rb") as file:  # its own handle: threads share no position
                file.seek(self.offsets[row])
                cells = file.readline(MAX_LINE).split(b",")
            values = [int(value) for value in cells[self.pixels_at].strip(b' "\r\n').split()]
            pixels = np.array(values, dtype=np.uint8).reshape(SIDE, SIDE)
        except (OSError, ValueError, OverflowError, IndexError) as problem:  # too few or large numbers
            where = f"data row {row + 1} of {self.path.name}"
            raise ImageProblem(f"{source} ({where}) is damaged: {problem}.") from None
        return Image.fromarray(pixels)


Store = FolderStore | ZipStore | KaggleStore


def open_store(path: Path) -> Store:
    """Find out which of the three forms lies at `path`. Raises SourceProblem when it is none of them."""
    if path.is_file():
        return ZipStore(path) if path.suffix.lower() == ".zip" else KaggleStore(path)
    for root in (path, path / "data"):
        if any((root / folder).is_dir() for folder in FOLDERS):
            return FolderStore(root)
    if (path / "fer2013.csv").is_file():
        return KaggleStore(path / "fer2013.csv")
    if not path.exists():
        raise SourceProblem(f"There is nothing at {path}. Check the path after 'ferplus:'.")
    raise SourceProblem(
        f"{path} holds neither FER2013Train, FER2013Valid, FER2013Test nor fer2013.csv. "
        "Point at FER+'s folders, a zip of them, or Kaggle's fer2013.csv beside Microsoft's fer2013new.csv."
    )


def looks_like_ferplus(path: Path) -> bool:
    """Whether a bare path is FER+ rather than any folder, zip or table."""
    if path.is_dir():
        roots = (path, path / "data")
        return (path / "fer2013.csv").is_file() or any((root / "FER2013Train").is_dir() for root in roots)
    return path.name.lower() == "fer2013.csv" or path.suffix.lower() == ".zip"


def _png(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if name.lower().endswith(".png") and not name.startswith("."))


def _decoded(data: bytes, path: object) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceProblem(f"{path} is not text in UTF-8. Download or copy it again.") from None
