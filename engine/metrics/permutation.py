"""Permutation tests: what sums over groups would be, had the faces been dealt to the groups by chance."""

from __future__ import annotations

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats, check_shape

BLOCKS = 1000  # blocks that are shuffled whole; up to as many faces, they are the faces
ORDERS = 10  # random orders of the faces that the blocks are cut from
BATCH = 1 << 16  # blocks shuffled at a time, 512 kB


def permuted_sums(columns: ArrayLike, sizes: ArrayLike, permutations: int = 1000, seed: int = 0) -> Floats:
    """Sums of K columns over G groups of given sizes, to which all faces are dealt at random: (P, G, K).

    columns: (n, K), finite. sizes: (G,) whole numbers that add up to n; each permutation keeps them.
    Up to BLOCKS faces each permutation is drawn by itself. Above, the faces are brought into a random order, cut into
    about BLOCKS blocks of equal size, and the blocks are shuffled whole; the groups are then cut from the row of faces
    where their sizes say, through a block if need be. ORDERS orders take turns. So every single permutation is
    uniformly random, as it would be without blocks, and only those of one order depend a little on each other: the
    spread of a large group's sum is off by about 1 / sqrt(2 BLOCKS ORDERS), under 1 %, where 1,000 permutations leave
    2 % anyway. The price is that of a sum over BLOCKS rows instead of n.
    Raises ValueError on sizes that do not add up, or fewer than one permutation.

    >>> permuted_sums(np.ones((5, 1)), [2, 3], permutations=2).tolist()
    [[[2.0], [3.0]], [[2.0], [3.0]]]
    """
    columns, sizes = np.asarray(columns, dtype=np.float64), np.asarray(sizes, dtype=np.intp)
    check_shape(columns, "columns", ("N", "K"))
    n, k = columns.shape
    if sizes.sum() != n or (sizes < 0).any() or permutations < 1:
        raise ValueError(f"Expected sizes that add up to {n} faces and at least 1 permutation but got {sizes.sum()}")
    sums = np.zeros((permutations, len(sizes), k))
    if n == 0:
        return sums
    # the largest group comes last: it takes what is left, so that its faces need not be added up
    last = int(sizes.argmax())
    others = np.array([g for g in range(len(sizes)) if g != last], dtype=np.intp)
    ends = np.cumsum(sizes[others])
    width = min(-(-n // BLOCKS), int(sizes[last]))  # faces of a block
    rng = np.random.default_rng(seed)
    turns = ORDERS if width > 1 else 1
    for share in np.array_split(np.arange(permutations), turns):
        if len(share) and len(others):
            blocks = _blocks(columns[rng.permutation(n)], width)
            sums[share[:, None], others] = _dealt(blocks, ends, len(share), rng)
    sums[:, last] = columns.sum(axis=0) - sums.sum(axis=1)
    return sums


def _blocks(ordered: Floats, width: int) -> Floats:
    """Sums over the first 0, 1 .. width faces of each whole block: (blocks, width + 1, K).

    The faces behind the last whole block, fewer than width, stay where they are: in the largest group.
    """
    whole = len(ordered) // width
    sums = np.zeros((whole, width + 1, ordered.shape[1]))
    np.cumsum(ordered[: whole * width].reshape(whole, width, -1), axis=1, out=sums[:, 1:])
    return sums


def _dealt(blocks: Floats, ends: NDArray[np.intp], permutations: int, rng: np.random.Generator) -> Floats:
    """Sums over the segments of the shuffled blocks that end at `ends`, (P, len(ends), K)."""
    whole, width = blocks.shape[0], blocks.shape[1] - 1
    before, within = np.divmod(ends, width)  # whole blocks in front of each end, and faces into the next
    starts = np.concatenate([[0], before[:-1]])
    filled = before > starts  # segments that have a whole block to themselves
    totals = np.ascontiguousarray(blocks[:, -1].T)  # (K, whole): a column at a time, which the processor's cache holds
    sums = np.zeros((permutations, len(ends), len(totals)))
    step = max(1, BATCH // whole)
    for first in range(0, permutations, step):
        rows = slice(first, min(first + step, permutations))
        order = rng.permuted(np.tile(np.arange(whole), (rows.stop - first, 1)), axis=1)
        sums[rows] = np.diff(blocks[order[:, before], within], axis=1, prepend=0.0)
        if filled.any():
            gone = np.ascontiguousarray(order[:, : before[-1]])
            for k, total in enumerate(totals):
                sums[rows, filled, k] += np.add.reduceat(total.take(gone, mode="clip"), starts[filled], axis=1)
    return sums


def p_value(observed: ArrayLike, permuted: ArrayLike, tolerance: ArrayLike = 0.0) -> Floats:
    """Share of the permutations, the observed one among them, whose statistic is as large: (...), (P, ...) -> (...).

    (1 + #{permuted >= observed - tolerance}) / (1 + P), which is never 0 and keeps the level of the test whatever P.
    NaN where the observed statistic is NaN or there are no permutations. tolerance: what rounding may do, so that equal
    statistics count as equal. Source: Phipson & Smyth 2010.

    >>> float(p_value(2.0, [1.0, 2.0, 3.0]))
    0.75
    """
    observed, permuted = np.asarray(observed, dtype=np.float64), np.asarray(permuted, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        as_large = (permuted >= observed - tolerance).sum(axis=0)
    p = (1.0 + as_large) / (1.0 + len(permuted))
    return np.where(np.isnan(observed) | (len(permuted) == 0), nan, p)
