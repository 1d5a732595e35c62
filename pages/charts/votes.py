"""One face: the annotators' votes beside the model's probabilities and their spread over the samples."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.charts.colours import ANNOTATORS, CLEAR, MODEL, OUTLINE


def votes_and_probabilities(
    classes: Sequence[str],
    votes: np.ndarray | None,
    probs: np.ndarray | None,
    samples: np.ndarray | None,
    *,
    theme: str = "light",
) -> go.Figure:
    """Two bars per class on one scale of shares: votes above, mean probability below.

    votes: (C,) counts; probs: (C,); samples: (S, C), drawn as whiskers from the 2.5th to the 97.5th percentile when
    S > 1. Any of the three may be None. theme: 'light' or 'dark', for the annotators' ink.
    """
    names = [html.escape(name) for name in classes]  # Plotly reads a little HTML in labels
    voted = votes is not None and votes.sum() > 0
    traces = [votes_bar(names, votes, theme)] if voted else []
    traces += [] if probs is None else [model_bar(names, probs, samples, theme)]
    shown = {"share of votes": voted, "probability": probs is not None}
    title = ", ".join(name for name, drawn in shown.items() if drawn)
    return go.Figure(
        traces,
        {
            "xaxis": {"title": {"text": title}, "range": [0, 1.02], "tickformat": ".1f", "dtick": 0.2},
            "yaxis": {"autorange": "reversed", "ticksuffix": " "},
            "barmode": "group",
            "bargap": 0.28,
            "bargroupgap": 0.0,
            "height": 60 + 34 * max(1, len(names)),
            "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
            "margin": {"l": 0, "r": 4, "t": 24, "b": 0},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
        },
    )


def votes_bar(names: Sequence[str], votes: np.ndarray, theme: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "y": names,
        "x": votes / votes.sum(),
        "name": "annotators",
        "orientation": "h",
        "marker": {"color": ANNOTATORS[theme], "line": {"width": 1, "color": OUTLINE}},
        "customdata": np.column_stack([votes, np.full(len(names), votes.sum())]),
        "hovertemplate": "%{y}: %{customdata[0]:.0f} of %{customdata[1]:.0f} votes<extra>annotators</extra>",
    }


def model_bar(names: Sequence[str], probs: np.ndarray, samples: np.ndarray | None, theme: str) -> dict[str, Any]:
    low, high = spread(probs, samples)
    whiskers = samples is not None and len(samples) > 1
    return {
        "type": "bar",
        "y": names,
        "x": probs,
        "name": "model",
        "orientation": "h",
        "marker": {"color": MODEL, "line": {"width": 0}},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": high - probs,
            "arrayminus": probs - low,
            "color": ANNOTATORS[theme],
            "thickness": 1.2,
            "width": 3,
            "visible": whiskers,
        },
        "customdata": np.column_stack([low, high]),
        "hovertemplate": "%{y}: probability %{x:.3f}"
        + (", samples %{customdata[0]:.2f} to %{customdata[1]:.2f}" if whiskers else "")
        + "<extra>model</extra>",
    }


def spread(probs: np.ndarray, samples: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Per class, the 2.5th and 97.5th percentile of the samples, never inside the mean."""
    if samples is None or len(samples) < 2:
        return probs, probs
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)  # (C,), (C,)
    return np.minimum(low, probs), np.maximum(high, probs)


def describe_votes(classes: Sequence[str], votes: np.ndarray | None, probs: np.ndarray | None) -> str:
    """The figure in words: the classes that anybody named, largest first."""
    parts = []
    if votes is not None and votes.sum() > 0:
        order = [i for i in np.argsort(-votes, kind="stable") if votes[i] > 0]
        parts.append("Annotators' votes: " + ", ".join(f"{classes[i]} {votes[i]:.0f}" for i in order))
    if probs is not None:
        order = [i for i in np.argsort(-probs, kind="stable") if probs[i] >= 0.01][:4]
        parts.append("Model's probabilities: " + ", ".join(f"{classes[i]} {probs[i]:.2f}" for i in order))
    return ". ".join(parts) + "." if parts else "Neither votes nor probabilities are known."
