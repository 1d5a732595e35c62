"""The slices of a cache, and the one that the sidebar has chosen: it follows the reader from page to page."""

from pathlib import Path

import streamlit as st

from cache.errors import BadQuery
from cache.reader import Cache
from cache.slices import EVERY_FACE, Files, Slice, check, files_of, load
from pages.widgets.address import ignore
from pages.widgets.bound import select

SLICE = "slice"
CLEARS = ("a", "page", "split")  # another slice is another list, and says itself of which splits


def saved(folder: Path) -> tuple[dict[str, Slice], list[str]]:
    """As `load`, remembered until a file changes: a look at a small folder on each rerun, and nothing else."""
    try:
        return _load(str(folder), files_of(folder))
    except OSError:
        return load(folder)  # which says what is wrong


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(folder: str, files: Files) -> tuple[dict[str, Slice], list[str]]:
    return load(Path(folder))


def choose_slice(cache: Cache) -> Slice | None:
    """Every face, or those of a slice; no question where none is saved."""
    found, _ = saved(cache.folder)
    refuse(cache, found)
    if not found:
        return None
    with st.sidebar:
        return found.get(select("Slice", [EVERY_FACE, *found], key=SLICE, default=EVERY_FACE, clears=CLEARS))


def refuse(cache: Cache, found: dict[str, Slice]) -> None:
    """Say so, once, when the address asks for a slice that is not there, or speaks of something that is gone."""
    asked = st.query_params.get(SLICE)
    if asked is None or asked == EVERY_FACE:
        return
    if asked not in found:
        ignore(SLICE, "this cache has no slice of that name")
    elif (reason := missing(cache, found[asked])) is not None:
        ignore(SLICE, f"the slice cannot be used, for {reason}")


def missing(cache: Cache, one: Slice) -> str | None:
    """What the slice speaks of and the cache lacks; None when it can be used."""
    try:
        check(cache, one)
    except BadQuery as problem:
        sentence, _, _ = str(problem).partition(". ")
        return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"
    return None
