"""How a model does on each group of faces, against the rest: values, gaps, and whether chance alone would do it.

Groups are image measurements or labels that somebody supplied, one group per face. Every group is compared with the
rest: all other faces that have a group, those of groups too small to be tested among them.

What the numbers are:
values     means over a group's known faces; "ece" is the expected calibration error of calibration_errors
intervals  95 %, from resamples that draw as many faces of each group as it has. Means: percentiles. Columns that hold
           zeros and ones alone are shares: Wilson's interval and, for gaps, Newcombe's, which do not vanish when all
           faces of a group came out alike. ece: as calibration_errors, and its gap likewise. The widest gap's holds
           for all pairs of groups at once, because the pair was picked.
tests      the faces are dealt anew to the groups, whose sizes are kept. The null hypothesis is that it does not matter
           which face is in which group. Where photos come in clusters, such as many of one person, it is refused too
           easily: they count for fewer faces than they are.
p_holm     Holm's correction over the groups of one quantity; of the widest gap over the quantities

Few faces raise a calibration error, since noise opens gaps: a small group's exceeds the rest's even if both are
calibrated alike. `chance` is by how much, on average over permutations, and the test is of what the gap has beyond it.
The interval of the gap allows for the noise of either side; in simulations of groups of 35 to 1,400 faces it holds the
truth in 91 to 98 %.
Sources: Efron & Tibshirani 1993, chapters 13 and 15; Wilson 1927; Newcombe 1998; Phipson & Smyth 2010; Holm 1979.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import Resamples
from engine.metrics.checks import Floats
from engine.metrics.families import ECE, Family, Pairs, families
from engine.metrics.group_intervals import Intervals, intervals
from engine.metrics.group_sums import members, stream
from engine.metrics.group_tests import GapTests, gap_tests
from engine.metrics.holm import holm
from engine.metrics.widest import Largest, widest

__all__ = ["ECE", "Audit", "Largest", "Pairs", "audit"]


@dataclass(frozen=True, eq=False)
class Audit:
    """G groups by Q quantities; NaN where the data cannot say. Gaps are a group's value less the rest's.

    faces: (G,), of each group. All others (G, Q): n, known faces; value, low, high; gap, gap_low, gap_high; chance, the
    gap to be expected of groups of these sizes if nothing differed (0, but for ece); p, of the gap, and p_holm, of
    groups where both they and their rest have `minimum` known faces. largest: (Q,), the widest gap between two
    groups of at least `minimum` known faces, None where there are no two.
    """

    quantities: tuple[str, ...]
    faces: NDArray[np.intp]
    n: NDArray[np.intp]
    value: Floats
    low: Floats
    high: Floats
    gap: Floats
    gap_low: Floats
    gap_high: Floats
    chance: Floats
    p: Floats
    p_holm: Floats
    largest: tuple[Largest | None, ...]


def audit(
    group: ArrayLike,
    groups: int,
    columns: Mapping[str, ArrayLike],
    *,
    pairs: Pairs | None = None,
    minimum: int = 30,
    resamples: int = 1000,
    permutations: int = 1000,
    seed: int = 0,
) -> Audit:
    """Compare the groups in every column, and in their calibration error (the last quantity, "ece") if given pairs.

    group: (N,) whole numbers 0 .. groups - 1, -1 for a face that is left out. columns: (N,) each, in any unit; NaN is
    unknown and does not count. permutations=0 makes no tests. A group of one has values without intervals.
    Above 1,000 faces of a group resamples draw random groups of faces (see Resamples), and above 1,000 faces in all
    permutations deal blocks of them (see permuted_sums): both are off by less than their number leaves anyway.
    Raises ValueError on unequal lengths, infinite values, a group out of range, a column named "ece", confidences or
    shares outside 0 to 1, or a minimum below 1.

    >>> found = audit([0, 0, 1, 1], 2, {"right": [1, 1, 1, 0]}, minimum=2)
    >>> found.value.tolist(), found.gap.tolist(), found.n.tolist()
    ([[1.0], [0.5]], [[0.5], [-0.5]], [[2], [2]])
    """
    if minimum < 1 or permutations < 0:
        raise ValueError(
            f"Expected a minimum of at least 1 and permutations of at least 0, got {minimum}, {permutations}"
        )
    minimum = max(minimum, 2)  # one face has no spread to test
    index = members(group, groups)
    length = len(np.asarray(group))
    found = families(columns, pairs, index, length)
    resampled = _resampled(found, groups, resamples, seed)
    compared = [intervals(family, sums) for family, sums in zip(found, resampled, strict=True)]
    tested = [gap_tests(family, minimum, permutations, stream(seed, groups, f)) for f, family in enumerate(found)]
    return _assemble(tuple(columns), index, found, compared, tested, minimum)


def _resampled(found: list[Family], groups: int, resamples: int, seed: int) -> list[Floats]:
    """Sums over the resamples of each group, (G, R, K) for each family, for intervals: in single precision.

    Groups share their draws, which are remembered, and take them in orders of their own: so one group's resample says
    nothing of another's.
    """
    sums = [np.zeros((groups, resamples, family.parts[0].shape[1])) for family in found]
    for g in range(groups):
        order = np.random.default_rng(stream(seed, g)).permutation(resamples)
        for family, into in zip(found, sums, strict=True):
            draws = Resamples(len(family.parts[g]), resamples, seed)
            into[g] = draws.drawn(draws.group_sums(family.parts[g]))[order]
    return sums


def _assemble(
    names: tuple[str, ...],
    index: list[NDArray[np.intp]],
    found: list[Family],
    compared: list[Intervals],
    tested: list[GapTests],
    minimum: int,
) -> Audit:
    """Quantities in the order of the columns, ece last, and what takes all of them together."""
    place = {name: (f, q) for f, family in enumerate(found) for q, name in enumerate(family.names)}
    quantities = tuple(name for name in (*names, ECE) if name in place)
    where = [place[name] for name in quantities]

    def together(name: str, parts: list) -> np.ndarray:
        if not where:
            return np.zeros((len(index), 0))
        return np.stack([getattr(parts[f], name)[:, q] for f, q in where], axis=1)

    values = {
        name: together(name, compared) for name in ("n", "value", "low", "high", "gap", "gap_low", "gap_high")
    } | {name: together(name, tested) for name in ("chance", "p")}
    pairs = [widest(found[f], compared[f], q, minimum) for f, q in where]
    range_p = [np.nan if pair is None else tested[f].range_p[q] for pair, (f, q) in zip(pairs, where, strict=True)]
    return Audit(
        quantities=quantities,
        faces=np.array([len(faces) for faces in index], dtype=np.intp),
        p_holm=np.stack([holm(column) for column in values["p"].T], axis=1) if where else values["p"],
        largest=tuple(
            None if pair is None else Largest(*pair, float(p), float(corrected))
            for pair, p, corrected in zip(pairs, range_p, holm(range_p), strict=True)
        ),
        **values,
    )
