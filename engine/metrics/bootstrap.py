"""Bootstrap over faces: how much a statistic would move, had other faces been drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats, as_column, check_shape

Z95 = 1.959963984540054  # 97.5th percentile of the standard normal
BLOCK = 1 << 16  # draws counted at a time (half a MiB of indices, about one core's cache); at least one resample


@dataclass(frozen=True)
class Estimate:
    """A statistic, its 95 % interval, and the number of faces behind them. NaN where the data cannot say."""

    value: float
    low: float
    high: float
    n: int


class Resamples:
    """The same R resamples of n faces for every statistic that is asked of them.

    Up to `groups` faces this is the ordinary bootstrap: each resample draws n faces with replacement. Above,
    the faces are dealt at random into `groups` groups of equal size (give or take one), and each resample
    draws groups: the method of random groups. A sum over a resample then costs one product with the groups'
    sums, whatever n. The price is a standard error that is itself off by about 1 / sqrt(2 groups), 2 % for
    1,000 groups, as much as 1,000 resamples leave anyway.

    n: faces, 0 included (every sum is then 0). Attributes: `group`, (n,), the group of each face; `size`, the
    number G of groups; `counts`, (R, G) float64 of whole numbers, how often each group is drawn. A row of
    counts is multinomial(G, 1/G) and depends on G and seed alone.
    Raises ValueError if n is below 0, resamples below 1 or groups below 2.
    Sources: Efron & Tibshirani 1993, chapter 6; Wolter 2007, chapter 2.

    >>> Resamples(5, resamples=2).sums(np.ones((5, 1))).tolist()
    [[5.0], [5.0]]
    """

    def __init__(self, n: int, resamples: int = 1000, seed: int = 0, groups: int = 1000) -> None:
        if n < 0 or resamples < 1 or groups < 2:
            raise ValueError(
                "Expected at least 0 faces, 1 resample and 2 groups but got "
                f"n={n}, resamples={resamples}, groups={groups}"
            )
        self.n, self.resamples, self.seed, self.size = n, resamples, seed, min(n, groups)
        self.group: NDArray[np.intp] = np.arange(n)
        if n > groups:
            # a stream of its own, so that the draws depend on the number of groups alone
            self.group = np.random.default_rng([seed, n]).permutation(n) % groups

    @property
    def counts(self) -> Floats:
        return _draws(self.resamples, self.size, self.seed).astype(np.float64)

    def drawn(self, table: Floats) -> Floats:
        """Sums over the drawn groups of each resample: (G, K) -> (R, K).

        In single precision, which halves the time and holds counts below 16 million: good for an interval, and not
        for a value. Sums of terms near 0, such as deviations from a mean, keep the most digits.
        """
        return np.asarray(_draws(self.resamples, self.size, self.seed) @ table.astype(np.float32), np.float64)

    def sums(self, columns: ArrayLike) -> Floats:
        """Sum of each of K finite columns over the faces of each resample: (n, K) -> (R, K)."""
        return np.asarray(self.counts @ self.group_sums(columns))

    def group_sums(self, columns: ArrayLike) -> Floats:
        """Sum of each of K finite columns over the faces of each group: (n, K) -> (G, K)."""
        columns = np.asarray(columns, dtype=np.float64)
        check_shape(columns, "columns", ("N", "K"))
        self._check(len(columns))
        if self.size == self.n:
            return columns
        return np.stack([np.bincount(self.group, column, self.size) for column in columns.T], axis=1)

    def cell_sums(self, cell: NDArray[np.intp], values: ArrayLike, cells: int) -> Floats:
        """Sum of the values over the faces of each group and cell: (n,), (n,) -> (G, cells).

        cell: 0 .. cells - 1, or -1 for a face that stands in none.
        """
        self._check(len(cell))
        if self.n == 0:
            return np.zeros((0, cells))
        place = self.group * (cells + 1) + (cell + 1)  # column 0 takes the faces without a cell
        sums = np.bincount(place, np.asarray(values, dtype=np.float64), self.size * (cells + 1))
        return np.asarray(sums.reshape(self.size, cells + 1)[:, 1:])

    def _check(self, n: int) -> None:
        if n != self.n:
            raise ValueError(f"Expected {self.n} faces, as many as these resamples draw from, but got {n}")


@lru_cache(maxsize=2)
def _draws(resamples: int, size: int, seed: int) -> NDArray[np.float32]:
    """How often each of `size` groups is drawn in each resample, (R, size), read-only because it is shared.

    Remembered (4 MB for 1,000 of each): a page asks for dozens of statistics over the same faces.
    """
    rng, counts = np.random.default_rng(seed), np.zeros((resamples, size), dtype=np.float32)
    rows = max(1, BLOCK // max(1, size))
    for start in range(0, resamples if size else 0, rows):
        block = counts[start : start + rows]
        drawn = rng.integers(size, size=block.shape)
        drawn += np.arange(len(block))[:, None] * size  # one count over all rows of the block
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    counts.flags.writeable = False
    return counts


def percentile_interval(replicates: ArrayLike) -> tuple[float, float]:
    """2.5th and 97.5th percentile of a statistic over resamples, (R,); NaN (undefined there) is left out.

    >>> percentile_interval(range(1001))
    (25.0, 975.0)
    """
    low, high = percentile_intervals(np.asarray(replicates, dtype=np.float64)[:, None])
    return float(low[0]), float(high[0])


def percentile_intervals(replicates: ArrayLike) -> tuple[Floats, Floats]:
    """The percentile_interval of each of K statistics: (R, K) -> lows (K,), highs (K,)."""
    replicates = np.asarray(replicates, dtype=np.float64)
    bounds = np.full((2, replicates.shape[1]), nan)
    known = ~np.isnan(replicates)
    whole = known.all(axis=0) & (len(replicates) > 0)
    if whole.any():
        bounds[:, whole] = np.percentile(replicates[:, whole], [2.5, 97.5], axis=0)
    for k in np.flatnonzero(known.any(axis=0) & ~whole):
        bounds[:, k] = np.percentile(replicates[known[:, k], k], [2.5, 97.5])
    return bounds[0], bounds[1]


def wilson(share: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson's 95 % interval of a share of n independent trials, elementwise; NaN where the share is NaN or n is 0.

    Unlike a bootstrap, it leaves room for doubt when all trials came out alike. Source: Wilson 1927.

    >>> tuple(round(float(end), 3) for end in wilson(0.0, 10))
    (0.0, 0.278)
    """
    trials = np.asarray(n, dtype=np.float64)
    p, m = np.where(trials > 0, np.asarray(share, dtype=np.float64), nan), np.maximum(trials, 1.0)
    centre = (p + Z95**2 / (2 * m)) / (1 + Z95**2 / m)
    half = np.sqrt(p * (1 - p) / m + (Z95 / (2 * m)) ** 2) * Z95 / (1 + Z95**2 / m)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def share(values: ArrayLike) -> Estimate:
    """Share of ones among the zeros and ones of (N,), with Wilson's interval; NaN is unknown and does not count.

    >>> share([1, 1, float("nan")]).n
    2
    """
    column = as_column(values, "values")
    known = column[~np.isnan(column)]
    if not np.isin(known, (0.0, 1.0)).all():
        raise ValueError("Expected values of 0, 1 or NaN, for a share is a count of trials that came out so")
    value = float(known.mean()) if len(known) else nan
    low, high = wilson(value, len(known))
    return Estimate(value, float(low), float(high), len(known))


def basic_interval(value: float, replicates: ArrayLike) -> tuple[float, float]:
    """2 value - 97.5th and 2.5th percentile: how far resamples stray from the value, turned round.

    For statistics that sampling noise can only raise, such as sums of absolute gaps: a sample's calibration
    error exceeds the population's, and a resample's exceeds the sample's, by about as much again. Percentiles
    of the resamples would carry that bias twice; turned round, they take it off. The interval may therefore
    lie below the value, or pass 0, where the caller cuts it. NaN replicates are left out.
    Source: Hall 1988 (there "hybrid"), Davison & Hinkley 1997, section 5.2.

    >>> basic_interval(0.0, range(1001))
    (-975.0, -25.0)
    """
    low, high = percentile_interval(replicates)
    return 2 * value - high, 2 * value - low


def bootstrap_means(
    columns: Mapping[str, ArrayLike],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Mean of each column with its 95 % percentile bootstrap interval, all columns on the same Resamples.

    columns: (N,) each, one value per face in any unit; NaN means unknown. A column's mean, on the data and in
    every resample, is over its known faces, and its n counts them (a resample may hold more or fewer than n).
    n = 0 gives NaN, n = 1 a mean without interval. Raises ValueError on unequal lengths or infinite values.
    Source: Efron & Tibshirani 1993, chapter 13.

    >>> bootstrap_means({"correct": [1, 1, 1, 1, float("nan")]})
    {'correct': Estimate(value=1.0, low=1.0, high=1.0, n=4)}
    """
    if not columns:
        return {}
    length = len(np.asarray(next(iter(columns.values()))))
    matrix = np.stack([as_column(values, name, length) for name, values in columns.items()], axis=1)  # (N, K)
    known = ~np.isnan(matrix)
    n = known.sum(axis=0)  # (K,)
    centre = ratio(np.where(known, matrix, 0.0).sum(axis=0), n)
    spread = np.where(known, matrix - centre, 0.0)  # (N, K); without the mean, no digits are lost to offsets
    low = high = np.full(len(n), nan)
    if n.max() > 1:
        both = np.concatenate([spread, known], axis=1)  # (N, 2K): sums and counts from one product
        sums, drawn = np.split(Resamples(length, resamples, seed).sums(both), 2, axis=1)  # (R, K) each
        low, high = percentile_intervals(centre + ratio(sums, drawn))
    few = n < 2
    low, high = np.where(few, nan, low), np.where(few, nan, high)
    return {
        name: Estimate(float(centre[k]), float(low[k]), float(high[k]), int(n[k])) for k, name in enumerate(columns)
    }


def ratio(sums: ArrayLike, weights: ArrayLike) -> Floats:
    """sums / weights, shapes that broadcast; NaN where the weight is 0 (nothing was drawn there).

    >>> ratio([1.0, 0.0], [2, 0])
    array([0.5, nan])
    """
    sums, weights = np.asarray(sums, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    out = np.full(np.broadcast_shapes(sums.shape, weights.shape), nan)
    return np.asarray(np.divide(sums, weights, out=out, where=weights > 0))
