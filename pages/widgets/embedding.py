"""The map of the faces, the lasso that selects some of them, and what is known of those: the Embedding page."""

from dataclasses import replace

import streamlit as st

from cache.filters import Filter, Region
from cache.maps import MOST_SCALED
from pages.charts.map import Frame, describe_map, map_of_cells, map_of_points
from pages.charts.map_shading import Shading
from pages.charts.map_table import table
from pages.widgets import map_address
from pages.widgets.browse import browse
from pages.widgets.caches import View
from pages.widgets.contrast import Group, contrast
from pages.widgets.export import export
from pages.widgets.figure import figure, theme
from pages.widgets.filters import matching_faces
from pages.widgets.hover import hover
from pages.widgets.layouts import Layout, about, choose_layout, embed_command
from pages.widgets.map_colours import choose_colour
from pages.widgets.map_controls import controls
from pages.widgets.map_data import Drawn, drawn
from pages.widgets.problems import guard
from pages.widgets.slices import save_slice
from pages.widgets.wording import count

KEY = "map"
TOOL = "map tool"  # in session state: what the last selection was drawn with
HINT = (
    "Drag a lasso or a box around faces to see them here, and how they differ from all others. On a touch screen, tap "
    "the lasso or the box above the map first."
)


@st.fragment
def embedding(view: View, where: Filter) -> None:
    """A fragment: a lasso redraws the map, the statistics and the gallery, and leaves the sidebar alone."""
    with guard():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            layout = choose_layout(view)
            shade, shading = choose_colour(view)
        polygon = map_address.lasso()
        region = None if polygon is None else Region(layout.name, polygon)
        found = drawn(view, where, layout, shade, map_address.window())
        chosen = None if region is None else matching_faces(view, within(where, region))
        draw(layout, found, shading, region, chosen)
        hover(view, where, layout, figure_key=KEY)
        notes(view, layout, found, shading)
        controls(view, layout, found, polygon)
        if region is None or chosen is None:
            st.markdown(HINT)
            browse(view, where)
        else:
            selection(view, where, region, chosen)


def within(where: Filter, region: Region) -> Filter:
    return replace(where, regions=(*where.regions, region))


def draw(layout: Layout, found: Drawn, shading: Shading, region: Region | None, chosen: int | None) -> None:
    """The figure; a lasso or a box drawn on it goes into the URL, and comes back from there."""
    across, up = layout.axes
    frame = Frame(found.window, across, up, equal=layout.info is not None, whole=found.whole)
    polygon = region.polygon if region else None
    if found.grid is None:
        fig = map_of_points(found.table, shading, frame, polygon, theme=theme())
    else:
        fig = map_of_cells(found.table, found.grid, shading, frame, polygon, theme=theme())

    def drew() -> None:
        shapes = st.session_state[KEY].selection
        for box in shapes.get("box", []):
            (left, right), (bottom, top) = box["x"], box["y"]
            corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
            map_address.select(corners, layout.title, found.window)
            st.session_state[TOOL] = "select"
        for path in shapes.get("lasso", []):
            map_address.select(list(zip(path["x"], path["y"], strict=True)), layout.title, found.window)
            st.session_state[TOOL] = "lasso"

    fig.update_layout(dragmode=st.session_state.get(TOOL, "lasso"))
    figure(
        fig,
        lambda: table(found.table, found.grid, found.window, shading),
        key=KEY,
        name=f"map-{layout.title}-{shading.title}",
        alt=describe_map(found.faces, layout.title, shading, chosen),
        on_select=drew,
        selection_mode=("lasso", "box"),
    )


def notes(view: View, layout: Layout, found: Drawn, shading: Shading) -> None:
    """What is drawn, and how it may be read."""
    faces = count(found.faces, "face") + ("" if found.whole else " in this stretch of the map")
    drawn = f"{faces}, a point each."
    if found.grid is not None:
        drawn = (
            f"{faces}, too many for a point each: every pixel mixes the colours of the faces that fall on it, and is "
            "the fainter the fewer they are. A lasso selects among all of them."
        )
    fitted = "all faces" if view.cache.count(view.model) <= MOST_SCALED else f"{MOST_SCALED:,} random faces"
    ends = f"Colours from the 1st to the 99th percentile of {fitted}; beyond, that of the nearer end."
    st.caption(" ".join(filter(None, (drawn, about(view, layout), ends * shading.is_scale))))
    if not view.cache.layouts:
        st.caption("This cache holds no map of its faces yet. To make one:")
        st.code(embed_command(view), language="bash")


def selection(view: View, where: Filter, region: Region, chosen: int) -> None:
    """The selected faces against all others that the filter lets through, and the faces themselves."""
    if chosen == 0:
        st.info("No face lies in there. Draw around some of the faces, or clear the selection above.")
        return
    selected = within(where, region)
    rest = where.within(view.model, Filter(regions=(region,)), inside=False)
    contrast(view, Group("the selection", selected), Group("the rest", rest), key="selection", everyone=where)
    with st.container(horizontal=True, vertical_alignment="center"):
        save_slice(view, selected, key="save-selection")
        export(view, selected, name="selection", key="export-selection")
    browse(view, selected)
