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
    range_p = np.full(count, np.nan)
    if large.sum() > 1:
        spans = np.ptp(values[:, large], axis=1)
        range_p = p_value(spans[0], spans[1:], rounding)
    return GapTests(chance, np.where(tested[:, None], p, np.nan), range_p)


def _rounding(family: Family, rows: Floats) -> Floats:
    """How far equal statistics of a quantity may differ, (Q,)."""
    strays, offset = ROUNDING
    if family.calibration:
        return np.array([offset])
    return strays * np.abs(rows[:, :-1]).max(axis=0, initial=0.0) + offset * np.abs(family.centre)
