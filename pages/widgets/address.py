"""What the page's URL asks for.

Widgets are bound to the URL by Streamlit (bind="query-params"), which drops values it cannot use without a word. The
functions here say so before the widget is made, and read the few parameters that no widget owns.
"""

import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages.widgets.problems import ignored

FACE = "face"
PICKED = "picked"
MOST_PICKED = 500
LARGEST_ID = 2**63 - 1  # face_id is an int64


def expect(key: str, options: Collection[str]) -> None:
    """Say so when the URL asks for something that is not among the options of the widget bound to `key`."""
    for value in st.query_params.get_all(key):
        if value and value not in options:
            ignored(key, value, "there is no such choice here")


def expect_whole(key: str, highest: int, lowest: int = 1) -> None:
    """The same for a widget that holds a whole number from `lowest` to `highest`."""
    for value in st.query_params.get_all(key):
        if not (value.isascii() and value.isdigit() and len(value) < 10 and lowest <= int(value) <= highest):
            ignored(key, value, f"expected a whole number from {lowest} to {highest}")


def choose(
    label: str, options: Sequence[str], *, key: str, default: str, clears: Sequence[str] = (), width: int | None = None
) -> str:
    """A select box whose value is what the URL says, and `default` where it says nothing.

    For choices that follow the reader to other pages: Streamlit takes a bound widget's parameter out of the URL when
    the page changes, so this one is not bound. clears: parameters that another choice leaves without a meaning.
    """
    asked = st.query_params.get(key)
    if asked is not None and asked not in options:
        drop(key, "there is no such choice here")
        asked = None
        for other in clears:
            drop(other, f"it was made for another {label.lower()}")
    widget = f"{key}-choice"
    st.session_state[widget] = asked or default  # also where it is that already: another page makes the widget anew

    def write() -> None:
        if st.session_state[widget] == default:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = st.session_state[widget]
        for other in clears:
            st.query_params.pop(other, None)

    return st.selectbox(label, options, key=widget, on_change=write, width=width or "stretch")


def drop(key: str, reason: str) -> None:
    """Say so, and take the parameter out of the URL, when no widget of this page could use it."""
    for value in st.query_params.get_all(key):
        if value:
            ignored(key, value, reason)
    with suppress(StreamlitAPIException):  # a widget of the last run still owns it, and Streamlit clears it itself
        st.query_params.pop(key, None)


def parse_range(text: str) -> tuple[float, float] | None:
    """'0.5..1.2' -> (0.5, 1.2); a side left empty has no limit; None when the text is not a range.

    >>> parse_range("0.5..1.2"), parse_range("-30.."), parse_range("..1e-3"), parse_range("2..1"), parse_range("inf..")
    ((0.5, 1.2), (-30.0, inf), (-inf, 0.001), None, None)
    """
    low, dots, high = text.strip().partition("..")
    if not dots or (not low.strip() and not high.strip()):
        return None
    try:
        ends = float(low) if low.strip() else -math.inf, float(high) if high.strip() else math.inf
    except ValueError:
        return None
    typed = [end for end, text in zip(ends, (low, high), strict=True) if text.strip()]
    return ends if ends[0] <= ends[1] and all(map(math.isfinite, typed)) else None


@dataclass(frozen=True)
class Opened:
    """The face whose drawer is open, and the gallery it was opened from ('' where a page has one list)."""

    face_id: int
    listing: str = ""


def opened_face() -> Opened | None:
    """What ?face=ID or ?face=ID~GALLERY asks for. One parameter, so that one press of Back closes the drawer."""
    text = st.query_params.get(FACE)
    if text is None:
        return None
    number, _, listing = text.partition("~")
    if is_face_id(number):
        return Opened(int(number), listing)
    drop(FACE, "expected the number of a face")
    return None


def is_face_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID


def open_face(face_id: int, listing: str = "") -> None:
    st.query_params[FACE] = f"{face_id}~{listing}" if listing else str(face_id)


def close_face() -> None:
    st.query_params.pop(FACE, None)


def picked_faces() -> list[int]:
    """Faces picked by hand, ?picked=ID,ID,..."""
    text = st.query_params.get(PICKED)
    if not text:
        return []
    ids = text.split(",")
    if len(ids) > MOST_PICKED or not all(map(is_face_id, ids)):
        drop(PICKED, f"expected the numbers of at most {MOST_PICKED:,} faces")
        return []
    return list(dict.fromkeys(map(int, ids)))


def pick_faces(ids: Sequence[int]) -> None:
    """Put them into the address; the first MOST_PICKED, for an address has an end."""
    if ids:
        st.query_params[PICKED] = ",".join(map(str, ids[:MOST_PICKED]))
    else:
        st.query_params.pop(PICKED, None)


def query() -> str:
    """The whole query string, as it stands in the address."""
    return urlencode([(name, value) for name in st.query_params for value in st.query_params.get_all(name)])
