"""How often the annotators disagree, and how much: the density of d, of area 1 (the first paper's Figure 4)."""

import html

import pandas as pd
import plotly.graph_objects as go

from pages.charts.against import faded
from pages.charts.colours import ANNOTATORS, CLEAR, OUTLINE

SHADES = (1.0, 0.6, 0.35, 0.15)  # of the annotators' ink, one per split: more could not be told apart


def density_of_d(bins: pd.DataFrame, *, theme: str = "light") -> go.Figure:
    """Bars of the density per level of d, beside each other where there are several splits.

    bins: columns split, low, high, faces, density (per unit of d); each split's area is 1. At most four splits.
    """
    traces = []
    splits = list(dict.fromkeys(bins.split))
    for shade, split in zip(SHADES, splits, strict=False):
        rows, name = bins[bins.split == split], html.escape(str(split))
        traces.append(
            {
                "type": "bar",
                "x": (rows.low + rows.high) / 2,
                "y": rows.density,
                "name": name,
                "customdata": rows[["low", "high", "faces"]].to_numpy(),
                "hovertemplate": "d %{customdata[0]:.2f} to %{customdata[1]:.2f}: density %{y:.2f}, "
                f"%{{customdata[2]:,}} faces<extra>{name}</extra>",
                "marker": {"color": faded(ANNOTATORS[theme], shade), "line": {"width": 1, "color": OUTLINE}},
            }
        )
    layout = {
        "xaxis": {"title": {"text": "disagreement d"}, "range": [0, bins.high.max() if len(bins) else 1.0]},
        "yaxis": {"title": {"text": "density (area 1)"}, "rangemode": "tozero"},
        "showlegend": len(splits) > 1,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "bargap": 0.1,
        "height": 280,
        "margin": {"l": 0, "r": 8, "t": 48, "b": 0},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }
    return go.Figure(traces, layout)


def describe_density(bins: pd.DataFrame) -> str:
    """The density in words: its highest step per split."""
    said = []
    for split in dict.fromkeys(bins.split):
        rows = bins[bins.split == split]
        top = rows.loc[rows.density.idxmax()]
        said.append(
            f"{split}: {int(rows.faces.sum()):,} faces, most often d from {top.low:.2f} to {top.high:.2f} "
            f"(density {top.density:.2f})"
        )
    return "Density of the disagreement d. " + "; ".join(said) + "." if said else "No faces to draw."
