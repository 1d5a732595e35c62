"""What the faces of a map are coloured by."""

import math

import streamlit as st

from cache.filters import Column
from cache.maps import CORRECTNESS, Shade, spread
from cache.schema import NEEDS_VOTES
from pages.charts import map_shading
from pages.charts.map_shading import MOST_GROUPS, Shading
from pages.widgets.bound import select
from pages.widgets.caches import View
from pages.widgets.figure import theme
from pages.widgets.filters import text_values
from pages.widgets.measured import has_votes
from pages.widgets.wording import names

FIRST = ("U_e", "U_a", "U_t", "predicted class", "annotators' class", CORRECTNESS, "confidence")


def choose_colour(view: View) -> tuple[Shade, Shading]:
    """What the URL names, or the epistemic uncertainty where there is one."""
    found = offered(view)
    first = next(name for name in found if name in ("U_e", "U_a") or not view.model)
    column = found[select("Colour", found, key="colour", default=first, width=220)]
    return shading_of(view, column)


def offered(view: View) -> dict[str, str]:
    """Name -> column. A column that is the same for every face is left out."""
    columns = view.cache.columns(view.model)
    called = names(columns)
    votes = has_votes(view)
    voted = {*NEEDS_VOTES, "disagreement", "majority", "n_votes"}
    found = {called[n]: n for n in columns if votes or n not in voted}
    if votes and view.model:
        found[CORRECTNESS] = CORRECTNESS
    if view.samples == 1:
        found.pop("U_e", None)
    order = [*(name for name in FIRST if name in found), *(name for name in found if name not in FIRST)]
    return {name: found[name] for name in order}


def shading_of(view: View, column: str) -> tuple[Shade, Shading]:
    """What to ask the cache for, and the colours of its answer."""
    if column == CORRECTNESS:
        return Shade(CORRECTNESS), map_shading.verdicts(CORRECTNESS, theme())
    columns = view.cache.columns(view.model)
    known, title = columns[column], titled(columns, column)
    if known.kind == "class":
        unknown = "no majority" if column == "majority" else "unknown"
        classes = view.cache.classes
        if len(classes) <= MOST_GROUPS:
            return Shade(column), map_shading.groups(title, classes, theme(), unknown=unknown)
        few = tuple(sorted(_frequent(view.stamp, view.model, column, view)))
        names = [classes[index] for index in few]
        return Shade(column, few), map_shading.groups(title, names, theme(), other=True, unknown=unknown)
    if known.kind == "text":
        texts = list(text_values(view, column))  # most frequent first
        few = tuple(sorted(texts[:MOST_GROUPS]))
        return Shade(column, few), map_shading.groups(title, few, theme(), other=len(texts) > len(few))
    low, high = _spread(view.stamp, view.model, column, view)
    ends = (low, high) if math.isfinite(low) else (0.0, 1.0)
    return Shade(column), map_shading.scale(title, column, *ends, theme())


def titled(columns: dict[str, Column], column: str) -> str:
    """The name of a column with its unit."""
    unit = columns[column].unit
    return names(columns)[column] + (f" ({unit})" if unit else "")


@st.cache_data(max_entries=32, show_spinner=False)
def _frequent(stamp: tuple[str, int], model: str | None, column: str, _view: View) -> list[int]:
    """The classes that most faces have, of more than can be told apart by colour."""
    found = _view.cache.values(model, column, limit=MOST_GROUPS + 1).value.dropna()
    return [int(index) for index in found][:MOST_GROUPS]


@st.cache_data(max_entries=128, show_spinner=False)
def _spread(stamp: tuple[str, int], model: str | None, column: str, _view: View) -> tuple[float, float]:
    return spread(_view.cache, model, column)
