"""What a file of predictions holds, whatever its format."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.imports.rows import ImportProblem

SHAPES = "(N, S, C) or (N, C): N faces, S samples, C classes"


@dataclass(frozen=True, eq=False)
class Given:
    """What a file holds. Its shape is checked, its rows are not."""

    path: Path
    values: np.ndarray  # (N, S, C) numbers of any precision; those of a .npy stay on disk
    logits: bool
    face_id: np.ndarray | None = None  # (N,) int64
    source: np.ndarray | None = None  # (N,) str
    classes: tuple[str, ...] | None = None  # in the order of the columns; None: that of the cache

    def name(self, row: int) -> str:
        """
        >>> Given(Path("p.npz"), np.zeros((3, 1, 2)), False, np.array([4, 5, 6])).name(1)
        'row 1 (face 5)'
        """
        if self.face_id is not None:
            return f"row {row} (face {self.face_id[row]})"
        if self.source is not None:
            return f"row {row} ({quoted(str(self.source[row]))})"
        return f"row {row}"


def means_logits(path: Path, names: list[str], logits: bool) -> tuple[str, bool] | None:
    """Which of 'probs' and 'logits' a file has, and whether it holds logits; None when it has neither."""
    found = [name for name in ("probs", "logits") if name in names]
    if len(found) == 2:
        raise ImportProblem(f"{path} holds both 'probs' and 'logits'. Keep one of them.")
    if found == ["probs"] and logits:
        raise ImportProblem(
            f"{path} calls its numbers 'probs', and --logits contradicts that. Leave --logits out, or rename them."
        )
    return (found[0], found[0] == "logits") if found else None


def quoted(text: str) -> str:
    """A name from a file, fit for a terminal: no control characters, not endless."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
