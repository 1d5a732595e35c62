"""Small multiples of the triple: how total, aleatoric and epistemic uncertainty are spread over the faces."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.charts.colours import CLEAR, TRIPLE, part_colour

GAP = 0.03  # between two panels, as a share of the width
TITLES = {"u_total": "total U_t", "u_aleatoric": "aleatoric U_a", "u_epistemic": "epistemic U_e"}


def triple_histograms(
    bins: Mapping[str, pd.DataFrame], means: Mapping[str, float], *, theme: str = "light"
) -> go.Figure:
    """One histogram per part, with a shared count axis and an x axis of its own: U_e is far smaller than U_a.

    bins: part -> columns low, high, faces. means: part -> mean in nats, drawn as a line where it is known. theme:
    'light' or 'dark', for the grey.
    Many faces have a U_e near 0; a bar that would flatten all others is cut at the top and carries its count.
    """
    ceiling = axis_ceiling(bins)
    parts = [part for part in TRIPLE if part in bins]
    width = (1 - GAP * max(0, len(parts) - 1)) / max(1, len(parts))
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    traces = []
    for index, part in enumerate(parts):
        number = str(index + 1) if index else ""  # Plotly's second axis is x2, its first x
        x, y = f"x{number}", f"y{number}"
        left = index * (width + GAP)
        traces.append(bars(bins[part], part, part_colour(part, theme)) | {"xaxis": x, "yaxis": y})
        layout[f"xaxis{number}"] = {
            "domain": [left, left + width], "anchor": y, "title": {"text": "nats"}, "rangemode": "tozero",
        }  # fmt: skip
        shared = {"matches": "y", "showticklabels": False} if index else {"title": {"text": "faces"}}
        layout[f"yaxis{number}"] = {"anchor": x, "domain": [0, 1], "range": [0, ceiling], **shared}
        layout["annotations"].append(titled(TITLES[part], left + width / 2))
        layout["annotations"] += cut_bars(bins[part], ceiling, x, y)
        mean = means.get(part, math.nan)
        if math.isfinite(mean):
            layout["shapes"].append(mark(mean, x, y))
            layout["annotations"].append(marked(mean, x, y))
    return go.Figure(
        traces,
        {
            **layout,
            "showlegend": False,
            "bargap": 0,
            "height": 230,
            "margin": {"l": 0, "r": 8, "t": 28, "b": 0},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
        },
    )


def bars(counts: pd.DataFrame, part: str, colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": (counts.low + counts.high) / 2,
        "y": counts.faces,
        "width": counts.high - counts.low,
        "customdata": counts[["low", "high"]].to_numpy(),
        "hovertemplate": "%{customdata[0]:.3f} to %{customdata[1]:.3f} nats: %{y:,} faces<extra></extra>",
        "marker": {"color": colour, "line": {"width": 0}},
        "name": TITLES[part],
    }


def titled(text: str, middle: float) -> dict[str, Any]:
    """The title of a panel, above its middle."""
    place = {"x": middle, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
    return {**place, "text": text, "font": {"size": 16}, "showarrow": False}


def cut_bars(counts: pd.DataFrame, ceiling: float, x: str, y: str) -> list[dict[str, Any]]:
    """The numbers of faces of bars that do not fit, beside the last of them."""
    cut = counts[counts.faces > ceiling]
    if not len(cut):
        return []
    place = {"x": cut.high.iloc[-1], "y": 0.84 * ceiling, "xref": x, "yref": y, "xanchor": "left", "yanchor": "top"}
    text = " ↑ " + ", ".join(f"{n:,}" for n in cut.faces)  # below the label of the mean
    return [{**place, "text": text, "font": {"size": 12}, "showarrow": False}]


def mark(mean: float, x: str, y: str) -> dict[str, Any]:
    place = {"x0": mean, "x1": mean, "y0": 0, "y1": 1, "xref": x, "yref": f"{y} domain"}
    return {"type": "line", **place, "line": {"width": 1.5, "dash": "dot", "color": "#888888"}}


def marked(mean: float, x: str, y: str) -> dict[str, Any]:
    place = {"x": mean, "y": 1, "xref": x, "yref": f"{y} domain", "xanchor": "left", "yanchor": "top"}
    text = f"mean {mean:.2f}" if mean >= 0.1 else f"mean {mean:.3f}"
    return {**place, "text": text, "font": {"size": 12}, "showarrow": False}


def axis_ceiling(bins: Mapping[str, pd.DataFrame]) -> float:
    """Top of the count axis: the highest bar, or 2.5 times that of the next part when one dwarfs the others."""
    tops = sorted((float(counts.faces.max()) for counts in bins.values() if len(counts)), reverse=True)
    if not tops or tops[0] == 0:
        return 1.0
    highest = tops[0] if len(tops) == 1 or tops[0] < 6 * tops[1] else 2.5 * tops[1]
    return 1.08 * highest


def describe_histograms(bins: Mapping[str, pd.DataFrame], means: Mapping[str, float]) -> str:
    """The figure in words, for those who cannot see it."""
    parts = []
    for part in TRIPLE:
        if part not in bins or not len(bins[part]):
            continue
        counts = bins[part]
        mean = means.get(part, math.nan)
        middle = f", mean {mean:.3f}" if math.isfinite(mean) else ""
        parts.append(f"{TITLES[part]} from {counts.low.iloc[0]:.2f} to {counts.high.iloc[-1]:.2f} nats{middle}")
    return "Histograms over the faces: " + "; ".join(parts) + "." if parts else "No uncertainties to draw."
