"""The Bias audit: a quantity by groups of faces, and below it the faces, every figure, the gaps and the limits."""

import math

import numpy as np
import streamlit as st

from cache.filters import Filter
from engine.metrics.audit import Audit
from pages.charts.audit import describe_forest, forest
from pages.charts.audit_map import describe_map, heat_map
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.audit import measures
from pages.findings.audit_tables import overall, value_rows
from pages.findings.bins import Grouping
from pages.findings.groups import MOST_GROUPS
from pages.findings.probe import FEW_PEOPLE, is_probe
from pages.widgets.audit_answers import predicted_classes
from pages.widgets.audit_data import Choice, Grouped, audited, called, faces_of, grouped, ungrouped
from pages.widgets.audit_galleries import galleries
from pages.widgets.audit_gaps import gaps, largest_gaps
from pages.widgets.audit_notes import cannot_show, how_to_measure, nothing_to_compare, tone_note
from pages.widgets.audit_options import choose_groups, choose_quantity
from pages.widgets.audit_table import every_figure
from pages.widgets.caches import View
from pages.widgets.correlation_table import p_value
from pages.widgets.figure import figure, theme
from pages.widgets.measured import described, enough, has_votes, one_class, sampled_note, verdict_note, votes_command
from pages.widgets.problems import guard
from pages.widgets.wording import count, plain

GROUPS_ARE = "Groups are image measurements or labels supplied with the data, never inferred identity."


@st.fragment
def audit_page(view: View, where: Filter) -> None:
    """A fragment: its controls redraw everything but the sidebar."""
    with guard():
        if one_class(view) or not enough(len(faces_of(view, where))):
            return
        bare = not view.cache.attributes
        if bare:
            how_to_measure(view)
        verdict = st.container()
        left, right = st.columns([5, 3], gap="large")
        with right:
            above, between, below = (st.container() for _ in range(3))
        choice = choose_groups(view, where, above, below)
        if choice is None:
            return
        found = grouped(view, where, choice)
        if len(found.groups.names) < 2:
            with left:
                nothing_to_compare(view, where, choice, found.groups)
            tone_note(view, where)
            if not bare:
                how_to_measure(view)
            return
        audit = audited(view, where, choice)
        with between:
            quantity = choose_quantity(audit.quantities)
        by = tuple(called(view, name) for name in choice.columns)
        with verdict:
            st.markdown(widest(audit, found.groups, quantity, " and ".join(by), choice.least))
        with left:
            main_figure(view, where, choice, found, audit, quantity, by)
        people = [FEW_PEOPLE] if is_probe(view.cache.attributes) else []
        st.caption(" ".join([*counted(view, where, choice, found.groups), GROUPS_ARE, *people]))
        verdict_note(where)
        sampled_note(faces_of(view, where))
        without_votes(view)
        galleries(view, where, choice)
        every_figure(view, choice, audit, found.groups)
        gaps(view, where, choice, quantity)
        largest_gaps(audit, found.groups)
        predicted_classes(view, where, choice)
        cannot_show()
        tone_note(view, where)
        if not bare:
            how_to_measure(view)


def main_figure(
    view: View,
    where: Filter,
    choice: Choice,
    found: Grouped,
    audit: Audit,
    quantity: str,
    by: tuple[str, ...],
) -> None:
    """A forest of one attribute's groups, or a map of two."""
    rows = value_rows(audit, found.groups, quantity, choice.least)
    name = f"audit-{view.model}-{'-'.join(by)}-{quantity}"
    if found.crossing is None:
        middle = everyone(view, where, choice, found.groups, quantity)
        figure(
            forest(rows, quantity, middle, by[0], theme=theme()),
            rows,
            key="forest",
            name=name,
            alt=describe_forest(rows, quantity, by[0]),
        )
        return
    crossing = found.crossing
    axes = [(crossing.rows, by[0]), (crossing.columns, by[1])]
    cells = rows.assign(
        row=[crossing.rows[row] for row, _ in crossing.cell], column=[crossing.columns[c] for _, c in crossing.cell]
    )
    if len(crossing.columns) > len(crossing.rows):  # the longer side goes down, where there is room
        axes, cells = axes[::-1], cells.rename(columns={"row": "column", "column": "row"})
    (across_rows, row_name), (across_columns, column_name) = axes
    figure(
        heat_map(cells, quantity, across_rows, across_columns, (row_name, column_name)),
        cells,
        key="map",
        name=name,
        alt=describe_map(cells, quantity, (row_name, column_name)),
    )


def everyone(view: View, where: Filter, choice: Choice, groups: Grouping, quantity: str) -> float:
    """The quantity of all faces in groups; of ECE unknown, for it is no mean over faces."""
    columns = measures(faces_of(view, where), view.samples, choice.handed / 100, choice.order)
    return overall(columns[quantity], groups, quantity) if quantity in columns else math.nan


def widest(audit: Audit, groups: Grouping, quantity: str, by: str, least: int) -> str:
    """The largest gap between two groups in a sentence."""
    q, shown = audit.quantities.index(quantity), QUANTITIES[quantity]
    largest = audit.largest[q]
    if largest is None:
        return f"Fewer than two groups have {least} faces whose {shown.title} is known, so no gap is tested."

    def written(value: float, unit: str = "") -> str:
        return f"{shown.scale * value + 0.0:.{shown.decimals}f} {unit}".strip()

    high, low = (
        f"**{plain(groups.names[at])}** ({written(audit.value[at, q], shown.unit)}, n = {audit.n[at, q]:,})"
        for at in (largest.high, largest.low)
    )
    number = f" over {len(audit.quantities)} quantities" if len(audit.quantities) > 1 else ""
    return (
        f"{shown.title[0].upper()}{shown.title[1:]} by {plain(by)}: highest in {high}, lowest in {low}, a gap of "
        f"**{written(largest.value, shown.gap_unit)}** [{written(largest.ci_low)}, {written(largest.ci_high)}]; "
        f"p {p_text(largest.p)}, with Holm's correction{number} {p_text(largest.p_holm)}."
        + clearest(audit, groups, quantity)
    )


def clearest(audit: Audit, groups: Grouping, quantity: str) -> str:
    """The gap to the rest that chance explains least, where there are more than two groups."""
    q, shown = audit.quantities.index(quantity), QUANTITIES[quantity]
    p = audit.p_holm[:, q]
    if len(groups.names) < 3 or np.isnan(p).all():
        return ""
    at = min(np.flatnonzero(p == np.nanmin(p)), key=lambda g: -abs(audit.gap[g, q] - audit.chance[g, q]))
    gap, low, high = (
        f"{shown.scale * end[at, q] + 0.0:+.{shown.decimals}f}" for end in (audit.gap, audit.gap_low, audit.gap_high)
    )
    tested = int((~np.isnan(p)).sum())
    return (
        f" Clearest gap to the rest: **{plain(groups.names[at])}**, {gap} {shown.gap_unit}".rstrip()
        + f" [{low}, {high}], Holm's p over {count(tested, 'group')} {p_text(float(p[at]))}."
    )


def p_text(p: float) -> str:
    """
    >>> p_text(0.0004), p_text(0.25)
    ('< 0.001', '= 0.250')
    """
    return "< 0.001" if p < 0.001 else f"= {p_value(p)}"


def counted(view: View, where: Filter, choice: Choice, groups: Grouping) -> list[str]:
    """How many faces are in groups, why others are in none, and how to read the figure."""
    inside, n = int((groups.index >= 0).sum()), len(groups.index)
    said = [f"{described(inside, where)} in {count(len(groups.names), 'group')}."]
    if inside < n:
        why = ", ".join(f"{plain(reason)} {faces:,}" for reason, faces in ungrouped(view, where, choice).items())
        said.append(f"{count(n - inside, 'face')} in none of them: {why}.")
    if groups.rare and len(choice.columns) == 1:
        said.append(f"Only the {MOST_GROUPS} most frequent values make groups.")
    if groups.empty:
        said.append(f"No face is in: {plain(', '.join(groups.empty))}.")
    said.append(f"Whiskers: 95 % intervals. Grey or faint: fewer than {choice.least} faces.")
    return said


def without_votes(view: View) -> None:
    """What is missing, and the command that brings it."""
    if has_votes(view):
        return
    st.info(
        "No accuracy, JSD, NLL, ECE and d: they need annotators' votes, and this cache has none. How sure the model "
        "is, and which answers it gives, can be compared without. To add votes, build the cache anew with a table of "
        "labels:"
    )
    st.code(votes_command(view), language="bash")
