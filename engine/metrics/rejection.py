"""What is gained when a model may abstain: the mean loss of the faces it keeps, against how many it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Estimate, Resamples, percentile_interval, percentile_intervals, ratio
from engine.metrics.cells import ascending, rank_cells
from engine.metrics.checks import Floats, as_column

COVERAGES = tuple(step / 20 for step in range(1, 21))
CELLS = 100  # steps of coverage of one percent in resamples, between which curves are straight enough


def kept_faces(coverage: float, n: int) -> int:
    """How many of n faces a coverage keeps, halves rounded up.

    >>> kept_faces(0.75, 3579), kept_faces(0.29, 50)
    (2684, 15)
    """
    return floor(round(coverage * n, 9) + 0.5)  # .29 x 50 is 14.499999999999998 in float64


def risk_coverage(
    order: ArrayLike,
    losses: Mapping[str, ArrayLike],
    at: Sequence[float] | np.ndarray = COVERAGES,
    resamples: Resamples | None = None,
) -> dict[str, np.ndarray]:
    """Mean of each loss over the share of faces with the lowest `order`, for each coverage in `at`.

    order: (N,), such as U_t; NaN leaves a face out, equal values rank by index. losses: (N,) each, in any
    unit (an accuracy will do); NaN, such as a face without majority, is left out of the means of that loss
    but may be kept. at: coverages from 0 to 1; kept_faces says how many faces each keeps.
    Returns columns (A,): coverage, kept, and for each name its mean `name` over the `name_n` kept faces on which it
    is known, with its 95 % percentile bootstrap interval `name_low`, `name_high` over `resamples` of N faces (made
    here if None). Each resample sets its own threshold, so that the interval covers the choice of threshold too.
    Means over no known face are NaN, as are intervals over fewer than two.
    Raises ValueError on unequal lengths, infinite values, a coverage out of range, or a loss named like a
    column of the table. Source: El-Yaniv & Wiener 2010.

    >>> risk_coverage([0.3, 0.1, 0.2, 0.4], {"wrong": [0, 0, 1, 1]}, at=[0.25, 0.5, 1.0])["wrong"]
    array([0. , 0.5, 0.5])
    """
    order = as_column(order, "order")
    columns = {name: as_column(values, name, len(order)) for name, values in losses.items()}
    coverage = as_column(at, "at")
    if not ((coverage >= 0) & (coverage <= 1)).all():
        raise ValueError(f"Expected coverages from 0 to 1 but got {coverage.tolist()}")
    ranked = ascending(order)
    kept = np.array([kept_faces(share, len(ranked)) for share in coverage], dtype=np.int64)
    curve = _Curve(ranked, len(order), resamples or Resamples(len(order)))
    cut = curve.cut(coverage)
    faces = _up_to(curve.faces, cut)
    table: dict[str, np.ndarray] = {"coverage": coverage, "kept": kept}
    for name, column in columns.items():
        if name in table:
            raise ValueError(f"Expected other names than {', '.join(table)} but got a loss {name!r}")
        sums, number = _cumulative(column[ranked])
        means = ratio(sums[kept], number[kept])  # (A,)
        known = ~np.isnan(column)
        counted = faces if known.all() else _up_to(curve.sums(known), cut)
        curves = ratio(_up_to(curve.sums(_centred(column)), cut), counted)  # (R + 1, A)
        # row 0 reads the data off the cells as the others are: what that alone changes is taken off
        low, high = percentile_intervals(_within(column, curves[1:] - curves[0] + means))
        several = number[kept] > 1
        table[name], table[f"{name}_n"] = means, number[kept].astype(np.int64)
        table[f"{name}_low"], table[f"{name}_high"] = np.where(several, low, nan), np.where(several, high, nan)
    return table


@dataclass(frozen=True)
class Area:
    """Area under the risk-coverage curve of one order, and what it has more than the best order there is."""

    aurc: Estimate
    excess: Estimate


def areas(orders: Mapping[str, ArrayLike], loss: ArrayLike, resamples: Resamples | None = None) -> dict[str, Area]:
    """AURC of each order: the mean over k = 1 .. n of the mean loss of the k faces lowest by it. Lower is better.

    The excess takes off the area of the order by the loss itself: 0 for a perfect order.
    orders, loss: (N,) each; faces where any of them is NaN are left out, so that the areas compare; n counts the rest.
    Equal values of an order rank by index. The 95 % percentile bootstrap intervals are over `resamples` of N faces
    (made here if None), the same for every order. n = 0 gives NaN, n = 1 no interval.
    Raises ValueError on unequal lengths or infinite values. Source: Geifman, Uziel & El-Yaniv 2019.

    >>> area = areas({"rank": [1, 2, 3, 4]}, [0, 0, 1, 1])["rank"]
    >>> round(area.aurc.value, 4), area.excess.value
    (0.2083, 0.0)
    """
    loss = as_column(loss, "loss")
    columns = {name: as_column(order, name, len(loss)) for name, order in orders.items()}
    unknown = np.isnan(np.array([loss, *columns.values()])).any(axis=0)
    loss, n = np.where(unknown, nan, loss), int((~unknown).sum())
    draws = resamples or Resamples(len(loss))
    best, of_best = _area(loss, loss, draws)
    found = {}
    for name, order in columns.items():
        value, replicates = _area(np.where(unknown, nan, order), loss, draws)
        excess = _estimate(value - best, np.maximum(replicates - of_best, 0.0), n)
        found[name] = Area(_estimate(value, replicates, n), excess)
    return found


class _Curve:
    """Faces sorted by `order` and cut into cells, as they are (row 0) and in each resample; no resample is sorted."""

    def __init__(self, ranked: NDArray[np.intp], n: int, draws: Resamples) -> None:
        self.draws, self.width = draws, max(1, min(CELLS, len(ranked)))
        self.cell = rank_cells(ranked, n, self.width)
        self.faces = self.sums(np.ones(n))  # (R + 1, cells)

    def sums(self, values: ArrayLike) -> Floats:
        cells = self.draws.cell_sums(self.cell, values, self.width)  # (G, cells)
        return np.concatenate([cells.sum(axis=0, keepdims=True), self.draws.drawn(cells)])  # (R + 1, cells)

    def cut(self, coverage: Floats) -> tuple[NDArray[np.intp], Floats]:
        """The cell in which each row reaches each coverage, and how much of it that takes, (R + 1, A) each."""
        reached = np.cumsum(self.faces, axis=1)
        wanted = reached[:, -1:] * coverage  # (R + 1, A)
        inside = np.stack([(reached < column[:, None]).sum(axis=1) for column in wanted.T], axis=1)
        inside = np.minimum(inside, self.width - 1)
        faces = np.take_along_axis(self.faces, inside, axis=1)
        before = np.take_along_axis(reached, inside, axis=1) - faces
        return inside, np.divide(wanted - before, faces, out=np.zeros_like(wanted), where=faces > 0)


def _up_to(cells: Floats, cut: tuple[NDArray[np.intp], Floats]) -> Floats:
    """Sum of the cells of each row up to where it is cut, (R + 1, A)."""
    inside, part = cut
    last = np.take_along_axis(cells, inside, axis=1)
    return np.asarray(np.take_along_axis(np.cumsum(cells, axis=1), inside, axis=1) - (1 - part) * last)


def _within(loss: Floats, means: Floats) -> Floats:
    """Means kept between the least and the largest loss: reading few faces off cells may carry them beyond."""
    known = loss[~np.isnan(loss)]
    return np.clip(means, known.min(), known.max()) if len(known) else means


def _centred(loss: Floats) -> Floats:
    """Loss less its mean, 0 where unknown, so that sums of it are small."""
    known = ~np.isnan(loss)
    return np.where(known, loss - loss[known].mean() if known.any() else 0.0, 0.0)


def _cumulative(values: Floats) -> tuple[Floats, Floats]:
    """Sum and number of the known among the first 0, 1, .. n values, (n + 1,) each."""
    known = ~np.isnan(values)
    sums, number = np.zeros(len(values) + 1), np.zeros(len(values) + 1)
    np.cumsum(np.where(known, values, 0.0), out=sums[1:])
    np.cumsum(known, out=number[1:])
    return sums, number


def _area(order: Floats, loss: Floats, draws: Resamples) -> tuple[float, Floats]:
    """Area under the curve, exact, and that of each resample, (R,), in which a cell counts as its middle face."""
    ranked = ascending(order)
    if len(ranked) == 0:
        return nan, np.full(draws.resamples, nan)
    value = float((np.cumsum(loss[ranked]) / np.arange(1, len(ranked) + 1)).mean())
    curve = _Curve(ranked, len(order), draws)
    faces, sums = curve.faces, curve.sums(_centred(loss))
    middle = (faces + 1) / 2
    share = np.divide(middle, faces, out=np.zeros_like(faces), where=faces > 0)
    risk = (np.cumsum(sums, axis=1) - (1 - share) * sums) / (np.cumsum(faces, axis=1) - faces + middle)
    areas = ratio((faces * risk).sum(axis=1), faces.sum(axis=1))  # (R + 1,)
    return value, _within(loss, areas[1:] - areas[0] + value)


def _estimate(value: float, replicates: Floats, n: int) -> Estimate:
    low, high = percentile_interval(replicates) if n > 1 else (nan, nan)
    return Estimate(value, low, high, n)
