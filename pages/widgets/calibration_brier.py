"""The Brier score by percentile of each part of the uncertainty, split into the annotators' part and the model's."""

import math

import numpy as np
import streamlit as st

from cache.filters import Filter
from engine.metrics.bootstrap import Resamples
from engine.metrics.calibration import by_percentile
from pages.charts.brier import LINES, brier_by_percentile, brier_table, describe_brier, highest
from pages.widgets.caches import View
from pages.widgets.figure import figure, theme
from pages.widgets.measured import MIN_FACES, described, enough, numbers_of
from pages.widgets.wording import KINDS, LEGEND, SYMBOLS, plain

ROUNDING = 1e-6  # nats; less than this between two faces is no difference
PARTS = ("u_aleatoric", "u_epistemic", "u_total")


def brier(view: View, where: Filter) -> None:
    """Small multiples of the chosen model, one per part of the triple, on one scale."""
    faces = numbers_of(view, view.model, where, (*PARTS, *LINES))
    n = int((~np.isnan(faces.columns["brier"])).sum())
    if n < 2:
        return  # said above already
    st.subheader(f"Brier score of {plain(view.model)} along its uncertainty", anchor=False)
    enough(n, "face with votes")
    found = {part: deciles(view.stamp, view.model, where, part, view) for part in PARTS}
    top = max((highest(table) for table in found.values() if table), default=math.nan)
    for column, (part, table) in zip(st.columns(len(PARTS), gap="medium"), found.items(), strict=True):
        with column:
            if table is None:
                st.info(why_not(view, part))
                continue
            figure(
                brier_by_percentile(table, part, top=1.05 * top, theme=theme()),
                brier_table(table, part),
                key=f"brier-{part}",
                name=f"brier-{view.model}-{part}",
                alt=describe_brier(table, part),
            )
    st.caption(
        f"n = {described(n, where)}{', a tenth of them at each point' if n >= MIN_FACES else ''}. {LEGEND} Against "
        "single votes, a face's Brier score is the disagreement d of its annotators (the chance that two votes "
        "differ), which no model can lower, plus the model's distance from their votes. An uncertainty that finds the "
        "model's errors makes the green line rise. Tint: 95 % interval."
    )


@st.cache_data(max_entries=64, show_spinner=False)
def deciles(stamp: tuple[str, int], model: str, where: Filter, part: str, _view: View) -> dict[str, np.ndarray] | None:
    """Both lines for groups of faces of rising `part`; None when it is the same for every face."""
    columns = numbers_of(_view, model, where, (*PARTS, *LINES)).columns
    order = np.where(np.isnan(columns["brier"]), np.nan, columns[part])
    if np.nanmax(order) - np.nanmin(order) < ROUNDING:
        return None
    return by_percentile(order, {name: columns[name] for name in LINES}, resamples=Resamples(len(order)))


def why_not(view: View, part: str) -> str:
    if part == "u_epistemic" and view.samples == 1:
        return f"{plain(view.model)} draws one sample per face, so its U_e is 0 for every face and orders nothing."
    return f"The {KINDS[part]} uncertainty {SYMBOLS[part]} is the same for every face, so it orders nothing."
