"""Whether the confidence can be trusted: as the Calibration page begins, with a rescaled version of the model."""

from collections.abc import Mapping

import pandas as pd

from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate
from pages.charts.reliability import (
    Curve,
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    reliability_table,
)
from pages.findings.calibration import (
    BINS,
    COMPARED,
    ERRORS,
    MEANINGS,
    VALIDATION,
    VOTED,
    Counting,
    Version,
    confidence_bins,
    curve,
    errors,
    fitted,
    sibling,
)
from pages.findings.overview import EVERY_FACE
from pages.report.blocks import Block, Cell, Points, Section, Table, Text, cell, figure
from pages.report.subject import MIN_FACES, Subject, few, sampled
from pages.widgets.wording import count

NAME, TITLE = "calibration", "Calibration"
ONE_CLASS = "The cache knows one class, which every face gets with certainty: nothing to be right or wrong about."


def calibration(subject: Subject) -> Section:
    if len(subject.cache.classes) == 1:
        return Section(NAME, TITLE, (Text(ONE_CLASS),))
    return Section(NAME, TITLE, tuple(against_votes(subject) if subject.voted else confidence_only(subject)))


def against_votes(subject: Subject) -> list[Block]:
    """The diagram with a model of one sample beside, and the errors of both."""
    own = subject.numbers(probs=True, votes=True)
    found = {Version(subject.model): own}
    infos, others = subject.cache.manifest.models, [m for m in subject.cache.models if m != subject.model]
    if beside := sibling(infos, subject.model, others):
        found[Version(beside)] = subject.numbers(model=beside, probs=True, votes=True)
    curves = [Curve(v.model, v.name, curve(faces, v, Counting())) for v, faces in found.items()]
    n = int(curves[0].bins["faces"].sum())
    if n < 2:
        return [Text(f"{count(n, 'face')} with votes: too few for statistics.")]
    scaled = rescaled(subject)
    if scaled:
        found = {Version(subject.model): own, scaled: own, **found}
    said = (
        f"n = {subject.described(n)}. Confidence: the model's probability of its class. Each "
        "point is a bin of equal width: below the dotted line the model is surer than the share of votes for the class "
        "allows, above it less sure. Tint: 95 % interval. Below: faces per bin."
    )
    return [
        *few(n),
        figure(
            reliability_diagram(curves),
            reliability_table(curves),
            caption=f"Reliability of {subject.of}, over pairs of annotation and face.",
            alt=describe_reliability(curves),
            file="reliability",
        ),
        Text(said, "note"),
        *sampled(own),
        *table_of_errors(found, scaled),
    ]


def rescaled(subject: Subject) -> Version | None:
    """The model at the temperature of its validation faces, where they are enough and not the report's own."""
    if subject.split in (VALIDATION, EVERY_FACE) or subject.cache.count(subject.model, VOTED) < MIN_FACES:
        return None
    return fitted(subject.model, subject.numbers(probs=True, votes=True, where=VOTED))


def table_of_errors(found: Mapping[Version, Numbers], scaled: Version | None) -> list[Block]:
    """found: version -> its faces."""
    estimates = {version: errors(faces, version, "pairs", BINS) for version, faces in found.items()}
    rows: list[tuple[Cell | str, ...]] = [
        (label, *(written(by_name[error], error) for by_name in estimates.values())) for error, label in ERRORS.items()
    ]
    rows.append(("n", *(f"{by_name['ece'].n:,}" for by_name in estimates.values())))
    said = [
        f"Value [95 % interval], over pairs of annotation and face, {BINS} bins.",
        "The intervals reach further down than up, because noise only widens gaps; MCE's hangs on one bin and is "
        "unreliable.",
    ]
    if scaled:
        said.append(
            f"T = {scaled.temperature:.2f} divides the logarithms of the probabilities; it is fitted to the votes of "
            f"{count(scaled.n, 'validation face')} by negative log-likelihood."
        )
    return [
        Table("Calibration errors.", ("", *(version.name for version in found)), tuple(rows)),
        Text(" ".join(said), "note"),
        Text(COMPARED),
        Points(tuple(MEANINGS.items())),
    ]


def written(found: Estimate, error: str) -> Cell:
    return cell(found) if error == "brier" else cell(found, 2, 100.0)


def confidence_only(subject: Subject) -> list[Block]:
    """What can be said without annotators."""
    confidence = subject.numbers(("confidence",)).columns["confidence"]
    missing = Text(
        "The cache has no annotators' votes, so nobody can say where the model is right: no reliability diagram and no "
        "calibration error. What is left is how sure it is."
    )
    if len(confidence) < 2:
        return [missing]
    edges, faces = confidence_bins(confidence)
    return [
        missing,
        figure(
            confidence_histogram(edges[:-1], edges[1:], faces),
            pd.DataFrame({"low": edges[:-1], "high": edges[1:], "faces": faces}),
            caption=f"Confidence of {subject.of}, n = {count(len(confidence), 'face')}.",
            alt=f"Histogram of the confidence of {count(len(confidence), 'face')}, mean {confidence.mean():.3f}.",
            file="confidence",
        ),
    ]
