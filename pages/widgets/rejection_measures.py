"""What a model gains by giving faces up, for each order in which it may do so; remembered between reruns."""

import numpy as np
import streamlit as st

from cache.filters import Filter
from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate, share
from engine.metrics.rejection import kept_faces
from pages.findings import rejection as findings
from pages.findings.rejection import COLUMNS, Order, correct, doubt
from pages.widgets.caches import View
from pages.widgets.measured import numbers_of


def faces_of(view: View, where: Filter) -> Numbers:
    return numbers_of(view, view.model, where, COLUMNS)


def orders_of(view: View) -> list[str]:
    return findings.orders_of(view.samples)


def measured(view: View, where: Filter) -> dict[str, Order]:
    """By the names of `orders_of`."""
    return _measured(view.stamp, view.model, where, view)


@st.cache_data(max_entries=16, show_spinner=False)
def _measured(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> dict[str, Order]:
    return findings.measured(faces_of(_view, where), orders_of(_view))


def errors_on_both_sides(view: View, where: Filter, order: str, kept: float) -> dict[str, Estimate]:
    """Share of faces that the model gets wrong among those it hands over and among those it keeps."""
    return _both_sides(view.stamp, view.model, where, order, kept, view)


@st.cache_data(max_entries=128, show_spinner=False)
def _both_sides(
    stamp: tuple[str, int], model: str, where: Filter, order: str, kept: float, _view: View
) -> dict[str, Estimate]:
    faces = faces_of(_view, where)
    wrong = 1 - correct(faces)
    keeps = np.zeros(len(faces), dtype=bool)
    keeps[np.argsort(doubt(faces, order), kind="stable")[: kept_faces(kept, len(faces))]] = True
    return {"handed": share(wrong[~keeps]), "kept": share(wrong[keeps])}
