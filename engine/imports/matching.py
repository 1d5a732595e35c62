"""Which face of the cache each row is about: by face_id, by source, by both, or by order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cache.manifest import Manifest
from engine.imports.given import Given, quoted
from engine.imports.rows import ImportProblem, Wrong, refuse

UNKNOWN = -1


def match(given: Given, folder: Path, manifest: Manifest) -> np.ndarray:
    """(N,) face_ids, each once. Raises ImportProblem naming rows whose face is unknown, ambiguous or there twice."""
    n, total = len(given.values), manifest.faces
    names = ["face_id"] if given.source is None else ["face_id", "source"]
    files = [folder / part.file for part in manifest.parts["faces"].values()]
    faces = pa.concat_tables([pq.read_table(file, columns=names) for file in files])
    ids = faces["face_id"].to_numpy()
    if given.face_id is None and given.source is None:
        if n != total:
            raise ImportProblem(
                f"{given.path} has {n:,} rows without ids and the cache has {total:,} faces. Add their face_id or "
                "source, or give one row for every face in the order of face_id."
            )
        return np.asarray(ids)
    sources = pd.Index(faces["source"].to_pylist()) if given.source is not None else pd.Index([])
    wrong: list[Wrong] = []
    if given.face_id is not None:
        found = np.where(np.isin(given.face_id, ids), given.face_id, UNKNOWN)
        wrong += ((int(row), "no face of the cache has this face_id") for row in np.flatnonzero(found == UNKNOWN))
        if given.source is not None:
            wrong += _contradicted(given.source, found, ids, sources)
    else:
        assert given.source is not None
        found = _by_source(given.source, ids, sources)
        wrong += _unmatched(given.source, found, sources)
    wrong += _twice(found)
    refuse(given.path, n, given.name, sorted(wrong), "Correct or remove these rows.")
    return found


def _by_source(said: np.ndarray, ids: np.ndarray, sources: pd.Index) -> np.ndarray:
    """A source that several faces have is not matched."""
    once = ~sources.duplicated(keep=False)
    at = sources[once].get_indexer(pd.Index(said))
    return np.where(at < 0, UNKNOWN, np.append(ids[once], UNKNOWN)[at])


def _unmatched(said: np.ndarray, found: np.ndarray, sources: pd.Index) -> Iterator[Wrong]:
    for row in np.flatnonzero(found == UNKNOWN):
        several = "several faces of the cache have this source; use face_id"
        yield int(row), several if said[row] in sources else "no face of the cache has this source"


def _contradicted(said: np.ndarray, found: np.ndarray, ids: np.ndarray, sources: pd.Index) -> Iterator[Wrong]:
    """Rows whose face_id names another face than their source."""
    known = np.flatnonzero(found != UNKNOWN)
    own = sources.to_numpy()[np.searchsorted(ids, found[known])]
    for row, source in zip(known, own, strict=True):
        if source != said[row]:
            yield int(row), f"its source is {quoted(str(said[row]))}, and that face's is {quoted(source)}"


def _twice(found: np.ndarray) -> Iterator[Wrong]:
    first: dict[int, int] = {}
    for row, face in enumerate(found.tolist()):
        if face != UNKNOWN and first.setdefault(face, row) != row:
            yield row, f"face {face} stands on row {first[face]} already"
