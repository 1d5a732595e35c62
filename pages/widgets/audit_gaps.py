"""How far each group is from the rest, as observed, at equal values of other attributes, and at equal image quality."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.adjusted import Adjusted
from engine.metrics.audit import ECE, Audit
from engine.metrics.bootstrap import Estimate
from engine.metrics.equalised import Equalised
from pages.charts.audit import describe_gaps, gap_forest
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.attributes import QUALITY, covariates, offered
from pages.findings.audit_tables import everything, gap_rows
from pages.findings.bins import Grouping
from pages.widgets.audit_data import (
    Choice,
    adjusted_gaps,
    audited,
    called,
    column_of,
    equal_gaps,
    faces_of,
    grouped,
)
from pages.widgets.audit_table import LONG, NBSP, grey, heading
from pages.widgets.bound import several
from pages.widgets.caches import View
from pages.widgets.correlation_table import p_value
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import figure, safe, theme
from pages.widgets.problems import guard
from pages.widgets.wording import count, names, plain

MOST = 10  # attributes to adjust for


@st.fragment
def gaps(view: View, where: Filter, choice: Choice, quantity: str) -> None:
    """A fragment: other attributes to adjust for redraw this section alone."""
    with guard():
        st.subheader("How far is each group from the rest?", anchor=False)
        audit, groups = audited(view, where, choice), grouped(view, where, choice).groups
        left, right = st.columns([5, 3], gap="large")
        with right:
            beside, quality = choose_others(view, where, choice)
        fitted = adjusted_gaps(view, where, choice, beside) if beside and quantity != ECE else None
        equal = equal_gaps(view, where, choice, quality) if quality and quantity != ECE else None
        by = " · ".join(called(view, name) for name in choice.columns)
        rows = gap_rows(audit, groups, quantity, choice.least, fitted, equal)
        drawn = rows[rows.group.isin(widest_groups(rows))]
        with left:
            figure(
                gap_forest(drawn, quantity, by, theme=theme()),
                rows,
                key="gaps",
                name=f"audit-gaps-{view.model}-{'-'.join(choice.columns)}-{quantity}",
                alt=describe_gaps(drawn, quantity, by),
            )
        if len(drawn) < len(rows):
            st.caption(
                f"Drawn: {LONG} of {len(groups.names)} groups, those of enough faces first, by the width of their raw "
                "gaps. The table has all."
            )
        with right:
            for sentence in left_out(view, quantity, fitted, equal, choice):
                st.caption(sentence)
        place = st.container() if len(groups.names) <= LONG else st.expander(f"Table of {len(groups.names)} groups")
        with place:
            statistics(
                table(rows, audit, groups, quantity, by, choice.least),
                key="gap-table",
                alt=f"Gap of {QUANTITIES[quantity].title} of each group to the rest, with 95 % intervals and tests",
            )
        st.caption(" ".join(notes(audit, quantity, choice, fitted, equal)))
        with st.container(horizontal_alignment="right"):
            st.download_button(
                "All figures of this audit (CSV)",
                lambda: all_figures(view, where, choice, fitted, equal),
                file_name=f"{safe(f'audit-{view.model}-' + '-'.join(choice.columns))}.csv",
                mime="text/csv",
                key="audit-data",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
            )


def widest_groups(rows: pd.DataFrame) -> list[str]:
    """Groups to draw: all of a few, of many those of enough faces whose raw gap is the widest."""
    raw = rows[rows.kind == "raw"]
    if len(raw) <= LONG:
        return raw.group.tolist()
    order = raw.assign(width=raw.value.abs()).sort_values(["few", "width"], ascending=[True, False])
    return order.group.tolist()[:LONG]


def all_figures(view: View, where: Filter, choice: Choice, fitted: Adjusted | None, equal: Equalised | None) -> str:
    """Every group, quantity and comparison as CSV."""
    predicted = faces_of(view, where).columns["predicted"]
    groups = grouped(view, where, choice).groups
    table = everything(audited(view, where, choice), groups, choice.least, predicted, view.cache.classes, fitted, equal)
    return table.to_csv(index=False)


def choose_others(view: View, where: Filter, choice: Choice) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Attributes to adjust for, and those of image quality to equalise."""
    columns = view.cache.columns(view.model)
    shown = names(columns)
    values = faces_of(view, where).columns
    open_to = {shown[name]: name for name in offered(columns) if name not in choice.columns}
    start = [shown[name] for name in covariates([n for n in open_to.values() if known(values[n])], choice.columns)]
    beside = several(
        "Adjusted for",
        open_to,
        key="adjust",
        default=start[:MOST],
        most=MOST,
        placeholder="nothing",
        help=ADJUSTED,
    )
    sharp = {label: name for label, name in open_to.items() if column_of(view, name).kind == "number"}
    first = [shown[name] for name in QUALITY if name in sharp.values() and known(values[name])]
    equal = several("Equal in", sharp, key="equalise", default=first, most=4, placeholder="nothing", help=EQUALISED)
    return tuple(open_to[label] for label in beside), tuple(sharp[label] for label in equal)


def known(values) -> bool:
    """Whether any of them is."""
    return bool(pd.notna(values).any())


def table(rows: pd.DataFrame, audit: Audit, groups: Grouping, quantity: str, by: str, least: int) -> pd.DataFrame:
    """Groups as rows: the gaps of each kind, and the tests of the raw one."""
    shown, q = QUANTITIES[quantity], audit.quantities.index(quantity)
    kinds = list(dict.fromkeys(rows.kind))
    few = audit.n[:, q] < least
    unit = f", {shown.gap_unit}" if shown.gap_unit else ""
    columns: dict[str, list[str]] = {
        plain(by): [grey(plain(g)) if f else plain(g) for g, f in zip(groups.names, few, strict=True)],
        "n": [grey(f"{n:,}") if f else f"{n:,}" for n, f in zip(audit.n[:, q], few, strict=True)],
    }
    for kind in kinds:
        found = rows[rows.kind == kind].set_index("group").loc[list(groups.names)]
        columns[("gap by chance" if kind == "by chance" else f"{kind} gap") + unit] = [
            grey(f"{row.value + 0.0:.{shown.decimals}f}")
            if row.few and row.value == row.value
            else cell(Estimate(row.value, row.low, row.high, row.n), shown.decimals)
            for row in found.itertuples()
        ]
        if kind == "raw":
            columns["p"] = [p_value(float(p)) for p in audit.p[:, q]]
            columns["Holm's p"] = [p_value(float(p)) for p in audit.p_holm[:, q]]
    return pd.DataFrame(columns)


def notes(audit: Audit, quantity: str, choice: Choice, fitted: Adjusted | None, equal: Equalised | None) -> list[str]:
    """How to read the table."""
    said = [
        "Gap: the group less the rest, all other faces that are in a group [95 % interval]. p: two-sided permutation "
        f"test of the raw gap, of groups of at least {choice.least} faces; Holm's p is corrected for their number."
    ]
    if quantity == ECE:
        said.append(
            "By chance: the gap of a group of this size if all groups were calibrated alike; p is of what goes beyond. "
            "ECE belongs to a group and not to a face, so it cannot be adjusted."
        )
    if fitted is not None:
        said.append(
            "Adjusted: the gap in a linear regression on the chosen attributes; intervals from HC3 standard errors."
        )
    if equal is not None:
        said.append(
            "Equalised: the rest reweighted so that image quality is spread over it as over the group's faces; faces "
            "without a partner of like quality are left away."
        )
    return said


def left_out(view: View, quantity: str, fitted: Adjusted | None, equal: Equalised | None, choice: Choice) -> list[str]:
    """What a comparison could not use, and why."""
    shown = names(view.cache.columns(view.model))
    said = []
    used = [
        f"{what} {', '.join(plain(shown[name]) for name in found.used)}"
        for what, found in (("Adjusted for", fitted), ("equal in", equal))
        if found is not None and found.used
    ]
    if used:
        said.append(f"{'; '.join(used)}.")
    for title, found in (("Not adjusted for", fitted), ("Not equalised", equal)):
        if found is not None and found.left_out:
            each = "; ".join(
                f"**{plain(shown[name])}**: {plain(by_name(why, shown))}" for name, why in found.left_out.items()
            )
            said.append(f"{title} {each}.")
    if fitted is not None and (dropped := int(fitted.dropped[fitted.quantities.index(quantity)])):
        said.append(
            f"The adjusted gap is without {count(dropped, 'face')} of which one of these attributes is unknown."
        )
    if equal is not None and len(equal.matched):
        tested = equal.matched[equal.n.max(axis=1) > 0]
        if len(tested):
            said.append(
                f"Faces of like quality among the rest were found for {100 * tested.min():.0f} to "
                f"{100 * tested.max():.0f} % of the faces of a group."
            )
    toned = {"attr_ita", "attr_monk", "attr_tone"} & set(choice.columns)
    if toned and any("attr_brightness" in found.used for found in (fitted, equal) if found):
        said.append(
            "A darker skin makes a darker image: equal brightness takes away a part of what skin tone itself does."
        )
    return said


def by_name(reason: str, shown: Mapping[str, str]) -> str:
    """A reason that ends with a column, with the name that the page calls it by.

    >>> by_name("says the same as attr_x", {"attr_x": "x"})
    'says the same as x'
    """
    before, space, last = reason.rpartition(" ")
    return f"{before}{space}{shown.get(last, last)}"


def largest_gaps(audit: Audit, groups: Grouping) -> None:
    """The widest gap between two groups, of every quantity."""
    rows = []
    for name in (name for name in QUANTITIES if name in audit.quantities):
        q, shown = audit.quantities.index(name), QUANTITIES[name]
        largest = audit.largest[q]
        if largest is None:
            continue
        high, low = (
            f"{plain(groups.names[at])}: {shown.scale * audit.value[at, q]:.{shown.decimals}f}".replace(" ", NBSP)
            for at in (largest.high, largest.low)
        )
        gap = cell(Estimate(largest.value, largest.ci_low, largest.ci_high, 0), shown.decimals, shown.scale)
        n = f"{audit.n[largest.high, q]:,}{NBSP}/{NBSP}{audit.n[largest.low, q]:,}"
        rows.append((heading(name), high, low, n, gap, p_value(largest.p), p_value(largest.p_holm)))
    if not rows:
        return
    st.subheader("The widest gap of every quantity", anchor=False)
    statistics(
        pd.DataFrame(rows, columns=["", "highest", "lowest", "n", "gap", "p", "Holm's p"]),
        key="largest-gaps",
        alt=f"The widest gap between two groups for {len(rows)} quantities, with 95 % intervals and tests",
    )
    st.caption(
        "Between the two groups of enough faces that are furthest apart; of percentages in points. The interval allows "
        "for their having been picked as the widest of all pairs, and so does p, which asks how often chance makes any "
        "pair stand out as much, each in its own standard deviations. Holm's p is corrected for the number of "
        "quantities."
    )


ADJUSTED = "Attributes that a regression holds equal. What it cannot hold equal is everything that was not measured."
EQUALISED = "Image measurements whose spread is made equal, by reweighting the rest."
