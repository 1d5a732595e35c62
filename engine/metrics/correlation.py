"""Pearson and Spearman correlation with 95 % bootstrap intervals, without sorting any resample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Estimate, Resamples, percentile_interval
from engine.metrics.checks import Floats, as_column

Method = Literal["pearson", "spearman"]

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
    method: Method = "spearman",
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Correlation of each x with y, with its 95 % bootstrap interval, on shared resamples.

    xs, y: (N,) each, any units. Faces where y or any x is NaN are left out, so that the coefficients compare;
    n counts the rest. Fewer than 3 faces or a constant x or y give NaN with that n. The interval is that of
    `resampled`: resamples that happen to be constant are left out of it.
    Raises ValueError on unequal lengths, infinite values or another method.

    >>> correlations({"same": [1, 2, 3, 4], "none": [7, 7, 7, 7]}, [1, 2, 3, 4])["none"]
    Estimate(value=nan, low=nan, high=nan, n=4)
    """
    check_method(method)
    target = as_column(y, "y")
    matrix = np.array([as_column(x, name, len(target)) for name, x in xs.items()] + [target])  # (K + 1, N)
    matrix = matrix[:, ~np.isnan(matrix).any(axis=0)]
    n = matrix.shape[1]
    if n < 3 or not xs:
        return {name: Estimate(nan, nan, nan, n) for name in xs}
    values, replicates = resampled(matrix[:-1], matrix[-1:], method, Resamples(n, resamples, seed))
    estimates = {}
    for name, value, column in zip(xs, values, replicates.T, strict=True):
        low, high = (nan, nan) if np.isnan(value) else percentile_interval(column)
        estimates[name] = Estimate(float(value), low, high, n)
    return estimates


def check_method(method: str) -> None:
    if method not in ("pearson", "spearman"):
        raise ValueError(f"Expected method 'pearson' or 'spearman' but got {method!r}")


def resampled(xs: Floats, ys: Floats, method: Method, draws: Resamples) -> tuple[Floats, Floats]:
    """Correlation of each row of xs, (K, n), with that row of ys, (K, n) or (1, n), and its resamples.

    Returns values (K,) and replicates (R, K), finite or NaN within [-1, 1]. Pearson's are recomputed from the
    moments of every resample. Spearman's are linearised, since ranking every resample costs a sort each: to
    Fisher's z of the coefficient each resample adds the mean influence of the faces it drew, so that the
    percentiles stay within [-1, 1]; it differs from ranking anew by terms of order 1/n.
    Sources: Efron & Tibshirani 1993, chapter 22; Croux & Dehon 2010 for the influence of a face on Spearman's
    coefficient, here for the mid-ranks of tied values too.
    """
    return _pearson(xs, ys, draws) if method == "pearson" else _spearman(xs, ys, draws)


def _pearson(xs: Floats, ys: Floats, draws: Resamples) -> tuple[Floats, Floats]:
    x, y = _scaled(xs), _scaled(ys)
    parts = [x, y, x * x, y * y, x * y]
    moments = np.concatenate([*parts, np.ones((1, draws.n))]).T  # (n, 3K + 2M + 1)
    ends = np.cumsum([len(part) for part in parts])

    def statistic(sums: Floats) -> Floats:
        """(B, 3K + 2M + 1) -> (B, K), NaN where a resample is constant."""
        mean_x, mean_y, square_x, square_y, cross = np.split(sums[:, :-1] / sums[:, -1:], ends[:-1], axis=1)
        variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
        variance_x[variance_x <= CONSTANT * square_x] = nan
        variance_y[variance_y <= CONSTANT * square_y] = nan
        scale = np.sqrt(variance_x * variance_y)
        return np.asarray(np.clip((cross - mean_x * mean_y) / scale, -1.0, 1.0))

    return statistic(moments.sum(axis=0, keepdims=True))[0], statistic(draws.sums(moments))


def _scaled(rows: Floats) -> Floats:
    """Rows less their mean, within [-1, 1]: their squares stay in range."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    largest = np.abs(centred).max(axis=1, keepdims=True)
    return np.asarray(centred / np.where(largest > 0, largest, 1.0))


def _spearman(xs: Floats, ys: Floats, draws: Resamples) -> tuple[Floats, Floats]:
    n, k = draws.n, len(xs)
    shared = _Ranks.of(ys[0]) if len(ys) == 1 else None
    values, slopes, influence = np.full(k, nan), np.zeros(k), np.zeros((n, k))
    for i, row in enumerate(xs):
        x, y = _Ranks.of(row), shared or _Ranks.of(ys[i])
        if x.variance == 0 or y.variance == 0:
            continue
        covariance, scale = float(x.rank @ y.rank) / n, np.sqrt(x.variance * y.variance)
        values[i] = rho = np.clip(covariance / scale, -1.0, 1.0)
        joint = x.rank * y.rank + x.higher(y.rank) + y.higher(x.rank) - 3 * covariance  # (n,)
        own = x.influence / x.variance + y.influence / y.variance  # (n,)
        influence[:, i] = joint / scale - rho / 2 * own
        # the slope of Fisher's z; where the order is perfect, every resample's is too
        slopes[i] = 1 / (1 - rho**2) if 1 - rho**2 > CONSTANT else 0.0
    limit = 1 - np.finfo(np.float64).epsneg  # arctanh(1) is infinite
    few = np.sqrt(n / max(n - 3, 1))  # Fisher's z has variance 1 / (n - 3); the linearised bootstrap's is 1 / n
    z = (
        np.arctanh(np.clip(values, -limit, limit)) + draws.drawn(draws.group_sums(influence)) / n * few * slopes
    )  # (R, K)
    return values, np.where(slopes == 0, values, np.tanh(z))


@dataclass(frozen=True, eq=False)
class _Ranks:
    """One variable as mid-ranks, divided by n and less their mean, so within (-1/2, 1/2)."""

    order: NDArray[np.intp]  # (n,): sorts the variable
    edges: NDArray[np.intp]  # (T + 1,): the t-th of T distinct values stands at order[edges[t]:edges[t + 1]]
    place: NDArray[np.intp]  # (n,): which distinct value each face has
    rank: Floats  # (n,)
    variance: float  # mean square of rank; exactly 0 for a constant

    @classmethod
    def of(cls, values: Floats) -> _Ranks:
        n = len(values)
        order = np.argsort(values, kind="stable")
        rises = np.diff(values[order]) > 0
        edges = np.concatenate([[0], np.flatnonzero(rises) + 1, [n]])
        place = np.empty(n, dtype=np.intp)
        place[order] = np.concatenate([[0], np.cumsum(rises)])
        # ranks below + 1 .. upto belong to one value: their mean less (n + 1) / 2 is (below + upto - n) / 2
        rank = ((edges[:-1] + edges[1:] - n) / (2 * n))[place]
        return cls(order, edges, place, rank, float(rank @ rank) / n)

    def higher(self, weights: Floats) -> Floats:
        """Mean over the faces j of weights_j if j is above face i, half of it if they tie, (n,); weights add to 0.

        It is by how much a further face at the place of i would shift the mean of weight x rank.
        """
        cumulative = np.concatenate([[0.0], np.cumsum(weights[self.order])])
        at_edges = cumulative[self.edges]
        return np.asarray(-(at_edges[:-1] + at_edges[1:])[self.place] / (2 * len(weights)))

    @cached_property
    def influence(self) -> Floats:
        """Influence of each face on the variance, (n,)."""
        return np.asarray(self.rank**2 + 2 * self.higher(self.rank) - 3 * self.variance)
