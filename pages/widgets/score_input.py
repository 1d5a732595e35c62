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
SHOWN = "shown"  # in the URL: number of the face in full; of other photos it means another
GIVEN = "photos given"  # in session state
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
        way = switch("Photos from", WAYS, key="from", default=WAYS[0], clears=(SHOWN,), label_visibility="collapsed")
        if way == "Sample":
            titles = sample_titles()
            look = {"width": 320, "label_visibility": "collapsed"}
            title = select("Sample", titles, key="sample", default=titles[0], clears=(SHOWN,), **look)
            return [Photo(title, sample(title))]
    if way == "Camera":
        shot = st.camera_input("A photo of your face", label_visibility="collapsed", key="camera", width=480)
        st.caption(PRIVATE)
        return [Photo("camera.jpg", shot.getvalue())] if shot is not None else []
    return files()


def files() -> list[Photo]:
    """Those uploaded, also after another way or another page was visited, where Streamlit forgets them."""

    def chosen() -> None:
        st.session_state[GIVEN] = [Photo(file.name, file.getvalue()) for file in st.session_state["files"] or []]
        write({SHOWN: None})

    now = st.file_uploader(
        "Photos with faces",
        TYPES,
        accept_multiple_files=True,
        key="files",
        on_change=chosen,
        help=f"JPEG, PNG, WebP, BMP, GIF or TIFF, at most {MOST_PHOTOS} at once",
    )
    st.caption(PRIVATE)
    given: list[Photo] = st.session_state.get(GIVEN, [])
    if not given:
        st.button(
            "No photo at hand? Try a sample", on_click=write, args=[{"from": "Sample"}], type="tertiary", key="try"
        )
    elif not now:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{count(len(given), 'photo')} from before", width="content")
            st.button("Forget", on_click=forget, type="tertiary", icon=":material/close:", key="forget")
    if len(given) > MOST_PHOTOS:
        st.warning(f"{count(len(given), 'photo')} are too many at once: the first {MOST_PHOTOS} are scored.")
    return given[:MOST_PHOTOS]


def forget() -> None:
    st.session_state.pop(GIVEN, None)
    write({SHOWN: None})
