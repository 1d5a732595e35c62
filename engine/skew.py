"""What a skewed training set does: two ensembles alike in all but the faces that they learned from.

    python -m engine train skew --data probe: --out engine/assets/skew.safetensors

Both arms have the same network, seeds, recipe and number of steps. The skewed arm never saw dark tones or profiles.
The balanced arm learned from as many faces of every scene as the skewed arm did, so person, expression and votes are
alike; they are drawn so that all tones, turns and lights are about equally frequent. Scenes of which the skewed arm
keeps nothing, dark profiles at their centre, are therefore in neither arm. docs/models/skew.md has the findings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import SkewConfig
from engine.metrics.lacking import removed
from engine.sources import open_source
from engine.sources.rows import Item, SourceProblem

ARMS = ("balanced", "skewed")
FACTORS = ("tone", "yaw", "light")


@dataclass(frozen=True)
class Listed:
    """The training faces of the probe, images left aside. One row per face."""

    names: NDArray[np.object_]  # (N,)
    scene: NDArray[np.intp]  # (N,)
    factors: dict[str, NDArray[np.object_]]  # tone 1..10, yaw in degrees, light: (N,) each


def train_skew(data: str, out: Path, runs: Path, config: SkewConfig, device: str = "auto", jobs: int = 1) -> None:
    """Train both arms and write them to one file, the balanced members first. Resumable as train_compact is."""
    from engine.train import train_members
    from engine.weights.compact import export_compact

    chosen = arms(listed(data), config)
    states = [
        state
        for arm in ARMS
        for state in train_members(data, runs / arm, config, device, jobs, frozenset(map(str, chosen[arm])))
    ]
    faces = {arm: len(chosen[arm]) for arm in ARMS}
    export_compact(states, out, recipe={**asdict(config), "arms": ARMS, "faces": faces})


def listed(data: str) -> Listed:
    """The faces of the train split. Raises SourceProblem for a source without the probe's factors."""
    source = open_source(data)
    wanted = {"scene", *FACTORS}
    missing = wanted - {attribute.name for attribute in source.attributes}
    if missing:
        raise SourceProblem(f"{data} has no attribute {', '.join(sorted(missing))}. Use the probe faces: --data probe:")
    faces = [entry for entry in source.entries() if isinstance(entry, Item) and entry.split == "train"]
    return Listed(
        np.array([face.source for face in faces], dtype=object),
        np.array([face.attributes["scene"] for face in faces], dtype=np.intp),
        {name: np.array([face.attributes[name] for face in faces], dtype=object) for name in FACTORS},
    )


def arms(faces: Listed, config: SkewConfig) -> dict[str, NDArray[np.object_]]:
    """The names of the faces that each arm learns from, as many of every scene in both."""
    kept = ~removed(faces.factors["tone"], faces.factors["yaw"], config.dark_from, config.profile_from)
    rows = even_subset(faces.scene, list(faces.factors.values()), np.bincount(faces.scene[kept]), config.subset_seed)
    return {"balanced": faces.names[rows], "skewed": faces.names[kept]}


def even_subset(
    scene: NDArray[np.intp], factors: list[NDArray[np.object_]], quota: NDArray[np.intp], seed: int
) -> NDArray[np.intp]:
    """Rows that hold quota[s] faces of each scene s and every level of each factor about equally often.

    scene: (N,) from 0 on; factors: (N,) levels each; quota: (S,) of as many scenes as have one. Places are filled in a
    random order, each by the face of its scene whose levels are rarest so far (as shares of an even spread), the first
    of a random order where several are. Returns the rows in ascending order.

    >>> even_subset(np.array([0, 0, 1, 1]), [np.array(["a", "b", "a", "b"])], np.array([1, 1]), 0).tolist() in (
    ...     [0, 3], [1, 2])
    True
    """
    rng = np.random.default_rng(seed)
    codes = [np.unique(levels, return_inverse=True)[1] for levels in factors]  # (N,) each
    seen = [np.zeros(code.max() + 1) for code in codes]
    free = {int(s): list(rng.permutation(np.flatnonzero(scene == s))) for s in np.flatnonzero(quota)}
    chosen = []
    for place in rng.permutation(np.repeat(np.arange(len(quota)), quota)):
        rarity = [sum(seen[f][code[row]] * len(seen[f]) for f, code in enumerate(codes)) for row in free[int(place)]]
        row = free[int(place)].pop(int(np.argmin(rarity)))
        chosen.append(row)
        for f, code in enumerate(codes):
            seen[f][code[row]] += 1
    return np.sort(np.array(chosen, dtype=np.intp))
