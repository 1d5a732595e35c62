"""Means of two groups of faces and their difference, also where the groups share faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Estimate, Resamples, percentile_intervals, ratio
from engine.metrics.checks import Floats, as_column


@dataclass(frozen=True)
class Contrast:
    """The means of two groups, and first - second; the n of the difference counts a shared face once."""

    first: Estimate
    second: Estimate
    difference: Estimate


def contrast_means(
    columns: Mapping[str, ArrayLike], first: ArrayLike, second: ArrayLike, resamples: int = 1000, seed: int = 0
) -> dict[str, Contrast]:
    """Mean of each column in both groups and their difference, with 95 % percentile bootstrap intervals.

    columns: (N,) each, one value per face in any unit; NaN means unknown. first, second: (N,) bool, which faces are in
    which group; a face may be in both. The faces that are in either are resampled once, and each resample gives both
    means: a face that is drawn twice counts twice in every group that holds it. So shared faces move both means, two
    equal groups differ by exactly 0, and the means of groups without a shared face move independently.
    A group of one face has a mean and no interval, and an empty one NaN; so has their difference.
    Raises ValueError on unequal lengths or infinite values. Source: Efron & Tibshirani 1993, chapters 8 and 13.

    >>> two = contrast_means({"x": [1, 2, 3]}, [True, True, False], [True, True, False])["x"]
    >>> two.first.value, two.difference
    (1.5, Estimate(value=0.0, low=0.0, high=0.0, n=2))
    """
    if not columns:
        return {}
    inside = np.stack([np.asarray(group, dtype=bool) for group in (first, second)])  # (2, N)
    matrix = np.stack([as_column(values, name, inside.shape[1]) for name, values in columns.items()], axis=1)
    either = inside.any(axis=0)
    members = inside[:, either, None] & ~np.isnan(matrix[either])  # (2, M, K), M faces in either group
    values = np.where(members, matrix[either], 0.0)
    n = members.sum(axis=1)  # (2, K)
    means = ratio(values.sum(axis=1), n)
    spread = np.where(members, values - means[:, None], 0.0)  # without the mean, no digits are lost to offsets
    resampled = means[:, None] + _resample(spread, members, resamples, seed)  # (2, R, K)
    union = members.any(axis=0).sum(axis=0)
    found = [
        _estimates(means[0], resampled[0], n[0], n[0] > 1),
        _estimates(means[1], resampled[1], n[1], n[1] > 1),
        _estimates(means[0] - means[1], resampled[0] - resampled[1], union, (n > 1).all(axis=0)),
    ]
    return {name: Contrast(*row) for name, row in zip(columns, zip(*found, strict=True), strict=True)}


def _resample(spread: Floats, members: NDArray[np.bool_], resamples: int, seed: int) -> Floats:
    """Means of the faces of each group in each resample of all faces: (2, M, K) -> (2, R, K); NaN where none is."""
    draws = Resamples(spread.shape[1], resamples, seed)
    return np.stack([ratio(draws.sums(x), draws.sums(m)) for x, m in zip(spread, members, strict=True)])


def _estimates(values: Floats, resampled: Floats, n: NDArray[np.int_], enough: NDArray[np.bool_]) -> list[Estimate]:
    """One per column; without an interval where there are not enough faces."""
    ends = np.where(enough, percentile_intervals(resampled), np.nan)
    return [
        Estimate(float(v), float(low), float(high), int(k)) for v, low, high, k in zip(values, *ends, n, strict=True)
    ]
