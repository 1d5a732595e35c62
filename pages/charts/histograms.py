"""Small multiples of the triple: how total, aleatoric and epistemic uncertainty are spread over the faces."""

import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.charts.colours import CLEAR, TRIPLE, part_colour

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
    figure = make_subplots(
        cols=max(1, len(parts)),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=[TITLES[part] for part in parts],
    )
    for column, part in enumerate(parts, start=1):
        counts = bins[part]
        figure.add_bar(
            x=(counts.low + counts.high) / 2,
            y=counts.faces,
            width=counts.high - counts.low,
            customdata=counts[["low", "high"]].to_numpy(),
            hovertemplate="%{customdata[0]:.3f} to %{customdata[1]:.3f} nats: %{y:,} faces<extra></extra>",
            marker={"color": part_colour(part, theme), "line": {"width": 0}},
            name=TITLES[part],
            row=1,
            col=column,
        )
        cut = counts[counts.faces > ceiling]
        if len(cut):
            figure.add_annotation(
                x=cut.high.iloc[-1],
                y=0.84 * ceiling,  # below the label of the mean
                text=" ↑ " + ", ".join(f"{n:,}" for n in cut.faces),
                showarrow=False,
                xanchor="left",
                yanchor="top",
                font={"size": 12},
                row=1,
                col=column,
            )
        mean = means.get(part, math.nan)
        if math.isfinite(mean):
            figure.add_vline(
                x=mean,
                line={"width": 1.5, "dash": "dot", "color": "#888888"},
                annotation={"text": f"mean {mean:.2f}" if mean >= 0.1 else f"mean {mean:.3f}", "font": {"size": 12}},
                annotation_position="top right",
                row=1,
                col=column,
            )
        figure.update_xaxes(title="nats", rangemode="tozero", row=1, col=column)
    figure.update_yaxes(range=[0, ceiling])
    figure.update_yaxes(title="faces", col=1, row=1)
    figure.update_layout(
        showlegend=False,
        bargap=0,
        height=230,
        margin={"l": 0, "r": 8, "t": 28, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    return figure


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
