"""The skew experiment: two models alike in all but what their training faces lacked, scored on the same probe faces.

The skewed one never saw dark tones or profiles; the balanced one, the control, learned from as many faces with both.
docs/models/skew.md has the design and what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats
from engine.metrics.effects import Clustered, cluster_means, compare_aurocs, group_contrast
from engine.metrics.star import Level, Sweep

BALANCED, SKEWED = "compact-balanced", "compact-skewed"  # as models are named in a cache
DARK_FROM = 6  # Monk tone; this and darker ones were removed
PROFILE_FROM = 60  # degrees; heads turned so far to either side were removed
PARTS = ("u_epistemic", "u_aleatoric", "u_total")


@dataclass(frozen=True)
class Gap:
    """How much higher a quantity is where training lacked faces: mean of removed minus kept levels, scene by scene."""

    balanced: Clustered
    skewed: Clustered
    difference: Clustered  # skewed - balanced: what the lack itself did


@dataclass(frozen=True)
class Lacking:
    """What the lack did, per quantity."""

    change: dict[str, dict[str, Clustered]]  # quantity -> group of faces -> mean of skewed - balanced, face by face
    gaps: dict[str, dict[str, Gap]]  # quantity -> 'tone' or 'yaw'
    auroc: dict[str, tuple[Clustered, Clustered, Clustered]]  # part -> skewed, balanced, their difference


def removed(tone: ArrayLike, yaw: ArrayLike, dark: int = DARK_FROM, profile: int = PROFILE_FROM) -> NDArray[np.bool_]:
    """(N,) whether the skewed model's training lacked faces of this tone and yaw.

    >>> removed([5, 6, 1], [30, 0, -60]).tolist()
    [False, True, True]
    """
    return (np.asarray(tone, dtype=np.float64) >= dark) | (np.abs(np.asarray(yaw, dtype=np.float64)) >= profile)


def removed_levels(factor: str, levels: tuple[Level, ...]) -> NDArray[np.bool_]:
    """(L,) which levels of one factor were removed; none of the light.

    >>> removed_levels("yaw", (-60.0, 0.0, 60.0)).tolist()
    [True, False, True]
    """
    if factor not in ("tone", "yaw"):
        return np.zeros(len(levels), dtype=bool)
    numbers = np.array([float(level) for level in levels])
    return removed(numbers, 0 * numbers) if factor == "tone" else removed(0 * numbers, numbers)


def otherwise_kept(arm: Sweep) -> Sweep:
    """The scenes whose other factor was not removed, so that along the arm the lack begins where its levels say."""
    other = {"tone": "yaw", "yaw": "tone"}.get(arm.factor.name)
    zero = np.zeros(len(arm.scene))
    tone = zero if other == "yaw" else arm.setting["tone"]
    yaw = zero if other == "tone" else arm.setting["yaw"]
    return arm.among(~removed(tone, yaw))


def lacking(
    balanced: Mapping[str, Floats], skewed: Mapping[str, Floats], tone: ArrayLike, yaw: ArrayLike,
    identity: ArrayLike, arms: Mapping[str, Sweep],
) -> Lacking:  # fmt: skip
    """Compare the two models on the same faces, people resampled whole.

    balanced, skewed: quantity -> (N,), NaN where unknown, the parts of the triple among them. tone, yaw, identity:
    (N,). arms: the sweeps of 'tone' and 'yaw' over the same faces.
    """
    dark = np.asarray(tone, dtype=np.float64) >= DARK_FROM
    turned = np.abs(np.asarray(yaw, dtype=np.float64)) >= PROFILE_FROM
    groups = {
        "kept": ~dark & ~turned,
        "dark": dark & ~turned,
        "profile": turned & ~dark,
        "both": dark & turned,
    }
    change = {}
    for name in balanced:
        moved = skewed[name] - balanced[name]
        columns = np.stack([np.where(group, moved, np.nan) for group in groups.values()], axis=1)
        change[name] = dict(zip(groups, cluster_means(columns, identity), strict=True))
    gaps = {
        name: {factor: _gap(balanced[name], skewed[name], otherwise_kept(arms[factor])) for factor in ("tone", "yaw")}
        for name in balanced
    }
    auroc = {part: compare_aurocs(skewed[part], balanced[part], dark | turned, identity) for part in PARTS}
    return Lacking(change, gaps, auroc)


def _gap(balanced: Floats, skewed: Floats, arm: Sweep) -> Gap:
    first = removed_levels(arm.factor.name, arm.levels)
    tables = arm.table(balanced), arm.table(skewed)
    one, other = (group_contrast(table, first) for table in tables)
    moved = group_contrast(tables[1] - tables[0], first)
    return Gap(*cluster_means(np.stack([one, other, moved], axis=1), arm.identity))
