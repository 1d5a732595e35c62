"""Gaps of groups to the rest at equal values of other attributes: a linear regression, beside the raw comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Z95
from engine.metrics.checks import Floats, as_column
from engine.metrics.covariates import SAME, orthonormal, prepare
from engine.metrics.group_sums import members

ALONE = 1e-8  # least 1 - leverage


@dataclass(frozen=True, eq=False)
class Adjusted:
    """G groups by Q quantities: gaps to the rest as they are and at equal covariates, with 95 % intervals.

    n: (G, Q), the group's faces that were compared. raw, raw_low, raw_high and gap, low, high: (G, Q), on the same
    faces; NaN where the group or its rest has fewer than `minimum` of them, or the covariates leave nothing of the
    group to compare. used, left_out: covariates, the latter with the reason. dropped: (Q,), faces whose quantity is
    known but a covariate is not.
    """

    quantities: tuple[str, ...]
    n: NDArray[np.intp]
    raw: Floats
    raw_low: Floats
    raw_high: Floats
    gap: Floats
    low: Floats
    high: Floats
    used: tuple[str, ...]
    left_out: dict[str, str]
    dropped: NDArray[np.intp]


def adjusted(
    columns: Mapping[str, ArrayLike],
    group: ArrayLike,
    groups: int,
    covariates: Mapping[str, ArrayLike],
    minimum: int = 30,
) -> Adjusted:
    """Coefficient of each group's indicator in a least-squares regression of a column, with and without covariates.

    columns: (N,) each, NaN is unknown. group: (N,) whole numbers 0 .. groups - 1, -1 for none. covariates: (N,) each,
    numbers (NaN is unknown) or text (None is unknown). Numbers enter as restricted cubic splines, so that a face turned
    left may count like one turned right; text as one indicator per string (see covariates.prepare, also for what is
    left out and why). A face whose covariate is unknown is dropped from both regressions.
    Intervals are from HC3 standard errors, which allow for spreads that differ between faces, and the normal
    distribution. The adjusted gap answers for what the covariates measure and nothing else; where they follow from the
    group (a darker face is a darker image), adjusting takes away a part of what is asked.
    Raises ValueError on unequal lengths, infinite values or a group out of range.
    Sources: MacKinnon & White 1985 (HC3); Frisch & Waugh 1933, by which one group is regressed at a time.

    >>> two = adjusted({"x": [1.0, 2, 3, 2, 3, 4]}, [0, 0, 0, 1, 1, 1], 2, {}, minimum=2)
    >>> two.raw.round(9).tolist() == two.gap.round(9).tolist() == [[-1.0], [1.0]]
    True
    """
    members(group, groups)
    numbers = np.asarray(group, dtype=np.intp)
    values = {name: as_column(column, name, len(numbers)) for name, column in columns.items()}
    found = prepare(covariates, numbers, groups)
    complete = (numbers >= 0) & found.known
    n = np.zeros((groups, len(values)), dtype=np.intp)
    ends = np.full((2, 3, groups, len(values)), np.nan)  # raw or not; gap, low, high
    together: dict[bytes, list[int]] = {}  # quantities that are known of the same faces share their regressions
    for q, column in enumerate(values.values()):
        together.setdefault(np.packbits(~np.isnan(column)).tobytes(), []).append(q)
    matrix = np.stack(list(values.values()), axis=1) if values else np.zeros((len(numbers), 0))
    for which in together.values():
        rows = np.flatnonzero(complete & ~np.isnan(matrix[:, which[0]]))
        inside = numbers[rows]
        n[:, which] = np.bincount(inside, minlength=groups)[:, None]
        large = [g for g in range(groups) if min(n[g, which[0]], len(rows) - n[g, which[0]]) >= max(minimum, 2)]
        plain, full = np.ones((len(rows), 1)), np.column_stack([np.ones(len(rows)), found.design[rows]])
        for kind, design in enumerate((plain, full)):
            ends[kind][:, np.array(large, dtype=np.intp)[:, None], which] = _coefficients(
                matrix[rows][:, which], inside, large, design
            )
    dropped = [int(((numbers >= 0) & ~np.isnan(column) & ~found.known).sum()) for column in values.values()]
    (raw, raw_low, raw_high), (gap, low, high) = ends
    return Adjusted(
        quantities=tuple(values),
        n=n,
        raw=raw,
        raw_low=raw_low,
        raw_high=raw_high,
        gap=gap,
        low=low,
        high=high,
        used=found.used,
        left_out=found.left_out,
        dropped=np.array(dropped, dtype=np.intp),
    )


def _coefficients(y: Floats, group: NDArray[np.intp], which: list[int], design: Floats) -> Floats:
    """Coefficient of the indicator of each group and the ends of its interval: y (n, Q), design (n, K) -> (3, L, Q).

    What the design explains is taken off both sides first; what is left of y on what is left of the indicator then
    gives the coefficient of the whole regression, its residuals and, with the design's, its leverages.
    """
    out = np.full((3, len(which), y.shape[1]), np.nan)
    if not which:
        return out
    basis = orthonormal(design)  # (n, rank)
    leverage = (basis**2).sum(axis=1)
    left = y - basis @ (basis.T @ y)  # (n, Q)
    for place, g in enumerate(which):
        indicator = (group == g).astype(np.float64)
        own = indicator - basis @ (basis.T @ indicator)
        square = float(own @ own)
        if square < SAME * float(((indicator - indicator.mean()) ** 2).sum()):
            continue
        slope = own @ left / square  # (Q,)
        # a face that alone decides a coefficient has leverage 1, no residual, and no say in this one
        weight = own / np.maximum(1.0 - leverage - own**2 / square, ALONE)
        error = np.sqrt((weight**2) @ (left - own[:, None] * slope) ** 2) / square
        out[:, place] = slope, slope - Z95 * error, slope + Z95 * error
    return out
