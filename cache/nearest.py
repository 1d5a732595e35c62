"""The faces nearest to one face in a model's feature space: as the engine found them, or looked up for a new face."""

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from cache.errors import BadQuery
from cache.filters import quote
from cache.manifest import NeighbourInfo
from cache.reader import Cache

BLOCK = 8192  # faces in memory at once


@dataclass(frozen=True)
class Near:
    """Faces and their cosine distances, nearest first."""

    face_ids: tuple[int, ...]
    distances: tuple[float, ...]


@dataclass(frozen=True)
class Nearest:
    """The nearest training faces and the nearest faces of the same split; equal for a training face."""

    backbone: str
    info: NeighbourInfo
    train: Near
    own: Near


def nearest(cache: Cache, model: str | None, face_id: int) -> Nearest | None:
    """By the features that the model reads, or else by any that have neighbours; None where nothing is known."""
    backbone = _backbone(cache, model)
    if backbone is None:
        return None
    rows = cache.rows(
        f"SELECT train, train_distance, own, own_distance FROM {quote(f'neighbours/backbone={backbone}')} "
        "WHERE face_id = ?",
        [int(face_id)],
    )
    if not rows:
        return None
    train, train_distance, own, own_distance = map(tuple, rows[0])
    return Nearest(backbone, cache.manifest.neighbours[backbone], Near(train, train_distance), Near(own, own_distance))


def _backbone(cache: Cache, model: str | None) -> str | None:
    ready = cache.manifest.ready_neighbours
    own = cache.manifest.models[model].backbones[:1] if model else ()
    return next((b for b in (*own, *ready) if b in ready), None)


def nearest_to(cache: Cache, backbone: str, vector: np.ndarray, k: int) -> Near:
    """The k faces of the cache whose features lie nearest to a vector (D,), by cosine distance, whatever their split.

    Reads the features block by block, so that a million faces need no more memory than a thousand. Raises BadQuery
    when the cache does not keep these features of all its faces, or they have another length.
    """
    manifest = cache.manifest
    if backbone not in manifest.ready_features:
        raise BadQuery(f"This cache does not keep the features '{backbone}' of its faces.")
    wanted = _unit(np.asarray(vector, dtype=np.float32)[None])[0]
    ids, distances = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for part in manifest.parts[f"features/backbone={backbone}"].values():
        for batch in pq.ParquetFile(cache.folder / part.file).iter_batches(BLOCK, columns=["face_id", "vector"]):
            block = batch["vector"].flatten().to_numpy().reshape(len(batch), -1).astype(np.float32)
            if block.shape[1] != len(wanted):
                raise BadQuery(f"The features '{backbone}' have {block.shape[1]} numbers here, not {len(wanted)}.")
            ids = np.concatenate([ids, batch["face_id"].to_numpy()])
            distances = np.concatenate([distances, 1.0 - _unit(block) @ wanted])
            best = np.lexsort((ids, distances))[:k]
            ids, distances = ids[best], distances[best]
    return Near(tuple(map(int, ids)), tuple(map(float, distances)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; zero, or what half precision could not hold, becomes zero: near to nothing."""
    finite = np.where(np.isfinite(vectors), vectors, 0.0)
    lengths = np.linalg.norm(finite, axis=1, keepdims=True)
    return finite / np.where(lengths > 0, lengths, 1.0)
