"""Every quantity of every group, each with its interval: how well the model answers, and how sure it is."""

import numpy as np
import pandas as pd
import streamlit as st

from engine.metrics.audit import Audit
from engine.metrics.bootstrap import Estimate
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.bins import Grouping
from pages.widgets.audit_data import Choice, called
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.wording import DASH, LEGEND, PALETTE, plain

NBSP = "\N{NO-BREAK SPACE}"
LONG = 14  # rows; a longer table is one click away
TABLES = {
    "How well it answers": ("accuracy", "jsd", "nll", "ece", "disagreement"),
    "How sure it is": ("u_aleatoric", "u_epistemic", "u_total", "confidence", "handed"),
}


def every_figure(view: View, choice: Choice, audit: Audit, groups: Grouping) -> None:
    """Two tables, a row per group."""
    st.subheader("Every figure of every group", anchor=False)
    by = " · ".join(called(view, name) for name in choice.columns)
    place = st.container() if len(groups.names) <= LONG else st.expander(f"Tables of {len(groups.names)} groups")
    with place:
        for title, wanted in TABLES.items():
            names = [name for name in wanted if name in audit.quantities]
            if not names:
                continue
            st.markdown(f"**{title}**")
            statistics(
                table(audit, groups, names, by, choice.least),
                key=f"audit-{wanted[0].replace('_', '-')}",
                alt=f"{', '.join(QUANTITIES[name].title for name in names)} by {by}, with 95 % intervals",
            )
    st.caption(" ".join(notes(view, choice, audit)))


def table(audit: Audit, groups: Grouping, names: list[str], by: str, least: int) -> pd.DataFrame:
    """Groups as rows; grey where there are few faces, and then without intervals."""
    columns: dict[str, list[str]] = {plain(by): [], "n": []}
    at = [audit.quantities.index(name) for name in names]
    for g, group in enumerate(groups.names):
        few = bool(audit.faces[g] < least)
        columns[plain(by)].append(grey(plain(group)) if few else plain(group))
        columns["n"].append(grey(known(audit, g, at)) if few else known(audit, g, at))
    for name, q in zip(names, at, strict=True):
        columns[heading(name)] = [figure_of(audit, g, q, name, least) for g in range(len(groups.names))]
    return pd.DataFrame(columns)


def figure_of(audit: Audit, g: int, q: int, name: str, least: int) -> str:
    """One cell."""
    shown = QUANTITIES[name]
    value, low, high = (float(getattr(audit, end)[g, q]) for end in ("value", "low", "high"))
    if audit.n[g, q] >= least or not np.isfinite(value):
        return cell(Estimate(value, low, high, int(audit.n[g, q])), shown.decimals, shown.scale)
    return grey(f"{shown.scale * value + 0.0:.{shown.decimals}f}")


def heading(name: str) -> str:
    shown = QUANTITIES[name]
    title = f":{PALETTE[name]}[**{shown.title}**]" if name in PALETTE else shown.title
    return f"{title}, {shown.unit}" if shown.unit else title


def known(audit: Audit, g: int, at: list[int]) -> str:
    """Faces behind the figures of a row, from the fewest to the most."""
    fewest, most = int(audit.n[g, at].min()), int(audit.n[g, at].max())
    return f"{most:,}" if fewest == most else f"{fewest:,}{NBSP}to{NBSP}{most:,}"


def grey(text: str) -> str:
    return f":gray[{text}]"


def notes(view: View, choice: Choice, audit: Audit) -> list[str]:
    """How to read the tables."""
    said = ["Value [95 % interval] over n faces, from the fewest to the most where a quantity is known of fewer."]
    if "ece" in audit.quantities:
        said.append(
            "JSD, NLL and ECE: the lower, the better. ECE rises with fewer faces by chance alone, so small groups seem "
            "worse calibrated than they are; the table of gaps says by how much."
        )
    said.append(LEGEND)
    by = {"u_epistemic": "U_e", "u_aleatoric": "U_a", "u_total": "U_t"}.get(choice.order)
    most = f"the highest {by}" if by else "the lowest confidence"
    said.append(f"Handed over: share of the group among the {choice.handed} % of all faces with {most}.")
    if view.samples == 1:
        said.append(f"No U_e: {plain(view.model)} draws one sample per face, so U_e is 0 for every face.")
    if (audit.faces < choice.least).any():
        said.append(f"Grey: fewer than {choice.least} faces, too few for an interval.")
    if np.isnan(audit.value).any():
        said.append(f"{DASH}: unknown for every face of the group.")
    return said
