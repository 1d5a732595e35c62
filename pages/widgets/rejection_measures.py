"""What a model gains by giving faces up, for each order in which it may do so."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cache.filters import Filter
from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate, Resamples, share
from engine.metrics.rejection import Area, areas, kept_faces, risk_coverage
from pages.widgets.caches import View
from pages.widgets.measured import numbers_of

COVERAGES = tuple(step / 100 for step in (*range(5, 50, 5), *range(50, 101)))  # with every stop of the slider
ORDERS = ("u_aleatoric", "u_epistemic", "u_total", "doubt")
COLUMNS = ("u_aleatoric", "u_epistemic", "u_total", "confidence", "predicted", "majority", "jsd", "nll")


@dataclass(frozen=True, eq=False)
class Order:
    """One order: the scores of the faces kept at each of COVERAGES, and the area under the curve of the errors."""

    curve: dict[str, np.ndarray]
    area: Area


def faces_of(view: View, where: Filter) -> Numbers:
    return numbers_of(view, view.model, where, COLUMNS)


def orders_of(view: View) -> list[str]:
    """With one sample, U_e is 0 for every face and orders nothing."""
    return [order for order in ORDERS if order != "u_epistemic" or view.samples > 1]


def doubt(faces: Numbers, order: str) -> np.ndarray:
    """What the faces are given up by, highest first, (n,)."""
    return 1 - faces.columns["confidence"] if order == "doubt" else faces.columns[order]


def correct(faces: Numbers) -> np.ndarray:
    """1 where the model's class is the annotators' most frequent one, NaN where there is none, (n,)."""
    predicted, majority = faces.columns["predicted"], faces.columns["majority"]
    return np.where(np.isnan(majority), np.nan, predicted == majority)


def measured(view: View, where: Filter) -> dict[str, Order]:
    """By the names of `orders_of`."""
    return _measured(view.stamp, view.model, where, view)


@st.cache_data(max_entries=16, show_spinner=False)
def _measured(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> dict[str, Order]:
    faces = faces_of(_view, where)
    right, draws = correct(faces), Resamples(len(faces))
    losses = {"accuracy": right, "jsd": faces.columns["jsd"], "nll": faces.columns["nll"]}
    orders = {order: doubt(faces, order) for order in orders_of(_view)}
    found = areas(orders, 1 - right, draws)
    return {name: Order(risk_coverage(by, losses, COVERAGES, draws), found[name]) for name, by in orders.items()}


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
