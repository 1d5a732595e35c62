"""A face crop as arrays of fixed size, so that nothing measured on them depends on the crop's resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALL = 48  # pixels, the side of FER+'s faces: light and sharpness are measured at this size
LIMIT = 256  # pixels; larger crops are reduced to this before anything else

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom in shares of the side

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Frames:
    """N faces. squares: their crops cut to a square, at most LIMIT wide; side: (N,) pixels before any reduction."""

    squares: tuple[Image.Image, ...]  # mode RGB
    side: NDArray[np.float64]
    small: Pixels  # (N, SMALL, SMALL, 3)


def frames(images: Sequence[Image.Image]) -> Frames:
    """Cut to the largest square in the middle and resize. images: mode L or RGB, any size from 1 pixel.

    Raises ValueError for another mode: what shows through transparency is the caller's to decide.
    """
    squares = tuple(_square(image) for image in images)
    side = np.array([min(image.size) for image in images], dtype=np.float64)
    return Frames(squares, side, resized(squares, SMALL))


def resized(squares: Sequence[Image.Image], side: int, box: Box = WHOLE) -> Pixels:
    """(N, side, side, 3): the part of each square that lies in box, averaged where it shrinks."""
    out = np.empty((len(squares), side, side, 3), dtype=np.uint8)
    for i, square in enumerate(squares):
        left, top, right, bottom = (edge * square.width for edge in box)
        small = square.resize((side, side), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
        out[i] = np.asarray(small)
    return out


def offsets(centres: NDArray[np.float64], side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each column lies right of centres (N, 2), and each row below, in shares of the side.

    Shapes (N, 1, side) and (N, side, 1), which broadcast to the pixels of a crop.
    """
    place = (np.arange(side) + 0.5) / side - centres[..., None]  # (N, 2, side)
    return place[:, 0, None, :], place[:, 1, :, None]


def _square(image: Image.Image) -> Image.Image:
    if image.mode not in ("L", "RGB"):
        raise ValueError(f"Expected an image of mode L or RGB but got {image.mode}. Decode it with engine.images.")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image if image.width == image.height else image.crop((left, top, left + side, top + side))
    if side > LIMIT:
        square = square.resize((LIMIT, LIMIT), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return square.convert("RGB")
