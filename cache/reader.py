"""Read a cache with DuckDB, straight from its Parquet parts. Every query is bounded in rows."""

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.errors import BadQuery, CacheGone, SchemaMismatch
from cache.filters import Column, Filter, Region, Sort, Value, quote
from cache.manifest import Manifest
from cache.regions import inside
from cache.schema import ATTRIBUTE_PREFIX, SCORES

MAX_ROWS = 5_000  # no query returns more
MOST_ENCLOSED = 8_000_000  # faces in all the regions that are remembered; 8 bytes each
EVERYTHING = Filter()
DATASET_ORDER = Sort()
UNCERTAINTIES = ("u_total", "u_aleatoric", "u_epistemic")


@dataclass(frozen=True)
class Face:
    """All that is known of one face under one model."""

    face_id: int
    row: dict[str, Any]  # the columns of `columns(model)`, plus source, content_id, width, height
    votes: np.ndarray | None  # (C,) counts
    probs: np.ndarray | None  # (C,)
    samples: np.ndarray | None  # (S, C)
    percentiles: dict[str, float]  # score -> share of the same split at or below, in percent
    peers: int  # faces in that comparison


class Cache:
    """An open cache. One instance may serve many threads.

    Raises CacheNotFound, SchemaMismatch on opening; CacheGone when the folder disappears later.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.manifest: Manifest = manifests.load(self.folder)
        # One thread per query: a second one saves 2 ms on 36,000 faces and costs 17 MB.
        self._connection = duckdb.connect(
            config={"memory_limit": "400MB", "threads": 1, "autoinstall_known_extensions": False}
        )
        self._connection.execute("SET GLOBAL parquet_metadata_cache = true")
        self._lock = threading.RLock()
        self._regions: OrderedDict[str, int] = OrderedDict()  # table -> faces in it, the one used last at the end
        self._tables = {name: self._files(name) for name in self.manifest.parts}
        for name, files in self._tables.items():
            if files:
                paths = ", ".join(_literal(str(path)) for path in files)
                self.rows(f"CREATE VIEW {quote(name)} AS SELECT * FROM read_parquet([{paths}])", [])

    # ---- what there is

    @property
    def classes(self) -> tuple[str, ...]:
        return self.manifest.classes

    @cached_property
    def models(self) -> tuple[str, ...]:
        return self.manifest.ready_models

    @cached_property
    def layouts(self) -> tuple[str, ...]:
        """Maps of the faces, by name."""
        return self.manifest.ready_layouts

    @cached_property
    def attributes(self) -> dict[str, Column]:
        """The dataset's own columns, by their name in the cache."""
        if not self._tables.get("faces"):
            return {}
        try:
            fields = pq.read_schema(self._tables["faces"][0])
        except OSError:
            raise self._gone() from None
        except pa.ArrowInvalid as problem:
            raise self._unreadable(problem) from None
        found = {}
        for f in fields:
            if f.name.startswith(ATTRIBUTE_PREFIX):
                text = str(f.type) in ("string", "large_string")
                unit = (f.metadata or {}).get(b"unit", b"").decode()
                found[f.name] = Column(f.name, "text" if text else "number", unit)
        return found

    def columns(self, model: str | None) -> dict[str, Column]:
        """Every column to sort or filter by: of the faces, and of the model when there is one."""
        known = [
            Column("face_id", "number", "", "order in the dataset"),
            Column("split", "text", "", "part of the dataset"),
            Column("disagreement", "number", "probability", "that two annotators of this face differ"),
            Column("majority", "class", "", "annotators' most frequent class"),
            Column("n_votes", "number", "votes", "annotators' votes that count"),
            Column("width", "number", "px"),
            Column("height", "number", "px"),
        ]
        if model is not None:
            known.append(Column("predicted", "class", "", "class with the largest mean probability"))
            known += [Column(name, "number", unit, text) for name, (unit, text) in SCORES.items()]
        return {column.name: column for column in known} | self.attributes

    # ---- queries

    def count(self, model: str | None, where: Filter = EVERYTHING) -> int:
        """Number of faces that match."""
        condition, bound = self.condition(model, where)
        return int(self.rows(f"SELECT count(*) FROM {self.joined(model)} WHERE {condition}", bound)[0][0])

    def page(
        self,
        model: str | None,
        where: Filter = EVERYTHING,
        sort: Sort = DATASET_ORDER,
        *,
        limit: int = 60,
        offset: int = 0,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Faces that match, in order: face_id, source, and `columns` (default: every one)."""
        known = self.columns(model)
        condition, bound = self.condition(model, where)
        names = [n for n in (columns if columns is not None else known) if n not in ("face_id", "source")]
        for name in names:
            if name not in known:
                raise BadQuery(f"This cache has no column '{name}'. It has: {', '.join(known)}.")
        wanted = ", ".join(quote(name) for name in ("face_id", "source", *names))
        bound += [max(0, min(limit, MAX_ROWS)), max(0, offset)]
        return self.frame(
            f"SELECT {wanted} FROM {self.joined(model)} WHERE {condition} "
            f"ORDER BY {sort.order(known)} LIMIT ? OFFSET ?",
            bound,
        )

    def thumbnails(self, face_ids: Sequence[int]) -> dict[int, bytes]:
        """JPEG or PNG bytes of up to MAX_ROWS faces; a face the cache lacks is left out."""
        ids = [int(i) for i in face_ids][:MAX_ROWS]
        if not ids or not self._tables.get("thumbnails"):
            return {}
        rows = self.rows(
            "SELECT face_id, thumbnail FROM thumbnails "
            "SEMI JOIN (SELECT unnest(?::BIGINT[]) AS face_id) USING (face_id) WHERE face_id BETWEEN ? AND ?",
            [ids, min(ids), max(ids)],
        )
        return {int(face_id): bytes(data) for face_id, data in rows}

    def face(self, face_id: int, model: str | None) -> Face | None:
        """One face in full, or None when the cache has no such face."""
        known = self.columns(model)
        extra = ["source", "content_id", "votes"] + (["probs", "samples"] if model else [])
        names = [*known, *extra]
        rows = self.rows(
            f"SELECT {', '.join(map(quote, names))} FROM {self.joined(model)} WHERE face_id = ?",
            [int(face_id)],
        )
        if not rows:
            return None
        row = dict(zip(names, rows[0], strict=True))
        votes, probs, samples = (_array(row.pop(n, None)) for n in ("votes", "probs", "samples"))
        if samples is not None:
            samples = samples.reshape(-1, len(self.classes))
        percentiles, peers = self._percentiles(row, model)
        return Face(int(face_id), row, votes, probs, samples, percentiles, peers)

    def histogram(self, model: str | None, column: str, where: Filter = EVERYTHING, *, bins: int = 50) -> pd.DataFrame:
        """Counts of a number column in `bins` equal-width bins: columns low, high, faces."""
        condition, bound = self.condition(model, where)
        low, high = self.extent(model, column)
        if math.isnan(low):
            return pd.DataFrame({"low": [], "high": [], "faces": []})
        width = (high - low) / bins or 1.0
        name = quote(column)
        rows = self.rows(
            f"SELECT least(floor(({name} - ?) / ?), ?)::INT AS bin, count(*) FROM {self.joined(model)} "
            f"WHERE {name} IS NOT NULL AND NOT isnan({name}::DOUBLE) AND {condition} GROUP BY bin",
            [low, width, bins - 1, *bound],
        )
        faces = np.zeros(bins, dtype=np.int64)
        for index, n in rows:
            faces[index] = n
        edges = low + width * np.arange(bins + 1)
        return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "faces": faces})

    def extent(self, model: str | None, column: str) -> tuple[float, float]:
        """Least and greatest value of a number column; NaN when it has none."""
        known = self.columns(model)
        if column not in known or known[column].kind != "number":
            raise BadQuery(f"This cache has no number column '{column}'. It has: {', '.join(known)}.")
        name = quote(column)
        low, high = self.rows(
            f"SELECT min({name}), max({name}) FROM {self.joined(model)} WHERE NOT isnan({name}::DOUBLE)", []
        )[0]
        return (math.nan, math.nan) if low is None else (float(low), float(high))

    def values(self, model: str | None, column: str, *, limit: int = 200) -> pd.DataFrame:
        """The values of a text or class column and how many faces have each: columns value, faces."""
        known = self.columns(model)
        if column not in known:
            raise BadQuery(f"This cache has no column '{column}'. It has: {', '.join(known)}.")
        return self.frame(
            f"SELECT {quote(column)} AS value, count(*) AS faces FROM {self.joined(model)} "
            "GROUP BY value ORDER BY faces DESC, value LIMIT ?",
            [min(limit, MAX_ROWS)],
        )

    def summary(self) -> pd.DataFrame:
        """Statistics computed at the end of a build: model, split, metric, value, low, high, n."""
        if not self._tables.get("summary"):
            return pd.DataFrame(columns=["model", "split", "metric", "value", "low", "high", "n"])
        return self.frame("SELECT * FROM summary LIMIT ?", [MAX_ROWS])

    def rejects(self, *, limit: int = 200) -> pd.DataFrame:
        """Inputs that did not become faces: source, stage, reason."""
        if not self._tables.get("rejects"):
            return pd.DataFrame(columns=["source", "stage", "reason"])
        return self.frame("SELECT * FROM rejects LIMIT ?", [min(limit, MAX_ROWS)])

    @property
    def n_rejects(self) -> int:
        return self.manifest.rows("rejects")

    def close(self) -> None:
        self._connection.close()

    # ---- for the other modules of this package

    def condition(self, model: str | None, where: Filter) -> tuple[str, list[Value]]:
        """SQL condition on `joined(model)`, and its parameters: columns, regions and subsets together."""
        term, bound = where.where(self.columns(model))
        terms = [term]
        terms += [f"face_id IN (SELECT face_id FROM {self._enclosed(region)})" for region in where.regions]
        for subset in where.subsets:
            inner, more = self.condition(subset.model, subset.where)
            which = "IN" if subset.inside else "NOT IN"
            terms.append(f"face_id {which} (SELECT face_id FROM {self.joined(subset.model)} WHERE {inner})")
            bound += more
        return " AND ".join(terms), bound

    def joined(self, model: str | None) -> str:
        """What to select from: the faces, beside the predictions of a model when there is one."""
        if model is None:
            return "faces"
        if model not in self.models:
            raise BadQuery(f"This cache has no model '{model}'. It has: {', '.join(self.models) or 'none yet'}.")
        return f"faces JOIN {quote(f'predictions/model={model}')} USING (face_id)"

    def rows(self, sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
        return self._run(sql, bound, lambda result: result.fetchall())

    def frame(self, sql: str, bound: list[Any]) -> pd.DataFrame:
        return self._run(sql, bound, lambda result: result.df())

    # ---- inside

    def _enclosed(self, region: Region) -> str:
        """A table of the faces inside a region, made at its first use. Raises BadQuery for an unknown layout."""
        if region.layout not in self.layouts:
            raise BadQuery(f"This cache has no map '{region.layout}'. It has: {', '.join(self.layouts) or 'none yet'}.")
        if len(region.polygon) < 3 or not np.isfinite(region.polygon).all():
            raise BadQuery("A region on the map needs three corners or more, each two finite numbers.")
        name = quote(f"region {hashlib.sha256(repr(region).encode()).hexdigest()[:16]}")
        with self._lock:
            if name not in self._regions:
                self._regions[name] = self._fill(name, region)
            self._regions.move_to_end(name)
            while len(self._regions) > 1 and sum(self._regions.values()) > MOST_ENCLOSED:
                oldest, _ = self._regions.popitem(last=False)
                self.rows(f"DROP TABLE {oldest}", [])
        return name

    def _fill(self, name: str, region: Region) -> int:
        """Corners in SQL, rays in NumPy: ten times as fast as a polygon in SQL. Returns the number of faces."""
        corners = np.array(region.polygon, dtype=np.float64)
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        box = self._run(
            f"SELECT face_id, x, y FROM {quote(f'embeddings/layout={region.layout}')} "
            "WHERE x BETWEEN ? AND ? AND y BETWEEN ? AND ?",
            [left, right, bottom, top],
            lambda result: result.fetchnumpy(),
        )
        chosen = {"face_id": box["face_id"][inside(box["x"], box["y"], region.polygon)]}
        self._run(f"CREATE TABLE {name} AS SELECT face_id FROM chosen", [], lambda result: result.fetchall(), chosen)
        return len(chosen["face_id"])

    def _run(
        self,
        sql: str,
        bound: list[Any],
        fetch: Callable[[duckdb.DuckDBPyConnection], Any],
        chosen: dict[str, np.ndarray] | None = None,  # arrays that the statement may name as a table
    ) -> Any:
        try:
            with self._connection.cursor() as cursor:
                if chosen is not None:
                    cursor.register("chosen", pd.DataFrame(chosen))
                return fetch(cursor.execute(sql, bound))
        except duckdb.IOException:
            raise self._gone() from None
        except (duckdb.InvalidInputException, duckdb.SerializationException) as problem:
            raise self._unreadable(problem) from None

    def _percentiles(self, row: dict[str, Any], model: str | None) -> tuple[dict[str, float], int]:
        """Mid-rank percentile of each part of the triple among the faces of the same split."""
        if model is None:
            return {}, 0
        same = "split IS NOT DISTINCT FROM ?"
        ranks = ", ".join(f"avg(({u} < ?)::INT) + avg(({u} = ?)::INT) / 2" for u in UNCERTAINTIES)
        twice = [value for u in UNCERTAINTIES for value in (row[u], row[u])]
        *shares, n = self.rows(
            f"SELECT {ranks}, count(*) FROM {self.joined(model)} WHERE {same}", [*twice, row["split"]]
        )[0]
        return {u: 100.0 * float(share) for u, share in zip(UNCERTAINTIES, shares, strict=True)}, int(n)

    def _files(self, table: str) -> list[Path]:
        root = self.folder.resolve()
        paths = [root / part.file for part in self.manifest.parts[table].values() if part.rows]
        for path in paths:
            if not path.resolve().is_relative_to(root):
                raise SchemaMismatch(f"The manifest of {self.folder} names a file outside it. Do not trust this cache.")
            if not path.is_file():
                raise SchemaMismatch(
                    f"{path} is named in the manifest and missing. Build the cache again into a new folder."
                )
        return paths

    def _gone(self) -> CacheGone:
        return CacheGone(
            f"The cache at {self.folder} was moved, deleted or rebuilt while it was open. Reload the page; if it is "
            f"gone, build it again: python -m engine build SOURCE --out {self.folder}"
        )

    def _unreadable(self, problem: Exception) -> SchemaMismatch:
        return SchemaMismatch(
            f"A part of the cache at {self.folder} cannot be read ({str(problem).splitlines()[0]}). "
            "Build the cache again into a new folder."
        )


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _array(values: Any) -> np.ndarray | None:
    return None if values is None else np.asarray(values, dtype=np.float64)
