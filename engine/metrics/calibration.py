"""Whether a model is right as often as it is sure: reliability diagrams and the family of calibration errors."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import (
    Estimate,
    Resamples,
    basic_interval,
    percentile_interval,
    percentile_intervals,
    ratio,
    wilson,
)
from engine.metrics.cells import mass_cells, width_cells
from engine.metrics.checks import Floats, as_column
from engine.metrics.gaps import ERRORS, errors, gap_tables, lowest_ends
from engine.metrics.outcomes import Against, Outcomes, known_targets, one_class, top_label

__all__ = [
    "ERRORS",
    "Against",
    "Edges",
    "Outcomes",
    "by_percentile",
    "calibration_differences",
    "calibration_errors",
    "one_class",
    "reliability",
    "top_label",
]

Edges = Literal["width", "mass"]
FEWEST_RESAMPLED = 5  # faces of a bin: resamples of fewer vary far too little


def reliability(
    outcomes: Outcomes, bins: int = 10, edges: Edges = "width", resamples: Resamples | None = None
) -> dict[str, np.ndarray]:
    """The table behind a reliability diagram: mean confidence and share right in each of B bins.

    Bins are ((m - 1) / B, m / B] (edges="width"), or hold equal numbers of faces by rank of confidence
    ("mass"). Returns columns (B,): low, high (the bin's edges; of "mass" the lowest and highest confidence in
    it), confidence and accuracy (means, weighted by votes), acc_low, acc_high (95 % band), faces, weight.
    A bin without faces has NaN means.
    The band is Wilson's where every face is right or wrong and weighs the same (2 faces at least). Else it is a
    percentile bootstrap over faces (`resamples` of them, made here if None; 5 faces of a bin at least): the votes
    of one face go together, so a band over pairs as if independent would be far too narrow.
    Raises ValueError on no bins or other edges.
    Sources: Guo et al. 2017; Wilson 1927.

    >>> reliability(Outcomes([0.3, 0.9], [0.0, 1.0], [1.0, 1.0]), bins=2)["accuracy"]
    array([0., 1.])
    """
    _check_counts(bins=bins)
    n = len(outcomes.confidence)
    if edges == "width":
        cell, borders = width_cells(outcomes.confidence, bins), np.arange(bins + 1) / bins
        low, high = borders[:-1], borders[1:]
    elif edges == "mass":
        cell = mass_cells(outcomes.confidence, bins)
        low, high = _extent(outcomes.confidence, cell, bins)
    else:
        raise ValueError(f"Expected edges 'width' or 'mass' but got {edges!r}")
    faces = np.bincount(cell, minlength=bins)
    weight = np.bincount(cell, outcomes.weight, bins)
    accuracy = ratio(np.bincount(cell, outcomes.weight * outcomes.correct, bins), weight)
    if outcomes.independent:
        acc_low, acc_high = wilson(accuracy, faces)
        fewest = 2
    else:
        fewest = FEWEST_RESAMPLED
        draws = resamples or Resamples(n)
        right = draws.counts @ draws.cell_sums(cell, outcomes.weight * outcomes.correct, bins)  # (R, B)
        acc_low, acc_high = percentile_intervals(
            ratio(right, draws.counts @ draws.cell_sums(cell, outcomes.weight, bins))
        )
    return {
        "low": low,
        "high": high,
        "confidence": ratio(np.bincount(cell, outcomes.weight * outcomes.confidence, bins), weight),
        "accuracy": accuracy,
        "acc_low": np.where(faces >= fewest, acc_low, nan),
        "acc_high": np.where(faces >= fewest, acc_high, nan),
        "faces": faces,
        "weight": weight,
    }


def calibration_errors(
    probs: ArrayLike,
    votes: ArrayLike,
    against: Against = "pairs",
    bins: int = 10,
    ranges: int = 10,
    epsilon: float = 1e-3,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Expected, maximum, static, adaptive and thresholded adaptive calibration error, and the Brier score.

    With conf and acc the mean confidence and share right of a cell, n its weight and N the whole:
    ece    sum_b n_b / N |acc - conf|, bins b of the predicted class's confidence
    mce    max_b |acc - conf|, over the bins that hold faces
    sce    1 / C sum_c sum_b n_bc / N |acc - conf|, bins of p_c, for every class c
    ace    mean over classes c and R ranges r of |acc - conf|, ranges of equal numbers of faces by rank of p_c
    tace   the same on the faces with p_c > epsilon, ranges formed among them; empty ranges are not counted
    brier  mean of brier_pairs over pairs, or of brier_hard ("majority")
    All are fractions. With few faces the errors are too high, mce most of all: noise adds to every gap.

    Arguments as for top_label; errors too, and on bins, ranges or epsilon out of range. Bins and ranges are
    those of all faces in every resample. n counts faces; none gives NaN, one no interval.

    The 95 % intervals of the five errors say where the population's lies, so most of their length is below the
    value: basic_interval, whose lower end falls further as far as the gaps within two standard errors of 0 may
    be nothing but noise (without that, a perfectly calibrated model's interval would miss 0), cut at 0 and
    stretched to hold the value. Simulated with 300 to 3,500 faces they cover 88 to 100 %, but that of mce only
    50 to 95 %: it hangs on the bin with the fewest faces.
    Sources: Guo et al. 2017 (ece, mce), Nixon et al. 2019 (the others), Ghandeharioun et al. 2019 (pairs).

    >>> round(calibration_errors([[0.75, 0.25]] * 3, [[3, 1], [3, 1], [2, 2]])["ece"].value, 4)
    0.0833
    """
    sums, resampled, n = _summed(probs, votes, against, bins, ranges, epsilon, resamples, seed)
    if n == 0:
        return dict.fromkeys(ERRORS, Estimate(nan, nan, nan, 0))
    values, replicates = errors(sums), errors(resampled)
    if n == 1:
        return {name: Estimate(float(values[name][0]), nan, nan, n) for name in ERRORS}
    least = lowest_ends(sums, resampled, values)
    estimates = {}
    for name in ERRORS:
        value = float(values[name][0])
        if name == "brier":
            low, high = percentile_interval(replicates[name])
        else:
            low, high = basic_interval(value, replicates[name])
            low, high = min(max(min(low, least[name]), 0.0), value), min(max(high, value), 1.0)
        estimates[name] = Estimate(value, low, high, n)
    return estimates


def calibration_differences(
    probs: ArrayLike,
    other: ArrayLike,
    votes: ArrayLike,
    against: Against = "pairs",
    bins: int = 10,
    ranges: int = 10,
    epsilon: float = 1e-3,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Each of the calibration_errors of one model less that of another on the same faces and resamples.

    Above 0, `other` is the better one. probs, other: (N, C) each; the rest, n and errors as there. The 95 %
    intervals are basic_interval, and percentiles for brier; since both models see the same faces, they are
    narrower than the two models' own intervals suggest.

    >>> round(calibration_differences([[0.9, 0.1]] * 3, [[0.8, 0.2]] * 3, [[3, 1]] * 3)["ece"].value, 4)
    0.1
    """
    both = [_summed(p, votes, against, bins, ranges, epsilon, resamples, seed) for p in (probs, other)]
    n = both[0][2]
    if n == 0:
        return dict.fromkeys(ERRORS, Estimate(nan, nan, nan, 0))
    (first, first_replicates), (second, second_replicates) = ((errors(s), errors(r)) for s, r, _ in both)
    estimates = {}
    for name in ERRORS:
        value, replicates = float((first[name] - second[name])[0]), first_replicates[name] - second_replicates[name]
        low, high = percentile_interval(replicates) if name == "brier" else basic_interval(value, replicates)
        estimates[name] = Estimate(value, low, high, n) if n > 1 else Estimate(value, nan, nan, n)
    return estimates


def by_percentile(
    order: ArrayLike,
    columns: Mapping[str, ArrayLike],
    groups: int = 10,
    resamples: Resamples | None = None,
) -> dict[str, np.ndarray]:
    """Mean of each column in groups of faces of rising `order`, such as the Brier score by uncertainty.

    order: (N,); NaN leaves a face out, equal values rank by index. columns: (N,) each; NaN is left out of its
    means. Returns columns (groups,): percentile (upper bound of the group), faces, order (mean), and for each
    name its mean `name` and 95 % percentile bootstrap interval `name_low`, `name_high` over `resamples` of N
    faces (made here if None), NaN where fewer than two faces are known. Groups are those of all faces in every
    resample, and hold equal numbers, give or take one.
    Raises ValueError on unequal lengths, infinite values, no groups, or a column with a name of the table's own.

    >>> by_percentile([0.4, 0.1, 0.3, 0.2], {"x": [4, 1, 3, 2]}, groups=2)["x"]
    array([1.5, 3.5])
    """
    _check_counts(groups=groups)
    order = as_column(order, "order")
    cell = mass_cells(order, groups)
    draws = resamples or Resamples(len(order))
    ranked = cell >= 0
    faces = np.bincount(cell[ranked], minlength=groups)
    table: dict[str, np.ndarray] = {
        "percentile": 100 * np.arange(1, groups + 1) / groups,
        "faces": faces,
        "order": ratio(np.bincount(cell[ranked], order[ranked], groups), faces),
    }
    for name, values in columns.items():
        if name in table:
            raise ValueError(f"Expected other names than {', '.join(table)} but got a column {name!r}")
        column = as_column(values, name, len(order))
        known = ~np.isnan(column)
        sums, counts = (draws.cell_sums(cell, v, groups) for v in (np.where(known, column, 0.0), known))  # (G, groups)
        low, high = percentile_intervals(ratio(draws.counts @ sums, draws.counts @ counts))
        several = counts.sum(axis=0) > 1
        table[name] = ratio(sums.sum(axis=0), counts.sum(axis=0))
        table[f"{name}_low"], table[f"{name}_high"] = np.where(several, low, nan), np.where(several, high, nan)
    return table


def _summed(
    probs: ArrayLike,
    votes: ArrayLike,
    against: Against,
    bins: int,
    ranges: int,
    epsilon: float,
    resamples: int,
    seed: int,
) -> tuple[dict[str, Floats], dict[str, Floats], int]:
    """The gap_tables summed over all faces, (1, cells) each, and over each resample, (R, cells); the faces, n."""
    _check_counts(bins=bins, ranges=ranges)
    if not 0 <= epsilon < 1:
        raise ValueError(f"Expected epsilon from 0 to below 1 but got {epsilon}")
    p, target, weight = known_targets(probs, votes, against)
    draws = Resamples(len(p), resamples, seed)
    tables = gap_tables(p, target, weight, draws, bins, ranges, epsilon)  # (G, cells) each
    sums = {name: table.sum(axis=0, keepdims=True) for name, table in tables.items()}
    return sums, {name: draws.drawn(table) for name, table in tables.items()}, len(p)


def _extent(values: Floats, cell: NDArray[np.intp], cells: int) -> tuple[Floats, Floats]:
    """Lowest and highest value of each cell, NaN where it is empty."""
    low, high = np.full(cells, np.inf), np.full(cells, -np.inf)
    np.minimum.at(low, cell, values)
    np.maximum.at(high, cell, values)
    return np.where(np.isinf(low), nan, low), np.where(np.isinf(high), nan, high)


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"Expected at least 1 of {name} but got {count}")
