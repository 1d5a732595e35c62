"""What is in this cache and how good is each model?"""

import streamlit as st

from pages.findings.overview import MEANING
from pages.widgets.caches import need_model, open_view
from pages.widgets.facts import facts
from pages.widgets.headline import choose_split, headline
from pages.widgets.problems import guard
from pages.widgets.report_button import report_button
from pages.widgets.slice_overview import slice_overview
from pages.widgets.slices import slice_note
from pages.widgets.spectrum import histograms, spectrum

with guard():
    view = open_view("What is in this cache and how good is each model?")
    slice_note(view)
    if view.model:
        spectrum(view)
    facts(view)
    need_model(view)
    if view.slice:
        slice_overview(view)
    else:
        split = choose_split(view, "How good is each model?")
        headline(view, split)
        histograms(view, split)
    st.markdown(MEANING)
    report_button(view, None if view.slice else split)
