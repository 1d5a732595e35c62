"""Permutation tests of the gaps between groups: the half of an audit that deals the faces anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.metrics.checks import Floats
from engine.metrics.families import Family
from engine.metrics.permutation import p_value, permuted_sums

ROUNDING = 1e-10, 1e-12  # shares of the largest stray from the centre, and of the centre, that sums may be off by


@dataclass(frozen=True, eq=False)
class GapTests:
    """chance, p: (G, Q), of the gap to the rest. range_p: (Q,), of the widest gap between two groups."""

    chance: Floats
    p: Floats
    range_p: Floats


def gap_tests(family: Family, minimum: int, permutations: int, seed: int) -> GapTests:
    """NaN where no test is made: a group, its rest, or all groups but one with fewer than `minimum` known faces."""
    n, groups, count = family.n, len(family.parts), len(family.names)
    if permutations == 0:
        nothing = np.full((groups, count), np.nan)
        return GapTests(nothing, nothing, nothing[0])
    rows, sums = np.concatenate(family.parts), family.sums
    dealt = np.concatenate([sums[None], permuted_sums(rows, n, permutations, seed)])  # (1 + P, G, K), the data first
    values = family.quantities(dealt)
    gaps = values - family.quantities(rows.sum(axis=0) - dealt)
    large = n >= minimum
    tested = large & (n.sum() - n >= minimum)
    # a small group's calibration error is raised by noise, and so is its gap: what chance gives is taken off first
    chance = gaps.mean(axis=0) if family.calibration else np.where(np.isnan(gaps[0]), np.nan, 0.0)
    rounding = _rounding(family, rows)
    strays = np.abs(gaps - chance)
    p = p_value(strays[0], strays[1:], rounding)
    range_p = widest_p(values[:, large], rounding, family.calibration) if large.sum() > 1 else np.full(count, np.nan)
    return GapTests(chance, np.where(tested[:, None], p, np.nan), range_p)


def widest_p(values: Floats, rounding: Floats, biased: bool) -> Floats:
    """How often chance makes the gap of some pair of groups stand out as much as that of the widest pair: (Q,).

    values: (1 + P, L, Q) of the data and of P permutations. A gap stands out by how many standard deviations it is from
    0 among the gaps that chance gives to the same pair; else the smallest group, which strays most, would decide alone.
    Where another pair stands out more, p is cautious. biased: chance gives unequal groups a gap, which is taken off.
    Source: Westfall & Young 1993, single-step max T.
    """
    groups = values.shape[1]
    top, bottom = values[0].argmax(axis=0), values[0].argmin(axis=0)  # (Q,)
    furthest, of_data = np.zeros_like(values[:, 0]), np.zeros((groups, *values.shape[1:]))  # (1 + P, Q), (L, L, Q)
    for g in range(groups - 1):
        gaps = values[:, g + 1 :] - values[:, g : g + 1]  # (1 + P, L - g - 1, Q)
        spread = gaps.std(axis=0)
        middle = gaps.mean(axis=0) if biased else 0.0
        strays = np.abs(gaps - middle) / np.where(spread > rounding, spread, np.inf)
        np.maximum(furthest, strays.max(axis=1), out=furthest)
        of_data[g, g + 1 :] = of_data[g + 1 :, g] = strays[0]
    pair = of_data[top, bottom, np.arange(values.shape[2])]
    return p_value(pair, furthest[1:], 1e-9)


def _rounding(family: Family, rows: Floats) -> Floats:
    """How far equal statistics of a quantity may differ, (Q,)."""
    strays, offset = ROUNDING
    if family.calibration:
        return np.array([offset])
    return strays * np.abs(rows[:, :-1]).max(axis=0, initial=0.0) + offset * np.abs(family.centre)
