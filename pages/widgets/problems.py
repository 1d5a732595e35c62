"""What a page says when something is missing: one sentence, and the command that helps. Never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cache.errors import CacheError
from pages.widgets.wording import plain

DEMO = "make demo"
FERPLUS = "python -m engine build ferplus:PATH --out data/ferplus --model compact-ensemble"


@contextmanager
def guard() -> Iterator[None]:
    """Turn a CacheError into a message and stop; used around every page, fragment and drawer."""
    try:
        yield
    except CacheError as problem:
        st.error(plain(problem))
        if st.button("Reload", key="reload"):
            st.rerun()
        st.stop()


def empty(sentence: str, *commands: str) -> None:
    """An empty state: what is missing, the commands that fill it, and the end of the page."""
    st.info(plain(sentence))
    for command in commands:
        st.code(command, language="bash")
    st.stop()


def ignored(parameter: str, value: str, reason: str) -> None:
    """A small notice about a value in the URL that was left out."""
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    st.caption(f":material/info: Ignored **{plain(parameter)}={plain(shown)}** in the address: {plain(reason)}.")
