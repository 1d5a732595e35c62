"""All slices of a cache: what each holds, files of it to take away, and deleting it."""

from pathlib import Path

import streamlit as st

from cache.errors import CacheError
from cache.filters import Filter
from cache.slices import Slice, file_name, remove
from pages.widgets.address import asked, write
from pages.widgets.caches import View
from pages.widgets.chosen_slice import SLICE, missing, saved
from pages.widgets.export import export
from pages.widgets.facts import when
from pages.widgets.filters import matching_faces
from pages.widgets.in_words import in_words
from pages.widgets.problems import guard
from pages.widgets.wording import count, plain

DELETED, REFUSED = "slice deleted", "slice not deleted"  # in session state


def explain() -> None:
    """What a slice is, and how to make the first."""
    st.info(
        "No slice yet. A slice is a filter with a name: choose a filter on any page, pick faces by hand, or draw a "
        "lasso on the Embedding page, and press 'Save as slice'. Two of them can then be compared here, and each opens "
        "on every page from the sidebar."
    )


def usable(view: View) -> dict[str, Slice]:
    """The slices whose columns, models and maps this cache has."""
    return {name: one for name, one in saved(view.cache.folder)[0].items() if missing(view.cache, one) is None}


@st.fragment
def list_slices(view: View) -> None:
    """A fragment: opening a row leaves the rest of the page alone."""
    with guard():
        if st.session_state.pop(DELETED, False):
            st.rerun()  # the whole page, so that the sidebar no longer offers it
        found, problems = saved(view.cache.folder)
        if found:
            st.subheader("All slices", anchor=False)
        for one in found.values():
            row(view, one)
        if refused := st.session_state.pop(REFUSED, ""):
            problems = [*problems, refused]
        for sentence in problems:
            st.caption(f":material/warning: {plain(sentence)}")


def row(view: View, one: Slice) -> None:
    reason = missing(view.cache, one)
    where = one.narrowed(view.model)
    size = "cannot be used" if reason else count(matching_faces(view, where), "face")
    with st.container(horizontal=True, vertical_alignment="center", key=f"slice-{ident(one)}"):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{plain(one.name)}** {size}")
            model = f"{plain(one.model)} · " if one.model else ""
            holds = plain(reason) if reason else in_words(view.cache, one.model, one.where)
            st.caption(f"{model}{when(one.created)} · {holds}")
        with st.popover("Export or delete", type="tertiary", key=f"more-{ident(one)}", on_change="rerun") as more:
            if more.open:
                actions(view, one, None if reason else where)


def actions(view: View, one: Slice, where: Filter | None) -> None:
    """where: the faces, as the view's model judges; None for a slice that cannot be used."""
    if where is not None:
        export(view, where, name=one.name, key=f"export-{ident(one)}")
    sure = f"delete-{ident(one)}"
    if not st.session_state.get(sure):
        st.button("Delete", key=f"{sure}?", on_click=ask, args=(sure, True), type="tertiary", icon=":material/delete:")
        return
    st.markdown(f"Delete the slice **{plain(one.name)}**? Its faces stay.")
    with st.container(horizontal=True):
        st.button("Yes, delete it", key=f"{sure}!", on_click=delete, args=(view, one))
        st.button("Keep it", key=f"{sure}-not", on_click=ask, args=(sure, False))


def ask(key: str, sure: bool) -> None:
    st.session_state[key] = sure


def delete(view: View, one: Slice) -> None:
    """The file, and what the address says of it."""
    st.session_state.pop(f"delete-{ident(one)}", None)
    try:
        remove(view.cache.folder, one.name)
    except CacheError as problem:
        st.session_state[REFUSED] = str(problem)
        return
    st.session_state[DELETED] = True
    write({key: None for key in (SLICE, "a", "b") if asked(key) == [one.name]})


def ident(one: Slice) -> str:
    """Fit for the key of a widget."""
    return Path(file_name(one.name)).stem
