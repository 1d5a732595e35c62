"""What is measured on every face crop: skin tone, pose, light, sharpness, size. Methods: docs/attributes.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.attributes import light, skin
from engine.attributes.frames import frames
from engine.attributes.landmarks import LandmarkFinder
from engine.attributes.pose import pose
from engine.sources.rows import Attribute

VERSION = 1  # of the methods: faces measured by another one are measured anew
ATTRIBUTES = (
    Attribute("ita", "number", "degrees"),
    Attribute("monk", "number", "Monk"),
    Attribute("tone_unknown", "text"),
    Attribute("head_yaw", "number", "degrees"),
    Attribute("head_pitch", "number", "degrees"),
    Attribute("head_roll", "number", "degrees"),
    Attribute("pose_unknown", "text"),
    Attribute("brightness", "number", "L*"),
    Attribute("contrast", "number", "L*"),
    Attribute("light_balance", "number"),
    Attribute("sharpness", "number", "1/px"),  # of a crop of 48 px
    Attribute("face_size", "number", "px"),
)
FACE_LENGTH = 118.0  # mm from the root of the nose to the chin of the mean face; a convention, it scales all alike
BATCH = 64  # faces at a time, which bounds the memory

Column = list[float | str | None]


class Measurer:
    """Measures face crops. Loads O-Net once; `measure` may be called from several threads."""

    def __init__(self) -> None:
        self._finder = LandmarkFinder()

    def measure(self, images: Sequence[Image.Image]) -> dict[str, Column]:
        """One list per name of ATTRIBUTES, in the order of the images; None where a value cannot be known.

        images: face crops framed about as FER+'s are, mode L or RGB, any size. A face's values do not depend on
        the others in the batch beyond rounding. Raises ValueError for another mode.
        """
        columns: dict[str, Column] = {attribute.name: [] for attribute in ATTRIBUTES}
        for start in range(0, len(images), BATCH):
            for name, values in self._batch(images[start : start + BATCH]).items():
                columns[name] += values
        return columns

    def _batch(self, images: Sequence[Image.Image]) -> dict[str, Column]:
        crops = frames(images)
        found = self._finder.find(crops.squares)
        angles, scale = pose(found.points)  # (N, 3) degrees, (N,) shares of the side per millimetre
        yaw, pitch, roll = np.where(found.known[:, None], angles, np.nan).T
        tone = skin.measure(crops, found)
        lit = light.measure(crops.small, found)
        return {
            "ita": _numbers(skin.ita(tone.lab)),
            "monk": _numbers(skin.nearest_monk(tone.lab)),
            "tone_unknown": list(tone.reason),
            "head_yaw": _numbers(yaw),
            "head_pitch": _numbers(pitch),
            "head_roll": _numbers(roll),
            "pose_unknown": [None if known else skin.NO_LANDMARKS for known in found.known],
            "brightness": _numbers(lit.brightness),
            "contrast": _numbers(lit.contrast),
            "light_balance": _numbers(lit.balance),
            "sharpness": _numbers(lit.sharpness),
            "face_size": _numbers(np.where(found.known, scale * FACE_LENGTH * crops.side, np.nan)),
        }


def _numbers(values: NDArray[np.float64]) -> Column:
    return [None if np.isnan(value) else float(value) for value in values]
