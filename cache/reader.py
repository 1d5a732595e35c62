"""Read a cache with DuckDB. Every query is bounded in rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cache import manifest as manifests
from cache.errors import BadQuery
from cache.filters import Column, Filter, Sort, Value, quote
from cache.manifest import Manifest
from cache.schema import SCORES
from cache.store import PLANE, WIDE, Store

MAX_ROWS = 5_000  # no query returns more
MOST_COUNTS = 1_000  # filters whose number of faces is remembered
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

    def __init__(self, folder: Path | str, store: Store | None = None) -> None:
        """store: the same cache's tables, where they are open already."""
        self.folder = Path(folder)
        self._store = store or Store(self.folder, manifests.load(self.folder))
        self.manifest: Manifest = self._store.manifest
        self._counts: dict[tuple[str | None, Filter], int] = {}

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
        """What is known of each face beside its votes, by the column's name in the cache: the dataset's own columns,
        measurements of the images, a user's labels."""
        return {f.name: _column(f) for fields in self._store.attributes().values() for f in fields}

    @cached_property
    def attribute_tables(self) -> dict[str, tuple[str, ...]]:
        """Which table each attribute stands in: 'faces' for the dataset's own, else one of `manifest.attributes`."""
        return {table: tuple(f.name for f in fields) for table, fields in self._store.attributes().items()}

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
        """Number of faces that match; remembered, for several parts of a page ask."""
        key = model, where
        found = self._counts.get(key)
        if found is None:
            condition, bound = self.condition(model, where)
            found = int(self.rows(f"SELECT count(*) FROM {self.joined(model)} WHERE {condition}", bound)[0][0])
            if len(self._counts) >= MOST_COUNTS:
                self._counts.clear()
            self._counts[key] = found
        return found

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
        """Faces that match, in order: face_id and `columns` (default: every one)."""
        known = self.columns(model)
        condition, bound = self.condition(model, where)
        names = [n for n in (columns if columns is not None else known) if n != "face_id"]
        for name in names:
            if name not in known:
                raise BadQuery(f"This cache has no column '{name}'. It has: {', '.join(known)}.")
        wanted = ", ".join(quote(name) for name in ("face_id", *names))
        bound += [max(0, min(limit, MAX_ROWS)), max(0, offset)]
        return self.frame(
            f"SELECT {wanted} FROM {self.joined(model)} WHERE {condition} "
            f"ORDER BY {sort.order(known)} LIMIT ? OFFSET ?",
            bound,
        )

    def thumbnails(self, face_ids: Sequence[int]) -> dict[int, bytes]:
        """JPEG or PNG bytes of up to MAX_ROWS faces; a face the cache lacks is left out."""
        ids = [int(i) for i in face_ids][:MAX_ROWS]
        if not ids or not self._store.has("thumbnails"):
            return {}
        wanted = ", ".join("?" * len(ids))  # DuckDB then skips the row groups that hold none of them
        rows = self.rows(f"SELECT face_id, thumbnail FROM thumbnails WHERE face_id IN ({wanted})", list[Any](ids))
        return {int(face_id): bytes(data) for face_id, data in rows}

    def face(self, face_id: int, model: str | None) -> Face | None:
        """One face in full, or None when the cache has no such face."""
        names = list(self.columns(model))
        rows = self.rows(
            f"SELECT {', '.join(map(quote, names))} FROM {self.joined(model)} WHERE face_id = ?", [int(face_id)]
        )
        if not rows:
            return None
        row = dict(zip(names, rows[0], strict=True))
        row |= self._wide("faces", WIDE, face_id)
        if model is not None:
            row |= self._wide(f"predictions/model={model}", ("probs", "samples"), face_id)
        votes, probs, samples = (_array(row.pop(n, None)) for n in ("votes", "probs", "samples"))
        if samples is not None:
            samples = samples.reshape(-1, len(self.classes))
        percentiles, peers = self.percentiles(model, row, row["split"]) if model else ({}, 0)
        return Face(int(face_id), row, votes, probs, samples, percentiles, peers)

    def percentiles(
        self, model: str, values: Mapping[str, float], split: str | None, *, every_split: bool = False
    ) -> tuple[dict[str, float], int]:
        """Mid-rank percentile of each part of the triple among the faces of a split, or of all, and their number.

        values: the triple in nats, of one of these faces or of any other. Without a face: no percentiles.
        """
        same, of = ("TRUE", []) if every_split else ("split IS NOT DISTINCT FROM ?", [split])
        ranks = ", ".join(f"avg(({u} < ?)::INT) + avg(({u} = ?)::INT) / 2" for u in UNCERTAINTIES)
        twice = [value for u in UNCERTAINTIES for value in (values[u], values[u])]
        *shares, n = self.rows(f"SELECT {ranks}, count(*) FROM {self.joined(model)} WHERE {same}", [*twice, *of])[0]
        if not n:
            return {}, 0
        return {u: 100.0 * float(share) for u, share in zip(UNCERTAINTIES, shares, strict=True)}, int(n)

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
        return self._summary.copy(deep=False)

    @cached_property
    def _summary(self) -> pd.DataFrame:
        if not self._store.has("summary"):
            return pd.DataFrame(columns=["model", "split", "metric", "value", "low", "high", "n"])
        return self.frame("SELECT * FROM summary LIMIT ?", [MAX_ROWS])

    def rejects(self, *, limit: int = 200) -> pd.DataFrame:
        """Inputs that did not become faces: source, stage, reason."""
        if not self._store.has("rejects"):
            return pd.DataFrame(columns=["source", "stage", "reason"])
        return self.frame("SELECT * FROM rejects LIMIT ?", [min(limit, MAX_ROWS)])

    @property
    def n_rejects(self) -> int:
        return self.manifest.rows("rejects")

    def close(self) -> None:
        self._store.close()

    # ---- for the other modules of this package

    def condition(self, model: str | None, where: Filter) -> tuple[str, list[Value]]:
        """SQL condition on `joined(model)`, and its parameters: columns, regions and subsets together."""
        term, bound = where.where(self.columns(model))
        terms = [term]
        for region in where.regions:
            self._expect_layout(region.layout)
            terms.append(among(self._store.enclosed(region)))
        for subset in where.subsets:
            inner, more = self.condition(subset.model, subset.where)
            if subset.model not in (None, model):
                inner = among(f"(SELECT face_id FROM {self.joined(subset.model)} WHERE {inner})")
            terms.append(f"({inner})" if subset.inside else f"NOT coalesce({inner}, FALSE)")
            bound += more
        return " AND ".join(terms), bound

    def joined(self, model: str | None) -> str:
        """What to select the columns of `columns(model)` from; of a model, the faces that it has scored."""
        if model is None:
            return self._store.faces()
        self._expect_model(model)
        return self._store.scored(model)

    def placed(self, model: str | None, layout: str) -> str:
        """As `joined`, with x and y of a map beside the columns. Raises BadQuery as both do."""
        if model is not None:
            self._expect_model(model)
        self._expect_layout(layout)
        return self._store.placed(model, layout)

    def points(self, layout: str) -> str:
        """What to select face_id, x and y of a map from. Raises BadQuery for a map that the cache lacks."""
        self._expect_layout(layout)
        return self._store.points(layout)

    def lists(self, table: str, column: str) -> str:
        """What to select face_id and c0, c1, ... from: the entries of a list with one value per class."""
        return self._store.lists(table, column, len(self.classes))

    def rows(self, sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
        return self._store.rows(sql, bound)

    def arrays(self, sql: str, bound: list[Any]) -> dict[str, np.ndarray]:
        """Columns that hold no null, in the types of the cache."""
        return self._store.arrays(sql, bound)

    def frame(self, sql: str, bound: list[Any]) -> pd.DataFrame:
        return self._store.frame(sql, bound)

    def arrow(self, sql: str, bound: list[Any], *, chosen: dict[str, np.ndarray] | None = None) -> pa.Table:
        """The same as Arrow. chosen: arrays that the statement may select from as a table of that name."""
        return self._store.arrow(sql, bound, chosen=chosen)

    # ---- inside

    def _wide(self, table: str, columns: tuple[str, ...], face_id: int) -> dict[str, Any]:
        """Columns of one face that stay on the disk."""
        wanted = ", ".join(map(quote, columns))
        found = self.rows(f"SELECT {wanted} FROM {quote(table)} WHERE face_id = ?", [int(face_id)])
        return dict(zip(columns, found[0], strict=True))

    def _expect_model(self, model: str) -> None:
        if model not in self.models:
            raise BadQuery(f"This cache has no model '{model}'. It has: {', '.join(self.models) or 'none yet'}.")

    def _expect_layout(self, layout: str) -> None:
        if layout.startswith(PLANE):
            self._expect_model(layout.removeprefix(PLANE))
        elif layout not in self.layouts:
            raise BadQuery(f"This cache has no map '{layout}'. It has: {', '.join(self.layouts) or 'none yet'}.")


def among(faces: str) -> str:
    """That a face is in a table of faces. `coalesce` has DuckDB look each face up there, and not the slow reverse."""
    return f"coalesce(face_id IN (SELECT face_id FROM {faces}), FALSE)"


def _column(field: pa.Field) -> Column:
    metadata = field.metadata or {}
    unit, description = (metadata.get(key, b"").decode() for key in (b"unit", b"description"))
    text = str(field.type) in ("string", "large_string")
    return Column(field.name, "text" if text else "number", unit, description)


def _array(values: Any) -> np.ndarray | None:
    return None if values is None else np.asarray(values, dtype=np.float64)
