"""What is drawn of a map: every face as a point, or, where they are too many, cells that count them. Remembered."""

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cache import maps
from cache.filters import Filter
from cache.maps import MOST_POINTS, Shade, Window
from pages.widgets.caches import View
from pages.widgets.filters import matching_faces
from pages.widgets.layouts import Layout

MARGIN = 0.04  # of the map's sides, kept free around its faces
CELLS = (200, 400)  # on the longer side: fewer for few faces, so that one cell can be seen


@dataclass(frozen=True, eq=False)
class Drawn:
    """Sessions share the tables, which are only read."""

    window: Window
    whole: bool  # no face lies outside the window
    faces: int  # that match and that the window shows
    table: pd.DataFrame  # as `cache.maps.points` or `cells` returns it
    grid: tuple[int, int] | None  # of the cells; None: points


def drawn(view: View, where: Filter, layout: Layout, shade: Shade, window: Window | None) -> Drawn:
    """The points of the window, or its cells."""
    everything = whole_map(view, layout)
    total = matching_faces(view, where)
    if total <= MOST_POINTS:  # the browser cuts the window out of them
        table = _points(view.stamp, view.model, layout.name, where, shade, everything, view)
        return Drawn(window or everything, True, total, table, None)
    shown = window or everything
    inside = total if window is None else _within(view.stamp, view.model, layout.name, where, shown, view)
    if inside <= MOST_POINTS:
        table = _points(view.stamp, view.model, layout.name, where, shade, shown, view)
        return Drawn(shown, False, inside, table, None)
    grid = grid_for(shown, inside, square=layout.info is not None)
    table = _cells(view.stamp, view.model, layout.name, where, shade, shown, grid, view)
    return Drawn(shown, window is None, inside, table, grid)


def whole_map(view: View, layout: Layout) -> Window:
    """Every face of the map and a margin."""
    return _extent(view.stamp, layout.name, view)


def grid_for(window: Window, faces: int, *, square: bool) -> tuple[int, int]:
    """Cells from left to right and from bottom to top."""
    longest = round(min(max(1.2 * math.sqrt(faces), CELLS[0]), CELLS[1]))
    wide, high = window.right - window.left, window.top - window.bottom
    if not square:
        return longest, round(0.55 * longest)  # the shape of the panel on a wide screen
    longer = max(wide, high)
    return max(1, round(longest * wide / longer)), max(1, round(longest * high / longer))


@st.cache_data(max_entries=64, show_spinner=False)
def _extent(stamp: tuple[str, int], layout: str, _view: View) -> Window:
    found = maps.extent(_view.cache, layout) or Window(0, 1, 0, 1)
    across, up = (found.right - found.left) or 1.0, (found.top - found.bottom) or 1.0
    return Window(
        found.left - MARGIN * across, found.right + MARGIN * across, found.bottom - MARGIN * up, found.top + MARGIN * up
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _within(stamp: tuple[str, int], model: str | None, layout: str, where: Filter, window: Window, _view: View) -> int:
    return maps.count_within(_view.cache, model, layout, window, where)


@st.cache_resource(max_entries=16, show_spinner=False)
def _points(
    stamp: tuple[str, int],
    model: str | None,
    layout: str,
    where: Filter,
    shade: Shade,
    window: Window,
    _view: View,
) -> pd.DataFrame:
    return maps.points(_view.cache, model, layout, window, shade, where)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(
    stamp: tuple[str, int],
    model: str | None,
    layout: str,
    where: Filter,
    shade: Shade,
    window: Window,
    grid: tuple[int, int],
    _view: View,
) -> pd.DataFrame:
    return maps.cells(_view.cache, model, layout, window, shade, where, grid=grid)
