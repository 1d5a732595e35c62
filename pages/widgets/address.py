"""The page's URL: what it asks for, and how it is changed, one step of the browser's history at a time.

The URL is the only place where a view is kept. Callbacks write it, a run of the page reads it and changes nothing, so
that back, forward, reload and a link sent to somebody else all show the same.
"""

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from pages.widgets.problems import ignored

Changes = Mapping[str, str | Sequence[str] | None]  # None: out of the URL

KNOWN, IGNORED = "address", "ignored parameters"  # in session state


def arrive() -> None:
    """At the start of every run of a page: remember the URL that it is drawn from."""
    st.session_state[KNOWN] = _parameters()
    st.session_state[IGNORED] = set()


def asked(key: str) -> list[str] | None:
    """Every value of a parameter; None where the URL says nothing of it that is of use."""
    return st.query_params.get_all(key) if key in st.query_params and key not in _unusable() else None


def usable(key: str, options: Collection[str]) -> list[str] | None:
    """The values asked for that are among the options, after saying which are not; None: no word of any of them."""
    values = asked(key)
    if values is None or not any(values):
        return values and []
    found = [value for value in dict.fromkeys(values) if value in options]
    for value in values:
        if value and value not in options:
            ignored(key, value, "there is no such choice here")
    if not found:
        _unusable().add(key)
        return None
    return found


def ignore(key: str, reason: str) -> None:
    """Say, once, that nothing can be made of a parameter.

    It leaves the URL with the next change, and links do not keep it.
    """
    for value in filter(None, asked(key) or ()):
        ignored(key, value, reason)
    _unusable().add(key)


def write(changes: Changes) -> None:
    """Change parameters, all in one step of the history; called from callbacks, or before a rerun.

    They start from the URL that the page was drawn from: of two changes that follow each other quickly the browser may
    send the second before it has heard of the first.
    """
    now = st.session_state.get(KNOWN, _parameters())
    now = {key: values for key, values in now.items() if key not in _unusable()}
    for key, value in changes.items():
        now.pop(key, None)
        if value is not None:
            now[key] = [value] if isinstance(value, str) else list(value)
    st.session_state.update({KNOWN: now, IGNORED: set()})
    if now != _parameters():
        st.query_params.from_dict(now)


def kept(keys: Sequence[str]) -> dict[str, str]:
    """Those of the parameters that a link to another page takes along."""
    return {key: values[-1] for key in keys if (values := asked(key))}


def query() -> str:
    """The whole query string, as it stands in the address."""
    return urlencode(_parameters(), doseq=True)


def _unusable() -> set[str]:
    found: set[str] = st.session_state.setdefault(IGNORED, set())
    return found


def _parameters() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}
