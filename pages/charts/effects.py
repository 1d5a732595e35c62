"""What one factor does to a quantity: its mean at each level, and how far each level is from the reference."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.metrics.effects import Clustered
from pages.charts.audit_quantities import Quantity
from pages.charts.bands import band, frame
from pages.charts.colours import OUTLINE, faint

DASHES = (("solid", "circle", 8), ("dash", "circle-open", 9))  # the first model, and one beside it


@dataclass(frozen=True, eq=False)
class Axis:
    """The levels of one factor, equally spaced. joined: whether a line between them means something."""

    title: str
    levels: tuple[str, ...]
    joined: bool


@dataclass(frozen=True, eq=False)
class Line:
    """One model, or one part of the triple, along the axis: (L,) estimates."""

    name: str
    estimates: Sequence[Clustered]
    colour: str
    second: bool = False  # dashed and hollow


def curve(lines: Sequence[Line], axis: Axis, shown: Quantity, own: np.ndarray | None = None) -> go.Figure:
    """Mean of each level with its 95 % band. own: (L,) values of the scene below, in natural units; NaN where none."""
    traces = [
        trace for index, line in enumerate(lines) for trace in along(line, axis, shown, _shift(index, lines, axis))
    ]
    if own is not None and not np.isnan(own).all():
        traces.append(
            {
                "type": "scatter",
                "x": np.arange(len(own)),
                "y": shown.scale * own,
                "mode": "lines+markers" if axis.joined else "markers",
                "name": "the scene below",
                "line": {"color": OUTLINE, "width": 1.2, "dash": "dot"},
                "marker": {"symbol": "x-thin-open", "size": 7, "color": OUTLINE},
                "hovertemplate": f"%{{y:.{shown.decimals}f}}",
            }
        )
    return go.Figure(traces, {"xaxis": ticks(axis), "yaxis": {"title": {"text": shown.labelled}}, **frame(height=380)})


def differences(lines: Sequence[Line], axis: Axis, shown: Quantity, reference: int) -> go.Figure:
    """Mean difference to the reference level of the same scene, with its 95 % interval; the reference itself is 0."""
    traces: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        x = np.arange(len(line.estimates)) + 0.18 * (index - (len(lines) - 1) / 2)
        value, low, high = ends(line.estimates, shown.scale)
        _, symbol, size = DASHES[line.second]
        others = np.arange(len(x)) != reference
        error = {
            "type": "data",
            "symmetric": False,
            "array": (high - value)[others],
            "arrayminus": (value - low)[others],
        }
        traces.append(
            {
                "type": "scatter",
                "x": x[others],
                "y": value[others],
                "mode": "markers",
                "name": html.escape(line.name),
                "marker": {"symbol": symbol, "size": size, "color": line.colour},
                "error_y": {**error, "color": line.colour, "thickness": 1.6, "width": 4},
                "customdata": np.column_stack([low, high, [e.n for e in line.estimates]])[others],
                "hovertemplate": hover(shown.decimals, "+"),
            }
        )
    at = {"x": reference, "y": 0, "text": "reference", "showarrow": False, "yshift": 10, "font": {"size": 11}}
    layout = {
        "xaxis": ticks(axis),
        "yaxis": {"title": {"text": f"difference{f' ({shown.gap_unit})' if shown.gap_unit else ''}"}},
        "shapes": [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": 0,
                "y1": 0,
                "line": {"color": OUTLINE, "width": 1},
            }
        ],
        "annotations": [at],
        "showlegend": len(lines) > 1,
    }
    return go.Figure(traces, {**layout, **frame(height=380)})


def lacking_curve(lines: Sequence[Line], axis: Axis, shown: Quantity, removed: np.ndarray) -> go.Figure:
    """Means of the skewed and the balanced model; the levels that the skewed one never saw, (L,) bool, are shaded."""
    figure = curve(lines, axis, shown)
    runs = np.split(np.arange(len(removed)), np.flatnonzero(np.diff(removed)) + 1)
    for run in (run for run in runs if len(run) and removed[run[0]]):
        box = {"type": "rect", "yref": "paper", "x0": run[0] - 0.5, "x1": run[-1] + 0.5, "y0": 0, "y1": 1}
        figure.add_shape(box | {"fillcolor": faint(OUTLINE, 0.16), "line": {"width": 0}, "layer": "below"})
        text = "removed from training" if len(run) > 2 else "removed"
        place = {"x": float(run.mean()), "xref": "x", "y": 0, "yref": "paper", "yanchor": "bottom"}
        figure.add_annotation(text=text, showarrow=False, font={"size": 11}, **place)
    return figure


def along(line: Line, axis: Axis, shown: Quantity, shift: float = 0.0) -> list[dict[str, Any]]:
    """Band and line where levels are in order; else points with bars."""
    value, low, high = ends(line.estimates, shown.scale)
    x = np.arange(len(value)) + shift
    dash, symbol, size = DASHES[line.second]
    bars = {"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "color": line.colour}
    trace = {
        "type": "scatter",
        "x": x,
        "y": value,
        "mode": "lines+markers" if axis.joined else "markers",
        "name": html.escape(line.name),
        "line": {"color": line.colour, "width": 2, "dash": dash},
        "marker": {"symbol": symbol, "size": size, "color": line.colour},
        "customdata": np.column_stack([low, high, [e.n for e in line.estimates]]),
        "hovertemplate": hover(shown.decimals),
    }
    if axis.joined:
        return [*band(x, low, high, line.colour, 0.08 if line.second else 0.15), trace]
    return [{**trace, "error_y": {**bars, "thickness": 1.6, "width": 4}}]


def ends(estimates: Sequence[Clustered], scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(L,) values, lows and highs."""
    value, low, high = (scale * np.array([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
    return value, low, high


def hover(decimals: int, sign: str = "") -> str:
    number = f"{sign}.{decimals}f"
    return f"%{{y:{number}}} [%{{customdata[0]:{number}}}, %{{customdata[1]:{number}}}], n = %{{customdata[2]}} scenes"


def ticks(axis: Axis) -> dict[str, Any]:
    names = list(map(html.escape, axis.levels))
    places = {"tickvals": list(range(len(names))), "ticktext": names, "range": [-0.5, len(names) - 0.5]}
    return {"title": {"text": html.escape(axis.title)}, "zeroline": False, **places}


def _shift(index: int, lines: Sequence[Line], axis: Axis) -> float:
    """Points with bars stand beside each other; lines may cross."""
    return 0.0 if axis.joined else 0.18 * (index - (len(lines) - 1) / 2)


def describe_curve(lines: Sequence[Line], axis: Axis, shown: Quantity) -> str:
    """The figure in words: of each line its first and last level, and its highest."""
    said = []
    for line in lines:
        value = ends(line.estimates, shown.scale)[0]
        if np.isnan(value).all():
            continue
        top, end = int(np.nanargmax(value)), len(value) - 1
        said.append(
            f"{line.name}: {value[0]:.{shown.decimals}f} at {axis.levels[0]}, {value[end]:.{shown.decimals}f} at "
            f"{axis.levels[end]}, highest {value[top]:.{shown.decimals}f} at {axis.levels[top]}"
        )
    return f"Mean {shown.labelled} along {axis.title}. {'. '.join(said)}." if said else "No face to draw."


def describe_differences(lines: Sequence[Line], axis: Axis, shown: Quantity, reference: int) -> str:
    """The figure in words: of each line the level that is farthest from the reference."""
    said = []
    for line in lines:
        value, low, high = ends(line.estimates, shown.scale)
        if np.isnan(value).all():
            continue
        at = int(np.nanargmax(np.abs(value)))
        d = shown.decimals
        said.append(f"{line.name}: most at {axis.levels[at]}, {value[at]:+.{d}f} [{low[at]:+.{d}f}, {high[at]:+.{d}f}]")
    unit = f" in {shown.gap_unit}" if shown.gap_unit else ""
    head = f"Mean difference of {shown.title}{unit} to {axis.levels[reference]} in the same scene along {axis.title}."
    return f"{head} {'. '.join(said)}." if said else "No face to draw."
