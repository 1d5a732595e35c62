"""The widest gap between two groups, with an interval that knows the pair was picked for being the widest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.metrics.bootstrap import Z95
from engine.metrics.checks import Floats
from engine.metrics.families import Family
from engine.metrics.group_intervals import Intervals, gap_ends
from engine.metrics.shares import share_gap


@dataclass(frozen=True)
class Largest:
    """The widest gap of one quantity between two groups of faces.

    high, low: numbers of the groups with the largest and the smallest value. value: their difference. ci_low, ci_high:
    its 95 % interval, which holds for all pairs of groups at once. p: of the permutation test of the widest gap.
    p_holm: corrected for the number of quantities.
    """

    high: int
    low: int
    value: float
    ci_low: float
    ci_high: float
    p: float
    p_holm: float


def widest(family: Family, found: Intervals, q: int, minimum: int) -> tuple[int, int, float, float, float] | None:
    """high, low, value, and ends of the interval of quantity q; None with fewer than two groups of `minimum` faces.

    The interval is that of the difference of the two groups by itself, stretched about its middle by as much as the
    95th percentile of the widest of all differences, each in its standard errors, exceeds that of a single one. That
    is Tukey's method with resamples in place of a normal distribution. It may pass 0. Source: Tukey 1953.
    """
    large = np.flatnonzero(found.n[:, q] >= minimum)
    if len(large) < 2:
        return None
    values = found.value[large, q]
    top = int(values.argmax())
    bottom = int(np.where(np.arange(len(large)) == top, np.inf, values).argmin())
    high, low = int(large[top]), int(large[bottom])
    value = float(values[top] - values[bottom])
    if family.share[q]:
        ends = share_gap(found.value[high, q], found.n[high, q], found.value[low, q], found.n[low, q])
    else:
        first, second = (tuple(each[g : g + 1, :, q : q + 1] for each in found.strays) for g in (high, low))
        ends = gap_ends(np.array([[value]]), first, second)
    lower, upper = (float(end.item()) for end in ends)
    half = (upper - lower) / 2
    if len(large) > 2:  # of two groups there is one pair, and nothing was picked
        half *= max(1.0, _furthest(found.strays[0][large, :, q]) / Z95)
    middle = (lower + upper) / 2
    return high, low, value, middle - half, middle + half


def _furthest(strays: Floats) -> float:
    """95th percentile of the widest difference between two groups, in its standard errors, from their (L, R) strays."""
    strays = strays - strays.mean(axis=1, keepdims=True)
    furthest = np.zeros(strays.shape[1])
    for g in range(len(strays) - 1):
        differences = strays[g + 1 :] - strays[g]
        error = differences.std(axis=1, keepdims=True)
        np.maximum(furthest, np.max(np.abs(differences) / np.where(error > 0, error, np.inf), axis=0), out=furthest)
    return float(np.percentile(furthest, 95))
