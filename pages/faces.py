"""Which faces is the model most and least sure of, in each sense? The first paper's Figure 1, and a browser."""

from pages.widgets.bound import switch
from pages.widgets.browse import browse
from pages.widgets.caches import open_view
from pages.widgets.extremes import extremes
from pages.widgets.filters import choose_filter
from pages.widgets.problems import guard

VIEWS = {"Extremes": extremes, "Browse": browse}

with guard():
    view = open_view("Which faces is the model most and least sure of, and in which sense?")
    offered = list(VIEWS) if view.model else ["Browse"]
    shown = switch("View", offered, key="view", default=offered[0], label_visibility="collapsed")
    where = choose_filter(view)
    VIEWS[shown](view, where)
