"""What the Bias audit page computes, remembered between reruns: groups, their figures, adjusted and equalised gaps."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cache.filters import Column, Filter
from cache.numbers import Numbers
from engine.metrics.adjusted import Adjusted, adjusted
from engine.metrics.audit import Audit
from engine.metrics.equalised import Equalised, equalised
from pages.findings.attributes import POSE, REASONS, TONE, offered
from pages.findings.audit import COLUMNS, audit_faces, measures, reasons
from pages.findings.bins import Crossing, Grouping, cross, group_by
from pages.widgets.caches import View
from pages.widgets.measured import has_votes, numbers_of
from pages.widgets.wording import names


@dataclass(frozen=True)
class Choice:
    """By what faces are grouped, and what is counted of them."""

    columns: tuple[str, ...]  # one or two
    edges: tuple[tuple[float, ...] | None, ...]  # of each; None: as it comes
    order: str  # by what faces are handed over
    handed: int  # percent
    least: int  # faces of a group that can be trusted


@dataclass(frozen=True, eq=False)
class Grouped:
    """The groups, and the table that they are cells of where there are two attributes."""

    groups: Grouping
    parts: tuple[Grouping, ...]  # by each attribute alone
    crossing: Crossing | None = None


def faces_of(view: View, where: Filter) -> Numbers:
    """What the audit compares, every column that faces can be grouped by, and why some values are unknown."""
    voted, columns = has_votes(view), view.cache.columns(view.model)
    beside = (*offered(columns), *(name for name in (TONE, POSE) if name in columns))
    return numbers_of(view, view.model, where, (*COLUMNS, *beside), probs=voted, votes=voted)


def called(view: View, column: str) -> str:
    """Its name on the page, with the unit."""
    unit = column_of(view, column).unit
    return names(view.cache.columns(view.model))[column] + (f" ({unit})" if unit else "")


def column_of(view: View, column: str) -> Column:
    return view.cache.columns(view.model)[column]


def grouped(view: View, where: Filter, choice: Choice) -> Grouped:
    """The faces by one attribute, or by two."""
    return _grouped(view.stamp, view.model, where, choice.columns, choice.edges, view)


@st.cache_resource(max_entries=32, show_spinner=False)
def _grouped(
    stamp: tuple[str, int],
    model: str,
    where: Filter,
    columns: tuple[str, ...],
    edges: tuple[tuple[float, ...] | None, ...],
    _view: View,
) -> Grouped:
    values = faces_of(_view, where).columns
    parts = tuple(
        group_by(values[name], column_of(_view, name), _view.cache.classes, cut)
        for name, cut in zip(columns, edges, strict=True)
    )
    if len(parts) == 1:
        return Grouped(parts[0], parts)
    crossing = cross(*parts)
    return Grouped(crossing.groups, parts, crossing)


def ungrouped(view: View, where: Filter, choice: Choice) -> dict[str, int]:
    """Why faces are in no group: reason -> how many."""
    values = faces_of(view, where).columns
    known = {name: REASONS[name] for name in choice.columns if REASONS.get(name) in values}
    return reasons(grouped(view, where, choice).groups, {name: values[why] for name, why in known.items()})


def audited(view: View, where: Filter, choice: Choice) -> Audit:
    return _audited(view.stamp, view.model, where, choice, view)


@st.cache_data(max_entries=32, show_spinner="Resampling faces")
def _audited(stamp: tuple[str, int], model: str, where: Filter, choice: Choice, _view: View) -> Audit:
    groups = grouped(_view, where, choice).groups
    return audit_faces(
        faces_of(_view, where),
        groups,
        _view.samples,
        handed=choice.handed / 100,
        order=choice.order,
        minimum=choice.least,
    )


def adjusted_gaps(view: View, where: Filter, choice: Choice, covariates: tuple[str, ...]) -> Adjusted:
    return _adjusted(view.stamp, view.model, where, choice, covariates, view)


@st.cache_data(max_entries=32, show_spinner="Fitting regressions")
def _adjusted(
    stamp: tuple[str, int], model: str, where: Filter, choice: Choice, covariates: tuple[str, ...], _view: View
) -> Adjusted:
    groups = grouped(_view, where, choice).groups
    beside = {name: spelled(_view, where, name) for name in covariates}
    return adjusted(_measures(_view, where, choice), groups.index, len(groups.names), beside, minimum=choice.least)


def equal_gaps(view: View, where: Filter, choice: Choice, quality: tuple[str, ...]) -> Equalised:
    return _equalised(view.stamp, view.model, where, choice, quality, view)


@st.cache_data(max_entries=32, show_spinner="Matching faces")
def _equalised(
    stamp: tuple[str, int], model: str, where: Filter, choice: Choice, quality: tuple[str, ...], _view: View
) -> Equalised:
    groups, values = grouped(_view, where, choice).groups, faces_of(_view, where).columns
    same = {name: values[name] for name in quality}
    return equalised(_measures(_view, where, choice), groups.index, len(groups.names), same, minimum=choice.least)


def spelled(view: View, where: Filter, name: str) -> np.ndarray:
    """A covariate: a number as it is, a class by its name."""
    values = faces_of(view, where).columns[name]
    if column_of(view, name).kind != "class":
        return values
    classes = np.array(view.cache.classes, dtype=object)
    return np.where(np.isnan(values), None, classes[np.nan_to_num(values).astype(int)])


def _measures(view: View, where: Filter, choice: Choice) -> dict[str, np.ndarray]:
    return measures(faces_of(view, where), view.samples, choice.handed / 100, choice.order)
