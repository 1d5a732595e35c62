"""The tables of one cache in DuckDB: Parquet parts as views, and in memory the narrow columns that every query reads.

A million faces fill 60 MB with their narrow columns, 8 MB more with each attribute that is a number, and 30 MB more
with the columns of each model; votes and probabilities follow when statistics first need them, 20 and 40 MB. Queries
are then ten to fifty times as fast as straight from the parts, where samples, features and thumbnails stay.
"""

import hashlib
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import narrow
from cache.attributes import expect_distinct, is_attribute
from cache.attributes import table as attribute_table
from cache.errors import BadQuery, CacheGone, SchemaMismatch
from cache.filters import Region, quote
from cache.manifest import Manifest
from cache.regions import inside
from cache.schema import SCORES

if TYPE_CHECKING:  # an import of a fifth of a second, and a cache is read before there are pages that need it
    import pandas as pd

WIDE = ("source", "content_id", "votes")  # of the faces, left in their parts: they are read for a few faces at a time
NARROW = ("predicted", *SCORES)  # of a model's predictions
MOST_SCORED = 5_000_000  # rows of predictions and lists in memory, all models together; but four tables in any case
MOST_ENCLOSED = 8_000_000  # faces in all the regions that are remembered; 8 bytes each
PLANE = "uncertainty of "  # and a model: the map whose x is the model's U_a, and y its U_e


class Store:
    """Serves many threads: each call has a cursor of its own. Raises SchemaMismatch on opening, CacheGone later."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        # One thread per query: a second one saves 2 ms on 36,000 faces and costs 17 MB. Memory goes back to the system
        # after a query that used much of it: 25 MB less on a million faces.
        self._connection = duckdb.connect(
            config={
                "memory_limit": "400MB",
                "temp_directory": tempfile.gettempdir(),  # not the folder that the app was started in
                "threads": 1,
                "allocator_flush_threshold": "16MB",
                "allocator_bulk_deallocation_flush_threshold": "16MB",
                "autoinstall_known_extensions": False,
            }
        )
        self._connection.execute("SET GLOBAL parquet_metadata_cache = true")
        # Files are on this disk: a third less time for thumbnails.
        self._connection.execute("SET GLOBAL disable_parquet_prefetching = true")
        self._lock = threading.RLock()
        self._scored: OrderedDict[str, int] = OrderedDict()  # table -> rows; the one used last at the end
        self._regions: OrderedDict[str, int] = OrderedDict()
        self._kept: set[str] = set()  # tables that are never dropped
        self._aligned: set[str] = set()  # tables whose rows are those of the faces, in order
        self._parts = {name: self._files(name) for name in manifest.parts}
        for name, files in self._parts.items():
            if files:
                paths = ", ".join(_literal(str(path)) for path in files)
                self.rows(f"CREATE VIEW {quote(name)} AS SELECT * FROM read_parquet([{paths}])", [])

    # ---- statements

    def rows(self, sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
        return self._run(sql, bound, lambda result: result.fetchall())

    def arrays(self, sql: str, bound: list[Any]) -> dict[str, np.ndarray]:
        return {name: np.asarray(v) for name, v in self._run(sql, bound, lambda result: result.fetchnumpy()).items()}

    def frame(self, sql: str, bound: list[Any], *, chosen: dict[str, np.ndarray] | None = None) -> "pd.DataFrame":
        """chosen: arrays that the statement may name as a table of that name."""
        found: pd.DataFrame = self._run(sql, bound, lambda result: result.df(), chosen)
        texts = [name for name in found.columns if found[name].dtype == "category"]
        return found.astype(dict.fromkeys(texts, object)) if texts else found

    def arrow(self, sql: str, bound: list[Any], *, chosen: dict[str, np.ndarray] | None = None) -> pa.Table:
        return self._run(sql, bound, lambda relation: relation.to_arrow_table(), chosen, as_relation=True)

    def close(self) -> None:
        self._connection.close()

    # ---- tables

    def has(self, table: str) -> bool:
        """Whether the table has any rows on disk."""
        return bool(self._parts.get(table))

    def fields(self, table: str) -> pa.Schema:
        """Columns and units of a table that `has` rows."""
        try:
            return pq.read_schema(self._parts[table][0])
        except OSError:
            raise self._gone() from None
        except pa.ArrowInvalid as problem:
            raise self._unreadable(problem) from None

    def attributes(self) -> dict[str, list[pa.Field]]:
        """The attr_* columns of each table that has them for every face, the faces' own first.

        Raises AttributeClash for two of one name, which no writer lets through.
        """
        if not self.has("faces"):
            return {}
        tables = ["faces", *map(attribute_table, self.manifest.ready_attributes)]
        found = {table: [f for f in self.fields(table) if is_attribute(f.name)] for table in tables}
        names = {table: [f.name for f in fields] for table, fields in found.items()}
        expect_distinct(names.pop("faces"), names)
        return found

    def faces(self) -> str:
        """The faces' narrow columns, in memory, with all attributes beside them."""
        name = quote("narrow faces")
        with self._lock:
            if name not in self._kept:
                beside = {table: fields for table, fields in self.attributes().items() if table != "faces" and fields}
                for table in beside:
                    self._expect_in_order(table)
                own = [field for field in self.fields("faces") if field.name not in WIDE]
                narrow.load(self.rows, name, {"faces": own, **beside})
                self._kept.add(name)
        return name

    def scored(self, model: str) -> str:
        """What to select from for the faces that a model has scored, with its predictions' narrow columns beside them.

        Rows are aligned in every table, so that two of them go side by side without a search; checked once.
        """
        faces, name = self.faces(), quote(f"narrow {model}")
        with self._lock:
            if name not in self._scored:
                self._load(name, f"predictions/model={model}", ", ".join(map(quote, NARROW)))
                self._scored[name] = self._count(name)
            self._scored.move_to_end(name)
            self._forget(self._scored, MOST_SCORED, least=4)
            aligned = name in self._aligned
        return f"{faces} POSITIONAL JOIN {name}" if aligned else f"{faces} JOIN {name} USING (face_id)"

    def lists(self, table: str, column: str, length: int) -> str:
        """face_id and one column per entry of a list (c0, c1, ...), in memory: plain columns are read far faster.

        With a face_id of its own (8 MB of a million faces), by which a sample is found in half the time.
        """
        name = quote(f"lists {table} {column}")
        with self._lock:
            if name not in self._scored:
                entries = ", ".join(f"{column}[{i + 1}] AS c{i}" for i in range(length))
                self.rows(f"CREATE TABLE {name} AS SELECT face_id, {entries} FROM {quote(table)}", [])
                self._scored[name] = self._count(name)
            self._scored.move_to_end(name)
            self._forget(self._scored, MOST_SCORED, least=4)
        return name

    def enclosed(self, region: Region) -> str:
        """The faces inside a region, in memory. Raises BadQuery for a polygon that is none."""
        if len(region.polygon) < 3 or not np.isfinite(region.polygon).all():
            raise BadQuery("A region on the map needs three corners or more, each two finite numbers.")
        name = quote(f"region {hashlib.sha256(repr(region).encode()).hexdigest()[:16]}")
        source = self.points(region.layout)
        with self._lock:
            if name not in self._regions:
                self._regions[name] = self._enclose(name, source, region)
            self._regions.move_to_end(name)
            self._forget(self._regions, MOST_ENCLOSED, least=1)
        return name

    def points(self, layout: str) -> str:
        """face_id, x and y of every face on a map, as something to select from; the map must exist."""
        if layout.startswith(PLANE):
            scored = self.scored(layout.removeprefix(PLANE))
            return f"(SELECT face_id, u_aleatoric AS x, u_epistemic AS y FROM {scored})"
        name = quote(f"narrow embeddings/layout={layout}")
        with self._lock:
            if name not in self._kept:
                self._load(name, f"embeddings/layout={layout}", "x, y")
                self._kept.add(name)
        if name not in self._aligned:
            return name
        return f"(SELECT face_id, x, y FROM {self.faces()} POSITIONAL JOIN {name})"

    def placed(self, model: str | None, layout: str) -> str:
        """As `faces`, or `scored` of a model, with x and y of a map beside them; the map must exist."""
        source, points = self.faces() if model is None else self.scored(model), self.points(layout)
        if layout == f"{PLANE}{model}":
            return f"(SELECT *, u_aleatoric AS x, u_epistemic AS y FROM {source})"
        name = quote(f"narrow embeddings/layout={layout}")
        beside = name in self._aligned and (model is None or quote(f"narrow {model}") in self._aligned)
        return f"{source} POSITIONAL JOIN {name}" if beside else f"{source} JOIN {points} USING (face_id)"

    # ---- inside

    def _expect_in_order(self, table: str) -> None:
        if not narrow.in_order(self.rows, table):
            raise SchemaMismatch(
                f"The table '{table}' of the cache at {self.folder} does not follow the order of its faces. "
                "Build the cache again into a new folder."
            )

    def _load(self, name: str, table: str, columns: str) -> None:
        """Columns of a table into memory; without face_id where the rows are those of the faces, in order."""
        apart = self._apart(quote(table))
        self.rows(f"CREATE TABLE {name} AS SELECT {'face_id, ' * apart}{columns} FROM {quote(table)}", [])
        if not apart:
            self._aligned.add(name)

    def _count(self, name: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {name}", [])[0][0])

    def _apart(self, table: str) -> bool:
        """Whether a table's rows are not those of the faces, in order."""
        ids = f"SELECT face_id AS other FROM {table}"
        unlike = f"SELECT 1 FROM {self.faces()} POSITIONAL JOIN ({ids}) WHERE face_id IS DISTINCT FROM other LIMIT 1"
        return bool(self.rows(unlike, []))

    def _enclose(self, name: str, source: str, region: Region) -> int:
        """Corners in SQL, rays in NumPy: ten times as fast as a polygon in SQL. Returns the number of faces."""
        corners = np.array(region.polygon, dtype=np.float64)
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        box = self.arrays(
            f"SELECT face_id, x, y FROM {source} WHERE x BETWEEN ? AND ? AND y BETWEEN ? AND ?",
            [left, right, bottom, top],
        )
        ids = box["face_id"][inside(box["x"], box["y"], region.polygon)]
        self.frame(f"CREATE TABLE {name} AS SELECT face_id FROM chosen", [], chosen={"face_id": ids})
        return len(ids)

    def _forget(self, tables: OrderedDict[str, int], most: int, *, least: int) -> None:
        """Drop the tables that were not used for longest, but for the last `least`."""
        while len(tables) > least and sum(tables.values()) > most:
            oldest, _ = tables.popitem(last=False)
            self._aligned.discard(oldest)
            self.rows(f"DROP TABLE {oldest}", [])

    def _run(
        self,
        sql: str,
        bound: list[Any],
        fetch: Callable[[Any], Any],
        chosen: dict[str, np.ndarray] | None = None,
        *,
        as_relation: bool = False,  # what Arrow comes from without a copy
    ) -> Any:
        try:
            with self._connection.cursor() as cursor:
                if chosen is not None:
                    cursor.register("chosen", pa.table(chosen))
                return fetch(cursor.sql(sql, params=bound) if as_relation else cursor.execute(sql, bound))
        except (duckdb.IOException, duckdb.CatalogException):  # the latter: forgotten between two statements
            raise self._gone() from None
        except (duckdb.InvalidInputException, duckdb.SerializationException) as problem:
            raise self._unreadable(problem) from None
        except duckdb.OutOfMemoryException:
            raise BadQuery(
                "These filters need more memory than a query may take. Use fewer of them, or a simpler slice."
            ) from None

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
