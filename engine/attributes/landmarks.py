"""Five landmarks of a face crop, by the last network of MTCNN (O-Net) applied to the crop itself.

MTCNN searches a photo with two small networks and lets the third, O-Net, judge what they found: is it a face,
where exactly does it end, and where are eyes, nose and mouth. A crop is already found, so O-Net alone is asked.
That takes a thirtieth of the time, and it knows more faces: docs/attributes.md has the comparison.
Source: Zhang et al. 2016, "Joint face detection and alignment using multitask cascaded convolutional networks";
weights of facenet-pytorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.attributes.frames import Pixels, resized
from engine.faces import CROP_DOWN, CROP_SCALE

MIN_PROBABILITY = 0.9  # of a face; below it landmarks are unknown. As engine/faces.py asks of a detection
INPUT = 48  # pixels, the side of what O-Net sees
BATCH = 64  # faces per pass

# The box that MTCNN would have found around the face of a crop that is framed as FER+ is: left, top, right, bottom
# in shares of the crop's side.
_HALF, _MIDDLE = 0.5 / CROP_SCALE, 0.5 - CROP_DOWN / CROP_SCALE
BOX = (0.5 - _HALF, _MIDDLE - _HALF, 0.5 + _HALF, _MIDDLE + _HALF)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """N faces, in shares of the square crop's side from its upper left corner.

    points: (N, 5, 2) x and y of left eye, right eye, nose tip, left and right corner of the mouth, left and right
    as seen; probability: (N,) of a face; known: (N,) bool, whether the points may be used.
    """

    points: Floats
    probability: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.probability >= MIN_PROBABILITY


class LandmarkFinder:
    """O-Net, loaded once. `find` may be called from several threads."""

    def __init__(self) -> None:
        from facenet_pytorch.models.mtcnn import ONet

        self._net = ONet().eval()  # the weights lie in the package; torch reads them without unpickling code

    def find(self, squares: Sequence[Image.Image]) -> Landmarks:
        """Landmarks of square RGB crops.

        O-Net looks once where a FER+ crop has its face. Where it sees none there, it looks again where its own
        correction of the box points to, and the surer of the two answers counts.
        """
        if not squares:
            return Landmarks(np.empty((0, 5, 2)), np.empty(0))
        boxes = np.tile(np.array(BOX), (len(squares), 1))  # (N, 4)
        points, probability, boxes = self._look(resized(squares, INPUT, BOX), boxes)
        unsure = np.flatnonzero(probability < MIN_PROBABILITY)
        if len(unsure):
            pixels = np.stack([_cut(squares[int(i)], boxes[i]) for i in unsure])
            again, surer, _ = self._look(pixels, boxes[unsure])
            better = surer > probability[unsure]
            points[unsure[better]], probability[unsure[better]] = again[better], surer[better]
        return Landmarks(points, probability)

    def _look(self, pixels: Pixels, boxes: Floats) -> tuple[Floats, Floats, Floats]:
        """Pixels (N, 48, 48, 3) cut from boxes (N, 4) -> (N, 5, 2) points, (N,) probabilities, (N, 4) better boxes."""
        import torch

        inputs = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        with torch.inference_mode():
            answers = [self._net((part.float() - 127.5) / 128) for part in inputs.split(BATCH)]
        moves, places, classes = (torch.cat(part).double().numpy() for part in zip(*answers, strict=True))
        corner, size = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]  # (N, 2) each
        # the ten numbers are five x, then five y, in shares of the box
        points = corner[:, None] + places.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, None]
        return points, classes[:, 1], _squared(boxes + moves * np.tile(size, 2))


def _squared(boxes: Floats) -> Floats:
    """Squares with the boxes' centres and longer sides, kept between a quarter and all of the crop: (N, 4)."""
    middle = np.clip((boxes[:, :2] + boxes[:, 2:]) / 2, 0.0, 1.0)
    half = np.clip((boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2, 0.125, 0.5)
    return np.concatenate([middle - half, middle + half], axis=1)


def _cut(square: Image.Image, box: Floats) -> Pixels:
    """(48, 48, 3) pixels of a box that may pass the border, where the edge repeats."""
    margin = (square.width + 1) // 2
    wide = np.pad(np.asarray(square), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    left, top, right, bottom = (float(edge) for edge in box * square.width + margin)
    cut = Image.fromarray(wide).resize((INPUT, INPUT), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(cut)
