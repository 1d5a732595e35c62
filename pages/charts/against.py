"""The annotators' disagreement d against each part of the triple: points for few faces, a density for many."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.colours import ANNOTATORS, CLEAR, part_colour
from pages.charts.histograms import TITLES

LEAST_TOP = 0.01  # nats; an axis of rounding errors would look like a finding
SIDEWAYS = 0.012  # points are moved by up to that, or all faces of one d would stand on one line
LEVEL = 0.05  # width of a level of d; the lowest holds the faces on which all agree, since ten votes begin at .18
CELLS = 24  # of the uncertainty, from 0 to its highest value


def levels(d: np.ndarray) -> np.ndarray:
    """Which level of d each face is in, (N,) whole numbers from 0; d is float32 in the cache, hence the tolerance.

    >>> levels(np.array([0.0, 0.18, 0.35, np.float32(0.35)])).tolist()
    [0, 3, 7, 7]
    """
    return np.floor(d / LEVEL + 1e-4).astype(int)


def density_cells(d: np.ndarray, parts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Faces per cell of d and uncertainty; empty cells are left out.

    d: (N,), from 0 to 1, no NaN. parts: part -> (N,) nats, no NaN.
    Returns columns part, d_low, d_high, u_low, u_high, faces.
    """
    level, tables = levels(d), []
    for part, u in parts.items():
        step = (float(u.max()) if len(u) else 0.0) / CELLS or 1.0
        cell = np.minimum((u / step).astype(int), CELLS - 1)
        found, faces = np.unique(level * CELLS + cell, return_counts=True)
        across, up = np.divmod(found, CELLS)
        edges = {"d_low": across, "d_high": across + 1, "u_low": up, "u_high": up + 1}
        scaled = {name: edge * (LEVEL if name[0] == "d" else step) for name, edge in edges.items()}
        tables.append(pd.DataFrame({"part": part, **scaled, "faces": faces}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["part", "faces"])


def points_against(faces: pd.DataFrame, part: str, means: pd.DataFrame, *, theme: str = "light") -> go.Figure:
    """A point per face, for selections small enough to tell points apart.

    The points come first, in the order of `faces`, so that a click on one of them names a face.
    faces: columns face_id, disagreement and `part`. means: see mean_line. theme: for the ink of the line and the grey.
    """
    moved = np.random.default_rng(0).uniform(-SIDEWAYS, SIDEWAYS, len(faces))
    points = {
        "type": "scatter",
        "x": faces.disagreement + moved,
        "y": faces[part],
        "customdata": faces[["face_id", "disagreement"]].to_numpy(),
        "hovertemplate": "face %{customdata[0]:.0f}: d %{customdata[1]:.2f}, %{y:.3f} nats<extra></extra>",
        "mode": "markers",
        "marker": {"color": part_colour(part, theme), "size": 6, "opacity": 0.4},
        "unselected": {"marker": {"opacity": 0.4}},
        "selected": {"marker": {"opacity": 1, "size": 10}},
    }
    highest, top = (faces[name].max() if len(faces) else math.nan for name in ("disagreement", part))
    return _figure([points, mean_line(means[means.part == part], theme)], part, top, highest)


def density_against(cells: pd.DataFrame, part: str, means: pd.DataFrame, *, theme: str = "light") -> go.Figure:
    """The number of faces per cell as the strength of the part's colour, on a log scale that the bar below reads.

    cells: as density_cells returns them, those of the other parts included: one scale for all.
    """
    found = cells[cells.part == part]
    if not len(found):
        return _figure([], part, math.nan, math.nan)
    colour, top = part_colour(part, theme), max(1.0, math.log10(cells.faces.max()))
    x, y, faces = _grid(found)
    density = {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": np.log10(faces, where=faces > 0, out=np.full(faces.shape, np.nan)),
        "customdata": faces,
        "xgap": 1,
        "hovertemplate": "d near %{x:.2f}, %{y:.3f} nats: %{customdata:,.0f} faces<extra></extra>",
        "hoverongaps": False,
        "zmin": -0.3,  # a single face still shows
        "zmax": top,
        "colorscale": [[0, faded(colour, 0.2)], [1, colour]],
        "colorbar": _scale(top),
    }
    line = mean_line(means[means.part == part], theme)
    return _figure([density, line], part, found.u_high.max(), found.d_high.max() - LEVEL, height=390)


def faded(colour: str, opacity: float) -> str:
    """
    >>> faded("#D55E00", 0.2)
    'rgba(213, 94, 0, 0.2)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def mean_line(means: pd.DataFrame, theme: str) -> dict[str, Any]:
    """The mean uncertainty per level of d, with whiskers; the line that a model which follows d sends upwards.

    means: columns d (mean of the level), mean, low, high (nats), faces.
    """
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": means.high - means["mean"],
        "arrayminus": means["mean"] - means.low,
        "color": ANNOTATORS[theme],
        "thickness": 1.2,
        "width": 3,
    }
    return {
        "type": "scatter",
        "x": means.d,
        "y": means["mean"],
        "error_y": whiskers,
        "customdata": means[["faces"]].to_numpy(),
        "hovertemplate": "mean of %{customdata[0]:,} faces with d near %{x:.2f}: %{y:.3f} nats<extra></extra>",
        "mode": "lines+markers",
        "line": {"color": ANNOTATORS[theme], "width": 1.5},
        "marker": {"size": 5},
    }


def describe_against(means: pd.DataFrame, part: str) -> str:
    """The panel in words: where its mean line begins and ends."""
    rows = means[means.part == part]
    if not len(rows):
        return "No faces to draw."
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Disagreement d against {TITLES[part]}: its mean goes from {first['mean']:.3f} nats at d {first.d:.2f} "
        f"to {last['mean']:.3f} at d {last.d:.2f}."
    )


def _grid(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles of d (X,) and of the uncertainty (CELLS,), and faces (CELLS, X) with 0 for the cells left out."""
    step = float(cells.u_high.iloc[0] - cells.u_low.iloc[0])
    across, up = (cells.d_low / LEVEL).round().astype(int), (cells.u_low / step).round().astype(int)
    faces = np.zeros((CELLS, across.max() + 1))
    faces[up, across] = cells.faces
    return (np.arange(faces.shape[1]) + 0.5) * LEVEL, (np.arange(CELLS) + 0.5) * step, faces


def _figure(traces: list[dict[str, Any]], part: str, top: float, highest: float, height: int = 330) -> go.Figure:
    """top: highest uncertainty in nats. highest: highest d. NaN: none."""
    end = (math.floor(highest / LEVEL + 1e-4) + 1) * LEVEL if math.isfinite(highest) else 1.0
    top = max(LEAST_TOP, top) if math.isfinite(top) else LEAST_TOP
    across = {"title": {"text": "disagreement d"}, "range": [-0.02, end + 0.01], "dtick": 0.2, "tickangle": 0}
    up = {"title": {"text": f"{TITLES[part]} (nats)"}, "range": [-0.02 * top, 1.03 * top], "nticks": 6}
    layout = {
        "xaxis": {**across, "showgrid": False},
        "yaxis": {**up, "showgrid": False, "zeroline": False},
        "showlegend": False,
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 32, "b": 0},  # the button for a PNG has its place above the panel
        "dragmode": False,
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }
    return go.Figure(traces, layout)


def _scale(top: float) -> dict:
    """Below the panel, which a narrow screen leaves no room beside."""
    ticks = [10**power for power in range(math.floor(top) + 1)]
    return {
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [f"{tick:,}" for tick in ticks],
        "orientation": "h",
        "thickness": 8,
        "outlinewidth": 0,
        "tickangle": 0,
        "len": 0.6,
        "x": 1,
        "xanchor": "right",
        "y": -0.24,
        "yanchor": "top",
    }
