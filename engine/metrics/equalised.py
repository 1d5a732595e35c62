"""Groups against the rest at equal image quality: the same faces, weighted until both have the same distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Resamples, percentile_intervals, ratio
from engine.metrics.checks import Floats, as_column
from engine.metrics.covariates import unusable
from engine.metrics.group_sums import members, stream

LEAST_EFFECTIVE = 2.0  # faces of the rest that an interval needs


@dataclass(frozen=True, eq=False)
class Equalised:
    """G groups by Q quantities, each compared with the rest at equal quality; NaN where too few faces match.

    matched: (G,), share of the group's faces that have a face of the rest in their stratum. n: (G, Q), those whose
    quantity is known. effective: (G, Q), how many faces of the rest, equally weighted, its mean is as certain as.
    value, rest: means of the group's matched faces and of the reweighted rest. gap, low, high: their difference.
    used, left_out: quality columns, the latter with the reason.
    """

    quantities: tuple[str, ...]
    matched: Floats
    n: NDArray[np.intp]
    effective: Floats
    value: Floats
    rest: Floats
    gap: Floats
    low: Floats
    high: Floats
    used: tuple[str, ...]
    left_out: dict[str, str]


def equalised(
    columns: Mapping[str, ArrayLike],
    group: ArrayLike,
    groups: int,
    quality: Mapping[str, ArrayLike],
    *,
    bins: int = 4,
    minimum: int = 30,
    resamples: int = 1000,
    seed: int = 0,
) -> Equalised:
    """Coarsened exact matching: strata are the crossed quantile ranges of the quality columns.

    columns, quality: (N,) each, NaN is unknown. group: (N,) whole numbers 0 .. groups - 1, -1 for none. bins: ranges of
    about equal numbers of faces that each quality column is cut into; equal values stay together. A face of a group
    counts if its stratum holds a face of the rest, and the other way round; the faces of the rest are weighted so that
    each stratum weighs in the rest what it weighs in the group. A face whose quality is unknown is not matched.
    What differs within a stratum stays: more bins equalise more closely and match fewer faces.
    The 95 % intervals are percentiles over resamples of the faces of the group and of the rest, by themselves; strata
    and weights are those of the data. None with fewer than `minimum` matched faces of the group, or an effective rest
    of below 2. Raises ValueError on unequal lengths, infinite values, a group out of range or fewer than 2 bins.
    Source: Iacus, King & Porro 2012.

    >>> found = equalised({"x": [1.0, 5, 1, 1, 5]}, [0, 0, 1, 1, 1], 2, {"light": [1, 9, 1, 1, 9]}, bins=2, minimum=1)
    >>> found.gap.tolist(), found.effective[0].round(3).tolist()
    ([[0.0], [0.0]], [2.667])
    """
    if bins < 2 or minimum < 1:
        raise ValueError(f"Expected at least 2 bins and a minimum of at least 1 but got {bins} and {minimum}")
    index, numbers = members(group, groups), np.asarray(group, dtype=np.intp)
    values = {name: as_column(column, name, len(numbers)) for name, column in columns.items()}
    matrix = np.stack(list(values.values()), axis=1) if values else np.zeros((len(numbers), 0))
    stratum, used, left_out = _strata(quality, numbers >= 0, bins)
    together: dict[bytes, list[int]] = {}  # quantities that are known of the same faces share their weights
    for q, column in enumerate(values.values()):
        together.setdefault(np.packbits(~np.isnan(column)).tobytes(), []).append(q)
    shape = (groups, len(values))
    matched, n = np.full(groups, np.nan), np.zeros(shape, dtype=np.intp)
    found = np.full((6, *shape), np.nan)
    found[0] = 0.0
    for g, faces in enumerate(index):
        others = np.flatnonzero((numbers >= 0) & (numbers != g))
        if len(faces):
            matched[g] = np.isin(stratum[faces], _inside(stratum[others])).mean()
        for which in together.values():
            known = ~np.isnan(matrix[:, which[0]])
            own, rest, weight = _matched(stratum, faces[known[faces]], others[known[others]])
            n[g, which] = len(own)
            if len(own) and len(rest):
                found[:, g, which] = _compared(matrix[own][:, which], matrix[rest][:, which], weight, resamples, seed)
            if len(own) < max(minimum, 2) or weight.sum() ** 2 < LEAST_EFFECTIVE * (weight**2).sum():
                found[4:, g, which] = np.nan
    effective, value, rest_value, gap, low, high = found
    return Equalised(
        quantities=tuple(values),
        matched=matched,
        n=n,
        effective=effective,
        value=value,
        rest=rest_value,
        gap=gap,
        low=low,
        high=high,
        used=used,
        left_out=left_out,
    )


def _matched(
    stratum: NDArray[np.intp], faces: NDArray[np.intp], others: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """The faces and the others whose stratum holds both, and the weights of the others."""
    size = int(stratum.max(initial=0)) + 1
    own, rest = (np.bincount(_inside(stratum[each]), minlength=size) for each in (faces, others))
    # stratum -1, unknown, finds the entry that is added at the end
    both = np.append((own > 0) & (rest > 0), False)
    weights = np.append(ratio(own, rest), 0.0)
    chosen = others[both[stratum[others]]]
    return faces[both[stratum[faces]]], chosen, weights[stratum[chosen]]


def _inside(stratum: NDArray[np.intp]) -> NDArray[np.intp]:
    return stratum[stratum >= 0]


def _compared(own: Floats, rest: Floats, weight: Floats, resamples: int, seed: int) -> Floats:
    """Effective faces of the rest, both means, their difference and its ends: (n, Q), (m, Q), (m,) -> (6, Q)."""
    centre = own.mean(axis=0)
    own, rest = own - centre, rest - centre  # without an offset no digits are lost
    mean, other = own.mean(axis=0), weight @ rest / weight.sum()
    drawn = Resamples(len(own), resamples, stream(seed, 0)).sums(own) / len(own)
    sums = Resamples(len(rest), resamples, stream(seed, 1)).sums(np.column_stack([weight[:, None] * rest, weight]))
    ends = percentile_intervals(drawn - ratio(sums[:, :-1], sums[:, -1:]))
    effective = np.full(len(mean), weight.sum() ** 2 / (weight**2).sum())
    return np.stack([effective, centre + mean, centre + other, mean - other, *ends])


def _strata(
    quality: Mapping[str, ArrayLike], inside: NDArray[np.bool_], bins: int
) -> tuple[NDArray[np.intp], tuple[str, ...], dict[str, str]]:
    """The stratum of each face, -1 where a quality is unknown; the columns it is made of, and why not of the others."""
    stratum, left_out, used = np.zeros(len(inside), dtype=np.intp), dict[str, str](), []
    for name, given in quality.items():
        if np.asarray(given).dtype.kind not in "fiub":
            left_out[name] = "not numbers, which alone can be cut into ranges"
            continue
        column = as_column(given, name, len(inside))
        known = inside & ~np.isnan(column)
        levels, level, counts = np.unique(column[known], return_inverse=True, return_counts=True)
        reason = unusable(int(known.sum()), int(inside.sum())) or ("constant" if len(levels) == 1 else "")
        if reason:
            left_out[name] = reason
            continue
        # by the middle rank of equal values, which therefore stay together however many they are
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        cell = np.full(len(inside), -1, dtype=np.intp)
        cell[known] = np.floor(middle * bins).astype(np.intp)[level]
        stratum = np.where((stratum < 0) | (cell < 0), -1, stratum * bins + cell)
        _, compact = np.unique(stratum, return_inverse=True)
        stratum = compact - int((stratum < 0).any())
        used.append(name)
    return stratum, tuple(used), left_out
