"""How the Bias audit groups faces and what it counts of them. Every choice is in the URL."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cache.filters import Filter
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.attributes import offered, varies
from pages.findings.audit import HANDED, MINIMUM, orders_of
from pages.findings.bins import EDGES, edges_text, group_by, parse_edges
from pages.findings.groups import MOST_GROUPS
from pages.widgets.address import asked, ignore
from pages.widgets.audit_data import Choice, called, column_of, faces_of
from pages.widgets.bound import select, slider, switch, typed
from pages.widgets.caches import View
from pages.widgets.problems import ignored
from pages.widgets.wording import names, plain

NOTHING = "nothing else"
FEWEST, MOST = 5, 200  # faces of a group that can be trusted
NAMES = {"U_e": "u_epistemic", "U_a": "u_aleatoric", "U_t": "u_total", "confidence": "doubt"}  # in the URL


@dataclass(frozen=True)
class Attribute:
    """One choice of an attribute: its column, and where it is cut."""

    column: str
    edges: tuple[float, ...] | None


def choose_groups(view: View, where: Filter, above: DeltaGenerator, below: DeltaGenerator) -> Choice | None:
    """Draw the controls of the groups; None where no column of these faces could tell them apart.

    above, below: where the attributes and where the limits go.
    """
    columns = view.cache.columns(view.model)
    shown = names(columns)
    values = faces_of(view, where).columns
    options = {shown[name]: name for name in offered(columns)}
    if not options:
        return None
    first = next((label for label, name in options.items() if varies(values[name])), next(iter(options)))
    with above:
        label = select("Groups by", options, key="attribute", default=first, clears=("edges",))
        others = [NOTHING, *(other for other in options if other != label)]
        second = select("Crossed with", others, key="and", default=NOTHING, clears=("and-edges",))
        chosen = [_attribute(view, options[label], values[options[label]], "edges")]
        if second != NOTHING:
            chosen.append(_attribute(view, options[second], values[options[second]], "and-edges"))
        elif asked("and-edges"):
            ignore("and-edges", "nothing is crossed")
    with below:
        order, handed, least = _limits(view)
    return Choice(tuple(a.column for a in chosen), tuple(a.edges for a in chosen), order, handed, least)


def choose_quantity(known: tuple[str, ...]) -> str:
    """Which of the quantities the figures show."""
    options = {quantity.title: name for name, quantity in QUANTITIES.items() if name in known}
    start = next(QUANTITIES[n].title for n in ("accuracy", "u_epistemic", "u_total") if n in known)
    return options[select("Quantity", options, key="quantity", default=start, help=QUANTITIES_ARE)]


def _attribute(view: View, name: str, values: np.ndarray, key: str) -> Attribute:
    """The column, cut where the reader says."""
    column = column_of(view, name)
    if column.kind != "number":
        if asked(key):
            ignore(key, f"{names({name: column})[name]} is no number")
        return Attribute(name, None)
    current = group_by(values, column).edges
    text = typed(
        f"Bins of {plain(called(view, name))}",
        key=key,
        placeholder=edges_text(current) if current else "a group per value",
        help=BINS,
    )
    if not text:
        return Attribute(name, None)
    try:
        return Attribute(name, parse_edges(text))
    except ValueError as problem:
        ignored(key, text, str(problem))
        return Attribute(name, None)


def _limits(view: View) -> tuple[str, int, int]:
    """By what faces are handed over, how many percent, and how many faces a group needs."""
    orders = {name: order for name, order in NAMES.items() if order in orders_of(view.samples)}
    used = any(asked(key) for key in ("handed", "order", "least"))
    with st.expander("Share handed over, fewest faces", expanded=used):
        handed = slider("Handed to a person", 0, 50, key="handed", default=round(100 * HANDED), format="%d %%")
        by = switch(
            "Chosen by highest uncertainty, or lowest confidence",
            orders,
            key="order",
            default=next(iter(orders)),
            help=HANDING,
        )
        least = slider("Fewest faces of a group", FEWEST, MOST, key="least", default=MINIMUM, help=LEAST)
    return orders[by], handed, least


BINS = (
    "The edges between the groups, from low to high with commas: `10,28,41` makes four groups. A group holds its "
    f"upper edge. At most {MOST_GROUPS - 1} edges. Left empty, a number of many values makes four groups of equal "
    f"size; skin tone is cut at {edges_text(EDGES['attr_ita'])} (Chardon's classes), the head's yaw at "
    f"{edges_text(EDGES['attr_head_yaw'])}."
)
HANDING = "As on the page Rejection: of all faces shown, those with the highest uncertainty or the lowest confidence."
LEAST = "Smaller groups are shown in grey, without an interval, and are not tested."
QUANTITIES_ARE = (
    "Accuracy: share of faces with the annotators' most frequent class. JSD and NLL: distance from all their votes. "
    "ECE: expected calibration error, in the groups as on the page Calibration. d: how far annotators disagree. "
    "Handed over: share of the group among the most doubtful of all faces."
)
