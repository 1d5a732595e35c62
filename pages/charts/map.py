"""The faces on a map: a point each, or where they are too many an image of them, and the lasso around some."""

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cache.maps import Window
from cache.regions import Polygon, inside
from pages.charts.colours import ANNOTATORS, CLEAR, faint
from pages.charts.map_raster import raster
from pages.charts.map_shading import Shading

HEIGHT = 560
CIRCLE, CROSS = 0, 4  # Plotly's numbers of its symbols
OPACITY = {"in": 0.85, "out": 0.12}


@dataclass(frozen=True)
class Frame:
    """The axes."""

    window: Window  # what is shown
    across: str  # titles, with units
    up: str
    equal: bool  # both axes have one scale, whose numbers mean nothing
    whole: bool  # no face lies outside the window


def map_of_points(
    points: pd.DataFrame, shading: Shading, frame: Frame, polygon: Polygon | None = None, *, theme: str = "light"
) -> go.Figure:
    """points: columns x, y, value, in the order to draw them: one that means nothing, for later ones cover earlier."""
    colours = shading.indices(points["value"].to_numpy())
    crossed = "wrong" in shading.names
    faces = {
        "type": "scattergl",
        "x": points["x"].to_numpy(np.float32),
        "y": points["y"].to_numpy(np.float32),
        "mode": "markers",
        "marker": {
            "color": colours,
            "colorscale": stepped(shading),
            "cmin": -0.5,
            "cmax": len(shading.palette) - 0.5,
            "showscale": False,
            "size": point_size(len(points)),
            "opacity": opacities(points, polygon),
            "symbol": np.where(colours == shading.names.index("wrong"), CROSS, CIRCLE) if crossed else CIRCLE,
            "line": {"width": 0},
        },
        "hoverinfo": "skip",  # the face itself is shown instead
        "showlegend": False,
    }
    return go.Figure([*_legend(shading, colours, crossed), faces], _layout(shading, frame, polygon, theme))


def map_of_cells(
    cells: pd.DataFrame,
    grid: tuple[int, int],
    shading: Shading,
    frame: Frame,
    polygon: Polygon | None = None,
    *,
    theme: str = "light",
) -> go.Figure:
    """cells, grid: as in `cache.maps.cells`."""
    window = frame.window
    corners = {  # without a point on the axes there is nothing that a lasso could select
        "type": "scatter",
        "x": [window.left, window.right],
        "y": [window.bottom, window.top],
        "mode": "markers",
        "marker": {"opacity": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    image = {
        "source": raster(cells, grid, shading, window, polygon),
        "xref": "x",
        "yref": "y",
        "x": window.left,
        "y": window.top,
        "sizex": window.right - window.left,
        "sizey": window.top - window.bottom,
        "sizing": "stretch",
        "layer": "below",
    }
    traces = [*_legend(shading, shading.indices(cells["value"].to_numpy())), corners]
    return go.Figure(traces, {**_layout(shading, frame, polygon, theme), "images": [image]})


def point_size(points: int) -> float:
    """In px: large enough to see a lone one, small enough to tell thousands apart."""
    return float(np.clip(14 - 2.5 * np.log10(max(1, points)), 3, 9))


def opacities(points: pd.DataFrame, polygon: Polygon | None) -> np.ndarray | float:
    if polygon is None:
        return OPACITY["in"]
    chosen = inside(points["x"].to_numpy(), points["y"].to_numpy(), polygon)
    return np.where(chosen, OPACITY["in"], OPACITY["out"]).astype(np.float32)


def stepped(shading: Shading) -> list[tuple[float, str]]:
    """A scale of colours that has only those of the palette."""
    edges = np.arange(len(shading.palette) + 1) / len(shading.palette)
    return [(float(edges[i + side]), colour) for i, colour in enumerate(shading.palette) for side in (0, 1)]


def _layout(shading: Shading, frame: Frame, polygon: Polygon | None, theme: str) -> dict[str, Any]:
    window, ink = frame.window, ANNOTATORS[theme]
    axes = {"showgrid": False, "zeroline": False, "showticklabels": not frame.equal, "ticks": ""}
    # Where faces lie outside the window, the panel takes its shape, so as to show no empty place that is not empty.
    constrain = {"constrain": "range" if frame.whole else "domain"} if frame.equal else {}
    scale = {"scaleanchor": "x", **constrain} if frame.equal else {}
    still = {} if shading.is_scale else {"itemclick": False, "itemdoubleclick": False}
    return {
        "xaxis": {"title": {"text": frame.across}, "range": [window.left, window.right], **axes, **constrain},
        "yaxis": {"title": {"text": frame.up}, "range": [window.bottom, window.top], **axes, **scale},
        "shapes": [] if polygon is None else [_outline(polygon, ink)],
        "height": HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 32, "b": 0},
        "dragmode": "lasso",
        "newselection": {"line": {"color": ink, "width": 1.5, "dash": "solid"}},
        "legend": {
            "orientation": "h",
            "y": -0.08,
            "yanchor": "top",
            "x": 0,
            "itemsizing": "constant",
            "title": {"text": ""},
            **still,
        },
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }


def _outline(polygon: Polygon, ink: str) -> dict[str, Any]:
    path = "M" + "L".join(f"{x},{y}" for x, y in polygon) + "Z"
    return {"type": "path", "path": path, "line": {"color": ink, "width": 1.5}, "fillcolor": faint(ink[:7], 0.04)}


def _legend(shading: Shading, colours: np.ndarray, crossed: bool = False) -> list[dict[str, Any]]:
    """Traces that draw nothing but the legend, or the bar of the scale. colours: (N,), which of them are there."""
    nothing = {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "hoverinfo": "skip"}
    if shading.is_scale:
        scale = {
            "color": [shading.low],
            "cmin": shading.low,
            "cmax": shading.high,
            "colorscale": list(shading.palette[:-1]),
            "showscale": True,
            "colorbar": _bar(shading.title),
        }
        return [{**nothing, "showlegend": False, "marker": scale}]
    unknown, traces = len(shading.names) - 1, []
    for i, (name, colour) in enumerate(zip(shading.names, shading.palette, strict=True)):
        if i == unknown and not (colours == unknown).any():
            continue
        symbol = CROSS if crossed and name == "wrong" else CIRCLE
        traces.append({**nothing, "name": html.escape(name), "marker": {"color": colour, "size": 9, "symbol": symbol}})
    return traces


def _bar(title: str) -> dict[str, Any]:
    """Below the panel, which a narrow screen leaves no room beside."""
    return {
        "title": {"text": html.escape(title), "side": "top"},
        "orientation": "h",
        "thickness": 10,
        "outlinewidth": 0,
        "len": 0.5,
        "x": 0,
        "xanchor": "left",
        "y": -0.08,
        "yanchor": "top",
        "tickangle": 0,
        "nticks": 5,
    }


def describe_map(faces: int, title: str, shading: Shading, chosen: int | None) -> str:
    """The map in words: what it is of, what its colours mean, and how many faces are selected."""
    colour = (
        f"{shading.title} from {shading.low:.3g} to {shading.high:.3g}"
        if shading.is_scale
        else f"{shading.title}: {', '.join(shading.names)}"
    )
    selection = "" if chosen is None else f" The selection holds {chosen:,} of them."
    return f"Map of {faces:,} faces, {title}, coloured by {colour}.{selection}"
