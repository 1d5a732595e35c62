"""The drawer of one face: opened, stepped and closed through the URL, by mouse or keyboard."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from cache.ranks import Place
from cache.reader import Face
from pages.widgets.address import Changes, write
from pages.widgets.caches import View
from pages.widgets.face_address import FACE, Opened, open_face, opened_face
from pages.widgets.face_detail import detail
from pages.widgets.problems import guard
from pages.widgets.wording import count, plain

Neighbours = Callable[[int], Place | None]  # place of a face in the current list
LAST = "last face shown"  # in session state: Opened


def show(view: View, neighbours: Neighbours, on_close: Callable[[int], Changes] | None = None) -> None:
    """Open the drawer when the URL names a face.

    `on_close` gets the place in the list that it ended on, where it was opened from the list itself, and says what else
    changes in the address.
    """
    if opened_face() is None:
        return

    def close() -> None:
        last = opened_face()
        if last is None:
            return
        st.session_state[LAST] = last
        place = neighbours(last.face_id) if on_close and not last.listing else None
        write({FACE: None, **(on_close(place.position) if place is not None and on_close else {})})

    @st.dialog("Face detail", width=560, position="right", on_dismiss=close)
    def drawer() -> None:
        with guard():
            opened = opened_face()
            if opened is None:
                return
            face = view.cache.face(opened.face_id, view.model)
            if face is not None:
                head(face, neighbours(face.face_id), opened)
                detail(view, face)
                return
            face = view.cache.face(opened.face_id, None)
            if face is None:
                st.info(f"This cache has no face {opened.face_id}. Close this drawer to see the faces that it has.")
                return
            head(face, None, opened)
            st.caption(f"{plain(view.model)} has not scored this face.")
            detail(replace(view, model=None), face)

    drawer()


def head(face: Face, place: Place | None, opened: Opened) -> None:
    """Number and place in the list, and the two buttons that step; the arrow keys press them."""
    place_text = (
        f", {place.position + 1:,} of {count(place.total)} in this list" if place else ", not in the current list"
    )
    steps = (
        ("Previous", "Left", place.previous if place else None),
        ("Next", "Right", place.next if place else None),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Face {face.face_id}**{place_text}", width="content")
        with st.container(horizontal=True, width="content", wrap=False):
            for label, shortcut, target in steps:
                st.button(
                    label,
                    key=f"{label.lower()}-face",
                    shortcut=shortcut,
                    disabled=target is None,
                    on_click=open_face,
                    args=[target, opened.listing],
                )


def last_shown(listing: str = "") -> int | None:
    """The face whose drawer was closed last, if it was opened from this list: the keyboard goes back to it."""
    last = st.session_state.get(LAST)
    return last.face_id if last and last.listing == listing and FACE not in st.query_params else None


def legend(before: str = "") -> None:
    """What the borders of the tiles mean."""
    st.caption(
        f"{before} Plain border: the model's class is the annotators' most frequent one. Dashed with ×: it is not. "
        "Click a face, or press Enter on it, for its votes and probabilities."
    )
