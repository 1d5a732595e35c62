"""Saving the faces on view under a name, and saying which slice is on view."""

from datetime import UTC, datetime

import streamlit as st

from cache.errors import BadQuery, CacheError, SliceExists
from cache.filters import Filter
from cache.reader import EVERYTHING
from cache.slices import LONGEST_NAME, Slice, save
from pages.widgets.address import query
from pages.widgets.caches import View
from pages.widgets.in_words import in_words
from pages.widgets.wording import plain


def slice_note(view: View) -> None:
    """Which slice is on view: the sidebar that says so is hidden on a narrow screen."""
    if view.slice:
        holds = in_words(view.cache, view.slice.model, view.slice.where)
        st.caption(f":material/bookmark: Slice **{plain(view.slice.name)}**: {holds}")


def save_slice(view: View, where: Filter, *, key: str, label: str = "Save as slice") -> None:
    """A button that asks for a name and keeps the filter under it; nothing to keep where every face is on view.

    where: as the view's model judges, the chosen slice included.
    """
    if st.session_state.pop(f"{key}-saved now", False):
        st.rerun()  # the whole page, so that the sidebar offers the new slice
    nothing = where == EVERYTHING
    box = st.popover(label, icon=":material/bookmark_add:", type="tertiary", disabled=nothing, key=key)
    if nothing:
        return
    with box.container(width=320):
        st.caption(f"The faces with: {in_words(view.cache, view.model, where)}.")
        with st.form(f"{key}-form", border=False):
            st.text_input("Name of the slice", key=f"{key}-name", max_chars=LONGEST_NAME)
            st.form_submit_button("Save", on_click=_keep, args=(view, where, key))
        text, taken = st.session_state.pop(f"{key}-said", ("", False))
        if text:
            st.caption(text)
        if taken:
            st.button("Replace it", key=f"{key}-replace", on_click=_keep, args=(view, where, key, True))


def judge(view: View, where: Filter) -> str | None:
    """The model that a filter asks about; None where it speaks of the faces alone, and holds for every model."""
    try:
        view.cache.condition(None, where)
    except BadQuery:
        return view.model
    return None


def _keep(view: View, where: Filter, key: str, replace: bool = False) -> None:
    """Save under the name in the form; what comes of it is said below the form."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    wanted = Slice(st.session_state.get(f"{key}-name", ""), judge(view, where), where, query(), now)
    try:
        one = save(view.cache.folder, wanted, replace)
    except CacheError as problem:
        said = f":material/warning: {plain(problem)}", isinstance(problem, SliceExists)
    else:
        st.session_state[f"{key}-name"] = ""
        st.session_state[f"{key}-saved now"] = True
        said = f":material/check: Saved as **{plain(one.name)}**: see Slice in the sidebar of every page.", False
    st.session_state[f"{key}-said"] = said
