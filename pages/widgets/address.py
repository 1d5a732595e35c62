"""What the page's URL asks for.

Widgets are bound to the URL by Streamlit (bind="query-params"), which drops values it cannot use without a word. The
functions here say so before the widget is made, and read the few parameters that no widget owns.
"""

import math
from collections.abc import Collection

import streamlit as st

from pages.widgets.problems import ignored

FACE, LIST = "face", "list"
LARGEST_ID = 2**63 - 1  # face_id is an int64


def expect(key: str, options: Collection[str]) -> None:
    """Say so when the URL asks for something that is not among the options of the widget bound to `key`."""
    for value in st.query_params.get_all(key):
        if value and value not in options:
            ignored(key, value, "there is no such choice here")


def expect_whole(key: str, highest: int) -> None:
    """The same for a widget that holds a whole number from 1 to `highest`."""
    for value in st.query_params.get_all(key):
        if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= highest):
            ignored(key, value, f"expected a whole number from 1 to {highest}")


def parse_range(text: str) -> tuple[float, float] | None:
    """'0.5..1.2' -> (0.5, 1.2); a side left empty has no limit; None when the text is not a range.

    >>> parse_range("0.5..1.2"), parse_range("-30.."), parse_range("..1e-3"), parse_range("2..1"), parse_range("x..3")
    ((0.5, 1.2), (-30.0, inf), (-inf, 0.001), None, None)
    """
    low, dots, high = text.strip().partition("..")
    if not dots or (not low.strip() and not high.strip()):
        return None
    try:
        ends = float(low) if low.strip() else -math.inf, float(high) if high.strip() else math.inf
    except ValueError:
        return None
    return ends if ends[0] <= ends[1] and not any(map(math.isnan, ends)) else None


def opened_face() -> int | None:
    """The face whose drawer the URL opens."""
    text = st.query_params.get(FACE)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID:
        return int(text)
    ignored(FACE, text, "expected the number of a face")
    return None


def open_face(face_id: int, listing: str = "") -> None:
    st.query_params[FACE] = str(face_id)
    if listing:
        st.query_params[LIST] = listing


def close_face() -> None:
    for key in (FACE, LIST):
        st.query_params.pop(key, None)
