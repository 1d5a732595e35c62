"""Where the photos come from: files, the camera, or a sample that ships. They stay in memory."""

from dataclasses import dataclass

import streamlit as st

from pages.widgets.address import write
from pages.widgets.bound import select, switch
from pages.widgets.scorer import sample, sample_titles
from pages.widgets.wording import count

TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]
MOST_PHOTOS = 50
WAYS = ("Files", "Camera", "Sample")
PRIVATE = (
    "Photos stay in the memory of this computer's server, which forgets them a minute after this tab is closed. "
    "Nothing is written to disk or logged; time, place and other metadata are dropped."
)


@dataclass(frozen=True)
class Photo:
    """One photo as it came."""

    name: str  # whatever the browser said it is
    data: bytes


def photos() -> list[Photo]:
    """Ask for photos; the ones that are there."""
    with st.container(horizontal=True, vertical_alignment="top"):
        way = switch("Photos from", WAYS, key="from", default=WAYS[0], label_visibility="collapsed")
        if way == "Sample":
            titles = sample_titles()
            title = select("Sample", titles, key="sample", default=titles[0], width=320, label_visibility="collapsed")
            return [Photo(title, sample(title))]
    if way == "Camera":
        shot = st.camera_input("A photo of your face", label_visibility="collapsed", key="camera", width=480)
        st.caption(PRIVATE)
        return [Photo("camera.jpg", shot.getvalue())] if shot is not None else []
    files = st.file_uploader(
        "Photos with faces",
        TYPES,
        accept_multiple_files=True,
        key="files",
        help=f"JPEG, PNG, WebP, BMP, GIF or TIFF, at most {MOST_PHOTOS} at once",
    )
    st.caption(PRIVATE)
    if not files:
        st.button(
            "No photo at hand? Try a sample", on_click=write, args=[{"from": "Sample"}], type="tertiary", key="try"
        )
    if len(files) > MOST_PHOTOS:
        st.warning(f"{count(len(files), 'photo')} are too many at once: the first {MOST_PHOTOS} are scored.")
    return [Photo(file.name, file.getvalue()) for file in files[:MOST_PHOTOS]]
