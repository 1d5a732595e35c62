"""Score photos that no cache holds: find the faces, and say what a model sees in each and how sure it is.

The same trunks, heads and masks as a build, so that a face of a cache gets the cache's numbers here too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine import models
from engine.backbones.trunk import PREPARE
from engine.faces import DetectedFace, FaceDetector
from engine.images import MAX_BYTES, decode, decode_file, decode_opened
from engine.metrics.uncertainty import decompose
from engine.scores import FaceScore, PhotoScore, clean_name, clean_text
from engine.sources.rows import ImageProblem

MODEL = "compact-ensemble"  # needs nothing that does not ship
Photo = str | Path | bytes | bytearray | memoryview | Image.Image
MOST_FACES = 200  # of one photo: the largest; a picture of thousands would hold everybody else up


def score(
    photos: Photo | Iterable[Photo], model: str = MODEL, *, whole: bool = False, device: str = "auto",
    precision: str = "auto",
) -> list[PhotoScore]:  # fmt: skip
    """Score every face of one photo or several; see engine.score for the terms."""
    several = [photos] if isinstance(photos, Photo) or not isinstance(photos, Iterable) else list(photos)
    scorer = scorer_of(model, device, precision)
    names = ["" if isinstance(photo, str | Path) else f"photo {i}" for i, photo in enumerate(several, start=1)]
    return [scorer.photo(photo, name, whole=whole) for photo, name in zip(several, names, strict=True)]


@lru_cache(maxsize=2)
def scorer_of(model: str, device: str = "auto", precision: str = "auto") -> "Scorer":
    """A loaded model, kept for the next call. Raises ValueError for an unknown name, WeightsProblem for weights."""
    return Scorer(model, device, precision)


class Scorer:
    """One model and the face detector, loaded once. Threads may share it."""

    def __init__(self, model: str = MODEL, device: str = "auto", precision: str = "auto") -> None:
        self._engine = models.load((model,), device, precision)
        self.model = self._engine.models[model]
        self.classes = self._engine.classes
        self._detector = FaceDetector(self._engine.device.type)

    def photo(self, photo: Photo, name: str = "", *, whole: bool = False) -> PhotoScore:
        """The faces of one photo; `whole`: take the image itself for the crop of a face, as a build does.

        name: for people; that of the file where it has one. Raises ImageProblem, one sentence that names the photo.
        """
        shown = clean_text(name) or clean_name(str(photo) if isinstance(photo, str | Path) else "photo")
        image = read(photo, shown)
        if whole:
            faces, left_out = self.crops([image]), 0
        else:
            every = self._detector.find(image)
            largest = {id(face) for face in sorted(every, key=lambda face: -face.crop.width)[:MOST_FACES]}
            found = [face for face in every if id(face) in largest]  # still from left to right
            left_out = len(every) - len(found)
            faces = [_placed(*pair) for pair in zip(self.crops([face.crop for face in found]), found, strict=True)]
        return PhotoScore(shown, image, self.classes, self.model.name, tuple(faces), left_out)

    @torch.inference_mode()
    def crops(self, crops: Sequence[Image.Image]) -> list[FaceScore]:
        """Scores of face crops, L or RGB of any size, in their order; as of the whole image, without a box."""
        found: list[FaceScore] = []
        for start in range(0, len(crops), self._engine.batch):
            found += self._batch(crops[start : start + self._engine.batch])
        return found

    def _batch(self, crops: Sequence[Image.Image]) -> list[FaceScore]:
        pixels = {
            name: torch.from_numpy(np.stack([PREPARE[name](crop) for crop in crops])) for name in self._engine.inputs
        }
        features = self._engine.features(pixels, self.model.backbones)
        samples = self.model.predict(features).cpu().numpy()  # (n, S, C)
        triple = decompose(samples)
        vectors = {name: vector.cpu().numpy() for name, vector in features.items()}  # (n, D) each
        mean = samples.mean(axis=1, dtype=np.float64)  # (n, C)
        mean /= mean.sum(axis=1, keepdims=True)
        return [
            FaceScore(
                None, None, crop, samples[i], mean[i], float(triple.total[i]), float(triple.aleatoric[i]),
                float(triple.epistemic[i]), {name: vector[i] for name, vector in vectors.items()},
            )
            for i, crop in enumerate(crops)
        ]  # fmt: skip


def read(photo: Photo, name: str) -> Image.Image:
    """A photo in any form as an upright L or RGB image. Raises ImageProblem."""
    if isinstance(photo, Image.Image):
        return decode_opened(photo, name)
    if isinstance(photo, bytes | bytearray | memoryview):
        photo = bytes(photo)
        if len(photo) > MAX_BYTES:
            raise ImageProblem(f"{name} has {len(photo) // 2**20:,} MB; the limit is {MAX_BYTES // 2**20}.")
        return decode(photo, name)
    if isinstance(photo, str | Path):
        return decode_file(Path(photo), name)
    raise ImageProblem(f"{name} is a {type(photo).__name__}; give a path, the bytes of an image file or a PIL image.")


def _placed(scored: FaceScore, found: DetectedFace) -> FaceScore:
    """The same with its place in the photo."""
    return replace(scored, box=found.box, detection=found.probability)
