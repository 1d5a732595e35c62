"""The Brier score along one part of the uncertainty, split into what the annotators and what the model put in."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.bands import band, frame
from pages.charts.colours import ANNOTATORS, MODEL, OUTLINE
from pages.charts.histograms import TITLES

LINES = {"disagreement": "annotators", "brier": "model"}


def brier_by_percentile(
    deciles: Mapping[str, np.ndarray], part: str, *, top: float | None = None, theme: str = "light"
) -> go.Figure:
    """Mean d and mean Brier score against the votes, per group of faces of rising `part`, and the sum of the two.

    deciles: as engine.metrics.calibration.by_percentile returns it for columns disagreement and brier. top: end of the
    y axis, so that panels side by side share one. theme: 'light' or 'dark', for the annotators' ink.
    """
    percentile, traces = deciles["percentile"], []
    for name, colour, symbol in (("disagreement", ANNOTATORS[theme], "square"), ("brier", MODEL, "circle")):
        low, high = deciles[f"{name}_low"], deciles[f"{name}_high"]
        traces += band(percentile, low, high, colour)
        traces.append(
            {
                "type": "scatter",
                "x": percentile,
                "y": deciles[name],
                "mode": "lines+markers",
                "name": LINES[name],
                "line": {"color": colour, "width": 2},
                "marker": {"symbol": symbol, "size": 7},
                "customdata": np.column_stack([low, high, deciles["faces"], deciles["order"]]),
                "hovertemplate": "%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}], %{customdata[2]:,} faces, "
                "mean %{customdata[3]:.3f} nats",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "x": percentile,
            "y": deciles["disagreement"] + deciles["brier"],
            "mode": "lines",
            "name": "sum",
            "line": {"color": OUTLINE, "width": 1.5, "dash": "dot"},
            "hovertemplate": "%{y:.3f}",
        }
    )
    width = 100 / max(1, len(percentile))
    across = {"title": {"text": f"percentile of {TITLES[part]}"}, "range": [width / 2, 100 + width / 2], "dtick": 20}
    up = {"title": {"text": "Brier score"}, "range": None if top is None else [0, top], "rangemode": "tozero"}
    layout = {
        "xaxis": across,
        "yaxis": up,
    }
    return go.Figure(traces, {**layout, **frame(height=350)})


def highest(deciles: Mapping[str, np.ndarray]) -> float:
    """Top of the highest line or band, NaN when nothing is known."""
    lines = [deciles["disagreement"] + deciles["brier"], deciles["brier_high"], deciles["disagreement_high"]]
    known = np.concatenate(lines)
    known = known[~np.isnan(known)]
    return float(known.max()) if len(known) else float("nan")


def describe_brier(deciles: Mapping[str, np.ndarray], part: str) -> str:
    """The lines in words: where each begins and ends."""
    known = ~np.isnan(deciles["brier"])
    if not known.any():
        return "No face with votes to draw."
    first, last = np.flatnonzero(known)[[0, -1]]
    said = [f"{LINES[name]} {deciles[name][first]:.3f} to {deciles[name][last]:.3f}" for name in LINES]
    return f"Brier score from the lowest to the highest {TITLES[part]}: {', '.join(said)}."


def brier_table(deciles: Mapping[str, np.ndarray], part: str) -> pd.DataFrame:
    """The data behind the lines."""
    table = pd.DataFrame(dict(deciles)).rename(
        columns={"percentile": f"percentile of {part} (%)", "order": f"mean {part} (nats)"}
    )
    table["pair_brier"] = table.disagreement + table.brier
    return table
