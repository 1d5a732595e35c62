"""The correlations within groups of faces: by split, by class, by any attribute of the dataset."""

import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.ceiling import noise_ceiling
from pages.charts.agreement import METHODS, describe_groups, group_dots
from pages.findings.groups import MOST_GROUPS, groups_of
from pages.widgets.agreement import Followed, correlate, faces_of, parts_of, trusted, without_claims
from pages.widgets.bound import select, switch
from pages.widgets.caches import View
from pages.widgets.figure import figure, theme
from pages.widgets.filters import number_range, text_values
from pages.widgets.measured import MIN_FACES, numbers_of
from pages.widgets.problems import guard
from pages.widgets.wording import names

RESAMPLES = 500  # whiskers are drawn, not printed: half the usual number moves their ends by less than a line's width
HALVED, MOST_SPLITS = 5_000, 10  # for the ceiling of one group, which moves by about .01 with those draws


@st.fragment
def correlation_groups(view: View, where: Filter) -> None:
    """A fragment: another grouping redraws this figure alone."""
    with guard():
        st.subheader("Does it hold for every group?", anchor=False)
        offered = groupings(view)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = select("Groups by", offered, key="group", default=next(iter(offered)), width=240)
            methods = {title: method for method, title in METHODS.items()}
            title = switch(
                "Coefficient", methods, key="coefficient", default=METHODS["spearman"], label_visibility="collapsed"
            )
        column, method = offered[chosen], methods[title]
        found = grouped(view, where, column, method)
        figure(
            group_dots(found, method, theme=theme()),
            found,
            key="groups",
            name=f"correlation-by-{column}",
            alt=describe_groups(found, method),
        )
        st.caption(" ".join(notes(view, column, found)))


def groupings(view: View) -> dict[str, str]:
    """Name in the URL -> column, for the columns that tell faces apart."""
    columns = view.cache.columns(view.model)
    called = names(columns)

    def varies(name: str) -> bool:
        if columns[name].kind == "number":
            low, high = number_range(view, name)
            return low < high
        return columns[name].kind == "class" or len(text_values(view, name)) > 1

    candidates = ["majority", "predicted", "split", *view.cache.attributes]
    return {called[name]: name for name in candidates if name in columns and varies(name)}


def grouped(view: View, where: Filter, column: str, method: str) -> pd.DataFrame:
    """`correlate` of each group: one row per group and part, with group and few; of few faces, r alone."""
    return _grouped(view.stamp, view.model, where, column, method, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _grouped(
    stamp: tuple[str, int], model: str | None, where: Filter, column: str, method: str, _view: View
) -> pd.DataFrame:
    faces = faces_of(_view, where)
    values = numbers_of(_view, model, where, (column,)).columns[column]  # the same faces in the same order
    measured = ["disagreement", *parts_of(_view)]
    rows = []
    for name, inside in groups_of(values, _view.cache.columns(model)[column], _view.cache.classes).items():
        within = {key: faces.columns[key][inside] for key in measured}
        splits = min(MOST_SPLITS, max(2, HALVED // max(1, int(inside.sum()))))
        ceiling = trusted(
            noise_ceiling(faces.votes[inside], splits, (method,), resamples=1)
        )  # its value alone is drawn
        rows += [(name, *row, row.n < MIN_FACES) for row in correlate(within, ceiling, RESAMPLES)]
    found = without_claims(pd.DataFrame(rows, columns=["group", *Followed._fields, "few"]))
    return found.drop(columns=["ceiling_low", "ceiling_high"])


def notes(view: View, column: str, found: pd.DataFrame) -> list[str]:
    """How to read the figure, and what it leaves out."""
    said = [
        "Whiskers: 95 % bootstrap intervals. The upright mark is the group's own noise ceiling: where people nearly "
        "always agree, d hardly differs between faces, and its votes measure little else than chance."
    ]
    if column == "majority":
        said.append(
            "This class comes from the same votes as d: chance in them moves a face between these groups too, and a "
            "part may pass a ceiling."
        )
    groups = found.drop_duplicates("group")
    if groups.few.any():
        said.append(f"Faint: fewer than {MIN_FACES} faces with votes, too few for an interval or a ceiling.")
    if found.r.isna().any():
        said.append("No dot: the same value for every face of the group, or fewer than 3 faces.")
    if len(groups) == 1:
        said.append("All faces shown are in one group: a wider filter in the sidebar brings in others.")
    if view.cache.columns(view.model)[column].kind == "text" and (more := len(text_values(view, column))) > MOST_GROUPS:
        said.append(f"The {MOST_GROUPS} most frequent of {'more than ' * (more > 200)}{min(more, 200)} values.")
    return said
