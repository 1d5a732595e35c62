"""A model's predictions for the faces of one split, beside the votes of the same faces; read whole, for reports.

A model may have scored only some of the faces: they are brought together by face_id.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.errors import CacheError
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.metrics.scores import brier, jensen_shannon, nll
from engine.records import known_votes

PARTS = ("u_total", "u_aleatoric", "u_epistemic")


@dataclass(frozen=True, eq=False)
class Scored:
    """The scored faces that have votes, in the cache's order. One row per face in every array."""

    votes: np.ndarray  # (N, C) counts
    probs: np.ndarray  # (N, C) float64
    triple: dict[str, np.ndarray]  # PARTS, (N,) nats

    def __len__(self) -> int:
        return len(self.votes)

    @cached_property
    def annotators(self) -> np.ndarray:
        """(N, C) vote distributions."""
        return vote_distribution(self.votes)

    @cached_property
    def d(self) -> np.ndarray:
        return disagreement(self.annotators)

    @cached_property
    def correct(self) -> np.ndarray:
        """(N,) 0 or 1 against the annotators' first class; a tie counts for the class listed first, as in the paper's
        accuracies over all 3,579 faces."""
        return (self.probs.argmax(1) == majority(self.votes, ties="first")).astype(np.float64)

    @cached_property
    def jsd(self) -> np.ndarray:
        return jensen_shannon(self.probs, self.annotators)

    @cached_property
    def nll(self) -> np.ndarray:
        return nll(self.probs, self.annotators)

    @cached_property
    def pair_brier(self) -> np.ndarray:
        return brier(self.probs, self.annotators) + self.d


def load_scored(folder: Path, model: str, split: str) -> Scored:
    """Raises CacheError when the cache lacks the model, or votes in the split, naming the command that helps."""
    manifest = manifests.load(folder)
    if model not in manifest.ready_models:
        raise CacheError(
            f"{folder} has no finished predictions of '{model}'. Add them: "
            f"python -m engine build {manifest.source.spec} --out {folder} --model {model}"
        )
    faces = _read(folder, manifest, "faces", ["face_id", "split", "votes"])
    scores = _read(folder, manifest, f"predictions/model={model}", ["face_id", "probs", *PARTS])
    faces = faces.take(np.searchsorted(faces["face_id"], scores["face_id"]))  # the scored ones; both ascend
    votes = known_votes(faces, len(manifest.classes))
    chosen = pa.compute.equal(faces["split"], split).fill_null(False).to_numpy() & (votes.sum(1) > 0)
    if not chosen.any():
        raise CacheError(
            f"{folder} has no face with votes in a split '{split}' that '{model}' has scored, so nothing can be "
            "compared there."
        )
    probs = scores["probs"].combine_chunks().flatten().to_numpy().reshape(votes.shape).astype(np.float64)
    probs /= probs.sum(1, keepdims=True)
    return Scored(
        votes[chosen], probs[chosen], {part: scores[part].to_numpy()[chosen].astype(np.float64) for part in PARTS}
    )


def _read(folder: Path, manifest: manifests.Manifest, table: str, columns: list[str]) -> pa.Table:
    files = [folder / part.file for part in manifest.parts[table].values()]
    return pa.concat_tables([pq.read_table(file, columns=columns) for file in files])
