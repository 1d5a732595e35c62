"""Predictions in a Parquet table: one row per face, with a list of numbers or with a column per class."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from engine.imports.given import Given, means_logits, quoted
from engine.imports.rows import ImportProblem, Wrong, refuse
from engine.sources.table_rows import ParquetRows

ROWS = 4096  # read at a time
IDS = ("face_id", "source")
MOST_LISTED = 20  # names in a message


def read_table(path: Path, logits: bool, classes: tuple[str, ...]) -> Given:
    """Ids, and a list column 'probs' or 'logits' (C numbers, S x C numbers, or S lists of C) or one column of numbers
    per class. Other columns are left alone. The order of a list's classes may stand in the schema's metadata under
    'classes'."""
    table = ParquetRows(path)
    if not table.count:
        raise ImportProblem(f"{path} holds no rows. Save one row per face.")
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        found = means_logits(path, schema.names, logits)
        columns = [found[0]] if found else _class_columns(path, schema, classes)
        ids = [name for name in IDS if name in schema.names]
        _check_columns(path, schema, ids, columns, listed=found is not None)
        face_id, source = _read_ids(path, file, ids)
        reader = _Lists(table.count, len(classes)) if found else _Columns(table.count, len(classes))
        for batch in file.iter_batches(ROWS, columns=columns):
            reader.add([batch.column(name) for name in columns])
    given = Given(
        path, reader.values, found[1] if found else logits, face_id, source, table.classes if found else classes
    )
    refuse(path, table.count, given.name, reader.wrong, "Give every row the same number of samples of every class.")
    if found and reader.length % len(classes):
        raise ImportProblem(
            f"The lists in {path} hold {reader.length} numbers and the cache has {len(classes)} classes. Each must "
            f"hold {len(classes)} numbers per sample, sample by sample."
        )
    return Given(
        path, reader.values.reshape(table.count, -1, len(classes)), given.logits, face_id, source, given.classes
    )


class _Columns:
    """Rows of one column per class: S = 1."""

    def __init__(self, rows: int, classes: int) -> None:
        self.values = np.empty((rows, classes))
        self.length = classes
        self.wrong: list[Wrong] = []
        self._done = 0

    def add(self, columns: list[pa.Array]) -> None:
        end = self._done + len(columns[0])
        for index, column in enumerate(columns):
            self.values[self._done : end, index] = _numbers(column)
        self._done = end


class _Lists:
    """Rows of one list column, all as long as the first list that has numbers."""

    def __init__(self, rows: int, classes: int) -> None:
        self.values = np.empty((rows, 0))
        self.length = 0
        self.wrong: list[Wrong] = []
        self._classes, self._done = classes, 0

    def add(self, columns: list[pa.Array]) -> None:
        lists, reasons = columns[0], dict[int, str]()
        lengths = _lengths(lists)  # (B,)
        numbers = lists.flatten()
        if _is_list(numbers.type):
            owners = np.repeat(np.arange(len(lists)), lengths)
            odd = owners[_lengths(numbers) != self._classes]
            reasons |= {int(row): f"has a sample that does not hold {self._classes} numbers" for row in odd}
            lengths = lengths * self._classes
            numbers = numbers.flatten()
        if not self.length and lengths.any():
            self.length = int(lengths[lengths > 0][0])
        for row in np.flatnonzero(lengths != self.length):
            reasons.setdefault(int(row), f"has {lengths[row]:,} numbers where the first list has {self.length:,}")
        for row in np.flatnonzero(lengths == 0):
            reasons[int(row)] = "has no numbers"
        if not reasons:
            self._fill(_numbers(numbers).reshape(len(lists), self.length))
        self.wrong += [(self._done + row, reasons[row]) for row in sorted(reasons)]
        self._done += len(lists)

    def _fill(self, block: np.ndarray) -> None:
        if not self.values.size:
            self.values = np.empty((len(self.values), self.length), _kept(block.dtype))
        self.values[self._done : self._done + len(block)] = block


def _class_columns(path: Path, schema: pa.Schema, classes: tuple[str, ...]) -> list[str]:
    missing = [name for name in classes if name not in schema.names]
    if missing:
        raise ImportProblem(
            f"{path} has neither a list column 'probs' or 'logits' nor a column of numbers for each class; it lacks "
            f"{', '.join(missing[:MOST_LISTED])} (it has: {', '.join(map(quoted, schema.names[:MOST_LISTED]))}). Name "
            "the columns as the cache names its classes."
        )
    return list(classes)


def _check_columns(path: Path, schema: pa.Schema, ids: list[str], columns: list[str], *, listed: bool) -> None:
    """The columns to be read exist once, and have a type that can serve."""
    if not ids:
        raise ImportProblem(f"{path} has no column 'face_id' or 'source'. Add one: it says which face a row is about.")
    wanted: dict[str, Any] = {"face_id": ("whole numbers", types.is_integer), "source": ("text", _is_text)}
    for name in [*ids, *columns]:
        content, fits = wanted.get(name, ("lists of numbers", _holds_numbers) if listed else ("numbers", _is_number))
        if schema.names.count(name) > 1:
            raise ImportProblem(f"{path} has more than one column '{name}'. Rename or remove one of them.")
        if not fits(schema.field(name).type):
            raise ImportProblem(
                f"The column '{name}' in {path} must hold {content}, and holds {schema.field(name).type}. Convert it."
            )


def _read_ids(path: Path, file: pq.ParquetFile, ids: list[str]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(N,) int64 and (N,) str, None for a column that the table lacks."""
    table = file.read(columns=ids)
    for name in ids:
        missing = np.flatnonzero(table[name].is_null().to_numpy())
        wrong = [(int(row), f"has no {name}") for row in missing]
        refuse(path, len(table), "row {}".format, wrong, "Fill it in, or remove the rows.")
    face_id = table["face_id"].to_numpy().astype(np.int64) if "face_id" in ids else None
    source = np.array(table["source"].to_pylist(), dtype=object) if "source" in ids else None
    return face_id, source


def _lengths(lists: pa.Array) -> np.ndarray:
    """(N,) numbers of items; 0 for a missing list."""
    return np.asarray(pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _numbers(array: pa.Array) -> np.ndarray:
    """A missing number becomes NaN."""
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _kept(kind: np.dtype) -> np.dtype:
    """Floats as they are; whole numbers as float64, because a later block may have missing ones."""
    return kind if kind.kind == "f" else np.dtype(np.float64)


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_floating(kind) or types.is_integer(kind))


def _holds_numbers(kind: pa.DataType) -> bool:
    """A list of numbers, or a list of lists of them."""
    inner = kind.value_type if _is_list(kind) else None
    return inner is not None and _is_number(inner.value_type if _is_list(inner) else inner)


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(plain) or types.is_large_string(plain) or types.is_string_view(plain))
