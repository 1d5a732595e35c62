"""The nearest faces of each face by the cosine of their features: every pair is compared, block by block."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import normalize

from cache import schema
from engine.maps import Show
from engine.spaces import Space

TRAIN = "train"
SAMPLE_SEED = 20  # of the faces that are searched where there are too many for all
QUERIES, REFERENCES = 512, 1024  # faces compared at once: what stays in a core's cache
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
    references = torch.from_numpy(_rows(space, among))
    first, done, total = 0, 0, int(asking.sum())
    for vectors in space.blocks():
        show(stage, done, total)
        rows = np.flatnonzero(asking[first : first + len(vectors)])
        if len(rows):
            queries, own = normalize(torch.from_numpy(vectors[rows])), torch.from_numpy(ids[first + rows])
            keys = _largest(queries, references, torch.from_numpy(ids[among]), found.face_ids.shape[1] + 1)
            found.face_ids[first + rows], found.distances[first + rows] = _decode(keys, own)
        first, done = first + len(vectors), done + len(rows)
    show(stage, done, total)


@torch.inference_mode()
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


def _decode(keys: Tensor, own: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(n, k + 1) keys -> (n, k) face ids and distances, without the faces themselves."""
    keys = torch.where(torch.remainder(-keys, IDS) == own[:, None], -torch.inf, keys)
    keys = keys.topk(keys.shape[1] - 1).values
    there = keys.isfinite()
    face_ids = torch.remainder(-keys, IDS)
    distances = (1 - (keys + face_ids) / IDS / STEPS).clamp(min=0)
    ids = torch.where(there, face_ids, NOBODY).long()
    return ids.numpy(), torch.where(there, distances, 0.0).float().numpy()


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
