"""Widgets that show what the page's URL says; a change of one is one step of the browser's history.

Streamlit can bind a widget to the URL itself (bind="query-params"), but then replaces the address, so that Back leaves
the page, and drops what it cannot use without a word.

key names the parameter and the widget, default is what the URL need not say, clears names the parameters that another
choice leaves without a meaning. Everything else is as in the Streamlit widget.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import streamlit as st

from pages.widgets.address import asked, ignore, usable, write
from pages.widgets.problems import ignored

LONGEST = 40  # characters typed into a field


def select(
    label: str, options: Collection[str], *, key: str, default: str, clears: Sequence[str] = (), **look: Any
) -> str:
    """One of the options, from a list that unfolds."""
    value = (usable(key, options) or [default])[-1]
    return st.selectbox(label, list(options), **_bound(key, value, _unless(default), clears), **look)


def switch(
    label: str, options: Collection[str], *, key: str, default: str, clears: Sequence[str] = (), **look: Any
) -> str:
    """One of the options, all of them on view."""
    value = (usable(key, options) or [default])[-1]
    bound = _bound(key, value, _unless(default), clears)
    return str(st.segmented_control(label, list(options), required=True, **bound, **look))


def maybe(label: str, options: Collection[str], *, key: str, clears: Sequence[str] = (), **look: Any) -> str | None:
    """One of the options or none, all of them on view."""
    value = next(iter(usable(key, options) or []), None)
    return st.segmented_control(label, list(options), **_bound(key, value, _unless(None), clears), **look)


def several(
    label: str,
    options: Collection[str],
    *,
    key: str,
    default: Sequence[str] = (),
    clears: Sequence[str] = (),
    most: int | None = None,
    **look: Any,
) -> list[str]:
    """Any number of the options, at most `most`. The URL says ?key= when none is chosen and the default is some."""
    found = usable(key, options)
    first = [value for value in default if value in options]
    value = first if found is None else found[:most]
    for beyond in (found or [])[len(value) :]:
        ignored(key, beyond, f"at most {most} can be chosen")

    def encode(chosen: list[str]) -> list[str] | None:
        return None if chosen == first else chosen or [""]

    bound = _bound(key, value, encode, clears)
    return st.multiselect(label, list(options), max_selections=most, **bound, **look)


def slider(label: str, low: int, high: int, *, key: str, default: int, **look: Any) -> int:
    """A whole number."""
    return st.slider(label, low, high, **_bound(key, _whole(key, default, low, high), _unless(default), ()), **look)


def pagination(pages: int, *, key: str) -> int:
    """A page from 1 to `pages`; nothing is drawn of a single one."""
    page = _whole(key, 1, 1, pages)
    return st.pagination(pages, **_bound(key, page, _unless(1), ())) if pages > 1 else page


def typed(label: str, *, key: str, clears: Sequence[str] = (), **look: Any) -> str:
    """What was typed, without space around it."""
    text = (asked(key) or [""])[-1]
    if len(text) > LONGEST:
        ignore(key, f"expected at most {LONGEST} characters")
        text = ""
    bound = _bound(key, text, lambda typed: (typed or "").strip() or None, clears)
    return (st.text_input(label, max_chars=LONGEST, **bound, **look) or "").strip()


def _bound(key: str, value: Any, encode: Callable[[Any], Any], clears: Sequence[str]) -> dict[str, Any]:
    """The key and callback of a widget, after it was given its value."""
    st.session_state[key] = value  # also where it is that already: another page makes the widget anew

    def changed() -> None:
        write({**dict.fromkeys(clears), key: encode(st.session_state[key])})

    return {"key": key, "on_change": changed}


def _unless(default: Any) -> Callable[[Any], str | None]:
    return lambda value: None if value is None or value == default else str(value)


def _whole(key: str, default: int, low: int, high: int) -> int:
    """The whole number that the URL names."""
    values = asked(key)
    if values is None:
        return default
    text = values[-1]
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    ignore(key, f"expected a whole number from {low} to {high}")
    return default
