"""A map of too many faces for points: one image, whose pixels mix the colours of the faces that fall on them."""

import base64
import io
import math

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from cache.maps import Window
from cache.regions import Polygon
from pages.charts.map_shading import Shading

# Opacity of a cell of one face; the fullest has 1, and between them it grows with the logarithm. On a scale the colour
# itself tells high from low, and less of it may be left to the page.
FAINTEST, FAINTEST_ON_SCALE = 0.6, 0.85
DIMMED = 0.28  # what is left of it outside a selection
SIDE = 900  # px of the image, about: a browser blurs a smaller one when it stretches it


def raster(
    cells: pd.DataFrame, grid: tuple[int, int], shading: Shading, window: Window, polygon: Polygon | None
) -> str:
    """The cells, as `cache.maps.cells` returns them, as a PNG in a data: URI; what the polygon leaves out is dimmed."""
    across, up = grid
    colours, faces = mix(cells, grid, shading)
    pixels = np.zeros((up, across, 4), np.uint8)
    pixels[..., :3] = colours.round()
    pixels[..., 3] = (255 * opacity(faces, FAINTEST_ON_SCALE if shading.is_scale else FAINTEST)).round()
    image = Image.fromarray(pixels[::-1])  # row 0 of an image is its top
    if polygon is not None:
        image.putalpha(Image.composite(image.getchannel("A"), dimmed(image), mask(polygon, grid, window)))
    times = max(1, round(SIDE / max(grid)))
    buffer = io.BytesIO()
    image.resize((across * times, up * times), Image.Resampling.NEAREST).save(buffer, "PNG", compress_level=2)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def mix(cells: pd.DataFrame, grid: tuple[int, int], shading: Shading) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour of the faces in each cell, (up, across, 3) from 0 to 255, and their number, (up, across)."""
    across, up = grid
    place = cells["up"].to_numpy(np.int64) * across + cells["across"].to_numpy(np.int64)
    faces = cells["faces"].to_numpy(np.float64)
    colours = shading.rgb()[shading.indices(cells["value"].to_numpy(np.float64))]  # (n, 3)
    total, *channels = (
        np.bincount(place, weight, minlength=across * up) for weight in (faces, *(faces[:, None] * colours).T)
    )
    means = np.stack(channels, axis=-1) / np.maximum(total, 1)[:, None]
    return means.reshape(up, across, 3), total.reshape(up, across)


def opacity(faces: np.ndarray, faintest: float) -> np.ndarray:
    """0 for an empty cell, else from `faintest` to 1."""
    most = max(2.0, float(faces.max(initial=0)))
    return np.where(faces > 0, faintest + (1 - faintest) * np.log(np.maximum(faces, 1)) / math.log(most), 0.0)


def dimmed(image: Image.Image) -> Image.Image:
    return image.getchannel("A").point(lambda value: round(value * DIMMED))


def mask(polygon: Polygon, grid: tuple[int, int], window: Window) -> Image.Image:
    """White inside the polygon, black outside, by the even-odd rule."""
    across, up = grid
    image = Image.new("L", grid, 0)
    corners = np.array(polygon, np.float64)
    x = (corners[:, 0] - window.left) / (window.right - window.left) * across
    y = (window.top - corners[:, 1]) / (window.top - window.bottom) * up
    ImageDraw.Draw(image).polygon([(float(a) - 0.5, float(b) - 0.5) for a, b in zip(x, y, strict=True)], fill=255)
    return image
