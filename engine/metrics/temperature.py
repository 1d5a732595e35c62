"""Temperature scaling: one number that makes a model less, or more, sure of everything it says."""

from __future__ import annotations

from math import nan

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.annotators import vote_distribution
from engine.metrics.checks import Floats, as_probabilities, check_shape

COLDEST, HOTTEST = 0.05, 20.0
STEPS = 60  # halving the range of 1 / T that often passes the precision of float64; Newton needs about six


def fit_temperature(probs: ArrayLike, votes: ArrayLike) -> float:
    """Temperature T, from 0.05 to 20, that minimises the mean nll of rescale(probs, T) against the votes.

    probs: (N, C), rows sum to 1 within 1e-4; the mean over samples of any model will do, since only ln p is
    needed. votes: (N, C) counts; each face with votes counts once, by its vote distribution. Above 1, the
    model was too sure. A vote on a class of probability 0 costs the same at any T and has no say. NaN without
    votes; 1.0 where no T matters (every probability 0, 1 or 1/C). Fit on other faces than are then scored.
    Raises ValueError on other shapes, a row that is not a distribution or impossible votes.
    Source: Guo et al. 2017, section 4.2. The loss is convex in 1 / T; found by Newton's method, halved where it
    would leave the bracket.

    >>> round(fit_temperature([[0.9, 0.1]], [[3, 1]]), 4)
    2.0
    """
    p, share = as_probabilities(_matrix(probs), "probs"), vote_distribution(votes)
    if p.shape != share.shape:
        raise ValueError(f"Expected probs and votes of one shape but got {p.shape} and {share.shape}")
    known = ~np.isnan(share[:, 0])
    if not known.any():
        return nan
    p, share = p[known], share[known]
    possible = p > 0
    logits = np.log(p, out=np.zeros_like(p), where=possible)
    logits -= logits.max(axis=1, keepdims=True, where=possible, initial=-np.inf)  # (n, C), at most 0
    share = np.where(possible, share, 0.0)
    voted, mass = (share * logits).sum(axis=1), share.sum(axis=1)  # (n,)

    def slopes(sharpness: float) -> tuple[float, float]:
        """First and second derivative of the mean loss by 1 / T."""
        scaled = np.where(possible, np.exp(sharpness * logits), 0.0)
        scaled /= scaled.sum(axis=1, keepdims=True)
        expected = (scaled * logits).sum(axis=1)
        spread = (scaled * logits**2).sum(axis=1) - expected**2
        return float((mass * expected - voted).mean()), float((mass * spread).mean())

    low, high, sharpness = 1 / HOTTEST, 1 / COLDEST, 1.0
    for _ in range(STEPS):
        slope, curvature = slopes(sharpness)
        if curvature <= 0 and slope == 0:
            return 1 / sharpness
        low, high = (sharpness, high) if slope < 0 else (low, sharpness)
        previous, step = sharpness, slope / curvature if curvature > 0 else np.inf
        sharpness -= step
        if not low < sharpness < high:
            sharpness = (low + high) / 2
        if abs(sharpness - previous) < 1e-12 * previous:
            break
    return 1 / sharpness


def rescale(probs: ArrayLike, temperature: float) -> Floats:
    """softmax(ln p / T) of each face, (N, C): T above 1 flattens, below 1 sharpens; a probability of 0 stays 0.

    probs: (N, C), rows sum to 1 within 1e-4. Raises ValueError on other shapes, a row that is not a
    distribution, or a temperature that is not a finite number above 0. Source: Guo et al. 2017.

    >>> rescale([[0.9, 0.1]], 2.0)
    array([[0.75, 0.25]])
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"Expected a finite temperature above 0 but got {temperature}")
    p = as_probabilities(_matrix(probs), "probs")
    largest = p.max(axis=1, keepdims=True, initial=0.0)
    scaled = np.where(p > 0, (p / largest) ** (1 / temperature), 0.0)
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def _matrix(probs: ArrayLike) -> np.ndarray:
    p = np.asarray(probs, dtype=np.float64)
    check_shape(p, "probs", ("N", "C"))
    return p
