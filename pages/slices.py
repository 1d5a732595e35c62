"""How do two groups of faces differ? Slices, which are filters with a name, side by side, and the list of them."""

from dataclasses import replace

from pages.widgets.caches import open_view
from pages.widgets.compare import compare
from pages.widgets.filters import choose_filter
from pages.widgets.problems import guard
from pages.widgets.slice_list import explain, list_slices, usable

with guard():
    view = open_view("How do two groups of faces differ?")
    found = usable(view)
    here = choose_filter(replace(view, slice=None), default_split="test")  # of both groups; the slice is one of them
    if found:
        compare(view, here, found)
    else:
        explain()
    list_slices(view)
