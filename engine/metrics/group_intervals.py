"""Values of each group, gaps to the rest, and their 95 % intervals: the half of an audit that resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.metrics.bootstrap import percentile_intervals, wilson
from engine.metrics.checks import Floats
from engine.metrics.families import Family
from engine.metrics.gaps import NOISE
from engine.metrics.group_sums import of_others
from engine.metrics.shares import share_gap


@dataclass(frozen=True, eq=False)
class Intervals:
    """(G, Q) each, of every group and of its gap to the rest; n: its known faces.

    strays: how far resamples stray from the value, (G, R, Q); of the calibration error in two ways (see _strays).
    """

    n: NDArray[np.intp]
    value: Floats
    low: Floats
    high: Floats
    gap: Floats
    gap_low: Floats
    gap_high: Floats
    strays: tuple[Floats, ...]


def intervals(family: Family, resampled: Floats) -> Intervals:
    """From the sums over the resamples of each group, (G, R, K).

    A group of fewer than two known faces has no interval, and a gap none unless both sides have two.
    """
    sums, n = family.sums, family.n[:, None]
    rest = n.sum() - n
    values, others = family.quantities(sums), family.quantities(of_others(sums))
    value, gap = values + family.centre, values - others
    strays, of_rest = _strays(family, sums, resampled), _strays(family, of_others(sums), of_others(resampled))
    low, high = _of_errors(value, strays) if family.calibration else _percentiles(value, strays[0])
    gap_low, gap_high = gap_ends(gap, strays, of_rest)
    s = family.share
    low[:, s], high[:, s] = wilson(value[:, s], n)
    gap_low[:, s], gap_high[:, s] = share_gap(value[:, s], n, others[:, s], rest)
    lone, apart = n < 2, np.minimum(n, rest) < 2
    return Intervals(
        n=np.repeat(n, len(family.names), axis=1),
        value=value,
        low=np.where(lone, np.nan, low),
        high=np.where(lone, np.nan, high),
        gap=gap,
        gap_low=np.where(apart, np.nan, gap_low),
        gap_high=np.where(apart, np.nan, gap_high),
        strays=strays,
    )


def gap_ends(gap: Floats, strays: tuple[Floats, ...], other: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """Ends (G, Q) of the interval of a difference of means, or of calibration errors, from the strays of both sides.

    Of means: percentiles. Of errors: percentiles turned round as in calibration_differences, for either way of
    resampling on either side, and of the four the lowest and the highest end. Any single one takes too much or too
    little off for the noise of one side.
    """
    if len(strays) == 1:
        return _percentiles(gap, strays[0] - other[0])
    ends = [_turned(gap, mine - theirs) for mine in strays for theirs in other]
    return np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)


def _strays(family: Family, sums: Floats, resampled: Floats) -> tuple[Floats, ...]:
    """How far the quantities of resamples, from sums (G, R, K), stray from those of the data, from (G, K).

    Of the calibration error twice: as it is, and with the gaps of bins that are not told from 0 taken for 0, so that
    only noise about it is left (see gaps.lowest_ends). The first makes too little of what noise adds, the second at
    times too much.
    """
    strays = family.quantities(resampled) - family.quantities(sums)[:, None]
    if not family.calibration:
        return (strays,)
    noise = np.abs(sums) < NOISE * resampled.std(axis=1)
    noise[:, -1] = False  # the votes
    told = np.where(noise, 0.0, sums)
    return strays, family.quantities(resampled - (sums - told)[:, None]) - family.quantities(told)[:, None]


def _of_errors(value: Floats, strays: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """The interval of calibration_errors."""
    (low, high), (least, _) = (_turned(value, each) for each in strays)
    low = np.maximum(np.minimum(low, least), 0.0)
    return np.minimum(low, value), np.minimum(np.maximum(high, value), 1.0)


def _turned(value: Floats, strays: Floats) -> tuple[Floats, Floats]:
    """The basic_interval of each value, (G, Q)."""
    low, high = _percentiles(-value, strays)
    return -high, -low


def _percentiles(value: Floats, strays: Floats) -> tuple[Floats, Floats]:
    """Percentiles of value + strays over resamples: (G, Q), (G, R, Q) -> (G, Q), (G, Q)."""
    groups, resamples, quantities = strays.shape
    low, high = percentile_intervals(strays.transpose(1, 0, 2).reshape(resamples, -1))
    return value + low.reshape(groups, quantities), value + high.reshape(groups, quantities)
