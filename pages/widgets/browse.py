"""Every face that the filter lets through, in any order, page by page."""

from functools import partial

import streamlit as st

from cache.filters import Filter, Sort
from cache.ranks import place
from cache.schema import NEEDS_VOTES
from pages.charts.colours import MODEL, TRIPLE
from pages.widgets import drawer
from pages.widgets.address import Changes
from pages.widgets.bound import pagination, select, switch
from pages.widgets.caches import View
from pages.widgets.export import export
from pages.widgets.face_address import MOST_PICKED, open_face, pick_faces, picked_faces
from pages.widgets.face_grid.component import face_grid
from pages.widgets.filters import PAGE, describe, matching_faces, number_range
from pages.widgets.problems import guard
from pages.widgets.slices import save_slice
from pages.widgets.tiles import page_of_tiles
from pages.widgets.wording import count, names

SIZES = ("48", "96", "200", "1000")
ORDERS = {"lowest first": False, "highest first": True}


@st.fragment
def browse(view: View, where: Filter) -> None:
    """A fragment: sorting, paging and opening a face redraw the grid and leave the rest of the page alone."""
    with guard():
        matching = matching_faces(view, where)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            sort = choose_sort(view)
            size = int(select("Faces per page", SIZES, key="size", default=SIZES[0], clears=(PAGE,), width=120))
            st.markdown(f"**{describe(matching, view.cache.manifest.faces)}**", width="content")
        pages = max(1, -(-matching // size))
        if not matching:
            st.info("No face matches the filter. Widen a range, or clear the filters in the sidebar.")
        above = st.container()
        page = pagination(pages, key=PAGE)
        with above:
            tiles = page_of_tiles(view, where, sort, limit=size, offset=(page - 1) * size)
            face_grid(
                tiles,
                key="faces",
                label=f"Faces, page {page} of {pages}",
                colour=TRIPLE.get(sort.column, MODEL),
                on_open=open_face,
                last=drawer.last_shown(),
                picked=(chosen := picked_faces()),
                on_pick=pick_faces,
            )
            drawer.legend("Space or Ctrl-click picks a face, Shift-click a stretch of them, Escape lets all go.")
            if chosen:
                picked(view, chosen)
        drawer.show(
            view, partial(place, view.cache, view.model, where=where, sort=sort), on_close=partial(turn_to, size)
        )


def picked(view: View, chosen: list[int]) -> None:
    """What can be done with faces picked by hand."""
    by_hand = Filter(faces=tuple(chosen))
    with st.container(horizontal=True, vertical_alignment="center", key="picked-faces"):
        most = f", and {MOST_PICKED} are the most" if len(chosen) == MOST_PICKED else ""
        st.markdown(f"**{count(view.cache.count(None, by_hand), 'face')} picked**{most}", width="content")
        st.button("Let go", on_click=pick_faces, args=[[]], type="tertiary", icon=":material/close:")
        save_slice(view, by_hand, key="save-picked")
        export(view, by_hand, name="picked", key="export-picked")


def choose_sort(view: View) -> Sort:
    """Column and direction; a score that is the same for every face is not offered."""
    columns = view.cache.columns(view.model)
    called = names(columns)
    has_votes = number_range(view, "n_votes")[1] > 0
    voted = {*NEEDS_VOTES, "disagreement", "majority"}
    offered = {called[n]: n for n in columns if has_votes or n not in voted}
    if view.samples == 1:
        offered.pop("U_e", None)
    options = ["U_a", "U_e", "U_t"] if view.model else []
    options = [o for o in options if o in offered] + [o for o in offered if o not in options]
    name = select("Sort by", options, key="sort", default=options[0], clears=(PAGE,), width=220)
    order = switch("Order", ORDERS, key="order", default="highest first", clears=(PAGE,), label_visibility="collapsed")
    return Sort(offered[name], descending=ORDERS[order])


def turn_to(size: int, position: int) -> Changes:
    """After the drawer has wandered off the page, show the page of the face that it ended on."""
    return {PAGE: str(position // size + 1) if position >= size else None}
