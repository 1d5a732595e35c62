"""What a user knows of the faces -> a table of attributes in a cache: match the rows to faces, then write.

The table appears in one step, whole, in the order of the faces; a face without a row has nulls.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache import schema
from cache.attributes import is_attribute, table
from cache.manifest import AttributeInfo, Manifest
from cache.writer import CacheWriter
from engine.imports.attribute_file import AttributeFile, read_attributes
from engine.imports.given import Given, quoted
from engine.imports.matching import match
from engine.imports.rows import ImportProblem
from engine.sources.labels import clean_name

NONE = -1
MOST_SHOWN = 10  # sources that a manifest names


@dataclass(frozen=True, eq=False)
class Matched:
    """Which row is about which face."""

    row: np.ndarray  # (faces,) int64 row of the file, NONE for a face without one
    unmatched: np.ndarray  # rows that are about no face, in order
    several: int  # of them, rows that name a photo with several faces


def import_attributes(path: Path, cache: Path, *, again: bool = False) -> tuple[Manifest, str]:
    """Add a file's attributes to a cache that is built; returns its manifest and the table's name.

    again: take the place of what another file of that name gave. Raises ImportProblem, SourceProblem, CacheError,
    OSError (disk); whatever it raises, the cache stays readable and has the attributes that it had.
    """
    manifests.load(cache)  # a writer would begin a new cache where there is none
    given = read_attributes(path)
    with CacheWriter(cache) as writer:
        manifest = _now(writer)
        if not manifest.complete or not manifest.faces:
            raise ImportProblem(
                f"{cache} is not built to its end, and attributes need all of its faces. Go on with it first: "
                f"{manifest.command}"
            )
        announce(given, manifest, cache, again=again)
        add_attributes(writer, given, again=again)
        return _now(writer), given.name


def announce(given: AttributeFile, manifest: Manifest, cache: Path, *, again: bool = False) -> Manifest:
    """The manifest with a file's attributes, to see whether they fit. Raises ImportProblem when their name is taken."""
    for name, info in manifest.attributes.items():
        if name.lower() == given.name.lower() and not (again and name == given.name):
            if name != given.name:  # on some disks 'Mine' and 'mine' are one folder
                raise ImportProblem(f"{cache} has attributes '{name}' already. Rename {given.path}.")
            if info.sha256 != given.sha256:
                raise ImportProblem(
                    f"{cache} has attributes '{name}' already, from another {info.file} (sha256 "
                    f"{info.sha256[:12]}...). To put these in their place: python -m engine attributes {given.path} "
                    f"--cache {cache} --replace; or rename the file."
                )
    return manifest.with_attributes(given.name, _info(given))


def add_attributes(writer: CacheWriter, given: AttributeFile, *, again: bool = False) -> None:
    """Match and write; unless `again`, not what is there from the very same file. Raises ImportProblem when no row is
    about a face."""
    manifest = _now(writer)
    there = manifest.attributes.get(given.name)
    same = there is not None and there.sha256 == given.sha256
    if same and not again and given.name in manifest.ready_attributes:
        return
    faces = _faces(writer.folder, manifest)
    matched = _match(given, faces, writer.folder, manifest)
    if (matched.row == NONE).all():
        raise ImportProblem(_nothing(given, faces, matched, writer.folder))
    # A null index gives a null: what a face without a row has.
    chosen = given.columns.take(pa.array(matched.row, mask=matched.row == NONE))
    fields = schema.attributes(list(given.columns.schema))
    rows = pa.table([faces["face_id"], *chosen.columns], schema=fields)
    writer.start(manifest.with_attributes(given.name, _counted(given, faces, matched)))
    # Named after the file, so that the table of an earlier file stays whole until the manifest forgets it.
    writer.commit({table(given.name): rows}, f"part-{given.sha256[:12]}")


def report(folder: Path, manifest: Manifest, name: str) -> Iterator[str]:
    """Sentences on what a file gave: how many faces it describes, and what was left over on either side."""
    info = manifest.attributes[name]
    matched = info.matched or 0
    part = next(iter(manifest.parts[table(name)].values()))
    fields = [f for f in pq.read_schema(folder / part.file) if is_attribute(f.name)]
    yield f"'{name}' describes {matched:,} of {manifest.faces:,} faces: {', '.join(map(_described, fields))}."
    if without := manifest.faces - matched:
        yield f"Faces without a row in {info.file}: {without:,} ({_some(info.first_without, without)})."
    if info.unmatched:
        named = _some(info.first_unmatched, info.unmatched)
        yield f"Rows of {info.file} that are about no face: {info.unmatched:,} ({named})."
    if info.several:
        yield _several(info.several)
    yield from info.settings.get("remarks", ())


# ---- inside


def _now(writer: CacheWriter) -> Manifest:
    assert writer.manifest is not None  # the callers have begun it
    return writer.manifest


def _info(given: AttributeFile) -> AttributeInfo:
    title, columns = f"From {given.path.name}", tuple(given.columns.column_names)
    return AttributeInfo(title, "file", columns, file=given.path.name, sha256=given.sha256)


def _counted(given: AttributeFile, faces: pa.Table, matched: Matched) -> AttributeInfo:
    without = np.flatnonzero(matched.row == NONE)
    shown = faces["source"].take(pa.array(without[:MOST_SHOWN])).to_pylist()
    rows = matched.unmatched[:MOST_SHOWN]
    return replace(
        _info(given),
        settings={"matched_by": "source" if given.face_id is None else "face_id", "remarks": list(given.remarks)},
        matched=len(faces) - len(without),
        unmatched=len(matched.unmatched),
        several=matched.several,
        first_without=tuple(shown),
        first_unmatched=tuple(given.source[rows].tolist()) if given.source is not None else (),
    )


def _faces(folder: Path, manifest: Manifest) -> pa.Table:
    """face_id and source of every face, in order."""
    files = [folder / part.file for part in manifest.parts["faces"].values()]
    return pa.concat_tables([pq.read_table(file, columns=["face_id", "source"]) for file in files])


def _match(given: AttributeFile, faces: pa.Table, folder: Path, manifest: Manifest) -> Matched:
    row = np.full(len(faces), NONE, dtype=np.int64)
    if given.face_id is None:
        assert given.source is not None  # the file has one or the other
        at, several = _by_source(given.source, faces["source"])
    else:  # as predictions are: a number that the cache lacks means that the file is about another one
        numbers = match(Given(given.path, given.face_id, False, given.face_id, given.source), folder, manifest)
        at, several = np.searchsorted(faces["face_id"].to_numpy(), numbers), 0
    known = np.flatnonzero(at != NONE)
    row[at[known]] = known
    return Matched(row, np.flatnonzero(at == NONE), several)


def _by_source(said: np.ndarray, sources: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """(n,) position of each row's face, NONE for no face; and how many rows would be about several faces.

    Names are tried as they are, then as the readers of datasets write them ('.\\\\a\\\\b.jpg' is a/b.jpg), unless
    another row names the same face. A photo with several faces is not matched by its own name ('crowd.jpg'), but by
    those of its faces ('crowd.jpg#0'): what is said of a photo need not be true of everybody in it.
    """
    counts = pc.value_counts(sources)
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    sources = pc.if_else(pc.is_in(sources, value_set=twice), None, sources)  # no face is meant by such a name
    at = _positions(said.tolist(), sources)
    left = np.flatnonzero(at == NONE)
    cleaned = [clean_name(name) for name in said[left]]
    second = _positions(cleaned, sources)
    taken = set(at.tolist())
    for row, position in zip(left.tolist(), second.tolist(), strict=True):
        if position != NONE and position not in taken:
            at[row] = position
            taken.add(position)
    still = {name for row, name in zip(left.tolist(), cleaned, strict=True) if at[row] == NONE}
    crowds = _positions([f"{name}#0" for name in still], sources)
    return at, int((crowds != NONE).sum())


def _positions(names: list[str], sources: pa.ChunkedArray) -> np.ndarray:
    """(n,) where each name stands among the sources, NONE where it does not."""
    found = pc.index_in(pa.array(names, pa.string()), value_set=sources.combine_chunks())
    return np.asarray(found.fill_null(NONE).to_numpy(zero_copy_only=False), dtype=np.int64)


def _nothing(given: AttributeFile, faces: pa.Table, matched: Matched, folder: Path) -> str:
    mine = _some(tuple(given.source[:3].tolist()) if given.source is not None else (), len(given))
    theirs = _some(tuple(faces["source"].slice(0, 3).to_pylist()), len(faces))
    crowds = f" {_several(matched.several)}" if matched.several else ""
    return (
        f"None of the {len(given):,} rows of {given.path} is about a face of {folder}: the file's sources are {mine}, "
        f"and the cache's {theirs}.{crowds} Write the sources as the cache does; `python -m engine export {folder} "
        "--out faces.csv` lists them."
    )


def _described(field: pa.Field) -> str:
    """
    >>> _described(schema.attribute_field("age", unit="years"))
    'age (number, years)'
    """
    unit = (field.metadata or {}).get(b"unit", b"").decode()
    kind = "text" if pa.types.is_string(field.type) else "number"
    return f"{field.name.removeprefix(schema.ATTRIBUTE_PREFIX)} ({kind}{', ' if unit else ''}{unit})"


def _several(rows: int) -> str:
    return f"Rows that name a photo with several faces: {rows:,}. Give each face its own, as in 'crowd.jpg#0'."


def _some(names: tuple[str, ...], total: int) -> str:
    """
    >>> _some(("a.jpg", "b.jpg", "c.jpg", "d.jpg"), 20)
    "'a.jpg', 'b.jpg', 'c.jpg' and 17 more"
    """
    shown = names[:3]
    return ", ".join(map(quoted, shown)) + (f" and {total - len(shown):,} more" if total > len(shown) else "")
