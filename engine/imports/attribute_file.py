"""What a user knows of the faces, in a table of their own: CSV or Parquet, one row per face, a column per attribute.

    source,age [years],light
    a.jpg,31,lamp
    b.jpg,,daylight

A column is one of numbers when every cell that is filled in is a number, else one of text; an empty cell is unknown.
The whole file is checked before anything of it is used, as far as that needs no cache.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from cache.attributes import MEASURED
from cache.schema import attribute_field
from engine.imports.attribute_values import stray, trimmed, typed
from engine.imports.given import quoted
from engine.imports.rows import MOST_NAMED, ImportProblem, Wrong, refuse
from engine.sources.labels import csv_lines
from engine.sources.table_rows import ParquetRows

IDS = ("source", "face_id")
BLOCK = 65_536  # lines of a CSV that are Python strings at a time
MOST_COLUMNS = 100  # in the memory of the app, each takes 8 bytes of every face
NAME = re.compile(r"\w[\w .,%/()+-]{0,59}")  # no markup and no formula: it stands on pages, in addresses, in files
UNIT = re.compile(r"[\w .,%/()°'*^+-]{0,30}")
HEADING = re.compile(r"(.*?)\s*(?:\[([^\[\]]*)\])?")  # name [unit]
INDEX = re.compile(r"__index_level_\d+__")  # the row names that pandas writes into a Parquet file


@dataclass(frozen=True, eq=False)
class AttributeFile:
    """A file of attributes, checked and typed."""

    path: Path
    name: str  # of its table in the cache
    sha256: str
    columns: pa.Table  # attr_*: double or string, n rows
    source: np.ndarray | None  # (n,) str
    face_id: np.ndarray | None  # (n,) int64
    remarks: tuple[str, ...] = ()  # what may be a mistake, and is none that can be known

    def __len__(self) -> int:
        return self.columns.num_rows


@dataclass(frozen=True)
class Heading:
    """The name of a column, and its unit."""

    name: str
    unit: str

    @property
    def is_id(self) -> bool:
        return self.name.lower() in IDS


def read_attributes(path: Path) -> AttributeFile:
    """Raises ImportProblem or SourceProblem, which name what is wrong with the file and what to do."""
    if not path.is_file():
        raise ImportProblem(f"There is no file at {path}. Check the path.")
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet", ".pq"):
        raise ImportProblem(f"The ending of {path.name} is none of .csv, .parquet. Save it as 'CSV UTF-8'.")
    name = table_name(path)
    headings, columns = _csv(path) if ending == ".csv" else _parquet(path)
    if not len(columns[0]):
        raise ImportProblem(f"{path} has column names but no rows. Add one row per face.")
    source, face_id = _ids(path, {h.name.lower(): c for h, c in zip(headings, columns, strict=True) if h.is_id})
    wrong: list[Wrong] = []
    fields, values, remarks = [], [], []
    for heading, column in zip(headings, columns, strict=True):
        if heading.is_id:
            continue
        found, faults = _typed(path, heading.name, column)
        text = types.is_string(found.type)
        wrong += faults
        fields.append(attribute_field(heading.name, text=text, unit=heading.unit))
        values.append(found)
        odd = stray(found) if text else None
        if odd is not None:
            remarks.append(
                f"'{heading.name}' is text, for row {odd[0]} (from 0) says {quoted(odd[1])} where most say a number. "
                "If numbers are meant, leave unknown cells empty and import it again with --replace."
            )
    remedy = "Correct these rows; leave a cell empty where it is unknown."
    refuse(path, len(columns[0]), lambda row: _row(source, face_id, row), sorted(wrong), remedy)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    table = pa.table(values, schema=pa.schema(fields))
    return AttributeFile(path, name, digest, table, source, face_id, tuple(remarks))


def table_name(path: Path) -> str:
    """What a file's attributes are called in the cache: a folder's name.

    >>> table_name(Path("out/My labels (v2).csv"))
    'My-labels-v2'
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:64] or "file"
    if name.lower() == MEASURED:
        raise ImportProblem(f"'{MEASURED}' is what `build --measure` makes. Give {path} another name.")
    return name


# ---- columns


def _csv(path: Path) -> tuple[list[Heading], list[pa.ChunkedArray]]:
    """Names and texts."""
    lines = csv_lines(path)
    _, first = next(lines, (0, []))
    if not first:
        raise ImportProblem(f"{path} is empty. Its first line must be 'source,<attribute>,<attribute>,...'.")
    hint = "Separate the columns with commas. " if len(first) == 1 and re.search("[;\t]", first[0]) else ""
    headings = _headings(path, first, hint)
    blocks: list[list[pa.Array]] = [[] for _ in headings]
    rows = _cells(path, lines, len(headings))
    while some := list(islice(rows, BLOCK)):
        for block, cells in zip(blocks, zip(*some, strict=True), strict=True):
            block.append(pa.array(cells, pa.string()))
    return headings, [pa.chunked_array(block, pa.string()) for block in blocks]


def _cells(path: Path, lines: Iterator[tuple[int, list[str]]], columns: int) -> Iterator[list[str]]:
    for line, cells in lines:
        if len(cells) != columns:
            raise ImportProblem(
                f"{path}, line {line}: {len(cells)} columns where the first line has {columns}. Quote values that "
                "contain a comma, or correct the line."
            )
        yield cells


def _parquet(path: Path) -> tuple[list[Heading], list[pa.ChunkedArray]]:
    """Names and whatever Arrow finds."""
    units = ParquetRows(path).units  # refuses what is no Parquet file
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as problem:
        reason = str(problem).partition("\n")[0]
        raise ImportProblem(f"{path} is damaged: {reason} Copy it again.") from None
    kept = [i for i, name in enumerate(table.schema.names) if not INDEX.fullmatch(name)]
    table = table.select(kept)
    headings = _headings(path, table.schema.names, "")
    said = [units.get(name, "") for name in table.schema.names]
    headings = [
        Heading(h.name, h.unit or unit * bool(UNIT.fullmatch(unit))) for h, unit in zip(headings, said, strict=True)
    ]
    return headings, table.columns


def _headings(path: Path, names: Sequence[str], hint: str) -> list[Heading]:
    """The names of the columns, checked."""
    found = []
    for name in names:
        match = HEADING.fullmatch(" ".join(name.split()))
        found.append(Heading(match[1], (match[2] or "").strip()) if match else Heading(name, ""))
    lower = [heading.name.lower() for heading in found]
    if not set(IDS) & set(lower):
        raise ImportProblem(
            f"{path} has no column 'source' (it has: {_listed(names)}). {hint}Add one: it says which face a row is "
            "about, as the cache names it."
        )
    if len(unusable := [n for n, h in zip(names, found, strict=True) if not _usable(h)]):
        raise ImportProblem(
            f"{path}: {_listed(unusable)} cannot name an attribute. A name begins with a letter or digit and has up "
            "to 60 letters, digits, spaces and . , % / ( ) + - _; a unit may follow as in 'age [years]'."
        )
    if twice := sorted({name for name in lower if lower.count(name) > 1}):
        raise ImportProblem(f"{path} has more than one column {_listed(twice)}. Rename or remove one of them.")
    others = [heading for heading in found if not heading.is_id]
    if not others:
        raise ImportProblem(f"{path} has no column beside {_listed(lower)}. Add one for each attribute.")
    if len(others) > MOST_COLUMNS:
        raise ImportProblem(
            f"{path} has {len(others):,} attributes, and at most {MOST_COLUMNS} are possible. Leave some out."
        )
    return found


def _typed(path: Path, name: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[Wrong]]:
    try:
        return typed(name, column)
    except TypeError as kind:
        raise ImportProblem(
            f"The column {quoted(name)} of {path} holds {kind}. Save numbers or text, or leave it out."
        ) from None


def _usable(heading: Heading) -> bool:
    return bool(NAME.fullmatch(heading.name) and UNIT.fullmatch(heading.unit))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(quoted, names[:MOST_NAMED])) + more


# ---- which faces


def _ids(path: Path, columns: dict[str, pa.ChunkedArray]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(n,) sources and (n,) face_ids, each None where the file has no such column."""
    source = _sources(path, columns["source"]) if "source" in columns else None
    if "face_id" not in columns:
        return source, None
    values, wrong = _typed(path, "face_id", columns["face_id"])
    if not types.is_floating(values.type):
        raise ImportProblem(f"The column 'face_id' of {path} must hold whole numbers. Correct it, or leave it out.")
    numbers = values.to_numpy()  # null is NaN
    wrong += [(int(row), "has no face_id") for row in np.flatnonzero(np.isnan(numbers))]
    wrong += [(int(row), "its face_id is no whole number") for row in np.flatnonzero(numbers % 1 > 0)]
    refuse(path, len(numbers), "row {}".format, sorted(wrong), "Fill it in, or remove the rows.")
    return source, numbers.astype(np.int64)


def _sources(path: Path, column: pa.ChunkedArray) -> np.ndarray:
    try:
        texts = trimmed(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ImportProblem(f"The column 'source' of {path} must hold text, and holds {column.type}.") from None
    names = np.array(texts.to_pylist(), dtype=object)
    wrong: list[Wrong] = [(int(row), "has no source") for row in np.flatnonzero(texts.is_null().to_numpy())]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if name is not None and first.setdefault(name, row) != row:
            wrong.append((row, f"{quoted(name)} stands on row {first[name]} already"))
    refuse(path, len(names), "row {}".format, sorted(wrong), "Keep one row per face.")
    return names


def _row(source: np.ndarray | None, face_id: np.ndarray | None, row: int) -> str:
    """What to call a row in a message."""
    about = quoted(str(source[row])) if source is not None else f"face {face_id[row]}" if face_id is not None else ""
    return f"row {row} ({about})"
