"""What the Overview says of a slice: how the model does on it, against the faces outside."""

import streamlit as st

from cache.filters import Filter
from pages.widgets.caches import View
from pages.widgets.contrast import Group, contrast, measured
from pages.widgets.filters import matching_faces
from pages.widgets.headline import choose_split
from pages.widgets.spectrum import triple
from pages.widgets.wording import SYMBOLS, plain


def slice_overview(view: View) -> None:
    """Instead of the headline table, whose statistics are of whole splits: the slice against the rest of a split."""
    one = view.slice
    start = "test" if all(matching_faces(view, side) for side in both_sides(view, "test")) else "all"
    split = choose_split(view, f"How does '{plain(one.name)}' differ from the rest?", start)
    inside, outside = both_sides(view, split)
    contrast(view, Group(one.name, inside), Group("the rest", outside), key="slice-contrast")
    st.caption(
        f"Of {plain(view.model)}. The table of every model is one of whole splits: choose 'every face' under Slice in "
        "the sidebar to see it."
    )
    if matching_faces(view, inside):
        found = measured(view, inside, outside)
        triple(view, inside, {part: found[part].first.value for part in SYMBOLS if part in found}, name=one.name)


def both_sides(view: View, split: str) -> tuple[Filter, Filter]:
    """The faces of a split, or of 'all', that are in the slice, and those that are not."""
    here = Filter(splits=() if split == "all" else (split,))
    return view.within(here), here.within(view.slice.model, view.slice.where, inside=False)
