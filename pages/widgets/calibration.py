"""Reliability diagrams of several models on the same faces, and their calibration errors."""

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate
from pages.charts.reliability import (
    Curve,
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    reliability_table,
)
from pages.findings import calibration as findings
from pages.findings.calibration import (
    COMPARED,
    COUNTED,
    ERRORS,
    MEANINGS,
    VALIDATION,
    VOTED,
    Counting,
    Version,
    confidence_bins,
)
from pages.widgets.caches import View
from pages.widgets.calibration_options import Options, choose_options
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import csv, figure
from pages.widgets.filters import matching_faces
from pages.widgets.measured import (
    MIN_FACES,
    described,
    enough,
    numbers_of,
    sampled_note,
    verdict_note,
    votes_command,
)
from pages.widgets.problems import guard
from pages.widgets.wording import count, plain

MEANING = "\n".join(["", COMPARED, "", *(f"- **{name}**, {text}" for name, text in MEANINGS.items()), ""])


@st.fragment
def calibration(view: View, where: Filter) -> None:
    """The diagram beside its controls, and the table of errors below. A fragment: the controls redraw only this."""
    with guard():
        left, right = st.columns([5, 3], gap="large")
        with right:
            options = offer(view)
        shown = [version for model in options.models for version in versions(view, options, model)]
        curves = [Curve(v.model, v.name, curve(view, where, options, v), v.temperature) for v in shown]
        n = int(curves[0].bins["faces"].sum())
        with left:
            if not enough(n, "face with votes" if options.against == "pairs" else "face with a majority"):
                return
            figure(
                reliability_diagram(curves, **axes(view, options)),
                reliability_table(curves),
                key="reliability",
                name=f"reliability-{view.model}-{options.against}",
                alt=describe_reliability(curves),
            )
        verdict_note(where)
        sampled_note(faces_of(view, where, str(view.model)))
        st.caption(" ".join(reading(where, options, shown, n)))
        errors(view, where, options, shown)


def offer(view: View) -> Options:
    fitted_to = matching_faces(view, VOTED)
    options = choose_options(view, can_scale=fitted_to > 1)
    if fitted_to < 2:
        st.caption(
            f"No temperature scaling: there are no validation faces with votes that {plain(view.model)} has scored, to "
            "fit it to."
        )
    return options


def confidence_only(view: View, where: Filter) -> None:
    """What can be said without annotators."""
    st.info(
        "This cache has no annotators' votes, so nobody can say where the model is right: no reliability diagram, no "
        "calibration error, no Brier score. What is left is how sure it is. To add votes, build the cache anew:"
    )
    st.code(votes_command(view), language="bash")
    confidence = numbers_of(view, view.model, where, ("confidence",)).columns["confidence"]
    if not enough(len(confidence)):
        return
    edges, faces = confidence_bins(confidence)
    figure(
        confidence_histogram(edges[:-1], edges[1:], faces),
        pd.DataFrame({"low": edges[:-1], "high": edges[1:], "faces": faces}),
        key="confidences",
        name=f"confidence-{view.model}",
        alt=f"Histogram of the confidence of {count(len(confidence), 'face')}, mean {confidence.mean():.3f}.",
    )


def faces_of(view: View, where: Filter, model: str) -> Numbers:
    return numbers_of(view, model, where, probs=True, votes=True)


def versions(view: View, options: Options, model: str) -> list[Version]:
    """Which versions of a model are drawn."""
    built = Version(model)
    if options.temperature == "as built":
        return [built]
    scaled = fitted(view.stamp, model, view)
    return [scaled] if options.temperature == "scaled" else [built, scaled]


@st.cache_data(max_entries=32, show_spinner=False)
def fitted(stamp: tuple[str, int], model: str, _view: View) -> Version:
    """The temperature of a model on all the validation faces of the cache, whatever the filter shows."""
    return findings.fitted(model, numbers_of(_view, model, VOTED, probs=True, votes=True))


def axes(view: View, options: Options) -> dict[str, str]:
    """What the two axes of the diagram show."""
    of = "share of votes" if options.against == "pairs" else "share of faces"
    if options.target is None:
        return {"sure": "confidence", "right": of if options.against == "pairs" else f"{of} right"}
    name = view.cache.classes[options.target]
    return {"sure": f"probability of {name}", "right": f"{of} of class {name}"}


def reading(where: Filter, options: Options, shown: list[Version], n: int) -> list[str]:
    """How to read the diagram, and what stands behind it."""
    share = "votes for the class" if options.against == "pairs" else "faces of the class"
    said = [
        f"n = {described(n, where)}. Confidence: the model's probability of its class. Each point is a bin: below the "
        f"dotted line the model is surer than the share of {share} allows, above it less sure. Tint: 95 % interval. "
        "Below: faces per bin."
    ]
    scaled = [version for version in shown if version.temperature is not None]
    if scaled:
        said.append(f"Each temperature T is fitted to {count(scaled[0].n, 'validation face')}.")
        if not where.splits or VALIDATION in where.splits:
            said.append("**Some of them are shown here too, which flatters the scaled models.**")
        if scaled[0].n < MIN_FACES:
            said.append("They are too few to trust T.")
    return said


def curve(view: View, where: Filter, options: Options, version: Version) -> dict[str, np.ndarray]:
    """The bins of one line."""
    counting = Counting(options.against, options.target, options.bins, options.edges)
    return _curve(view.stamp, view.model, where, version, counting, view)


@st.cache_data(max_entries=128, show_spinner=False)
def _curve(
    stamp: tuple[str, int], judge: str, where: Filter, version: Version, counting: Counting, _view: View
) -> dict[str, np.ndarray]:
    return findings.curve(faces_of(_view, where, version.model), version, counting)


def errors(view: View, where: Filter, options: Options, shown: list[Version]) -> None:
    """One row per error, one column per version."""
    found = [_errors(view.stamp, view.model, where, v, options.against, options.bins, view) for v in shown]
    table = {"": [*ERRORS.values(), "n"]}
    for version, estimates in zip(shown, found, strict=True):
        cells = [cell(estimates[e]) if e == "brier" else cell(estimates[e], 2, 100.0) for e in ERRORS]
        table[plain(version.name)] = [*cells, f"{estimates['ece'].n:,}"]
    st.subheader("Calibration errors", anchor=False)
    statistics(
        pd.DataFrame(table),
        key="errors",
        alt=f"Calibration errors of {count(len(shown), 'model')} with 95 % intervals",
    )
    rows = [
        (version.name, error, estimate.value, estimate.low, estimate.high, estimate.n)
        for version, estimates in zip(shown, found, strict=True)
        for error, estimate in estimates.items()
    ]
    csv(
        pd.DataFrame(rows, columns=["model", "error", "value (fraction)", "low", "high", "n (faces)"]),
        key="errors-data",
        name=f"calibration-errors-{view.model}-{options.against}",
    )
    st.caption(COUNTED)
    with st.expander("What these errors are"):
        st.markdown(MEANING)


@st.cache_data(max_entries=128, show_spinner=False)
def _errors(
    stamp: tuple[str, int], judge: str, where: Filter, version: Version, against: str, bins: int, _view: View
) -> dict[str, Estimate]:
    return findings.errors(faces_of(_view, where, version.model), version, against, bins)
