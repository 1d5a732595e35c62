"""Holm's correction: p-values of several tests, made as large as looking at all of them asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.checks import Floats


def holm(p: ArrayLike) -> Floats:
    """Adjusted p-values, (K,); NaN is a test that was not made: it stays NaN and does not count.

    The chance that any true null hypothesis falls at or below alpha is then at most alpha, however the tests depend on
    each other: the smallest of m p-values is multiplied by m, the next by m - 1, and none falls below the one before.
    Raises ValueError on a value outside 0 to 1. Source: Holm 1979.

    >>> holm([0.01, 0.04, float("nan"), 0.03]).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(values))
    tests = values[made]
    if ((tests < 0) | (tests > 1)).any():
        raise ValueError("Expected p-values from 0 to 1, or NaN for a test that was not made")
    order = np.argsort(tests, kind="stable")
    adjusted = np.full(len(values), np.nan)
    steps = np.maximum.accumulate(tests[order] * np.arange(len(tests), 0, -1))
    adjusted[made[order]] = np.minimum(steps, 1.0)
    return adjusted
