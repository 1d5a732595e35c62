"""Groups of faces as rows: a quantity of each with its interval, or its gap to the rest, raw and adjusted."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.audit_quantities import QUANTITIES, colour_of
from pages.charts.bands import rows_frame
from pages.charts.colours import OUTLINE

ROW, ROW_OF_THREE = 38, 52  # px per group
LEAST = 300  # px, however few groups there are
FAINT = 0.35  # opacity of a group of few faces
LONGEST = 28  # characters of a group's name beside its row
KINDS = {  # of gaps, by symbol: the colour is the quantity's
    "raw": "circle",
    "by chance": "line-ns-open",
    "adjusted": "square-open",
    "equalised": "diamond-open",
}


def forest(found: pd.DataFrame, quantity: str, everyone: float, by: str, *, theme: str = "light") -> go.Figure:
    """A dot with its 95 % whisker per group, and a line at the value of all faces.

    found: one row per group, columns group, n, value, low, high, few; groups keep their order from top to bottom, those
    of few faces are faint. Values are in the unit of the quantity. by: what the faces are grouped by.
    """
    shown = QUANTITIES[quantity]
    dots = _dots(found, _places(found.group), colour_of(quantity, theme), "circle", shown.decimals)
    line = [_upright(everyone, "dot")] if np.isfinite(everyone) else []
    name = {"text": f"all {everyone:.{shown.decimals}f}", "font": {"size": 11}, "showarrow": False}
    place = {"x": everyone, "y": 1, "xref": "x", "yref": "y domain", "yanchor": "bottom", "xanchor": "left"}
    layout = {
        "xaxis": {"title": {"text": shown.labelled}, "zeroline": False},
        "yaxis": _rows(found, by),
        "shapes": line,
        "annotations": [{**name, **place}] if line else [],
    }
    return go.Figure([dots], {**layout, **rows_frame(height=max(LEAST, 96 + ROW * len(found)), legend=False)})


def gap_forest(found: pd.DataFrame, quantity: str, by: str, *, theme: str = "light") -> go.Figure:
    """The gap of each group to the rest, as observed, adjusted and equalised, beside the line of no gap.

    What chance alone would do is drawn in the row of the observed one.
    found: one row per group and kind, columns group, kind (of KINDS), n, value, low, high, few.
    """
    shown, groups = QUANTITIES[quantity], list(dict.fromkeys(found.group))
    kinds = [kind for kind in KINDS if kind in set(found.kind)]
    places = _places(groups)
    traces = []
    lanes = [kind for kind in kinds if kind != "by chance"]
    for kind in kinds:
        rows = found[found.kind == kind]
        lane = lanes.index("raw" if kind == "by chance" else kind)
        shift = 0.26 * ((len(lanes) - 1) / 2 - lane)
        heights = {group: place + shift for group, place in places.items()}
        colour = OUTLINE if kind == "by chance" else colour_of(quantity, theme)
        dots = _dots(rows, heights, colour, KINDS[kind], shown.decimals)
        traces.append({**dots, "name": kind})
    layout = {
        "xaxis": {"title": {"text": shown.gap_labelled}, "zeroline": False},
        "yaxis": _rows(found[found.kind == kinds[0]] if kinds else found, by),
        "shapes": [_upright(0.0, "solid")],
    }
    height = max(LEAST, 120 + (ROW_OF_THREE if len(lanes) > 1 else ROW) * len(groups))
    return go.Figure(traces, {**layout, **rows_frame(height=height, legend=True)})


def describe_forest(found: pd.DataFrame, quantity: str, by: str) -> str:
    """The dots in words: where they begin and end among the groups of enough faces."""
    shown = QUANTITIES[quantity]
    known = found[found.value.notna() & ~found.few].sort_values("value")
    if not len(known):
        return f"{shown.title} by {by}: no group has enough faces."
    low, high = known.iloc[0], known.iloc[-1]
    return (
        f"{shown.labelled} by {by} in {len(known)} groups: from {low.value:.{shown.decimals}f} ({low.group}) to "
        f"{high.value:.{shown.decimals}f} ({high.group})."
    )


def describe_gaps(found: pd.DataFrame, quantity: str, by: str) -> str:
    """The gaps in words: the widest of each kind."""
    shown, said = QUANTITIES[quantity], []
    for kind in KINDS:
        known = found[(found.kind == kind) & found.value.notna() & ~found.few]
        if len(known):
            widest = known.loc[known.value.abs().idxmax()]
            said.append(f"{kind} {widest.value:.{shown.decimals}f} ({widest.group})")
    return f"{shown.gap_labelled} to the rest by {by}. Widest: {', '.join(said) or 'none is known'}."


def _dots(found: pd.DataFrame, places: dict[str, float], colour: str, symbol: str, decimals: int) -> dict[str, Any]:
    hidden = found.few | found.low.isna() | found.high.isna()
    low, high = found.low.mask(hidden), found.high.mask(hidden)
    said = [_interval(*ends, decimals) for ends in zip(low, high, strict=True)]
    return {
        "type": "scatter",
        "x": found.value,
        "y": [places[group] for group in found.group],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": (high - found.value).clip(lower=0),
            "arrayminus": (found.value - low).clip(lower=0),
            "color": colour,
            "thickness": 2,
            "width": 4,
        },
        "customdata": [[html.escape(str(g)), s, n] for g, s, n in zip(found.group, said, found.n, strict=True)],
        "hovertemplate": f"%{{customdata[0]}}: %{{x:.{decimals}f}}%{{customdata[1]}}, n = %{{customdata[2]:,}}"
        "<extra></extra>",
        "mode": "markers",
        "marker": {
            "color": colour,
            "size": 18 if symbol.startswith("line") else 10,
            "symbol": symbol,
            "opacity": [FAINT if few else 1.0 for few in found.few],
            "line": {"width": 2 if symbol.endswith("-open") else 1, "color": colour},
        },
    }


def _places(groups: Sequence[str]) -> dict[str, float]:
    return {group: -float(at) for at, group in enumerate(groups)}


def _rows(found: pd.DataFrame, by: str) -> dict[str, Any]:
    """The axis of the groups, each with its number of faces."""
    names = [f"{html.escape(short(g))}<br>n = {n:,} " for g, n in zip(found.group, found.n, strict=True)]
    return {
        "tickvals": [-at for at in range(len(found))],
        "ticktext": names,
        "range": [-len(found) + 0.4, 0.6],
        "zeroline": False,
        "title": {"text": html.escape(by)},
    }


def short(name: object, most: int = LONGEST) -> str:
    """
    >>> short("a name far too long to stand beside a row")
    'a name far too long to stan…'
    """
    text = str(name)
    return text if len(text) <= most else f"{text[: most - 1].strip()}…"


def _interval(low: float, high: float, decimals: int) -> str:
    return f" [{low:.{decimals}f}, {high:.{decimals}f}]" if low == low and high == high else ""


def _upright(x: float, dash: str) -> dict[str, Any]:
    line = {"width": 1.5, "dash": dash, "color": OUTLINE}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": line, "layer": "below"}
