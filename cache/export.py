"""Faces to take away: as CSV, as Parquet, or as a zip of thumbnails, each with the query that chose them.

Written a few thousand faces at a time, so that a million need no more memory than those.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.filter_json import to_json
from cache.filters import Filter, quote
from cache.reader import MAX_ROWS, Cache
from cache.schema import SCHEMA_VERSION

CHUNK = MAX_ROWS  # faces at a time
METADATA = b"doubtscope"  # where a Parquet file's metadata hold the query
LISTS = ("votes", "probs")  # one value per class
UNITS = {"votes": "votes", "probs": "probability", "majority": "class index", "predicted": "class index"}
DETAILS = ("source", "content_id", "votes")  # of a face, beside the columns that it can be filtered by
# A spreadsheet runs a cell that begins like this. Such a text, and one that begins with an apostrophe, gets an
# apostrophe before it; taking away one leading apostrophe gives back every text as it was.
FORMULA = r"^(?:['\t\r\n]|\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"
NOTE = (
    "In faces.csv, an apostrophe stands before every text that begins with one, or that a spreadsheet would take for a "
    "formula. A Parquet file has all texts as they are."
)

Advance = Callable[[int], None]  # gets the number of faces that were just written


@dataclass(frozen=True, eq=False)
class Selection:
    """Faces to write, and the query that chose them, for whoever finds the file later."""

    cache: Cache
    model: str | None  # whose predictions stand beside the faces
    ids: np.ndarray  # (n,) int64, in the order of the dataset
    query: dict[str, Any]


def select(
    cache: Cache, model: str | None, where: Filter, *, most: int | None = None, name: str = "", address: str = ""
) -> Selection:
    """The faces that match; with `most`, the first so many.

    name: of the slice, or of what is on view. address: query string of the page, to see the faces again.
    """
    condition, bound = cache.condition(model, where)
    limit = "" if most is None else f" LIMIT {int(most)}"
    frame = cache.frame(f"SELECT face_id FROM {cache.joined(model)} WHERE {condition} ORDER BY face_id{limit}", bound)
    ids = frame["face_id"].to_numpy(np.int64)
    manifest = cache.manifest
    query = {
        "schema_version": SCHEMA_VERSION,
        "cache": {
            "title": manifest.source.title,
            "note": manifest.source.note,
            "source": manifest.source.spec,
            "updated": manifest.updated,
            "manifest_sha256": hashlib.sha256(manifests.dump(manifest).encode()).hexdigest(),
        },
        "name": name or None,
        "model": model,
        "filter": to_json(where),
        "address": address,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "faces": {"matching": cache.count(model, where) if len(ids) == most else len(ids), "written": len(ids)},
        "classes": list(manifest.classes),
        "units": {column.name: column.unit for column in cache.columns(model).values() if column.unit},
    }
    return Selection(cache, model, ids, query)


def write_csv(chosen: Selection, out: IO[bytes], advance: Advance | None = None) -> None:
    """faces.csv: one row per face; votes and probabilities in a column per class, classes by their names."""
    tables = (_flat(table, chosen.cache.classes) for table in _tables(chosen))
    first = next(tables)
    with pyarrow.csv.CSVWriter(out, first.schema) as writer:
        _write(writer, chain([first], tables), advance)


def write_parquet(chosen: Selection, out: IO[bytes], advance: Advance | None = None) -> None:
    """The columns as the cache has them, with their units, and the query in the file's metadata."""
    tables = (table.replace_schema_metadata({METADATA: _json(chosen.query)}) for table in _tables(chosen))
    first = next(tables)
    with pq.ParquetWriter(out, first.schema, compression="zstd") as writer:
        _write(writer, chain([first], tables), advance)


def write_csv_zip(chosen: Selection, out: IO[bytes], advance: Advance | None = None) -> None:
    """faces.csv and query.json in one file, for a CSV by itself cannot say where it comes from."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("faces.csv", "w", force_zip64=True) as entry:
            write_csv(chosen, entry, advance)
        archive.writestr("query.json", _json({**chosen.query, "note": NOTE}))


def write_thumbnails(chosen: Selection, out: IO[bytes], advance: Advance | None = None) -> None:
    """The same two files, and the image of each face under its number."""
    images = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("faces.csv", "w", force_zip64=True) as entry:
            write_csv(chosen, entry)
        for ids in _chunks(chosen.ids):
            for face_id, image in sorted(chosen.cache.thumbnails(ids.tolist()).items()):
                if (kind := {b"\xff\xd8": "jpg", b"\x89P": "png"}.get(image[:2])) is not None:
                    archive.writestr(f"thumbnails/{face_id}.{kind}", image, zipfile.ZIP_STORED)
                    images += 1
            if advance:
                advance(len(ids))
        faces = {**chosen.query["faces"], "thumbnails": images}
        archive.writestr("query.json", _json({**chosen.query, "faces": faces, "note": NOTE}))


def expect_file(path: Path) -> None:
    """Raises ValueError for a file that `write_file` could not write."""
    if path.suffix not in (".csv", ".parquet", ".zip"):
        raise ValueError(f"Cannot tell from '{path.name}' what to write. Let it end in .csv, .parquet or .zip.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}. Make it first, or choose another --out.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Choose another --out.")


def write_file(chosen: Selection, path: Path, advance: Advance | None = None) -> list[Path]:
    """Into a .csv (and a .query.json beside it), .parquet or .zip: all of it, or nothing. Returns the files."""
    expect_file(path)
    write = {".csv": write_csv, ".parquet": write_parquet, ".zip": write_thumbnails}[path.suffix]
    _whole(path, lambda out: write(chosen, out, advance))
    if path.suffix != ".csv":
        return [path]
    beside = path.with_suffix(".query.json")
    _whole(beside, lambda out: out.write(_json({**chosen.query, "note": NOTE})))
    return [path, beside]


# ---- inside


def _write(writer: Any, tables: Iterable[pa.Table], advance: Advance | None) -> None:
    for table in tables:
        writer.write_table(table)
        if advance:
            advance(len(table))


def _chunks(ids: np.ndarray) -> Iterator[np.ndarray]:
    """At least one, so that a file without faces has its columns."""
    for start in range(0, max(1, len(ids)), CHUNK):
        yield ids[start : start + CHUNK]


def _tables(chosen: Selection) -> Iterator[pa.Table]:
    """Everything that is known of the faces but the samples, chunk by chunk, in the order of the faces."""
    cache, model = chosen.cache, chosen.model
    beside = {table: names for table, names in cache.attribute_tables.items() if table != "faces" and names}
    elsewhere = {"face_id", *(name for names in beside.values() for name in names)}
    of_face = [name for name in cache.columns(None) if name not in elsewhere]
    of_model = [name for name in cache.columns(model) if name not in elsewhere and name not in of_face]
    parts = [_part("faces", ["face_id", *DETAILS, *of_face])]
    parts += [_part(table, ["face_id", *names]) for table, names in beside.items()]
    if model is not None:
        parts.append(_part(f"predictions/model={model}", ["face_id", "probs", *of_model]))
    joined = parts[0] + "".join(f" JOIN {part} USING (face_id)" for part in parts[1:])
    sql = f"SELECT * FROM {joined} ORDER BY face_id"
    for ids in _chunks(chosen.ids):
        ends = [int(ids[0]), int(ids[-1])] if len(ids) else [0, -1]
        yield _typed(cache, model, cache.arrow(sql, ends * len(parts), chosen={"face_id": ids}))


def _part(table: str, columns: list[str]) -> str:
    """Some columns of the chosen faces; the ends of their numbers spare the reader most of the files."""
    wanted = ", ".join(map(quote, columns))
    within = "WHERE face_id BETWEEN ? AND ?"
    return f"(SELECT {wanted} FROM {quote(table)} SEMI JOIN chosen USING (face_id) {within})"


def _typed(cache: Cache, model: str | None, table: pa.Table) -> pa.Table:
    """Lists of one length, and units, as in the cache."""
    known = cache.columns(model)
    for index, field in enumerate(table.schema):
        unit = UNITS.get(field.name) or (known[field.name].unit if field.name in known else "")
        kind = pa.list_(field.type.value_type, len(cache.classes)) if field.name in LISTS else field.type
        field = pa.field(field.name, kind, metadata={"unit": unit} if unit else None)
        table = table.set_column(index, field, table.column(index).cast(kind))
    return table


def _flat(table: pa.Table, classes: tuple[str, ...]) -> pa.Table:
    """A column per class instead of lists, names of classes, and no text that a spreadsheet would run."""
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        values = table.column(name)
        if name in LISTS:
            columns |= {f"{name}_{label}": pc.list_element(values, i) for i, label in enumerate(classes)}
        elif name in ("majority", "predicted"):
            columns[name] = pc.take(pa.array(classes), values)
        else:
            columns[name] = values
    return pa.table({name: harmless(values) for name, values in columns.items()})


def harmless(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column for a CSV: an apostrophe before every text that a spreadsheet would run; numbers as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    return pc.if_else(pc.match_substring_regex(values, FORMULA), pc.binary_join_element_wise("'", values, ""), values)


def _json(query: dict[str, Any]) -> bytes:
    return json.dumps(query, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside the file, flush, and put it into its place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as out:
            write(out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
