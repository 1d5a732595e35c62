"""Whether two models differ on the same faces, and whether a correlation differs from 0: Student's t."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.checks import as_column

CONSTANT = 1e-12  # differences whose spread is this share of their parts' size are equal but for rounding


@dataclass(frozen=True)
class PairedT:
    """Means and standard deviations of two columns, their difference x - y with its 95 % interval, and its test."""

    mean_x: float
    sd_x: float
    mean_y: float
    sd_y: float
    difference: float
    low: float
    high: float
    t: float
    df: int
    p: float
    n: int


def paired_t(x: ArrayLike, y: ArrayLike) -> PairedT:
    """Two-sided paired t-test of x against y, both (N,), such as the JSD of two models face by face.

    Faces where either is NaN are left out; n counts the rest, df = n - 1. Standard deviations divide by n - 1.
    Fewer than 2 faces give NaN for all that needs a spread, and df 0 at n = 0. Differences that are all equal
    have no spread to test against: t and p are NaN. p may underflow to 0.
    Raises ValueError on unequal lengths or infinite values. Source: Student 1908.

    >>> round(paired_t([1.0, 2.0, 3.0, 5.0], [1.0, 1.0, 1.0, 1.0]).t, 4)
    2.0494
    """
    x = as_column(x, "x")
    y = as_column(y, "y", len(x))
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    n = len(x)
    if n == 0:
        return PairedT(nan, nan, nan, nan, nan, nan, nan, nan, 0, nan, 0)
    difference = float((x - y).mean())
    if n == 1:
        return PairedT(float(x[0]), nan, float(y[0]), nan, difference, nan, nan, nan, 0, nan, 1)
    from scipy.special import stdtr, stdtrit

    df, error = n - 1, float((x - y).std(ddof=1)) / sqrt(n)
    t, p, half = nan, nan, 0.0
    if error > CONSTANT * max(np.abs(x).max(), np.abs(y).max()):
        t, half = difference / error, error * float(stdtrit(df, 0.975))
        p = float(2 * stdtr(df, -abs(t)))
    low, high = difference - half, difference + half
    sd_x, sd_y = (float(column.std(ddof=1)) for column in (x, y))
    return PairedT(float(x.mean()), sd_x, float(y.mean()), sd_y, difference, low, high, t, df, p, n)


def pearson_p(r: float, n: int) -> float:
    """Two-sided p-value of a Pearson correlation r of n faces against none, by Student's t with n - 2 degrees.

    For Spearman's coefficient it is an approximation, good from about n = 10. NaN for NaN or n below 3.
    Raises ValueError if r is outside [-1, 1]. Source: Fisher 1915.

    >>> round(pearson_p(-0.027, 3579), 3)
    0.106
    """
    if abs(r) > 1:
        raise ValueError(f"Expected a correlation from -1 to 1 but got {r}")
    if not abs(r) <= 1 or n < 3:
        return nan
    from scipy.special import stdtr

    t = abs(r) * sqrt((n - 2) / (1 - r * r)) if abs(r) < 1 else inf
    return float(2 * stdtr(n - 2, -t))
