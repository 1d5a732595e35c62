"""Rows of a Parquet or CSV file as dictionaries, a few at a time: memory does not grow with the table."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from engine.sources.rows import SourceProblem

# 'integer' and 'number' are both numbers; votes must be integers. 'image' is bytes or a struct {bytes, path}.
Kind = Literal["integer", "number", "text", "image", "list", "other"]
Row = Mapping[str, Any]

BATCH_ROWS = 16  # with images of a few MB each, a batch stays below 100 MB


class ParquetRows:
    """A Parquet file, read in batches through a small buffer."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                schema, self.count = file.schema_arrow, file.metadata.num_rows
        except (OSError, pa.ArrowException) as problem:
            reason = str(problem).partition("\n")[0]
            raise SourceProblem(f"{path} is no readable Parquet file: {reason} Copy it again.") from None
        self.kinds: dict[str, Kind] = {field.name: _kind(field.type) for field in schema}
        self.units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in schema}
        self.classes = _classes((schema.metadata or {}).get(b"classes"))

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Every row, with all columns or those named. Raises SourceProblem where the file is damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        done = 0
        try:
            # without the two options a whole row group, often the whole file, would be read at once
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=2**20) as file:
                light = columns is not None and all(self.kinds[name] != "image" for name in columns)
                size = 4096 if light else BATCH_ROWS
                for batch in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
                    yield from batch.to_pylist()
                    done += batch.num_rows
        except (OSError, pa.ArrowException) as problem:
            reason = str(problem).partition("\n")[0]
            raise SourceProblem(f"{self.path} is damaged after row {done:,}: {reason} Copy it again.") from None


class CsvRows:
    """A CSV file. A first pass over it counts the rows and finds out which columns are numbers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.units: dict[str, str] = {}
        self.classes: tuple[str, ...] | None = None
        self.kinds: dict[str, Kind] = {}
        self.count = 0
        filled: set[str] = set()
        for cells in self._cells():
            if not self.kinds:
                self.kinds = dict.fromkeys(cells, "integer")
            for name, text in cells.items():
                if text:
                    filled.add(name)
                    self.kinds[name] = _wider(self.kinds[name], text)
            self.count += 1
        if not self.count:
            raise SourceProblem(f"{path} has no rows. Write a line of column names, then one row per image.")
        self.kinds = {name: kind if name in filled else "text" for name, kind in self.kinds.items()}

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        for cells in self._cells():
            names = cells if columns is None else columns
            yield {name: self._value(name, cells[name]) for name in names}

    def _value(self, name: str, text: str) -> int | float | str | None:
        if not text:
            return None
        kind = self.kinds[name]
        return int(text) if kind == "integer" else float(text) if kind == "number" else text

    def _cells(self) -> Iterator[dict[str, str]]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                header = [name.strip() for name in next(reader, [])]
                if len(set(header)) != len(header):
                    raise SourceProblem(f"{self.path} has two columns of one name. Rename or remove one.")
                for row in reader:
                    if not row:
                        continue
                    if len(row) != len(header):
                        raise SourceProblem(
                            f"{self.path}, line {reader.line_num}: {len(row)} columns where the first line "
                            f"has {len(header)}. Quote values that contain a comma, or correct the line."
                        )
                    yield dict(zip(header, (cell.strip() for cell in row), strict=True))
        except OSError as problem:
            raise SourceProblem(f"{self.path} cannot be read: {problem.strerror}. Check the path.") from None
        except UnicodeDecodeError:
            raise SourceProblem(f"{self.path} is not text in UTF-8. Save it as 'CSV UTF-8'.") from None
        except csv.Error as problem:
            raise SourceProblem(f"{self.path} is no readable CSV: {problem}. Check its quotes.") from None


def _wider(kind: Kind, text: str) -> Kind:
    """The narrowest kind that holds both what was seen and `text`."""
    if kind == "integer":
        digits = text[1:] if text[0] in "+-" else text
        if digits.isascii() and digits.isdigit() and len(digits) < 16:
            return "integer"
    if kind != "text":
        try:
            if math.isfinite(float(text)) and "_" not in text:
                return "number"
        except ValueError:
            pass
    return "text"


def _kind(kind: Any) -> Kind:
    """An Arrow type -> what it can serve as here."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "image"
    if types.is_struct(kind) and "bytes" in {field.name for field in kind}:
        return "image"
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return "list" if types.is_integer(kind.value_type) else "other"
    return "other"


def _classes(value: bytes | None) -> tuple[str, ...] | None:
    """Class names in the schema's metadata: a JSON list, or names separated by commas."""
    if not value:
        return None
    text = value.decode("utf-8", "replace")
    try:
        names = json.loads(text)
    except ValueError:
        names = text.split(",")
    return tuple(str(name).strip() for name in names) if isinstance(names, list) else None
