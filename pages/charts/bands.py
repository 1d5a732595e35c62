"""What the line charts share: intervals as a tint behind a line, and a legend that fits a narrow panel.

Traces are dicts until the figure is made of all of them: checked once, they take a third of the time.
"""

from typing import Any

import numpy as np

from pages.charts.colours import CLEAR, faint

LEGEND = {
    "orientation": "v",  # a line each: beside each other they would reach below the button for the image
    "y": 1.0,
    "yanchor": "bottom",
    "x": 0,
    "font": {"size": 11},
}
THIN = 0.006  # half the width, as a share of x's extent, of a band whose point has no neighbour to reach to


def frame(*, height: int) -> dict[str, Any]:
    """The layout around lines that share their x."""
    return {
        "legend": LEGEND,
        "hovermode": "x unified",
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 28, "b": 0},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }


def rows_frame(*, height: int, legend: bool) -> dict[str, Any]:
    """The layout around rows of points, one group each."""
    return {
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 48, "b": 0},  # the button for a PNG has its place above the rest
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }


def band(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, opacity: float = 0.15, **axes: str
) -> list[dict[str, Any]]:
    """Traces that tint between low and high, all (N,) with x rising; broken where either is NaN. axes: xaxis, yaxis."""
    found = []
    known = ~(np.isnan(low) | np.isnan(high))
    for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(known)) + 1):
        if len(run) == 0 or not known[run[0]]:
            continue
        across, down, up = x[run], low[run], high[run]
        if len(run) == 1:
            half = THIN * (float(np.ptp(x)) or 1.0)
            across, down, up = across + np.array([-half, half]), down.repeat(2), up.repeat(2)
        found.append(
            {
                "type": "scatter",
                "x": np.concatenate([across, across[::-1]]),
                "y": np.concatenate([up, down[::-1]]),
                "mode": "lines",
                "line": {"width": 0},
                "fill": "toself",
                "fillcolor": faint(colour, opacity),
                "hoverinfo": "skip",
                "showlegend": False,
                **axes,
            }
        )
    return found
