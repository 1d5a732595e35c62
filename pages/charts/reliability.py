"""Reliability diagrams: how often a model is right where it is how sure, and how many faces that is."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.bands import band
from pages.charts.colours import CLEAR, MODELS, OUTLINE, faint

FEW = 5  # faces of a bin whose share right is a matter of luck
DIAGONAL = {
    "type": "scatter",
    "x": [0, 1],
    "y": [0, 1],
    "mode": "lines",
    "line": {"width": 1, "dash": "dot", "color": OUTLINE},
    "hoverinfo": "skip",
    "showlegend": False,
}


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of the diagram."""

    model: str
    name: str  # of the model, or of a rescaled version of it
    bins: Mapping[str, np.ndarray]  # as engine.metrics.calibration.reliability returns it
    temperature: float | None = None  # None: as the model was built


def reliability_diagram(
    curves: Sequence[Curve], *, sure: str = "confidence", right: str = "share of votes"
) -> go.Figure:
    """Share right against confidence with its 95 % band, above the faces per bin. On the diagonal: as right as sure.

    Curves of one model share a colour and a symbol; a rescaled one is dashed and hollow. sure, right: what the axes
    show. A bin without faces has no point, one with fewer than five a small one beside the line and no band.
    """
    traces: list[dict[str, Any]] = [DIAGONAL]
    order = list(dict.fromkeys(curve.model for curve in curves))
    for curve in curves:
        colour, symbol = MODELS[order.index(curve.model) % len(MODELS)]
        traces += _line(curve, colour, symbol, f"{html.escape(sure)} %{{x:.3f}}, {html.escape(right)} %{{y:.3f}}")
    shares = {"range": [-0.01, 1.01], "dtick": 0.2, "tickformat": ".1f"}
    axes = {
        "xaxis": {**shares, "anchor": "y", "matches": "x2", "showticklabels": False},
        "xaxis2": {**shares, "anchor": "y2", "title": {"text": html.escape(sure)}},
        "yaxis": {**shares, "range": [-0.02, 1.02], "domain": [0.232, 1.0], "title": {"text": html.escape(right)}},
        "yaxis2": {"domain": [0.0, 0.192], "title": {"text": "faces"}, "rangemode": "tozero", "nticks": 3},
    }
    return go.Figure(traces, {**axes, **frame(height=520, legend=len(curves) > 1)})


def _line(curve: Curve, colour: str, symbol: str, hover: str) -> list[dict[str, Any]]:
    """Band, line and the points of few faces above; the counts below."""
    traces: list[dict[str, Any]] = []
    scaled = curve.temperature is not None
    for several in (True, False):  # the accident of a few faces must not bend the line
        faces = curve.bins["faces"]
        shown = faces >= FEW if several else (faces > 0) & (faces < FEW)
        bins = {name: column[shown] for name, column in curve.bins.items()}
        if several:
            traces += band(bins["confidence"], bins["acc_low"], bins["acc_high"], colour)
        traces.append(
            {
                "type": "scatter",
                "x": bins["confidence"],
                "y": bins["accuracy"],
                "mode": "lines+markers" if several else "markers",
                "name": html.escape(curve.name),
                "line": {"color": colour, "width": 2, "dash": "dash" if scaled else "solid"},
                "marker": {
                    "symbol": f"{symbol}-open" if scaled else symbol,
                    "size": 8 if several else 5,
                    "opacity": 1 if several else 0.6,
                    "color": colour,
                },
                "showlegend": several,
                "customdata": hovered(bins),
                "hovertemplate": f"{hover}%{{customdata[0]}}<br>"
                "%{customdata[1]:,} faces from %{customdata[2]:.3f} to %{customdata[3]:.3f}",
            }
        )
    return [*traces, counts(curve.bins, colour, dashed=scaled)]


def confidence_histogram(low: np.ndarray, high: np.ndarray, faces: np.ndarray) -> go.Figure:
    """What is left of the diagram without annotators: how many faces the model is how sure of. All (B,)."""
    figure = go.Figure()
    figure.add_bar(
        x=(low + high) / 2,
        y=faces,
        width=high - low,
        customdata=np.column_stack([low, high]),
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} faces<extra></extra>",
        marker={"color": MODELS[0][0], "line": {"width": 0}},
    )
    figure.update_layout(
        xaxis={"title": {"text": "confidence"}, "range": [-0.01, 1.01], "dtick": 0.2, "tickformat": ".1f"},
        yaxis={"title": {"text": "faces"}, "rangemode": "tozero"},
        **frame(height=260, legend=False),
    )
    return figure


def describe_reliability(curves: Sequence[Curve]) -> str:
    """The diagram in words: of each curve, the bin with most faces and the widest gap."""
    said = []
    for curve in curves:
        bins, faces = curve.bins, curve.bins["faces"]
        if not faces.any():
            continue
        most = int(faces.argmax())
        gap = np.where(faces >= FEW, bins["accuracy"] - bins["confidence"], 0.0)
        worst = int(np.abs(gap).argmax())
        said.append(
            f"{curve.name}: most faces, {faces[most]:,}, at confidence {bins['confidence'][most]:.2f} with share right "
            f"{bins['accuracy'][most]:.2f}; widest gap {gap[worst]:+.2f} at confidence {bins['confidence'][worst]:.2f}"
        )
    return f"Reliability diagram. {'. '.join(said)}." if said else "No face with votes to draw."


def reliability_table(curves: Sequence[Curve]) -> pd.DataFrame:
    """The data behind the diagram: one row per curve and bin."""
    tables = []
    for curve in curves:
        table = pd.DataFrame(dict(curve.bins))
        table.insert(0, "model", curve.model)
        table.insert(1, "temperature", 1.0 if curve.temperature is None else curve.temperature)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def hovered(bins: Mapping[str, np.ndarray]) -> list[list]:
    """Band, faces and edges of each bin, for its label."""
    ends = zip(bins["acc_low"], bins["acc_high"], strict=True)
    bands = [f" [{low:.3f}, {high:.3f}]" if low == low else "" for low, high in ends]
    return [list(row) for row in zip(bands, bins["faces"], bins["low"], bins["high"], strict=True)]


def counts(bins: Mapping[str, np.ndarray], colour: str, *, dashed: bool) -> dict[str, Any]:
    """Faces per bin as a stepped outline; outlines of several models do not hide each other."""
    edges, faces = [], []
    for low, high, n in zip(bins["low"], bins["high"], bins["faces"], strict=True):
        if n == 0:  # without edges, where bins are cut by rank
            continue
        edges += [low, low, high, high]
        faces += [0, n, n, 0]
    return {
        "type": "scatter",
        "x": edges,
        "y": faces,
        "mode": "lines",
        "line": {"color": colour, "width": 1.2, "dash": "dash" if dashed else "solid"},
        "fill": "tozeroy",
        "fillcolor": faint(colour, 0.0 if dashed else 0.16),
        "hoverinfo": "skip",
        "showlegend": False,
        "xaxis": "x2",
        "yaxis": "y2",
    }


def frame(*, height: int, legend: bool) -> dict[str, Any]:
    return {
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 28, "b": 0},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }
