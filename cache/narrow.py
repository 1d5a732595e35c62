"""Narrow columns of the faces into memory: those of their own table, and every attribute beside them."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from cache.filters import quote

MOST_DISTINCT = 1_000  # texts of a column that is kept as numbers of a list of them
FACES = 131_072  # of several tables, joined at a time: DuckDB holds the second whole; of a million, 60 MB less

Rows = Callable[[str, list[Any]], list[tuple[Any, ...]]]  # runs a statement


def load(rows: Rows, name: str, tables: Mapping[str, list[pa.Field]]) -> None:
    """Create a table of these columns of these tables, whose rows are the same faces in the same order."""
    sources = [_selection(rows, table, fields) for table, fields in tables.items()]
    if len(sources) == 1:
        rows(f"CREATE TABLE {name} AS {sources[0]}", [])
        return
    joined = " POSITIONAL JOIN ".join(f"({source} WHERE face_id BETWEEN ? AND ?)" for source in sources)
    first, last = rows("SELECT min(face_id), max(face_id) FROM faces", [])[0]
    rows(f"CREATE TABLE {name} AS SELECT * FROM {joined} LIMIT 0", [0, 0] * len(sources))
    for start in range(first, last + 1, FACES):
        rows(f"INSERT INTO {name} SELECT * FROM {joined}", [start, start + FACES - 1] * len(sources))


def in_order(rows: Rows, table: str) -> bool:
    """Whether the rows of a table are the faces, in their order."""
    ids = f"(SELECT face_id FROM faces) POSITIONAL JOIN (SELECT face_id AS other FROM {quote(table)})"
    return not rows(f"SELECT 1 FROM {ids} WHERE face_id IS DISTINCT FROM other LIMIT 1", [])


def _selection(rows: Rows, table: str, fields: list[pa.Field]) -> str:
    """A SELECT of columns; texts of few values become numbers of a list, which takes a fifteenth of the memory."""
    whole = quote(table)
    texts = [f.name for f in fields if str(f.type) in ("string", "large_string")]
    counts = ", ".join(f"approx_count_distinct({quote(name)})" for name in texts)
    distinct = dict(zip(texts, rows(f"SELECT {counts} FROM {whole}", [])[0], strict=True)) if texts else {}
    columns = []
    for field in fields:
        column = quote(field.name)
        if 0 < distinct.get(field.name, 0) <= MOST_DISTINCT:
            values = quote(f"values of {field.name}")
            listed = f"SELECT DISTINCT {column} FROM {whole} WHERE {column} IS NOT NULL ORDER BY 1"
            rows(f"CREATE TYPE {values} AS ENUM ({listed})", [])
            columns.append(f"{column}::{values} AS {column}")
        else:
            columns.append(column)
    return f"SELECT {', '.join(columns)} FROM {whole}"
