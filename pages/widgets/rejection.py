"""Scores against coverage for every order of giving up, and the controls that say how many, and by what."""

import streamlit as st

from cache.filters import Filter
from pages.charts.coverage import SCORES, coverage_curves, coverage_table, describe_coverage
from pages.widgets.bound import slider, switch
from pages.widgets.caches import View
from pages.widgets.figure import figure, theme
from pages.widgets.handed_over import handed_over
from pages.widgets.measured import enough, has_votes, one_class, sampled_note, verdict_note, votes_command
from pages.widgets.problems import guard
from pages.widgets.rejection_measures import Order, correct, faces_of, measured, orders_of
from pages.widgets.rejection_table import table
from pages.widgets.wording import LEGEND

MOST, DEFAULT = 50, 25  # percent handed to a person
SCORES_ARE = (
    "JSD (Jensen-Shannon divergence) and NLL (negative log-likelihood) measure how far the model's probabilities are "
    "from all the votes on a face: the lower, the better."
)
NAMES = {"U_a": "u_aleatoric", "U_e": "u_epistemic", "U_t": "u_total", "confidence": "doubt"}  # in the URL


@st.fragment
def rejection(view: View, where: Filter) -> None:
    """A fragment: the slider redraws the marks, the table and the gallery, and leaves the sidebar alone."""
    with guard():
        if one_class(view):
            return
        faces = faces_of(view, where)
        above = st.container()
        order, handed = choose(view)
        kept = 1 - handed / 100
        with above:
            if not enough(len(faces)):
                return
            if has_votes(view) and (correct(faces) >= 0).sum() > 1:
                found = measured(view, where)
                figures(view, found, kept)
                st.caption(f"{LEGEND} {SCORES_ARE}")
                verdict_note(where)
            else:
                found = {}
                st.info(
                    "Too few of these faces have annotators' votes to say what is gained by handing some over. Below "
                    "are those that the model would hand over first."
                )
                if not has_votes(view):
                    st.code(votes_command(view), language="bash")
            sampled_note(faces)
        if found:
            table(view, where, found, kept, len(faces))
        handed_over(view, where, order, handed, has_errors=bool(found))


def choose(view: View) -> tuple[str, int]:
    """By what faces are handed over, and how many percent of them."""
    offered = [name for name, order in NAMES.items() if order in orders_of(view)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        handed = slider("Share handed to a person", 0, MOST, key="handed", default=DEFAULT, format="%d %%", width=420)
        by = switch("Chosen by highest uncertainty, or lowest confidence", offered, key="by", default=offered[0])
    return NAMES[by], handed


def figures(view: View, found: dict[str, Order], kept: float) -> None:
    curves = {order: measures.curve for order, measures in found.items()}
    for column, score in zip(st.columns(len(SCORES), gap="medium"), SCORES, strict=True):
        with column:
            figure(
                coverage_curves(curves, score, kept, theme=theme()),
                coverage_table(curves, score),
                key=f"coverage-{score}",
                name=f"coverage-{view.model}-{score}",
                alt=describe_coverage(curves, score),
            )
