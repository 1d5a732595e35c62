"""Correlations with the annotators' disagreement d as dots with whiskers, against the noise ceiling."""

import html
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.charts.bands import rows_frame
from pages.charts.colours import ANNOTATORS, OUTLINE, part_colour
from pages.charts.histograms import TITLES

METHODS = {"pearson": "Pearson r", "spearman": "Spearman ρ"}
SHAPES = {"u_aleatoric": "circle", "u_epistemic": "square", "u_total": "diamond"}  # not by colour alone
GAP = 0.06  # of the width, between two panels
ROW = 46  # px per group: three dots above each other


def correlation_dots(found: pd.DataFrame, *, theme: str = "light") -> go.Figure:
    """One panel per coefficient, one row per part of the triple, and the ceiling that no predictor can pass.

    found: one row per part and method, columns part, method, r, low, high, n, ceiling, ceiling_low, ceiling_high. A
    missing r leaves its row empty, a missing interval its dot without whiskers, a missing ceiling its panel without a
    line. theme: 'light' or 'dark', for ink and grey.
    """
    methods = [m for m in METHODS if m in set(found.method)]
    traces: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    width = (1.0 - GAP * (len(methods) - 1)) / max(1, len(methods))
    for column, method in enumerate(methods):
        number = "" if column == 0 else column + 1  # as plotly names axes
        rows = found[found.method == method]
        traces += [_dot(row, method, f"x{number}", theme) for row in rows.itertuples()]
        lines, names = _ceiling(rows.iloc[0], f"x{number}", theme)
        shapes, annotations = shapes + lines, annotations + names
        left = column * (width + GAP)
        place = {"domain": [left, left + width], "title": {"text": METHODS[method]}, "range": _span(found)}
        axes[f"xaxis{number}"] = {**place, "anchor": "y"}
    order = [TITLES[part] for part in SHAPES if part in set(found.part)]
    axes["yaxis"] = {"categoryorder": "array", "categoryarray": order[::-1], "range": [-0.6, len(order) - 0.4]}
    layout = {**axes, "shapes": shapes, "annotations": annotations}
    return go.Figure(traces, {**layout, **rows_frame(height=110 + 44 * max(1, len(order)), legend=False)})


def _dot(row: Any, method: str, axis: str, theme: str) -> dict[str, Any]:
    colour = part_colour(row.part, theme)
    return {
        "type": "scatter",
        "x": [row.r],
        "y": [TITLES[row.part]],
        "xaxis": axis,
        "error_x": _whisker(row.r, row.low, row.high, colour),
        "customdata": [[_interval(row.low, row.high), row.n]],
        "hovertemplate": f"{TITLES[row.part]}: {METHODS[method]} %{{x:.3f}}%{{customdata[0]}}, "
        "%{customdata[1]:,} faces<extra></extra>",
        "mode": "markers",
        "marker": {"color": colour, "size": 11, "symbol": SHAPES[row.part], "line": {"width": 1, "color": OUTLINE}},
    }


def group_dots(found: pd.DataFrame, method: str, *, theme: str = "light") -> go.Figure:
    """One row per group of faces with a dot per part of the triple, and a tick at the group's own ceiling.

    found: one row per group and part, columns group, part, r, low, high, n, ceiling, few. Groups keep their order
    from top to bottom; those with few faces are faint and show no interval.
    """
    groups = list(dict.fromkeys(found.group))
    place = {group: -at for at, group in enumerate(groups)}
    parts = [part for part in SHAPES if part in set(found.part)]
    traces: list[dict[str, Any]] = []
    for at, part in enumerate(parts):
        rows, colour = found[found.part == part], part_colour(part, theme)
        shift = 0.26 * ((len(parts) - 1) / 2 - at)
        shown = rows.assign(low=rows.low.mask(rows.few), high=rows.high.mask(rows.few))
        traces.append(
            {
                "type": "scatter",
                "x": rows.r,
                "y": [place[group] + shift for group in rows.group],
                "error_x": _whisker(shown.r, shown.low, shown.high, colour),
                "customdata": [
                    [html.escape(str(row.group)), _interval(row.low, row.high), row.n] for row in shown.itertuples()
                ],
                "hovertemplate": "%{customdata[0]}, "
                f"{TITLES[part]}: %{{x:.3f}}%{{customdata[1]}}, %{{customdata[2]:,}} faces<extra></extra>",
                "mode": "markers",
                "name": TITLES[part],
                "marker": {
                    "color": colour,
                    "size": 9,
                    "symbol": SHAPES[part],
                    "opacity": [0.35 if few else 1.0 for few in rows.few],
                    "line": {"width": 1, "color": OUTLINE},
                },
            }
        )
    ceilings = found.drop_duplicates("group").dropna(subset="ceiling")
    traces.append(
        {
            "type": "scatter",
            "x": ceilings.ceiling,
            "y": [place[group] for group in ceilings.group],
            "mode": "markers",
            "name": "noise ceiling",
            "hovertemplate": "noise ceiling of this group: %{x:.3f}<extra></extra>",
            "marker": {
                "symbol": "line-ns",
                "size": 26,
                "opacity": [0.35 if few else 1.0 for few in ceilings.few],
                "line": {"width": 2, "color": ANNOTATORS[theme]},
            },
        }
    )
    sizes = found.drop_duplicates("group").n
    names = [f"{html.escape(_short(group))}<br>n = {n:,} " for group, n in zip(groups, sizes, strict=True)]
    up = {"tickvals": list(place.values()), "ticktext": names, "range": [-len(groups) + 0.4, 0.6], "zeroline": False}
    across = {"title": {"text": f"{METHODS[method]} with d"}, "range": _span(found)}
    layout = {"yaxis": up, "xaxis": {**across, "zeroline": True, "zerolinecolor": OUTLINE}}
    return go.Figure(traces, {**layout, **rows_frame(height=120 + ROW * max(1, len(groups)), legend=True)})


def describe_correlations(found: pd.DataFrame) -> str:
    """The dots in words, for those who cannot see them."""
    parts = []
    for method, name in METHODS.items():
        rows = found[(found.method == method) & found.r.notna()]
        if len(rows):
            said = ", ".join(
                f"{TITLES[row.part]} {row.r:.3f}{_interval(row.low, row.high)}" for row in rows.itertuples()
            )
            ceiling = rows.ceiling.iloc[0]
            parts.append(f"{name}: {said}" + (f"; noise ceiling {ceiling:.3f}" if ceiling == ceiling else ""))
    return "Correlation with the disagreement d. " + ". ".join(parts) + "." if parts else "No correlation is known."


def describe_groups(found: pd.DataFrame, method: str) -> str:
    """The groups in words: the strongest and the weakest by the first part that is shown."""
    known = found[found.r.notna() & ~found.few]
    known = known[known.part == known.part.iloc[0]].sort_values("r") if len(known) else known
    if not len(known):
        return "No group has enough faces for a correlation."
    low, high = known.iloc[0], known.iloc[-1]
    return (
        f"{METHODS[method]} of {TITLES[low.part]} with d in {len(known)} groups: from {low.r:.3f} ({low.group}) "
        f"to {high.r:.3f} ({high.group})."
    )


def _ceiling(row: pd.Series, axis: str, theme: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A dashed line with its interval as a band, named at its upper end: shapes and annotations of the layout."""
    if pd.isna(row.ceiling):
        return [], []
    refs = {"xref": axis, "yref": "y domain"}
    upright = {"y0": 0, "y1": 1, **refs}
    line = {"width": 1.5, "dash": "dash", "color": ANNOTATORS[theme]}
    shapes = [{"type": "line", "x0": row.ceiling, "x1": row.ceiling, "line": line, **upright}]
    if row.ceiling_low < row.ceiling_high:
        ends = {"x0": row.ceiling_low, "x1": row.ceiling_high}
        shapes.append({"type": "rect", **ends, "fillcolor": OUTLINE, "opacity": 0.25, "line": {"width": 0}, **upright})
    name = {"text": f"ceiling {row.ceiling:.2f}", "font": {"size": 12}, "showarrow": False}
    place = {"x": row.ceiling, "y": 1, "xanchor": "right", "yanchor": "top", "yshift": 16, "xshift": 4}
    return shapes, [{**name, **place, **refs}]


def _whisker(value: object, low: object, high: object, colour: str) -> dict:
    """Plotly's error bar from an interval's ends; NaN draws none."""
    ends = [pd.Series(end, dtype=float).to_numpy() for end in (value, low, high)]
    return {
        "type": "data",
        "symmetric": False,
        "array": ends[2] - ends[0],
        "arrayminus": ends[0] - ends[1],
        "color": colour,
        "thickness": 2,
        "width": 4,
    }


def _interval(low: float, high: float) -> str:
    return f" [{low:.3f}, {high:.3f}]" if low == low and high == high else ""


def _span(found: pd.DataFrame) -> list[float]:
    """From 0, or below the lowest whisker, to a full 1."""
    lowest = min(0.0, found.r.min(), found.low.min()) if found.r.notna().any() else 0.0
    return [lowest - 0.04, 1.02]


def _short(name: object, most: int = 22) -> str:
    text = str(name)
    return text if len(text) <= most else f"{text[: most - 1]}…"
