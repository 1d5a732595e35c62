"""What the annotators of a face said: their distribution, how far they disagree, what most of them chose."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats, as_probabilities, check_shape


def vote_distribution(votes: ArrayLike) -> Floats:
    """Share of the votes that each class of each face got.

    votes: (N, C), at least 0 (counts, or weights); a row of zeros or of NaN only has no votes and gives NaN.
    Returns (N, C) float64. Raises ValueError naming the first face with a negative, infinite or partly
    missing row.

    >>> vote_distribution([[3, 1], [0, 0]])
    array([[0.75, 0.25],
           [ nan,  nan]])
    """
    counts = _as_votes(votes)
    sums = counts.sum(axis=1, keepdims=True)  # (N, 1)
    shares: Floats = np.divide(counts, sums, out=np.full_like(counts, np.nan), where=sums > 0)
    return shares


def disagreement(p: ArrayLike) -> Floats:
    """d_i = 1 - sum_c p_ic^2: the probability that two independent draws from a face's votes differ.

    p: (N, C) vote distributions, rows sum to 1 within 1e-4; a row of NaN gives NaN. Returns (N,), from 0
    (all agree) to 1 - 1/C, rounded to 12 decimals. Raises ValueError naming the first face
    whose row is not a distribution. Source: Ghandeharioun et al. 2019.

    >>> disagreement([[1.0, 0.0], [0.5, 0.5]])
    array([0. , 0.5])
    """
    p = np.asarray(p, dtype=np.float64)
    check_shape(p, "p", ("N", "C"))
    p = as_probabilities(p, "p", nan_rows=True)
    # equal votes on other classes add up in another order: without rounding, their d would not tie in ranks
    return np.round(np.maximum(1.0 - (p * p).sum(axis=1), 0.0), 12)


def majority(votes: ArrayLike, ties: Literal["null", "first"] = "null") -> NDArray[np.int64]:
    """Class with the most votes of each face, (N,) int64; -1 where there is none.

    votes: (N, C) as for vote_distribution. `ties` says what a shared first place gives. "null", the default:
    -1, so that no accuracy is counted on that face. "first": the lowest class index, as argmax does, which
    favours the classes listed first. A face without votes gives -1 either way.
    Raises ValueError as vote_distribution does, or on an unknown `ties`.

    >>> majority([[3, 1], [2, 2], [0, 0]])
    array([ 0, -1, -1])
    """
    if ties not in ("null", "first"):
        raise ValueError(f"Expected ties to be 'null' or 'first' but got {ties!r}")
    counts = _as_votes(votes)
    most = counts.max(axis=1, keepdims=True)  # (N, 1)
    decided = most[:, 0] > 0
    if ties == "null":
        decided &= (counts == most).sum(axis=1) == 1
    return np.where(decided, counts.argmax(axis=1), -1).astype(np.int64)


def _as_votes(votes: ArrayLike) -> Floats:
    """Votes as (N, C) float64, with 0 for the rows of NaN only."""
    counts = np.asarray(votes, dtype=np.float64)
    check_shape(counts, "votes", ("N", "C"))
    unknown = np.isnan(counts).all(axis=1, keepdims=True)
    counts = np.where(unknown, 0.0, counts)
    bad = ~(np.isfinite(counts) & (counts >= 0)).all(axis=1)
    if bad.any():
        face = int(bad.argmax())
        raise ValueError(f"Expected finite votes of at least 0 but face {face} has {counts[face].tolist()}")
    return counts
