"""The noise ceiling in words, and how far each part of the triple gets towards it."""

import math

import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.bootstrap import Estimate
from engine.metrics.paired import pearson_p
from pages.charts.agreement import METHODS, correlation_dots, describe_correlations
from pages.widgets.agreement import ceilings, correlated, faces_of, voted
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import figure, theme
from pages.widgets.measured import MIN_FACES, enough, sampled_note
from pages.widgets.wording import DASH, LEGEND, PALETTE, SYMBOLS, count, plain

CEILING = "Noise ceiling"
D_IS = "The annotators' disagreement **d** of a face is the chance that two votes on it, drawn at random, differ."


def noise_ceiling(view: View, where: Filter) -> bool:
    """The ceiling, before anything is compared with it. False when too few of the faces shown have votes."""
    faces = faces_of(view, where)
    known = voted(faces)
    n = int(known.sum())
    if not enough(n, "face" if n == len(faces) else "face with votes"):
        return False
    sampled_note(faces)
    top = ceilings(view, where)["pearson"]
    st.markdown(
        f"{D_IS} " + (no_ceiling(top.n) if math.isnan(top.value) else ceiling(top, faces.votes[known].sum() / n))
    )
    return True


def ceiling(top: Estimate, votes: float) -> str:
    """What the noise ceiling is; votes: how many per face."""
    return (
        f"**{CEILING} {top.value:.3f}** [{top.low:.3f}, {top.high:.3f}], n = {count(top.n, 'face')}: from {votes:.1f} "
        f"votes per face, d has a reliability of {top.value**2:.3f}. So strongly would it correlate with the d of as "
        "many other people's votes on the same faces. Even a predictor that knew exactly how much people disagree "
        "about each face would correlate with d by no more than the root of that, the ceiling."
    )


def no_ceiling(n: int) -> str:
    """Why there is none; n: faces with at least 4 votes."""
    why = (
        f"only {count(n, 'face')} with at least 4 votes, and from fewer than {MIN_FACES} nobody can tell"
        if n < MIN_FACES
        else f"the votes on {count(n, 'face')} agree too much to tell"
    )
    return f"**{CEILING} {DASH}**: {why} how exactly votes measure it."


def correlations(view: View, where: Filter) -> None:
    """Dots against the ceiling, and the same numbers as a table."""
    found = correlated(view, where)
    figure(
        correlation_dots(found, theme=theme()),
        found,
        key="correlations",
        name="correlation-with-disagreement",
        alt=describe_correlations(found),
    )
    statistics(
        table(found),
        key="correlation-table",
        alt="Correlation of each part of the uncertainty with the annotators' disagreement, with 95 % intervals",
    )
    st.caption(" ".join(notes(view, found)))


def table(found: pd.DataFrame) -> pd.DataFrame:
    """Two rows per coefficient, raw and as a share of its ceiling; a column per part, the ceiling last."""
    columns: dict[str, list[str]] = {"": []}
    for part in found.part.unique():
        columns[f":{PALETTE[part]}[**{SYMBOLS[part]}**] and d"] = cells = []
        for row in found[found.part == part].itertuples():
            cells += [
                cell(Estimate(row.r, row.low, row.high, row.n)),
                cell(Estimate(row.share, row.share_low, row.share_high, row.n), 1),
            ]
            if row.method == "pearson":
                cells.append(p_value(pearson_p(row.r, row.n) if row.n >= MIN_FACES else math.nan))
    columns[CEILING] = []
    for row in found.drop_duplicates("method").itertuples():
        name = METHODS[row.method]
        columns[""] += [name, "% of its ceiling"]
        columns[CEILING] += [cell(Estimate(row.ceiling, row.ceiling_low, row.ceiling_high, row.n)), ""]
        if row.method == "pearson":
            columns[""].append("p of r = 0")
            columns[CEILING].append("")
    return pd.DataFrame(columns)


def p_value(p: float) -> str:
    """
    >>> p_value(0.1049), p_value(1e-40), p_value(math.nan)
    ('0.105', '<0.001', '—')
    """
    return DASH if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def notes(view: View, found: pd.DataFrame) -> list[str]:
    """How to read the table, and why something is missing in it."""
    n = int(found.n.iloc[0])
    said = [LEGEND]
    if n < MIN_FACES:
        said.append(
            f"Only n = {count(n, 'face')}: from fewer than {MIN_FACES}, an interval, a noise ceiling, a share of it "
            "and a p-value would be guesses, so none is shown."
        )
    else:
        said.append(
            f"Value [95 % bootstrap interval] over n = {count(n, 'face')}. Spearman's ρ compares ranks and has a "
            "ceiling of its own. The percentages divide by the ceiling's value and leave out how uncertain that is "
            "itself. p: two-sided t-test of Pearson's r."
        )
    if view.samples == 1:
        said.append(f"No U_e: {plain(view.model)} draws one sample per face, so U_e is 0 and U_t equals U_a.")
    if found.r.isna().any():
        said.append(f"{DASH}: the same value for every face shown, or fewer than 3 faces.")
    elif n >= MIN_FACES and found.ceiling.isna().any():
        said.append(f"{DASH}: no noise ceiling could be told from these votes.")
    return said
