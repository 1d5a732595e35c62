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
    inside = np.stack([np.asarray(group, dtype=bool) for group in (first, second)], axis=1)  # (N, 2)
    either = inside.any(axis=1)
    matrix = np.stack([as_column(values, name, len(inside)) for name, values in columns.items()], axis=1)[either]
    known = ~np.isnan(matrix)  # (M, K), M faces in either group
    members = known[:, :, None] & inside[either][:, None, :]  # (M, K, 2)
    n = members.sum(axis=0)  # (K, 2)
    centre = ratio(np.where(known, matrix, 0.0).sum(axis=0), known.sum(axis=0))  # (K,)
    spread = np.where(known, matrix - centre, 0.0)  # (M, K); without the mean, no digits are lost to offsets
    means = ratio((spread[:, :, None] * members).sum(axis=0), n)  # (K, 2), from the centre
    intervals = _intervals(spread, members, resamples, seed)
    few = n < 2  # (K, 2)
    intervals[np.concatenate([few, few.any(axis=1, keepdims=True)], axis=1)] = np.nan
    union = known.sum(axis=0)
    return {
        name: Contrast(
            _estimate(means[k, 0], intervals[k, 0], int(n[k, 0]), float(centre[k])),
            _estimate(means[k, 1], intervals[k, 1], int(n[k, 1]), float(centre[k])),
            _estimate(means[k, 0] - means[k, 1], intervals[k, 2], int(union[k])),
        )
        for k, name in enumerate(columns)
    }


def _intervals(spread: Floats, members: NDArray[np.bool_], resamples: int, seed: int) -> Floats:
    """Ends of the intervals of both means and of their difference, (K, 3, 2), from the centre of each column."""
    faces, columns = spread.shape
    if faces < 2:
        return np.full((columns, 3, 2), np.nan)
    draws = Resamples(faces, resamples, seed)
    sums = [draws.sums(spread * members[:, :, group]) for group in (0, 1)]  # (R, K) each
    counts = [draws.sums(members[:, :, group]) for group in (0, 1)]
    first, second = (ratio(total, count) for total, count in zip(sums, counts, strict=True))
    return np.stack([np.stack(percentile_intervals(r), axis=1) for r in (first, second, first - second)], axis=1)


def _estimate(value: float, ends: Floats, n: int, centre: float = 0.0) -> Estimate:
    low, high = (float(end) + centre for end in ends)
    return Estimate(float(value) + centre, low, high, n)
