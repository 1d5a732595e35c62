"""Doubtscope's engine. `from engine import score` scores photos; the rest is `python -m engine`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.scores import PhotoScore


def score(
    photos: str | Path | bytes | Image | Iterable[str | Path | bytes | Image],
    model: str = "compact-ensemble",
    *,
    whole: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> list[PhotoScore]:
    """Find every face of one photo or several, and say what a model sees in each and how sure it is.

    photos: paths, bytes of image files, or PIL images. model: compact, compact-dropout, compact-ensemble, baseline,
    uncnet or uncnet-ensemble. whole: each image is a face already, cut as those of FER+ are. device: auto, cpu or cuda.
    precision: auto, fp32 or bf16, of the trunks; the one of a cache gives exactly its numbers.
    Returns a PhotoScore per photo, in their order: `faces` from left to right, empty where none was found, each with
    `probs` (C,), `samples` (S, C), `u_total` = `u_aleatoric` + `u_epistemic` in nats, `box` in pixels, `crop`.
    The model is loaded by the first call and kept. Raises ImageProblem for a file that is no picture, ValueError for an
    unknown model, WeightsProblem where weights are missing; each message says what to do.

    >>> photo, = score("me.jpg")  # doctest: +SKIP
    >>> [(photo.classes[face.predicted], round(face.u_epistemic, 2)) for face in photo.faces]  # doctest: +SKIP
    [('happiness', 0.04)]
    """
    from engine.scoring import score  # loads torch

    return score(photos, model, whole=whole, device=device, precision=precision)
