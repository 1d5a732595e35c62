"""The nearest faces of each face by the cosine of their features: every pair is compared, block by block."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import normalize

from cache import schema
from engine import device as devices
from engine.maps import Show
from engine.spaces import Space

TRAIN = "train"
SAMPLE_SEED = 20  # of the faces that are searched where there are too many for all
QUERIES, REFERENCES = 512, 1024  # faces compared at once: what stays in a core's cache
AHEAD = os.cpu_count() or 1  # blocks of faces that are being compared; each keeps one core busy
STEPS = 2.0**19  # of a cosine: finer differences are rounding, and count as ties
IDS = 2.0**31  # above every face_id; STEPS * IDS stays within the whole numbers of float64
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest of some faces, nearest first and equally near ones by face_id; NOBODY where there are fewer."""

    face_ids: np.ndarray  # (N, k) int64
    distances: np.ndarray  # (N, k) float32, 1 - cosine

    @classmethod
    def none(cls, faces: int, k: int) -> "Nearest":
        return cls(np.full((faces, k), NOBODY, dtype=np.int64), np.zeros((faces, k), dtype=np.float32))

    def lists(self) -> list[pa.Array]:
        """Face ids and distances as lists that hold faces only."""
        there = self.face_ids != NOBODY
        offsets = np.concatenate([[0], there.sum(1).cumsum()]).astype(np.int32)
        return [pa.ListArray.from_arrays(offsets, pa.array(rows[there])) for rows in (self.face_ids, self.distances)]


def neighbours(space: Space, splits: np.ndarray, k: int, most: int, show: Show) -> pa.Table:
    """The neighbours table: of every face the nearest training faces, and the nearest faces of its own split.

    splits: (N,) the name of each face's split; None is one more. most: faces of one split that are searched, a random
    sample where it has more. A vector of zeros is at distance 1 from every other.
    """
    ids = space.face_ids()
    train, own = Nearest.none(len(ids), k), Nearest.none(len(ids), k)
    for split in dict.fromkeys(splits):
        members = splits == split
        among = np.random.default_rng(SAMPLE_SEED).permutation(np.flatnonzero(members))[:most]
        asking, found = (np.ones(len(ids), dtype=bool), train) if split == TRAIN else (members, own)
        _search(space, ids, np.sort(among), asking, found, f"neighbours in {split or 'no split'}", show)
    rows = splits == TRAIN
    own.face_ids[rows], own.distances[rows] = train.face_ids[rows], train.distances[rows]
    return pa.table([pa.array(ids), *train.lists(), *own.lists()], schema=schema.neighbours())


def _search(
    space: Space, ids: np.ndarray, among: np.ndarray, asking: np.ndarray, found: Nearest, stage: str, show: Show
) -> None:
    """Fill in what the asking faces find among some others. among: rows, ascending; asking: (N,) bool."""
    references, their_ids = torch.from_numpy(_rows(space, among)), torch.from_numpy(ids[among])
    k, done, total = found.face_ids.shape[1], 0, int(asking.sum())
    running: deque[tuple[np.ndarray, Future[tuple[np.ndarray, np.ndarray]]]] = deque()

    def finish(most: int) -> None:
        """Wait for the oldest blocks until no more than `most` are running."""
        nonlocal done
        while len(running) > most:
            rows, future = running.popleft()
            found.face_ids[rows], found.distances[rows] = future.result()
            done += len(rows)
            show(stage, done, total)

    show(stage, 0, total)
    with devices.batch_pool(torch.device("cpu")) as pool:
        try:
            for rows, queries in _asking(space, asking):
                running.append((rows, pool.submit(_nearest, queries, ids[rows], references, their_ids, k)))
                finish(AHEAD)
            finish(0)
        finally:
            for _, future in running:
                future.cancel()


def _asking(space: Space, asking: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of the asking faces and their vectors, block by block."""
    first = 0
    for vectors in space.blocks():
        chosen = np.flatnonzero(asking[first : first + len(vectors)])
        if len(chosen):
            yield first + chosen, vectors[chosen]
        first += len(vectors)


@torch.inference_mode()
def _nearest(
    vectors: np.ndarray, own: np.ndarray, references: Tensor, their_ids: Tensor, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """(n, D), (n,) -> (n, k) face ids and distances of the nearest references, without the faces themselves."""
    keys = _largest(normalize(torch.from_numpy(vectors)), references, their_ids, k + 1)
    keys = torch.where(torch.remainder(-keys, IDS) == torch.from_numpy(own)[:, None], -torch.inf, keys).topk(k).values
    there, face_ids = keys.isfinite(), torch.remainder(-keys, IDS)
    distances = (1 - (keys + face_ids) / IDS / STEPS).clamp(min=0)
    face_ids = torch.where(there, face_ids, NOBODY).long()
    return face_ids.numpy(), torch.where(there, distances, 0.0).float().numpy()


def _largest(queries: Tensor, references: Tensor, ids: Tensor, count: int) -> Tensor:
    """(n, D) of length one, (R, D) half, (R,) -> (n, count) largest keys, -inf where there are fewer references.

    A key is a cosine in STEPS and, behind it, the face_id: one search for the largest settles ties as well.
    """
    best = torch.full((len(queries), count), -torch.inf, dtype=torch.float64)
    for vectors, face_ids in zip(references.split(REFERENCES), ids.double().split(REFERENCES), strict=True):
        looked_at = normalize(vectors.float()).T
        for asking, kept in zip(queries.split(QUERIES), best.split(QUERIES), strict=True):
            keys = (asking @ looked_at).double()
            keys.mul_(STEPS).round_().mul_(IDS).sub_(face_ids)
            keys = keys.topk(min(count, len(face_ids))).values
            kept.copy_(torch.cat([kept, keys], dim=1).topk(count).values)
    return best


def _rows(space: Space, among: np.ndarray) -> np.ndarray:
    """(R, D) some vectors, in half precision as the cache keeps them. among: rows, ascending."""
    found, first = np.zeros((0, 0), dtype=np.float16), 0
    for vectors in space.blocks():
        if not len(found):
            found = np.empty((len(among), vectors.shape[1]), dtype=np.float16)
        low, high = np.searchsorted(among, (first, first + len(vectors)))
        found[low:high] = vectors[among[low:high] - first]
        first += len(vectors)
    return found
