"""What is in this cache and how good is each model?"""

import streamlit as st

from pages.widgets.caches import need_model, open_view
from pages.widgets.facts import facts
from pages.widgets.headline import choose_split, headline
from pages.widgets.problems import guard
from pages.widgets.slice_overview import slice_overview
from pages.widgets.slices import slice_note
from pages.widgets.spectrum import histograms, spectrum

MEANING = """
**U_a**, aleatoric uncertainty, is the doubt that each sample of the model has by itself: the face looks like more than
one expression, and people who look at it would differ too. More faces to learn from would not remove it.
**U_e**, epistemic uncertainty, is how far the samples contradict each other: the model has seen too few faces like
this one, and more of them would help. Their sum is **U_t**, the entropy of the mean prediction. Neither says that an
answer is wrong, U_e is blind to what all samples missed together, and none of the three says what a person feels.
"""

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
