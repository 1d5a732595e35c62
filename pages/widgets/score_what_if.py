"""What if the picture were worse? The same face blurred, darkened, turned or covered, and scored again."""

import hashlib
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from PIL import Image, ImageEnhance, ImageFilter

from engine.scores import UNCERTAINTIES, FaceScore, PhotoScore
from pages.widgets.caches import View
from pages.widgets.face_grid.component import picture_uri
from pages.widgets.problems import guard
from pages.widgets.scorer import CannotScore, score_crop
from pages.widgets.wording import KINDS, PALETTE, SYMBOLS, number, plain

PARTS = ("nothing", "eyes", "mouth", "left half", "right half")
COVERED = {  # of the crop's sides: left, top, right, bottom
    "eyes": (0.1, 0.25, 0.9, 0.5),
    "mouth": (0.2, 0.65, 0.8, 0.9),
    "left half": (0.0, 0.0, 0.5, 1.0),
    "right half": (0.5, 0.0, 1.0, 1.0),
}
GREY = 128


@dataclass(frozen=True)
class Change:
    """What is done to a crop. Nothing by default."""

    blur: float = 0.0  # standard deviation, percent of the side
    light: int = 100  # percent of the brightness
    turn: int = 0  # degrees, counter-clockwise
    cover: str = PARTS[0]


@st.fragment
def what_if(view: View, model: str, photo: PhotoScore, index: int) -> None:
    """A fragment: a slider scores this face again, and nothing else."""
    with guard(), st.expander("What if the picture were worse?", key="what-if", on_change="rerun") as box:
        if not box.open:
            return
        face = photo.faces[index]
        change = choose(hashlib.sha256(face.samples.tobytes()).hexdigest()[:16])
        crop = apply(face.crop, change)
        try:
            after = face if change == Change() else score_crop(view, model, crop)
        except CannotScore as problem:
            st.warning(plain(problem))
            return
        left, right = st.columns([1, 2])
        with left:
            said = "unchanged" if change == Change() else "changed"
            st.html(f'<img alt="The crop, {said}" src="{picture_uri(crop)}" style="width:100%;border-radius:4px">')
        with right:
            table(photo, face, after)


def choose(key: str) -> Change:
    """key: of the face, for which the sliders begin anew."""
    with st.container(horizontal=True):
        blur = st.slider("Blur (% of the side)", 0.0, 10.0, 0.0, 0.5, key=f"blur {key}", width=180)
        light = st.slider("Brightness (%)", 10, 200, 100, 5, key=f"light {key}", width=180)
        turn = st.slider("Turned (degrees)", -90, 90, 0, 5, key=f"turn {key}", width=180)
        cover = st.selectbox("Covered", PARTS, key=f"cover {key}", width=140)
    return Change(blur, light, turn, cover)


def apply(crop: Image.Image, change: Change) -> Image.Image:
    """The crop, turned, darkened, blurred and covered, in this order; of the same size and mode.

    >>> apply(Image.new("L", (20, 20), 100), Change(light=50)).getpixel((3, 3))
    50
    """
    if change.turn:
        grey = GREY if crop.mode == "L" else (GREY,) * 3
        crop = crop.rotate(change.turn, Image.Resampling.BICUBIC, fillcolor=grey)
    if change.light != 100:
        crop = ImageEnhance.Brightness(crop).enhance(change.light / 100)
    if change.blur:
        crop = crop.filter(ImageFilter.GaussianBlur(change.blur / 100 * max(crop.size)))
    if change.cover in COVERED:
        left, top, right, bottom = COVERED[change.cover]
        box = (int(left * crop.width), int(top * crop.height), int(right * crop.width), int(bottom * crop.height))
        crop = crop.copy()
        crop.paste(GREY if crop.mode == "L" else (GREY,) * 3, box)
    return crop


def table(photo: PhotoScore, before: FaceScore, after: FaceScore) -> None:
    """Class, confidence and triple before and after."""
    rows = [
        ("Class", *(plain(photo.classes[face.predicted]) for face in (before, after)), ""),
        (
            "Confidence",
            number(before.confidence),
            number(after.confidence),
            _moved(before.confidence, after.confidence),
        ),
    ]
    for part in UNCERTAINTIES:
        values = [getattr(face, part) for face in (before, after)]
        name = f":{PALETTE[part]}[**{SYMBOLS[part]}**] {KINDS[part]}, nats"
        rows.append((name, *map(number, values), _moved(*values)))
    st.table(
        pd.DataFrame(rows, columns=["", "as it is", "changed", "difference"]),
        border="horizontal",
        hide_index=True,
        alt="Class, confidence and uncertainty of the face as it is and changed",
    )


def _moved(before: float, after: float) -> str:
    """
    >>> _moved(0.5, 0.75), _moved(0.5, 0.5)
    ('+0.250', '±0')
    """
    return "±0" if before == after else f"{after - before:+.3f}"
