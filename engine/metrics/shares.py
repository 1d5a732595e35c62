"""Shares of two groups of faces and their difference, when every face is one trial."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.bootstrap import wilson
from engine.metrics.checks import Floats


def share_gap(first: ArrayLike, n: ArrayLike, second: ArrayLike, m: ArrayLike) -> tuple[Floats, Floats]:
    """Newcombe's 95 % interval of first - second, shares of n and m independent trials, elementwise.

    From Wilson's intervals of both, so that it leaves room for doubt when all trials of a group came out alike, where
    a bootstrap would leave none. NaN where either share is. Source: Newcombe 1998, method 10.

    >>> [round(float(end), 4) for end in share_gap(56 / 70, 70, 48 / 80, 80)]
    [0.0524, 0.3339]
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    (low, high), (low2, high2) = wilson(first, n), wilson(second, m)
    gap = first - second
    return gap - np.hypot(first - low, high2 - second), gap + np.hypot(high - first, second - low2)
