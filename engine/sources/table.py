"""A Parquet or CSV table with one row per image.

Columns, by name:

    path      a file, relative to the table's folder
    image     instead: the file's bytes (Parquet), also as the struct {bytes, path} of Hugging Face
    split     optional
    votes     optional: integer columns named after expressions, or a list column `votes` with the class names
              in the schema's metadata under 'classes', or a column `label`
    others    every other column of numbers or text becomes an attribute
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.images import decode, decode_file
from engine.sources.labels import (
    MAX_VOTES,
    Labels,
    clean_name,
    fer_class,
    label_classes,
    match_classes,
    place_votes,
    read_labels,
)
from engine.sources.rows import FER_CLASSES, Attribute, Item, Reject, Source, SourceProblem
from engine.sources.table_rows import CsvRows, ParquetRows, Row


@dataclass(frozen=True)
class _Columns:
    """Which column plays which role."""

    path: str | None
    image: str | None
    name: str | None  # names the image where there is no path
    split: str | None
    label: str | None
    votes: tuple[str, ...]  # one list column, or one column per class
    attributes: tuple[Attribute, ...]


def open_table(path: Path, spec: str, labels: Path | None = None) -> Source:
    """Open a table of images. Rows are read in small batches, files in Item.load.

    A row without an image, with impossible votes, or with a name that stood before is a reject. Raises
    SourceProblem when the table cannot be read, names no image column, or does not fit the labels.
    """
    if not path.is_file():
        raise SourceProblem(f"There is no file at {path}. Check the path after 'table:'.")
    table = CsvRows(path) if path.suffix.lower() == ".csv" else ParquetRows(path)
    columns = _columns(table)
    given = None
    note = ""
    if labels is not None:
        if columns.votes or columns.label:
            own = ", ".join(columns.votes) or str(columns.label)
            raise SourceProblem(f"{path} has votes of its own ({own}). Remove them, or leave out --labels.")
        given = read_labels(labels)
        names = {_name(row, columns, i) for i, row in enumerate(table.rows(_name_columns(columns)))}
        given.check_files({name for name in names if name}, path)
        bare = sum(given.votes.get(name or "") is None for name in names)
        note = f"{bare:,} of {len(names):,} images have no votes in {labels.name}" if bare else ""
    classes, voter = _voter(table, columns, given)

    def entries() -> Iterator[Item | Reject]:
        seen: set[str] = set()
        for index, row in enumerate(table.rows()):
            name = _name(row, columns, index)
            if name is None:
                yield Reject(f"row {index + 1}", "list", f"Row {index + 1} names no image.")
            elif name in seen:
                yield Reject(f"row {index + 1}", "list", f"{name} stands on an earlier row already.")
            else:
                seen.add(name)
                yield _entry(row, name, columns, path.parent, voter, given)

    return Source(spec, path.stem, classes, entries, table.count, columns.attributes, note)


class _Voter:
    """Reads one row's votes in the order of the source's classes."""

    def __init__(self, columns: _Columns, classes: tuple[str, ...] | None, positions: list[int | None]) -> None:
        self.columns, self.classes, self.positions = columns, classes, positions
        self.label_at: dict[str, int | None] = {}

    def __call__(self, row: Row) -> tuple[int, ...] | None:
        """(C,) counts, None for no votes; ValueError with the reason for impossible ones."""
        if self.classes is None:
            return None
        if self.columns.label is not None:
            label = row[self.columns.label]
            at = None if label is None else self.label_at[str(label)]
            return None if at is None else tuple(int(i == at) for i in range(len(self.classes)))
        names = self.columns.votes
        counts: list[int | None] | None
        counts = row[names[0]] if len(names) == 1 else [row[name] for name in names]
        if counts is None or all(count is None for count in counts):
            return None
        if len(counts) != len(self.positions):
            raise ValueError(f"{len(counts)} votes for {len(self.positions)} classes")
        whole = [count for count in counts if isinstance(count, int) and 0 <= count <= MAX_VOTES]
        if len(whole) != len(counts):
            raise ValueError(f"votes must be whole numbers from 0 to {MAX_VOTES:,}, got {counts}")
        if not any(whole):
            raise ValueError("no votes at all; leave them empty for an image without votes")
        return place_votes(whole, self.positions, len(self.classes))


def _voter(
    table: ParquetRows | CsvRows, columns: _Columns, given: Labels | None
) -> tuple[tuple[str, ...] | None, _Voter]:
    if given is not None:
        return given.classes, _Voter(columns, None, [])
    if columns.label is not None:
        values = dict.fromkeys(row[columns.label] for row in table.rows([columns.label]))
        classes, label_at = label_classes([str(value) for value in values if value is not None])
        voter = _Voter(columns, classes, [])
        voter.label_at = label_at
        return classes, voter
    if not columns.votes:
        return None, _Voter(columns, None, [])
    names = (table.classes or ()) if len(columns.votes) == 1 else columns.votes
    classes, positions = match_classes(names)
    return classes, _Voter(columns, classes, positions)


def _entry(row: Row, name: str, columns: _Columns, folder: Path, voter: _Voter, given: Labels | None) -> Item | Reject:
    data = row[columns.image] if columns.image is not None else None
    file = row[columns.path] if columns.path is not None else None
    if isinstance(data, dict):
        file = file or data.get("path")
        data = data["bytes"]
    if data is None and not file:
        return Reject(name, "list", f"{name} has neither bytes nor a path.")
    try:
        votes = voter(row) if given is None else given.votes.get(name)
    except ValueError as problem:
        return Reject(name, "labels", f"{name}: {problem}.")
    split = row[columns.split] if columns.split is not None else None
    if given is not None:
        split = given.splits.get(name, split)
    return Item(
        source=name,
        load=partial(decode_file, folder / str(file), name) if data is None else partial(decode, data, name),
        split=None if split is None else str(split),
        votes=votes,
        attributes={attribute.name: attribute_value(row[attribute.name]) for attribute in columns.attributes},
    )


def attribute_value(value: object) -> float | str | None:
    """A cell as Item.attributes holds it: every number a float, missing and NaN None."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]  # int, float, bool or Decimal, by the column's kind
    return None if math.isnan(number) else number


def attributes_of(table: ParquetRows | CsvRows, without: set[str]) -> tuple[Attribute, ...]:
    """Every column of numbers or text, except some, as an Attribute."""
    return tuple(
        Attribute(name, "text" if kind == "text" else "number", table.units.get(name, ""))
        for name, kind in table.kinds.items()
        if kind in ("integer", "number", "text") and name not in without
    )


def _columns(table: ParquetRows | CsvRows) -> _Columns:
    """Give each column its role, by name (in any case) and type. SourceProblem when no image can be found."""
    by_name = {name.lower(): name for name in table.kinds}

    def role(name: str, *kinds: str) -> str | None:
        column = by_name.get(name)
        return column if column is not None and table.kinds[column] in kinds else None

    path, image = role("path", "text"), role("image", "image")
    if path is None and image is None:
        found = ", ".join(f"{name} ({kind})" for name, kind in table.kinds.items())[:300]
        raise SourceProblem(
            f"{table.path} has neither a text column 'path' nor a column 'image' of bytes (found: {found}). "
            "Name the column with the files' paths, relative to the table, 'path'."
        )
    listed = role("votes", "list")
    if listed is not None and not table.classes:
        raise SourceProblem(
            f"{table.path} has a list column '{listed}' but no class names. "
            "Write them as a JSON list into the Parquet schema's metadata under 'classes'."
        )
    counted = [name for name, kind in table.kinds.items() if kind == "integer" and fer_class(name)]
    if sum(fer_class(name) in FER_CLASSES for name in counted) < 2:  # a lone 'fear' is some other measurement
        counted = []
    votes = (listed,) if listed is not None else tuple(counted)
    label = None if votes else role("label", "text", "integer")
    name = role("name", "text") if path is None else None
    split = role("split", "text")
    used = {*votes, *(column for column in (path, image, name, split, label) if column)}
    return _Columns(path, image, name, split, label, votes, attributes_of(table, used))


def _name_columns(columns: _Columns) -> list[str]:
    return [column for column in (columns.path or columns.name or columns.image,) if column]


def _name(row: Row, columns: _Columns, index: int) -> str | None:
    """The image's name: its path, else its name, else the path inside the struct, else its row."""
    column = columns.path or columns.name
    if column is not None:
        return clean_name(row[column] or "") or None
    value = row[columns.image or ""]
    if isinstance(value, dict) and value.get("path"):
        return clean_name(value["path"])
    return f"row {index + 1}" if value is not None else None
