"""From columns of a cache of probe faces to what one factor does, scene by scene."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cache.numbers import Numbers
from cache.schema import ATTRIBUTE_PREFIX
from engine.metrics.effects import Clustered, Effects, effects
from engine.metrics.lacking import Lacking, lacking, otherwise_kept
from engine.metrics.star import FACTORS, Level, Sweep, bounds, quantities, sweep
from pages.charts.audit_quantities import QUANTITIES

NEEDED = tuple(f"{ATTRIBUTE_PREFIX}{name}" for name in ("scene", "identity", "centre", *FACTORS))
MEASURED = ("u_epistemic", "u_aleatoric", "u_total", "confidence", "accuracy", "jsd", "nll")  # of QUANTITIES
SCORED = ("predicted", "majority", *(name for name in MEASURED if name != "accuracy"))  # columns of a model to read
NEED_VOTES = ("accuracy", "jsd", "nll")
FEW_PEOPLE = (
    "Many of these images show the same rendered person, which makes intervals and p of comparisons between faces too "
    "small. The page Probe compares within a person, and resamples people."
)


@dataclass(frozen=True, eq=False)
class Star:
    """Every face of the cache in its place. arms: by factor."""

    face_id: np.ndarray  # (N,) rising
    arms: Mapping[str, Sweep]
    columns: Mapping[str, np.ndarray]  # of NEEDED, without their prefix, (N,) each

    def spread(self, found: Numbers, values: np.ndarray) -> np.ndarray:
        """(n,) of some faces -> (N,) of all, NaN for the others."""
        column = np.full(len(self.face_id), np.nan)
        column[np.searchsorted(self.face_id, found.face_id)] = values
        return column

    def among(self, found: Numbers) -> np.ndarray:
        """(N,) bool, which faces those are."""
        return np.isin(self.face_id, found.face_id)


def is_probe(attributes: Collection[str]) -> bool:
    """Whether a cache's attributes say which scene, person and level of each factor a face is of."""
    return set(NEEDED) <= set(attributes)


def star(everyone: Numbers) -> Star:
    """everyone: NEEDED of every face of the cache, so that a filter cannot hide the centre of a scene."""
    at = {name.removeprefix(ATTRIBUTE_PREFIX): everyone.columns[name] for name in NEEDED}
    arms = {name: sweep(name, at["scene"], at["identity"], at["centre"], at) for name in FACTORS}
    return Star(everyone.face_id, arms, at)


def measures(stars: Star, found: Numbers) -> dict[str, np.ndarray]:
    """Each quantity of MEASURED that any of these faces has, (N,) each, NaN for faces that are not among them."""
    columns = {name: stars.spread(found, found.columns[name]) for name in SCORED}
    return {name: values for name, values in quantities(columns, MEASURED).items() if not np.isnan(values).all()}


def effect(arm: Sweep, values: np.ndarray, quantity: str, reference: Level | None = None) -> Effects:
    """What the factor of an arm does to a quantity, (N,), in the scenes and levels of the arm."""
    return effects(arm.table(values), arm.identity, arm.reference(reference), arm.steps, bounds(quantity))


def skewed(
    stars: Star, balanced: Numbers, lacked: Numbers
) -> tuple[Lacking, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The skew experiment on the faces that both models have scored, and the quantities of either, (N,) each."""
    both = stars.among(balanced) & stars.among(lacked)
    one, other = (
        {name: np.where(both, values, np.nan) for name, values in measures(stars, found).items()}
        for found in (balanced, lacked)
    )
    arms = {name: arm.within(both) for name, arm in stars.arms.items()}
    shared = [name for name in one if name in other]
    compared = lacking(
        {name: one[name] for name in shared}, {name: other[name] for name in shared},
        stars.columns["tone"], stars.columns["yaw"], stars.columns["identity"], arms,
    )  # fmt: skip
    return compared, one, other


def kept_arm(stars: Star, factor: str, known: np.ndarray) -> Sweep:
    """One arm over the scenes whose other factor training did not lack. known: (N,) bool."""
    return otherwise_kept(stars.arms[factor].within(known))


def level_name(level: Level) -> str:
    """
    >>> level_name(-60.0), level_name("side")
    ('-60', 'side')
    """
    return level if isinstance(level, str) else f"{level:g}"


def table(arm: Sweep, found: Mapping[str, Effects], quantity: str) -> pd.DataFrame:
    """One row per model and level, in the quantity's unit, for others to compute with."""
    shown, rows = QUANTITIES[quantity], []
    for model, effect in found.items():
        for level, mean, moved in zip(arm.levels, effect.means, effect.differences, strict=True):
            scaled = [shown.scale * end for one in (mean, moved) for end in (one.value, one.low, one.high)]
            rows.append((model, level_name(level), *scaled[:3], mean.n, *scaled[3:], moved.n, moved.clusters))
    names = [f"{what}{end} ({unit})" if unit else f"{what}{end}" for what, unit in (
        (shown.title, shown.unit), ("difference", shown.gap_unit)
    ) for end in ("", "_low", "_high")]  # fmt: skip
    factor = f"{arm.factor.name} ({arm.factor.unit})" if arm.factor.unit else arm.factor.name
    columns = ["model", factor, *names[:3], "scenes", *names[3:], "scenes with both", "people"]
    return pd.DataFrame(rows, columns=columns)


def excludes_zero(found: Clustered) -> bool:
    """
    >>> excludes_zero(Clustered(0.2, 0.1, 0.3, 8, 8)), excludes_zero(Clustered(0.2, -0.1, 0.5, 8, 8))
    (True, False)
    """
    return found.low > 0 or found.high < 0
