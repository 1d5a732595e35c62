"""Tables of shaded cells: a quantity by two attributes, or the answers that each group gets."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.charts.audit import short
from pages.charts.audit_quantities import QUANTITIES
from pages.charts.colours import CLEAR, OUTLINE, faint

SCALE = "Viridis"  # rises in lightness alone as well, so that it reads in grey and to every eye
LIGHT = 0.45  # of the scale: up to there white text has a contrast of 4.5, and black text beyond
ROW, ROW_OF_ONE = 40, 28  # px, with two lines of text in a cell, and with one


def heat_map(
    found: pd.DataFrame, quantity: str, rows: Sequence[str], columns: Sequence[str], by: tuple[str, str]
) -> go.Figure:
    """The value and n of every cell that holds a face; cells of few faces are grey, and do not set the scale.

    found: one row per cell, columns row, column (names), n, value, low, high, few. by: what rows and columns are.
    """
    shown = QUANTITIES[quantity]
    digits = f".{shown.decimals}f"
    texts = [f"{v:{digits}}<br>n {n:,}" if v == v else f"n {n:,}" for v, n in zip(found.value, found.n, strict=True)]
    said = [
        f"{html.escape(str(cell.row))}, {html.escape(str(cell.column))}: {cell.value:{digits}}"
        + (f" [{cell.low:{digits}}, {cell.high:{digits}}]" if cell.low == cell.low and not cell.few else "")
        + f", n = {cell.n:,}"
        for cell in found.itertuples()
    ]
    return _shaded(found.assign(text=texts, said=said), rows, columns, by, shown.labelled)


def answers_map(found: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], by: str) -> go.Figure:
    """Share of each group's faces that get each class.

    found: as pages.findings.audit.answers returns it, with a column few.
    """
    cells = found.rename(columns={"group": "row", "class": "column", "share": "value"})
    said = [
        f"{html.escape(str(cell.row))}, {html.escape(str(cell.column))}: {cell.value:.1f} %"
        + ("" if cell.few else f" [{cell.low:.1f}, {cell.high:.1f}]")
        + f", {cell.faces:,} faces"
        for cell in cells.itertuples()
    ]
    texts = [f"{value:.1f}" for value in cells.value]
    return _shaded(
        cells.assign(text=texts, said=said),
        rows,
        columns,
        (by, "predicted class"),
        "share (%)",
        low=0.0,
        height=ROW_OF_ONE,
    )


def describe_map(found: pd.DataFrame, quantity: str, by: tuple[str, str]) -> str:
    """The map in words: its lowest and highest cell among those of enough faces."""
    shown = QUANTITIES[quantity]
    known = found[found.value.notna() & ~found.few].sort_values("value")
    if not len(known):
        return f"{shown.title} by {by[0]} and {by[1]}: no cell has enough faces."
    low, high = known.iloc[0], known.iloc[-1]
    return (
        f"{shown.labelled} by {by[0]} and {by[1]} in {len(known)} cells: from {low.value:.{shown.decimals}f} "
        f"({low.row}, {low.column}) to {high.value:.{shown.decimals}f} ({high.row}, {high.column})."
    )


def describe_answers(found: pd.DataFrame, by: str) -> str:
    """For each group of enough faces, the class that it gets most."""
    known = found[~found.few]
    if not len(known):
        return f"Share of predicted classes by {by}: no group has enough faces."
    most = known.loc[known.groupby("group", sort=False).share.idxmax()]
    each = zip(most["group"], most["class"], most.share, strict=True)
    said = ", ".join(f"{group}: {name} {share:.1f} %" for group, name, share in each)
    return f"Share of predicted classes by {by}; the most frequent of each group: {said}."


def _shaded(
    cells: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    by: tuple[str, str],
    unit: str,
    low: float | None = None,
    height: int = ROW,
) -> go.Figure:
    """cells: row, column, value, few, text, said. low: where the scale begins, if not at the lowest cell.

    height: of a row, in px.
    """
    enough = cells[~cells.few & cells.value.notna()]
    least = low if low is not None else float(enough.value.min()) if len(enough) else 0.0
    most = float(enough.value.max()) if len(enough) else 1.0
    dark = (enough.value - least) < LIGHT * ((most - least) or 1.0)
    scale = {"colorscale": SCALE, "zmin": least, "zmax": most}
    bar = {
        "title": {"text": unit, "side": "top", "font": {"size": 11}},
        "tickfont": {"size": 11},
        "nticks": 5,
        "orientation": "h",  # above the cells, which on a narrow screen need all the width
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "len": 0.6,
        "thickness": 8,
        "outlinewidth": 0,
    }
    few = cells[cells.few].assign(value=0.0)
    tint = faint(OUTLINE, 0.25)
    traces = [  # by the colour of the text, which a trace has one of
        {**_layer(enough[dark], rows, columns, "#FFFFFF"), **scale, "showscale": len(enough) > 0, "colorbar": bar},
        {**_layer(enough[~dark], rows, columns, "#000000"), **scale, "showscale": False},
        {**_layer(few, rows, columns, OUTLINE), "colorscale": [[0, tint], [1, tint]], "showscale": False},
    ]
    layout = {
        "xaxis": {**_names(columns), "autotickangles": [0, -45, -90], "title": {"text": html.escape(by[1])}},
        "yaxis": {**_names(rows), "title": {"text": html.escape(by[0])}, "autorange": "reversed"},
        "height": 160 + height * max(1, len(rows)),
        "margin": {"l": 0, "r": 0, "t": 70, "b": 0},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
    }
    return go.Figure(traces, layout)


def _layer(cells: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], ink: str) -> dict[str, Any]:
    """The cells whose text has one colour."""
    value, text, said = _grid(cells, rows, columns)
    return {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "z": value,
        "text": text,
        "customdata": said,
        "texttemplate": "%{text}",
        "textfont": {"size": 11, "color": ink},
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }


def _grid(cells: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> tuple[np.ndarray, ...]:
    """value, text and said of each place, (R, C) each; NaN and '' where there is no cell."""
    row_of, column_of = ({name: at for at, name in enumerate(names)} for names in (rows, columns))
    value = np.full((len(rows), len(columns)), np.nan)
    text, said = np.full(value.shape, "", object), np.full(value.shape, "", object)
    for cell in cells.itertuples():
        at = row_of[cell.row], column_of[cell.column]
        value[at], text[at], said[at] = cell.value, cell.text, cell.said
    return value, text, said


def _names(names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [html.escape(short(name)) for name in names],
        "showgrid": False,
        "zeroline": False,
    }
