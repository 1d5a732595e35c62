"""What else can be done with a map: clear the selection, zoom, and select a box without a mouse."""

import streamlit as st

from cache.maps import Window
from cache.regions import Polygon
from pages.widgets.caches import View
from pages.widgets.layouts import Layout
from pages.widgets.map_address import LASSO, WINDOW, clear, decimals, select, zoom
from pages.widgets.map_data import Drawn, whole_map

REFUSED = "box refused"  # in session state
AROUND = 0.15  # of the selection's sides, kept free around it after 'Zoom to selection'


def controls(view: View, layout: Layout, found: Drawn, polygon: Polygon | None) -> None:
    """Buttons, each where it does something, and the box by its edges."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if polygon is not None:
            st.button("Clear selection", on_click=clear, args=[LASSO], icon=":material/close:")
            to = around(polygon)
            st.button("Zoom to selection", on_click=zoom, args=[to, layout.title], icon=":material/zoom_in:")
        if WINDOW in st.query_params:
            st.button("Whole map", on_click=clear, args=[WINDOW], icon=":material/zoom_out_map:")
    box_by_edges(layout, whole_map(view, layout), found.window, polygon)


def around(polygon: Polygon) -> Window:
    """The stretch of the map that holds the polygon and a margin."""
    edges = bounds(polygon)
    across, up = AROUND * (edges.right - edges.left), AROUND * (edges.top - edges.bottom)
    return Window(edges.left - across, edges.right + across, edges.bottom - up, edges.top + up)


def bounds(polygon: Polygon) -> Window:
    x, y = zip(*polygon, strict=True)
    return Window(min(x), max(x), min(y), max(y))


def box_by_edges(layout: Layout, everything: Window, shown: Window, polygon: Polygon | None) -> None:
    """A box by the numbers of its edges, for those who cannot or would not drag."""
    digits = decimals(everything)
    now = bounds(polygon) if polygon else everything
    edges = {name: round(getattr(now, name), digits) for name in ("left", "right", "bottom", "top")}
    keys = {name: f"box {name} {edge}" for name, edge in edges.items()}  # another selection fills the fields anew

    def chosen() -> None:
        box = Window(**{name: st.session_state[key] for name, key in keys.items()})
        if not box.left < box.right or not box.bottom < box.top:
            st.session_state[REFUSED] = True
            return
        corners = [(box.left, box.bottom), (box.right, box.bottom), (box.right, box.top), (box.left, box.top)]
        select(corners, layout.title, shown)

    with st.expander("Select a box by its edges"), st.form("box", border=False):
        st.caption(
            f"The map goes from {everything.left:.{digits}f} to {everything.right:.{digits}f} from left to right, and "
            f"from {everything.bottom:.{digits}f} to {everything.top:.{digits}f} from bottom to top."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name, edge in edges.items():
                st.number_input(
                    name.capitalize(), value=edge, step=10.0**-digits, format=f"%.{digits}f", width=140, key=keys[name]
                )
            st.form_submit_button("Select", on_click=chosen)
        if st.session_state.pop(REFUSED, False):
            st.warning("A box has its left edge left of the right one, and its bottom edge below the top one.")
