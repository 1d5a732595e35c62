"""Pearson and Spearman correlation with 95 % percentile bootstrap intervals, without sorting any resample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Estimate, percentile_interval, resample_counts
from engine.metrics.checks import Floats, as_column

CONSTANT = 1e-12  # a resample whose variance is this share of its mean square is constant but for rounding


def pearson(x: ArrayLike, y: ArrayLike, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Pearson correlation of x and y, both (N,); see correlations.

    >>> pearson([1, 2, 3, 4], [2, 4, 6, 8]).value
    1.0
    """
    return correlations({"x": x}, y, "pearson", resamples, seed)["x"]


def spearman(x: ArrayLike, y: ArrayLike, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Spearman rank correlation of x and y, both (N,), ties at their mid-rank; see correlations.

    >>> spearman([1, 2, 3, 4], [1, 8, 27, 64]).value
    1.0
    """
    return correlations({"x": x}, y, "spearman", resamples, seed)["x"]


def correlations(
    xs: Mapping[str, ArrayLike],
    y: ArrayLike,
    method: Literal["pearson", "spearman"] = "spearman",
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Correlation of each x with y, with its 95 % percentile bootstrap interval, on shared resamples.

    xs, y: (N,) each, any units. Faces where y or any x is NaN are left out, so that the coefficients compare;
    n counts the rest. Ranks are those within each resample, as if it had been sorted anew. Fewer than 3 faces
    or a constant x or y give NaN with that n; resamples that happen to be constant are left out of the
    interval.
    Raises ValueError on unequal lengths, infinite values or another method. Source: Efron & Tibshirani 1993.

    >>> correlations({"same": [1, 2, 3, 4], "none": [7, 7, 7, 7]}, [1, 2, 3, 4])["none"]
    Estimate(value=nan, low=nan, high=nan, n=4)
    """
    if method not in ("pearson", "spearman"):
        raise ValueError(f"Expected method 'pearson' or 'spearman' but got {method!r}")
    target = as_column(y, "y")
    matrix = np.array([as_column(x, name, len(target)) for name, x in xs.items()] + [target])  # (K + 1, N)
    matrix = matrix[:, ~np.isnan(matrix).any(axis=0)]
    n = matrix.shape[1]
    if n < 3:
        return {name: Estimate(nan, nan, nan, n) for name in xs}
    statistic = _Pearson(matrix) if method == "pearson" else _Spearman(matrix)
    values = statistic(np.ones((1, n)))[0]  # (K,)
    if np.isnan(values).all():
        return {name: Estimate(nan, nan, nan, n) for name in xs}
    replicates = np.concatenate([statistic(block) for block in resample_counts(n, resamples, seed)])  # (R, K)
    estimates = {}
    for name, value, column in zip(xs, values, replicates.T, strict=True):
        low, high = (nan, nan) if np.isnan(value) else percentile_interval(column)
        estimates[name] = Estimate(float(value), low, high, n)
    return estimates


class _Pearson:
    """Correlation of rows 0..K-1 of a (K + 1, n) matrix with its last row, from weighted moments."""

    def __init__(self, matrix: Floats) -> None:
        centred = matrix - matrix.mean(axis=1, keepdims=True)
        largest = np.abs(centred).max(axis=1, keepdims=True)
        z = centred / np.where(largest > 0, largest, 1.0)  # (K + 1, n) within [-1, 1]: squares stay in range
        self.moments = np.concatenate([z, z * z, z[:-1] * z[-1]]).T  # (n, 3K + 2)
        self.k = len(matrix) - 1

    def __call__(self, counts: Floats) -> Floats:
        """counts: (B, n) whole numbers, rows sum to n. Returns (B, K), NaN where a resample is constant."""
        means = counts @ self.moments / counts.shape[1]  # (B, 3K + 2)
        first, second, cross = np.split(means, [self.k + 1, 2 * self.k + 2], axis=1)
        variance = second - first**2  # (B, K + 1)
        variance[variance <= CONSTANT * second] = nan
        return _ratio(cross - first[:, :-1] * first[:, -1:], variance)


class _Spearman:
    """Rank correlation of rows 0..K-1 of a (K + 1, n) matrix with its last row; rows are sorted once."""

    def __init__(self, matrix: Floats) -> None:
        self.orders = [_Order.of(row) for row in matrix]

    def __call__(self, counts: Floats) -> Floats:
        """counts: (B, n) whole numbers, rows sum to n. Returns (B, K), NaN where a resample is constant."""
        target, variance_y = self.orders[-1].ranks(counts)
        weighted = counts * target  # (B, n)
        out = np.empty((len(counts), len(self.orders) - 1))
        for k, order in enumerate(self.orders[:-1]):
            ranks, variance_x = order.ranks(counts)
            variance = np.stack([variance_x, variance_y], axis=1)  # (B, 2); exactly 0 where constant
            covariance = np.einsum("bn,bn->b", weighted, ranks)
            out[:, k] = _ratio(covariance[:, None], np.where(variance > 0, variance, nan))[:, 0]
        return out


@dataclass(frozen=True, eq=False)
class _Order:
    """One sorted variable: the sorting permutation, and where its G groups of equal values start."""

    order: NDArray[np.intp]  # (n,)
    edges: NDArray[np.intp]  # (G + 1,): group g is order[edges[g]:edges[g + 1]]
    group: NDArray[np.intp]  # (n,): the group of each face

    @classmethod
    def of(cls, values: Floats) -> _Order:
        order = np.argsort(values, kind="stable")
        rises = np.flatnonzero(np.diff(values[order]) > 0) + 1
        edges = np.concatenate([[0], rises, [len(values)]])
        group = np.empty(len(values), dtype=np.intp)
        group[order] = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        return cls(order, edges, group)

    def ranks(self, counts: Floats) -> tuple[Floats, Floats]:
        """Mid-ranks in each resample less their mean (n + 1) / 2, (B, n), and their sum of squares, (B,).

        With `below` draws under a value and `upto` draws up to and including it, the draws at that value take
        ranks below + 1 .. upto, so their mid-rank is (below + upto + 1) / 2.
        """
        cumulative = np.zeros((len(counts), len(self.order) + 1))
        np.cumsum(np.take(counts, self.order, axis=1), axis=1, out=cumulative[:, 1:])
        at_edges = np.take(cumulative, self.edges, axis=1)  # (B, G + 1)
        below, upto = at_edges[:, :-1], at_edges[:, 1:]
        centred = (below + upto - counts.shape[1]) / 2  # (B, G)
        variance = np.einsum("bg,bg,bg->b", upto - below, centred, centred)
        return np.take(centred, self.group, axis=1), variance


def _ratio(covariance: Floats, variance: Floats) -> Floats:
    """Covariances (B, K) as correlations, given the variances (B, K + 1) of each x and, last, of y."""
    scale = np.sqrt(variance[:, :-1] * variance[:, -1:])
    return np.asarray(np.clip(covariance / scale, -1.0, 1.0))
