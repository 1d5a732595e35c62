"""The faces that were found: all of them side by side, and the chosen one in full."""

from collections.abc import Sequence

import streamlit as st
from PIL import Image

from engine.scores import FaceScore, PhotoScore
from pages.charts.colours import MODEL
from pages.widgets import drawer
from pages.widgets.address import asked, ignore, write
from pages.widgets.bound import select, slider
from pages.widgets.caches import View
from pages.widgets.face_grid.component import Tile, face_grid, picture_uri
from pages.widgets.filters import text_values
from pages.widgets.reading import HIGH, rule
from pages.widgets.score_export import download
from pages.widgets.score_face import Standing, alike, face_in_full
from pages.widgets.score_input import SHOWN
from pages.widgets.score_what_if import what_if
from pages.widgets.scorer import weights
from pages.widgets.wording import count, number, plain

ALL = "all faces"
LEAST_HIGH, MOST_HIGH = 50, 99
Found = tuple[PhotoScore, int]  # a photo and the index of a face in it


def found(view: View, model: str, photos: Sequence[PhotoScore]) -> None:
    """A tile per face where there are several, then one face in full, then files of them all."""
    if weights(view, model) != view.cache.manifest.models[model].weights_sha256:
        st.warning(
            f"This cache was built with other weights of {plain(model)} than are here: ranks and similar faces compare "
            "two different models. Build the cache anew."
        )
    faces = [(photo, index) for photo in photos for index in range(len(photo.faces))]
    chosen = _chosen(len(faces))
    photo, index = faces[chosen]
    if len(faces) > 1:
        st.markdown(f"**{count(len(faces), 'face')}** in {count(len(photos), 'photo')}, from left to right")
        gallery(faces, chosen)
    left, right = st.columns([2, 3], gap="large")
    with left:
        picture(photo, index)
        crop(photo.faces[index])
    with right:
        above = st.container()
        standing = choose_standing(view)
        with above:
            face_in_full(view, model, photo, photo.faces[index], standing)
        what_if(view, model, photo, index)
        alike(view, model, photo.faces[index])
        download(view, model, photos, standing)
    drawer.show(view, lambda _: None)  # of a similar face


def choose_standing(view: View) -> Standing:
    """Among which faces a new one is ranked, and from where on it counts as unsure."""
    splits = {plain(split): split for split in text_values(view, "split")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = next((shown for shown, split in splits.items() if split == "test"), ALL)
        shown = select("Ranked among the faces of", [ALL, *splits], key="among", default=start, width=170)
        high = slider(
            "Counts as unsure from this percentile", LEAST_HIGH, MOST_HIGH, key="high", default=HIGH, width=250
        )
    st.caption(" ".join([rule(high), "The slice in the sidebar is not used here." * (view.slice is not None)]))
    return Standing(splits.get(shown), high)


def gallery(faces: Sequence[Found], chosen: int) -> None:
    face_grid(
        [_tile(number, photo, photo.faces[index]) for number, (photo, index) in enumerate(faces, start=1)],
        key="found-faces",
        label="Faces found",
        colour=MODEL,
        on_open=lambda number: write({SHOWN: str(number) if number > 1 else None}),
        layout="gallery",
        tile=84,
        picked=[chosen + 1],
    )


def picture(photo: PhotoScore, index: int) -> None:
    """The photo with its boxes. Not st.image, which would keep a file of it that outlives the page."""
    many = count(len(photo.faces), "face")
    st.html(
        f'<img alt="The photo, with a numbered box around each of {many}" src="{picture_uri(photo.image)}" '
        'style="width:100%;border-radius:4px">'
    )
    face = photo.faces[index]
    which = f"face {index + 1} of {len(photo.faces)}" if len(photo.faces) > 1 else "one face"
    where = "taken whole as a face" if face.box is None else which
    sure = "" if face.detection is None else f", detected with probability {number(face.detection)}"
    st.caption(f"{plain(photo.name)}, {where}{sure}")


def crop(face: FaceScore) -> None:
    """What the model was given."""
    st.html(
        f'<img alt="The face as it was cut for the model" src="{picture_uri(face.crop)}" '
        'style="width:144px;border-radius:4px">'
    )
    st.caption("As cut for the model, which sees it smaller still")


def _chosen(faces: int) -> int:
    """Index of the face that ?shown= names, the first otherwise."""
    text = (asked(SHOWN) or ["1"])[-1]
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= faces:
        return int(text) - 1
    ignore(SHOWN, f"expected the number of a face, from 1 to {faces}")
    return 0


def _tile(number_: int, photo: PhotoScore, face: FaceScore) -> Tile:
    small = face.crop.copy()
    small.thumbnail((120, 120), Image.Resampling.LANCZOS)
    said = photo.classes[face.predicted]
    alt = f"face {number_} of {photo.name}, model {said}, U_e {number(face.u_epistemic, 'nats')}"
    return Tile(
        number_, picture_uri(small), alt, f"{number_}  {said} {face.confidence:.2f}", face.confidence, "unknown"
    )
