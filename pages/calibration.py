"""Can the confidence be trusted?"""

import streamlit as st

from pages.widgets.caches import need_model, open_view
from pages.widgets.calibration import calibration, confidence_only
from pages.widgets.calibration_brier import brier
from pages.widgets.filters import choose_filter
from pages.widgets.measured import has_votes, one_class
from pages.widgets.problems import guard

with guard():
    view = open_view("Can the confidence be trusted?")
    need_model(view)
    where = choose_filter(view, default_split="test")
    if one_class(view):
        st.stop()
    if has_votes(view):
        calibration(view, where)
        brier(view, where)
    else:
        confidence_only(view, where)
