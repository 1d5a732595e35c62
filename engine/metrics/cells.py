"""Cutting faces into cells by a value: bins of equal width, or ranges that hold equal numbers of faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.metrics.checks import Floats


def width_cells(values: Floats, bins: int) -> NDArray[np.intp]:
    """Which of the bins ((m - 1) / B, m / B] each value of [0, 1] is in, 0 .. B - 1; 0 counts to the first.

    values: any shape, float64. Closed on the right, compared as float64 with m / B, so that .7 is in (.6, .7].

    >>> width_cells(np.array([0.0, 0.1, 0.7, 0.71, 1.0]), 10).tolist()
    [0, 0, 6, 7, 9]
    """
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, values, side="left")


def mass_cells(values: Floats, cells: int) -> NDArray[np.intp]:
    """Which of `cells` ranges each face is in when faces are cut by rank into ranges of equal size, give or take one.

    values: (N,); equal values rank by their index; NaN is in no range and gives -1. With fewer faces than
    ranges some ranges stay empty.

    >>> mass_cells(np.array([0.3, np.nan, 0.1, 0.2, 0.9]), 2).tolist()
    [1, -1, 0, 0, 1]
    """
    return rank_cells(ascending(values), len(values), cells)


def rank_cells(ranked: NDArray[np.intp], n: int, cells: int) -> NDArray[np.intp]:
    """The cell of each of n faces, (n,), when those listed in `ranked` are cut in that order; -1 for the others.

    >>> rank_cells(np.array([3, 0, 1]), 4, 3).tolist()
    [1, 2, -1, 0]
    """
    cell = np.full(n, -1, dtype=np.intp)
    cell[ranked] = np.arange(len(ranked)) * cells // max(len(ranked), 1)
    return cell


def ascending(values: Floats) -> NDArray[np.intp]:
    """Indices of the known values from lowest to highest, equal ones by their index."""
    order = np.argsort(values, kind="stable")  # NaN comes last
    return order[: len(values) - int(np.isnan(values).sum())]
