"""Features that a cache keeps, beside the votes of the same faces: what heads are trained and evaluated on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.errors import CacheError
from engine.metrics.annotators import vote_distribution
from engine.records import known_votes, vectors


@dataclass(frozen=True, eq=False)
class Split:
    """The faces of one split that have votes, in the cache's order."""

    features: np.ndarray  # (N, D) float16
    votes: np.ndarray  # (N, C) counts

    @property
    def targets(self) -> np.ndarray:
        """(N, C) float64 vote distributions."""
        return vote_distribution(self.votes)


def load_split(folder: Path, backbone: str, split: str) -> Split:
    """One backbone's features of one split. Raises CacheError, naming the command that adds them."""
    manifest = manifests.load(folder)
    table = f"features/backbone={backbone}"
    if backbone not in manifest.ready_features:
        raise CacheError(
            f"{folder} does not keep the features '{backbone}' of all its faces. Add them: "
            f"python -m engine build {manifest.source.spec} --out {folder} --features {backbone}"
        )
    features, votes = [], []
    for name, part in manifest.parts["faces"].items():
        faces = pq.read_table(folder / part.file, columns=["split", "votes"])
        counts = known_votes(faces, len(manifest.classes))
        chosen = (pa.compute.equal(faces["split"], split).fill_null(False).to_numpy()) & (counts.sum(1) > 0)
        if chosen.any():
            features.append(vectors(folder / manifest.parts[table][name].file)[chosen])
            votes.append(counts[chosen])
    if not features:
        raise CacheError(f"{folder} has no face with votes in a split '{split}'. Build it from a source that has one.")
    return Split(np.concatenate(features), np.concatenate(votes))
