"""Does U_a follow the annotators? Their disagreement d against each part of the triple, below the noise ceiling."""

import streamlit as st

from pages.widgets.along_d import along_d
from pages.widgets.caches import need_model, open_view
from pages.widgets.correlation_groups import correlation_groups
from pages.widgets.correlation_table import correlations, noise_ceiling
from pages.widgets.density_of_d import density
from pages.widgets.filters import choose_filter
from pages.widgets.measured import has_votes
from pages.widgets.problems import guard
from pages.widgets.rule_breakers import rule_breakers
from pages.widgets.uncertainty_only import uncertainty_only

with guard():
    view = open_view("Does U_a follow the annotators?")
    where = choose_filter(view, default_split="test")
    if not has_votes(view):
        uncertainty_only(view, where)
        st.stop()
    if not noise_ceiling(view, where):
        st.stop()
    if view.model:
        correlations(view, where)
        along_d(view, where)
        rule_breakers(view, where)
        correlation_groups(view, where)
    density(view, where)
    need_model(view)
