"""What is gained by abstaining: a score of the faces that are kept, against how many are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.bands import band, frame
from pages.charts.colours import MODEL, OUTLINE, TRIPLE, part_colour

TABLE_3 = 0.75  # the coverage of Table 3 of Ghandeharioun et al. 2019


@dataclass(frozen=True)
class Score:
    """A score of the faces kept, as its axis and its table name it."""

    title: str
    unit: str
    scale: float = 1.0  # from what the metrics return to the unit
    decimals: int = 3


SCORES = {
    "accuracy": Score("accuracy", "%", 100.0, 1),
    "jsd": Score("JSD", "nats"),
    "nll": Score("NLL", "nats"),
}
ORDERS = {  # by what faces are given up, highest uncertainty or lowest confidence first: name, colour, line
    "u_aleatoric": ("U_a", TRIPLE["u_aleatoric"], "solid"),
    "u_epistemic": ("U_e", TRIPLE["u_epistemic"], "dash"),
    "u_total": ("U_t", TRIPLE["u_total"], "dashdot"),
    "doubt": ("confidence", MODEL, "dot"),
}


def coverage_curves(
    curves: Mapping[str, Mapping[str, np.ndarray]], score: str, kept: float, *, theme: str = "light"
) -> go.Figure:
    """One line per order with its 95 % band, and vertical marks at `kept` and at the 75 % of Table 3.

    curves: order -> what engine.metrics.rejection.risk_coverage returns, with a column `score`. theme: 'light' or
    'dark', where the grey of the total is too dark for a thin line.
    """
    traces, shown = [], SCORES[score]
    at, least, most = (f"%{{{end}:.{shown.decimals}f}}" for end in ("y", "customdata[0]", "customdata[1]"))
    hover = f"{at} [{least}, {most}], n = %{{customdata[2]:,}} of %{{customdata[3]:,}} faces kept"
    for order in (o for o in ORDERS if o in curves):
        name, colour, dash = ORDERS[order]
        colour = part_colour(order, theme) if order in TRIPLE else colour
        table = curves[order]
        percent = 100 * table["coverage"]
        value, low, high = (shown.scale * table[f"{score}{end}"] for end in ("", "_low", "_high"))
        traces += band(percent, low, high, colour, 0.1)
        traces.append(
            {
                "type": "scatter",
                "x": percent,
                "y": value,
                "mode": "lines",
                "name": name,
                "line": {"color": colour, "width": 2, "dash": dash},
                "customdata": np.column_stack([low, high, table[f"{score}_n"], table["kept"]]),
                "hovertemplate": hover,
            }
        )
    marks = {TABLE_3: "75 %"} | ({} if abs(kept - TABLE_3) < 1e-9 else {kept: f"{100 * kept:.0f} %"})
    layout = {
        "shapes": [upright(100 * at, "dot" if at == TABLE_3 else "solid") for at in marks],
        "annotations": [beside(100 * at, text, "left" if at >= TABLE_3 else "right") for at, text in marks.items()],
        "xaxis": {"title": {"text": "faces kept (%)"}, "range": [4, 101], "dtick": 20},
        "yaxis": {"title": {"text": f"{shown.title} ({shown.unit})"}},
    }
    return go.Figure(traces, {**layout, **frame(height=380)})


def upright(x: float, dash: str) -> dict[str, Any]:
    """A line from the bottom of the panel to its top."""
    line = {"width": 1.2, "dash": dash, "color": OUTLINE}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain", "line": line}


def beside(x: float, text: str, anchor: str) -> dict[str, Any]:
    """Its name at the foot; anchor: the side of the text that touches the line."""
    place = {"x": x, "y": 0, "xref": "x", "yref": "y domain", "xanchor": anchor, "yanchor": "bottom"}
    return {**place, "text": text, "font": {"size": 11}, "showarrow": False}


def describe_coverage(curves: Mapping[str, Mapping[str, np.ndarray]], score: str) -> str:
    """The lines in words: the score of all faces, and of the kept ones at the coverage of Table 3."""
    shown, said, everyone = SCORES[score], [], float("nan")
    for order in (o for o in ORDERS if o in curves):
        table = curves[order]
        at = int(np.abs(table["coverage"] - TABLE_3).argmin())
        everyone = shown.scale * table[score][-1]
        if not np.isnan(table[score][at]):
            said.append(f"{shown.scale * table[score][at]:.{shown.decimals}f} by {ORDERS[order][0]}")
    if not said:
        return "No face with votes to draw."
    return (
        f"{shown.title} in {shown.unit} against the share of faces kept: {everyone:.{shown.decimals}f} for all of "
        f"them; at 75 % {', '.join(said)}."
    )


def coverage_table(curves: Mapping[str, Mapping[str, np.ndarray]], score: str) -> pd.DataFrame:
    """The data behind the lines: one row per order and coverage."""
    shown, tables = SCORES[score], []
    for order in (o for o in ORDERS if o in curves):
        table = curves[order]
        columns = {"order": ORDERS[order][0], "kept (%)": 100 * table["coverage"], "kept (faces)": table["kept"]}
        for end in ("", "_low", "_high"):
            columns[f"{score}{end} ({shown.unit})"] = shown.scale * table[f"{score}{end}"]
        columns[f"{score}_n (faces)"] = table[f"{score}_n"]  # of those kept, the ones whose score is known
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
