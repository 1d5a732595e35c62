"""Which classes a model gives to each group of faces."""

import streamlit as st

from cache.filters import Filter
from pages.charts.audit_map import answers_map, describe_answers
from pages.findings.audit_tables import FACES, answers
from pages.widgets.audit_data import Choice, called, faces_of, grouped
from pages.widgets.caches import View
from pages.widgets.figure import figure


def predicted_classes(view: View, where: Filter, choice: Choice) -> None:
    """A map of groups by classes. Two attributes make one row per cell of theirs."""
    groups = grouped(view, where, choice).groups
    found = answers(groups, faces_of(view, where).columns["predicted"], view.cache.classes)
    found["few"] = found[FACES] < choice.least
    by = " · ".join(called(view, name) for name in choice.columns)
    given = [name for name in view.cache.classes if (found.loc[found["class"] == name, "faces"] > 0).any()]
    st.subheader("Which answers does each group get?", anchor=False)
    figure(
        answers_map(found[found["class"].isin(given)], groups.names, given, by),
        found,
        key="answers",
        name=f"predicted-{view.model}-{'-'.join(choice.columns)}",
        alt=describe_answers(found, by),
    )
    st.caption(
        "Percent of each group's faces that the model gives the class; point at a cell for its 95 % interval (Wilson's)"
        ". Groups whose faces show different expressions get different answers from a perfect model too."
    )
