"""The star design of the probe faces: scenes whose images differ from their centre in one factor alone.

A scene is one head with one expression before one camera. Its centre has a tone, a yaw and a light; along each arm one
of the three takes its other levels and the other two stay. So the images of an arm differ by that factor alone.
docs/probe.md has the design, docs/probe-audit.md what is measured on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats

Level = float | str


@dataclass(frozen=True)
class Factor:
    """One arm of the star."""

    name: str
    unit: str
    reference: Level  # what the other levels are compared with, unless another is asked for
    ordered: bool  # whether a slope means something
    order: tuple[str, ...] = ()  # of levels that are words

    def axis(self, levels: NDArray[np.object_]) -> tuple[Level, ...]:
        """The levels that occur, in order: numbers rise, words go as in `order`, unknown words last.

        >>> FACTORS["light"].axis(np.array(["side", "front", "side"], dtype=object))
        ('front', 'side')
        """
        found = {level for level in levels.tolist() if level is not None and level == level}
        if self.order:
            ranks = {word: rank for rank, word in enumerate(self.order)}
            return tuple(sorted(map(str, found), key=lambda word: (ranks.get(word, len(ranks)), word)))
        return tuple(sorted(map(float, found)))


FACTORS = {
    "tone": Factor("tone", "Monk", 1.0, ordered=True),
    "yaw": Factor("yaw", "degrees", 0.0, ordered=False),
    "light": Factor("light", "", "front", ordered=False, order=("front", "side", "overhead")),
}

SHARES = ("accuracy", "confidence")  # quantities from 0 to 1; the others begin at 0 and have no end


def bounds(quantity: str) -> tuple[float, float]:
    """Least and greatest value that a mean of it can have.

    >>> bounds("accuracy"), bounds("jsd")
    ((0.0, 1.0), (0.0, inf))
    """
    return 0.0, 1.0 if quantity in SHARES else inf


@dataclass(frozen=True, eq=False)
class Sweep:
    """One factor over all scenes. rows: (S, L) index of the face at each level, -1 where there is none."""

    factor: Factor
    levels: tuple[Level, ...]  # (L,)
    rows: NDArray[np.intp]
    scene: Floats  # (S,) as the data names it
    identity: NDArray[np.object_]  # (S,)
    setting: dict[str, NDArray[np.object_]]  # the scene's own level of every factor, (S,) each

    def table(self, values: ArrayLike) -> Floats:
        """(N,) one value per face -> (S, L), NaN where there is no face."""
        column = np.append(np.asarray(values, dtype=np.float64), np.nan)
        return np.asarray(column[self.rows])

    def reference(self, wanted: Level | None = None) -> int:
        """The column of the level to compare with: the one wanted, else the factor's own, else the first."""
        for level in (wanted, self.factor.reference):
            if level in self.levels:
                return self.levels.index(level)
        return 0

    @property
    def steps(self) -> list[float] | None:
        """Where the levels stand on the factor's scale; None where it has no order."""
        return [float(level) for level in self.levels] if self.factor.ordered else None

    def within(self, chosen: NDArray[np.bool_]) -> Sweep:
        """The same for some of the faces, (N,) bool: scenes and levels without any of them are left out."""
        rows = np.where(np.append(chosen, False)[self.rows], self.rows, -1)
        there = rows >= 0
        levels = np.asarray(there.any(axis=0))
        kept = tuple(level for level, some in zip(self.levels, levels, strict=True) if some)
        return replace(self, levels=kept, rows=rows[:, levels]).among(np.asarray(there.any(axis=1)))

    def among(self, scenes: NDArray[np.bool_]) -> Sweep:
        """The same for some of the scenes, (S,) bool."""
        setting = {name: column[scenes] for name, column in self.setting.items()}
        rows, scene, identity = self.rows[scenes], self.scene[scenes], self.identity[scenes]
        return replace(self, rows=rows, scene=scene, identity=identity, setting=setting)


def sweep(
    factor: str, scene: ArrayLike, identity: ArrayLike, centre: ArrayLike, factors: Mapping[str, ArrayLike]
) -> Sweep:
    """Lay the faces of one arm out as a table of scenes by levels.

    scene, identity, centre (1 for the face at the centre of its star): (N,). factors: (N,) for every name in FACTORS.
    Faces that differ from their centre in another factor, or whose scene has no centre, are on no row; of two faces at
    one place the first counts. Raises KeyError for a factor that is not there.

    >>> arm = sweep("tone", [7, 7, 7], [1, 1, 1], [1, 0, 0],
    ...             {"tone": [3, 4, 3], "yaw": [0, 0, 30], "light": ["side", "side", "side"]})
    >>> arm.levels, arm.rows.tolist()
    ((3.0, 4.0), [[0, 1]])
    """
    columns = {name: np.asarray(factors[name], dtype=object) for name in FACTORS}
    scenes, middle = np.asarray(scene, dtype=np.float64), np.asarray(centre, dtype=np.float64) > 0
    names, first = np.unique(scenes[middle], return_index=True)
    at = np.flatnonzero(middle)[first]  # (S,) face at the centre of each scene
    place = np.searchsorted(names, scenes)  # (N,) which scene; those without a centre are taken out below
    place = np.where(np.isin(scenes, names), np.minimum(place, max(0, len(names) - 1)), -1)
    on = place >= 0
    for other in (name for name in FACTORS if name != factor):
        on &= _same(columns[other], columns[other][at], place)
    levels = FACTORS[factor].axis(columns[factor][on])
    column = {level: index for index, level in enumerate(levels)}
    rows = np.full((len(names), len(levels)), -1, dtype=np.intp)
    for face in np.flatnonzero(on)[::-1]:  # backwards, so that the first of two stays
        level = columns[factor][face]
        if level in column:
            rows[place[face], column[level]] = face
    setting = {name: values[at] for name, values in columns.items()}
    return Sweep(FACTORS[factor], levels, rows, names, np.asarray(identity, dtype=object)[at], setting)


def _same(values: NDArray[np.object_], centres: NDArray[np.object_], place: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(N,) whether a face has its scene's own level; nothing for faces without a scene."""
    if not len(centres):
        return np.zeros(len(values), dtype=bool)
    return np.asarray(values == centres[place], dtype=bool)


def quantities(columns: Mapping[str, ArrayLike], names: Sequence[str]) -> dict[str, Floats]:
    """The wanted columns of a cache as numbers, and 'accuracy': 1 where the predicted class is the annotators', else 0.

    Accuracy is unknown where the votes have no single most frequent class.

    >>> quantities({"predicted": [1, 2, 0], "majority": [1, 0, np.nan]}, ["accuracy"])["accuracy"].tolist()
    [1.0, 0.0, nan]
    """
    found: dict[str, Floats] = {}
    for name in names:
        if name == "accuracy":
            predicted, majority = (np.asarray(columns[c], dtype=np.float64) for c in ("predicted", "majority"))
            found[name] = np.where(np.isnan(majority) | np.isnan(predicted), np.nan, predicted == majority)
        else:
            found[name] = np.asarray(columns[name], dtype=np.float64)
    return found
