"""The models of the cache on one split, and how unsure the report's model is of its faces."""

import math

from engine.metrics.bootstrap import Estimate
from pages.charts.histograms import axis_ceiling, describe_histograms, triple_histograms
from pages.findings.overview import (
    READING,
    faces_behind,
    headline,
    mean_triple,
    triple_bins,
    triple_table,
    why_unknown,
)
from pages.report.blocks import Block, Cell, Rows, Section, Table, Text, cell, figure
from pages.report.subject import Subject
from pages.widgets.wording import SYMBOLS

ROWS = {
    "accuracy": "Accuracy",
    "jsd": "JSD, nats",
    "nll": "NLL, nats",
    **{part: f"Mean {symbol}, nats" for part, symbol in SYMBOLS.items()},
    **{
        f"{kind}_{part.removeprefix('u_')}": f"{name}, {symbol} and d"
        for kind, name in (("spearman", "Spearman ρ"), ("pearson", "Pearson r"))
        for part, symbol in SYMBOLS.items()
    },
}


def overview(subject: Subject) -> Section:
    blocks = [*statistics(subject), *histograms(subject)]
    return Section("overview", "Overview", tuple(blocks))


def statistics(subject: Subject) -> list[Block]:
    """The headline of every model."""
    found = headline(subject.cache, subject.split)
    if found is None:
        return [Text(f"This build has no statistics of {subject.named_split}.", "note")]
    shared = found.shared
    rows: Rows = tuple(
        (ROWS[metric], *(with_n(e, shared) for e in estimates), *([faces_behind(estimates)] if shared else []))
        for metric, estimates in found.rows.items()
        if any(e is not None and math.isfinite(e.value) for e in estimates)  # without votes, most are unknown
    )
    unknown = [why_unknown(subject.cache, subject.voted)] * found.gaps
    return [
        Table(f"Every model on {subject.named_split}.", ("", *found.models, *["n"] * shared), rows),
        Text(" ".join([READING, *unknown]), "note"),
    ]


def with_n(found: Estimate | None, shared: bool) -> Cell:
    """shared: the table has a column for the number of faces."""
    written = cell(found)
    if shared or found is None or not math.isfinite(found.value):
        return written
    return Cell(written.value, f"{written.interval} n {found.n:,}".strip())


def histograms(subject: Subject) -> list[Block]:
    bins = triple_bins(subject.cache, subject.model, subject.where)
    means = {
        part: mean for part, mean in mean_triple(subject.cache, subject.model, subject.split).items() if part in bins
    }
    n = int(bins["u_total"].faces.sum())
    alt = describe_histograms(bins, means)
    found: list[Block] = [
        figure(
            triple_histograms(bins, means),
            triple_table(bins),
            caption=f"How unsure {subject.model} is: faces by each uncertainty, n = {subject.described(n)}. "
            "Dotted: the mean.",
            alt=alt,
            file="uncertainty",
            wide=True,
        )
    ]
    if any((counts.faces > axis_ceiling(bins)).any() for counts in bins.values()):
        found.append(Text("A bar that does not fit is cut at the top; its number of faces stands beside it.", "note"))
    if subject.samples == 1:
        found.append(
            Text("No histogram of U_e: this model draws one sample per face, so U_e is 0 for every face.", "note")
        )
    return found
