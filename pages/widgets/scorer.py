"""The engine behind the Score page: loaded by the first photo, shared by all sessions, one photo at a time.

The only place of the app that imports the engine, inside the functions that need it: torch takes two seconds and half
a gigabyte.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from engine.scores import FaceScore, PhotoScore
from pages.widgets.caches import View

WAITING = 40  # photos of other sessions that may stand in line before this one
PATIENCE = 120.0  # s
PREVIEW, CROP = 900, 480  # px, longest side of what is kept of a photo and of a face
LINE = "#F0E442"  # yellow of Okabe and Ito: seen on skin, hair and walls


class CannotScore(ValueError):
    """What went wrong and what to do, in one sentence. Later it may go well."""


class NoPhoto(CannotScore):
    """The file itself is the reason."""


def runnable(view: View) -> list[str]:
    """The models of the cache that the engine can run: not those whose predictions were made elsewhere."""
    return [name for name in view.cache.models if view.cache.manifest.models[name].backbones]


def sample_titles() -> tuple[str, ...]:
    from engine.samples import TITLES

    return TITLES


def sample(title: str) -> bytes:
    from engine.samples import sample

    return sample(title)


def score_photo(view: View, model: str, data: bytes, name: str, whole: bool) -> PhotoScore:
    """Every face of a photo, and a preview in place of the photo itself. Raises CannotScore."""
    from engine.sources.rows import ImageProblem
    from engine.turns import Busy

    scorer = loaded(view, model)
    try:
        with _turns().take(PATIENCE):  # decoding included: one large picture in memory at a time
            return _preview(scorer.photo(data, name, whole=whole))
    except ImageProblem as problem:
        raise NoPhoto(str(problem)) from None
    except Busy as problem:
        raise CannotScore(str(problem)) from None


def score_crop(view: View, model: str, crop: Image.Image) -> FaceScore:
    """One face. Raises CannotScore."""
    from engine.turns import Busy

    scorer = loaded(view, model)
    try:
        with _turns().take(PATIENCE):
            return scorer.crops([crop])[0]
    except Busy as problem:
        raise CannotScore(str(problem)) from None


def loaded(view: View, model: str) -> Any:
    """An engine.scoring.Scorer of the cache's precision, so that its numbers can be compared. Raises CannotScore."""
    try:
        scorer = _scorer(model, view.cache.manifest.models[model].precision)
    except (ValueError, OSError) as problem:  # WeightsProblem is a ValueError
        raise CannotScore(str(problem)) from None
    return scorer


def weights(view: View, model: str) -> str:
    """SHA-256 of the weights that are here now; the cache may have been built with others."""
    return str(loaded(view, model).model.weights_sha256)


@st.cache_resource(max_entries=2, show_spinner="Loading the model and the face detector")
def _scorer(model: str, precision: str) -> Any:
    from engine.scoring import Scorer

    return Scorer(model, precision=precision)


@st.cache_resource(show_spinner=False)
def _turns() -> Any:
    from engine.turns import Turns

    return Turns(WAITING)


def _preview(photo: PhotoScore) -> PhotoScore:
    """The same with small pictures, the photo's with a numbered box around each face: what a session keeps."""
    scale = min(1.0, PREVIEW / max(photo.image.size))
    small = _shrunk(photo.image, PREVIEW).convert("RGB")
    boxes = [face.box for face in photo.faces if face.box is not None]
    _draw(small, [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in boxes])
    faces = tuple(replace(face, crop=_shrunk(face.crop, CROP)) for face in photo.faces)
    return replace(photo, image=small, faces=faces)


def _draw(image: Image.Image, boxes: Sequence[tuple[float, float, float, float]]) -> None:
    draw = ImageDraw.Draw(image)
    width = max(2, round(max(image.size) / 250))
    font = ImageFont.load_default(size=max(14, round(max(image.size) / 20)))
    for number, box in enumerate(boxes, start=1):
        draw.rectangle(box, outline="black", width=width + 2)  # seen on light ground
        draw.rectangle(box, outline=LINE, width=width)
        corner = (max(0.0, box[0]) + 2 * width, max(0.0, box[1]) + 2 * width)
        draw.text(corner, str(number), fill=LINE, font=font, stroke_width=2, stroke_fill="black")


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    if scale >= 1:
        return image.copy()
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
