"""Quantities that are known of the same faces, and how they follow from sums over those faces.

Every quantity of an audit is a function of sums over faces: a mean of a sum and a count, a calibration error of the
gaps of its bins and the votes. So one product gives all resamples, and one pass all permutations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.bootstrap import ratio
from engine.metrics.cells import width_cells
from engine.metrics.checks import Floats, as_column
from engine.metrics.outcomes import Outcomes

BINS = 10  # of the calibration error, of equal width, as in `calibration`
ECE = "ece"


@dataclass(frozen=True, eq=False)
class Pairs:
    """What the expected calibration error needs of each face: `outcomes.Outcomes` of all faces, known or not.

    (N,) each. confidence: of the predicted class, 0 to 1. correct: share of the face's votes that fell on that class, 0
    to 1. weight: the number of its votes; where one answer counts (majority), 1. A face with NaN in any of them, or of
    weight 0, is unknown.
    """

    confidence: ArrayLike
    correct: ArrayLike
    weight: ArrayLike


@dataclass(frozen=True, eq=False)
class Family:
    """Q quantities that are known of the same faces.

    parts: for each group its known faces' rows (n_g, K), the last column what the sums are divided by. centre: (Q,),
    taken off the values so that no digits are lost to an offset. share: (Q,), whether a quantity is 0 or 1 of each
    face.
    """

    names: tuple[str, ...]
    parts: tuple[Floats, ...]
    centre: Floats
    share: NDArray[np.bool_]

    @property
    def calibration(self) -> bool:
        return self.names == (ECE,)

    @property
    def n(self) -> NDArray[np.intp]:
        """Known faces of each group, (G,)."""
        return np.array([len(part) for part in self.parts], dtype=np.intp)

    @property
    def sums(self) -> Floats:
        """(G, K) of the data."""
        return np.stack([part.sum(axis=0) for part in self.parts])

    def quantities(self, sums: Floats) -> Floats:
        """The quantities, less their centre, from sums over faces: (..., K) -> (..., Q). NaN where no face is."""
        if self.calibration:
            return ratio(np.abs(sums[..., :-1]).sum(axis=-1), sums[..., -1])[..., None]
        return ratio(sums[..., :-1], sums[..., -1:])


def families(
    columns: Mapping[str, ArrayLike], pairs: Pairs | None, index: Sequence[NDArray[np.intp]], length: int
) -> list[Family]:
    """The columns, in groups of those known of the same faces, and the calibration error; index: faces by group."""
    if ECE in columns:
        raise ValueError(f"Expected no column named {ECE!r}, which is computed from pairs: rename the column")
    together: dict[bytes, list[str]] = {}
    known: dict[bytes, NDArray[np.bool_]] = {}
    values = {name: as_column(column, name, length) for name, column in columns.items()}
    for name, column in values.items():
        there = ~np.isnan(column)
        pattern = np.packbits(there).tobytes()
        known[pattern] = there
        together.setdefault(pattern, []).append(name)
    found = [_means(names, values, known[pattern], index) for pattern, names in together.items()]
    return found + ([_calibration(pairs, index, length)] if pairs is not None else [])


def _means(
    names: Sequence[str], values: Mapping[str, Floats], known: NDArray[np.bool_], index: Sequence[NDArray[np.intp]]
) -> Family:
    faces = [each[known[each]] for each in index]
    matrix = np.stack([values[name] for name in names], axis=1)
    inside = matrix[np.concatenate(faces)]
    share = np.asarray(np.isin(inside, (0.0, 1.0)).all(axis=0))
    centre = np.zeros(len(names))
    if len(inside):
        centre = np.where(share, 0.0, inside.mean(axis=0))  # sums of zeros and ones are exact
    parts = (np.column_stack([matrix[each] - centre, np.ones(len(each))]) for each in faces)
    return Family(tuple(names), tuple(parts), centre, share)


def _calibration(pairs: Pairs, index: Sequence[NDArray[np.intp]], length: int) -> Family:
    given = ("confidence", "correct", "weight")
    columns = np.stack([as_column(getattr(pairs, name), name, length) for name in given], axis=1)
    known = ~np.isnan(columns).any(axis=1) & (columns[:, 2] != 0)
    # checked with something harmless in the place of what is unknown, so that errors name the right face
    outcomes = Outcomes(*np.where(known[:, None], columns, (0.0, 0.0, 1.0)).T)
    table = np.zeros((length, BINS + 1))
    gap = outcomes.weight * (outcomes.correct - outcomes.confidence)
    table[np.arange(length), width_cells(outcomes.confidence, BINS)] = gap
    table[:, BINS] = outcomes.weight
    parts = (table[each[known[each]]] for each in index)
    return Family((ECE,), tuple(parts), np.zeros(1), np.zeros(1, dtype=bool))
