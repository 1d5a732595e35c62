"""How well measured values agree with known ones, with intervals for images that come in groups of one person."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from engine.metrics.bootstrap import Estimate, Resamples, percentile_interval, ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Share of faces measured, then over these: mean |error|, mean error, Pearson's and Spearman's correlation.

    n of coverage counts all faces, n of the others the measured ones.
    """

    coverage: Estimate
    error: Estimate
    bias: Estimate
    pearson: Estimate
    spearman: Estimate


def agreement(measured: Floats, truth: Floats, person: NDArray[np.int_], resamples: int = 1000) -> Agreement:
    """Compare measured (N,), NaN where unknown, with truth (N,), same unit; person: (N,) whose image it is.

    Intervals: 95 %, percentiles of a bootstrap that draws whole persons, because the images of one person are alike.
    With few persons they are rough, and on the narrow side. A correlation with a constant is NaN.
    """
    draws = Draws(person, resamples)
    known = ~np.isnan(measured)
    x, y = measured[known], truth[known]
    weights = draws.weights[:, known]  # (1 + R, K)
    n = int(known.sum())
    error, bias = (_estimate(ratio(weights @ column, weights.sum(1)), n) for column in (np.abs(x - y), x - y))
    return Agreement(
        draws.mean(known.astype(np.float64)),
        error,
        bias,
        _estimate(_correlation(x[None], y[None], weights), n),
        _estimate(_correlation(_ranks(x, weights), _ranks(y, weights), weights), n),
    )


class Draws:
    """weights: (1 + R, N), how often each image counts: once in the first row, then in R draws of whole persons."""

    def __init__(self, person: NDArray[np.int_], resamples: int = 1000) -> None:
        names, place = np.unique(person, return_inverse=True)
        counts = Resamples(len(names), resamples).counts  # (R, persons)
        self.weights: Floats = np.concatenate([np.ones((1, len(person))), counts[:, place]])

    def mean(self, values: Floats) -> Estimate:
        """Mean of values (N,), NaN left out, with its interval."""
        known = ~np.isnan(values)
        weights = self.weights[:, known]
        return _estimate(ratio(weights @ values[known], weights.sum(axis=1)), int(known.sum()))


def _estimate(replicates: Floats, n: int) -> Estimate:
    """The first of (1 + R,) is the value, the rest are its resamples."""
    value = float(replicates[0])
    low, high = (nan, nan) if np.isnan(value) else percentile_interval(replicates[1:])
    return Estimate(value, low, high, n)


def _correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Weighted Pearson correlation of each row: (1 or R, K), (1 or R, K), (R, K) -> (R,); NaN for a constant."""
    total = weights.sum(axis=1, keepdims=True)
    x, y = (v - ratio((weights * v).sum(axis=1, keepdims=True), total) for v in (x, y))
    covariance, *variances = ((weights * product).sum(axis=1) for product in (x * y, x * x, y * y))
    scale = np.sqrt(variances[0] * variances[1])
    return ratio(covariance, np.where(scale > 1e-9 * total[:, 0], scale, 0.0))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Mid-ranks of values (K,) in each resample: (R, K) weights -> (R, K)."""
    _, place = np.unique(values, return_inverse=True)
    mass = np.zeros((len(weights), place.max(initial=-1) + 1))
    np.add.at(mass.T, place, weights.T)
    return np.asarray((mass.cumsum(axis=1) - mass / 2)[:, place])
