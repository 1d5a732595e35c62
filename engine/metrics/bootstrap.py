"""Percentile bootstrap over faces: how much a mean would move, had other faces been drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.checks import Floats, as_column

BLOCK = 1 << 18  # counts held at a time (2 MiB of float64, about one core's cache); at least one resample


@dataclass(frozen=True)
class Estimate:
    """A statistic, its 95 % interval, and the number of faces behind them. NaN where the data cannot say."""

    value: float
    low: float
    high: float
    n: int


def resample_counts(n: int, resamples: int = 1000, seed: int = 0) -> Iterator[Floats]:
    """Yield how often each of n faces is drawn in each resample of n faces with replacement.

    Blocks are (B, n) float64 of whole numbers, ready for matrix products, `resamples` rows in all. Each row
    is multinomial(n, 1/n), so it sums to n, and depends on n and seed alone, not on the size of blocks.
    Raises ValueError if n or resamples is below 1.

    >>> [block.sum(axis=1).tolist() for block in resample_counts(5, resamples=2)]
    [[5.0, 5.0]]
    """
    if n < 1 or resamples < 1:
        raise ValueError(f"Expected at least 1 face and 1 resample but got n={n}, resamples={resamples}")
    return _blocks(n, resamples, max(1, BLOCK // n), np.random.default_rng(seed))


def _blocks(n: int, resamples: int, rows: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Apart from resample_counts, so that its errors come at the call and not at the first block."""
    for start in range(0, resamples, rows):
        block = np.empty((min(rows, resamples - start), n))
        for row in block:  # counting draws is several times as fast as Generator.multinomial
            row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
        yield block


def percentile_interval(replicates: ArrayLike) -> tuple[float, float]:
    """2.5th and 97.5th percentile of a statistic over resamples, (R,); NaN (undefined there) is left out.

    >>> percentile_interval(range(1001))
    (25.0, 975.0)
    """
    replicates = np.asarray(replicates, dtype=np.float64)
    defined = replicates[~np.isnan(replicates)]
    if len(defined) == 0:
        return nan, nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_means(
    columns: Mapping[str, ArrayLike],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Mean of each column with its 95 % percentile bootstrap interval, all columns on the same resamples.

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
    centre = np.divide(np.where(known, matrix, 0.0).sum(axis=0), n, out=np.full(len(n), nan), where=n > 0)
    spread = np.where(known, matrix - centre, 0.0)  # (N, K); without the mean, no digits are lost to offsets
    replicates = np.empty((0, len(n)))
    if n.max() > 1:
        both = np.concatenate([spread, known], axis=1)  # (N, 2K): sums and counts from one product
        sums = np.concatenate([block @ both for block in resample_counts(length, resamples, seed)])  # (R, 2K)
        drawn = sums[:, len(n) :]
        shift = np.divide(sums[:, : len(n)], drawn, out=np.full(drawn.shape, nan), where=drawn > 0)
        replicates = centre + shift  # (R, K)
    estimates = {}
    for k, name in enumerate(columns):
        low, high = percentile_interval(replicates[:, k]) if n[k] > 1 else (nan, nan)
        estimates[name] = Estimate(float(centre[k]), low, high, int(n[k]))
    return estimates
