"""The figures of one attribute's groups: drawn, in tables, and as gaps with tests, raw and adjusted."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cache.numbers import Numbers
from engine.metrics.adjusted import Adjusted, adjusted
from engine.metrics.audit import ECE, Audit
from engine.metrics.bootstrap import Estimate
from pages.charts.audit import describe_forest, forest
from pages.charts.audit_map import answers_map, describe_answers
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.attributes import covariates
from pages.findings.audit import HANDED, MINIMUM, audit_faces, measures, orders_of
from pages.findings.audit_tables import FACES, answers, gap_rows, value_rows
from pages.findings.bins import Grouping
from pages.report.blocks import Block, Cell, Table, Text, cell, figure
from pages.report.subject import Subject
from pages.widgets.wording import DASH, SYMBOLS

MOST_COVARIATES = 10
TONES = {"attr_ita", "attr_monk", "attr_tone"}
ANSWERS = tuple(name for name, quantity in QUANTITIES.items() if quantity.needs_votes)
DOUBTS = tuple(name for name, quantity in QUANTITIES.items() if not quantity.needs_votes)


def compared(
    subject: Subject,
    faces: Numbers,
    groups: Grouping,
    name: str,
    by: str,
    beside: Mapping[str, np.ndarray],
    called: Callable[[str], str],
) -> list[Block]:
    """faces: as audit_faces needs them. by: the attribute's name. beside: every attribute that may be held equal."""
    audit = audit_faces(faces, groups, subject.samples)
    columns = measures(faces, subject.samples)
    used = {other: beside[other] for other in covariates(list(beside), [name])[:MOST_COVARIATES]}
    fitted = adjusted(columns, groups.index, len(groups.names), used, minimum=MINIMUM) if used else None
    main = [q for q in ("accuracy", doubt_of(audit)) if q in audit.quantities]
    blocks: list[Block] = []
    for quantity in main:
        blocks.append(drawn(subject, audit, groups, quantity, by, overall(columns[quantity], groups, quantity)))
    if not subject.voted:
        blocks.append(predicted(subject, faces, groups, by))
    for title, wanted in (("How well it answers", ANSWERS), ("How sure it is", DOUBTS)):
        if names := [q for q in wanted if q in audit.quantities]:
            blocks.append(values(audit, groups, names, f"{title}, by {by}."))
    blocks.append(Text(" ".join(reading(audit, subject)), "note"))
    if not any(audit.largest):
        return [*blocks, Text(f"Fewer than two groups have {MINIMUM} faces, so no gap is tested.", "note")]
    blocks += widest(audit, groups, by)
    for quantity in main:
        blocks.append(gaps(audit, groups, quantity, by, fitted))
    return [*blocks, Text(" ".join(reading_gaps(name, fitted, called)), "note")]


def doubt_of(audit: Audit) -> str:
    """The part of the uncertainty that is about the model, where it has one."""
    return "u_epistemic" if "u_epistemic" in audit.quantities else "u_total"


def overall(values: np.ndarray, groups: Grouping, quantity: str) -> float:
    """Mean of all faces that are in a group, in the unit of the quantity."""
    inside = values[groups.index >= 0]
    return QUANTITIES[quantity].scale * float(np.nanmean(inside)) if not np.isnan(inside).all() else float("nan")


def drawn(subject: Subject, audit: Audit, groups: Grouping, quantity: str, by: str, everyone: float) -> Block:
    rows = value_rows(audit, groups, quantity, MINIMUM)
    title = QUANTITIES[quantity].labelled
    return figure(
        forest(rows, quantity, everyone, by),
        rows,
        caption=f"{title[0].upper()}{title[1:]} by {by}: {subject.of}. Whiskers: 95 % intervals; dotted: all of them.",
        alt=describe_forest(rows, quantity, by),
        file=f"audit-{by}-{quantity}",
    )


def predicted(subject: Subject, faces: Numbers, groups: Grouping, by: str) -> Block:
    found = answers(groups, faces.columns["predicted"], subject.cache.classes)
    found["few"] = found[FACES] < MINIMUM
    given = [c for c in subject.cache.classes if (found.loc[found["class"] == c, "faces"] > 0).any()]
    return figure(
        answers_map(found[found["class"].isin(given)], groups.names, given, by),
        found,
        caption=f"Percent of each group's faces that {subject.model} gives each class, by {by}.",
        alt=describe_answers(found, by),
        file=f"predicted-{by}",
        wide=True,
    )


def values(audit: Audit, groups: Grouping, names: list[str], caption: str) -> Table:
    """A row per group, a column per quantity."""
    at = [audit.quantities.index(name) for name in names]
    head = ("", "n", *(heading(name) for name in names))
    rows: list[tuple[Cell | str, ...]] = []
    for g, group in enumerate(groups.names):
        fewest, most = int(audit.n[g, at].min()), int(audit.n[g, at].max())
        cells = [value(audit, g, q, name) for name, q in zip(names, at, strict=True)]
        n = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
        rows.append((group, Cell(n, faint=True) if audit.faces[g] < MINIMUM else n, *cells))
    return Table(caption, head, tuple(rows))


def value(audit: Audit, g: int, q: int, name: str) -> Cell:
    """Of few faces without its interval, and faint."""
    shown, few = QUANTITIES[name], bool(audit.n[g, q] < MINIMUM)
    low, high = float(audit.low[g, q]), float(audit.high[g, q])
    found = cell(Estimate(float(audit.value[g, q]), low, high, int(audit.n[g, q])), shown.decimals, shown.scale)
    return Cell(found.value, faint=True) if few and found.value != DASH else found


def heading(name: str) -> str:
    shown = QUANTITIES[name]
    return f"{shown.title}, {shown.unit}" if shown.unit else shown.title


def widest(audit: Audit, groups: Grouping, by: str) -> list[Block]:
    """The widest gap between two groups, of every quantity."""
    rows: list[tuple[Cell | str, ...]] = []
    for name in (name for name in QUANTITIES if name in audit.quantities):
        q, shown = audit.quantities.index(name), QUANTITIES[name]
        if (found := audit.largest[q]) is None:
            continue
        ends = [f"{groups.names[at]}: {cell(known(audit, at, q), shown.decimals, shown.scale).value}"
                for at in (found.high, found.low)]  # fmt: skip
        gap = cell(Estimate(found.value, found.ci_low, found.ci_high, 0), shown.decimals, shown.scale)
        n = f"{audit.n[found.high, q]:,} / {audit.n[found.low, q]:,}"
        rows.append((heading(name), *ends, n, gap, p_value(found.p), p_value(found.p_holm)))
    head = ("", "highest", "lowest", "n", "gap", "p", "Holm's p")
    return [
        Table(f"The widest gap between two groups, by {by}.", head, tuple(rows)),
        Text(
            f"Between the two groups of at least {MINIMUM} faces that are furthest apart; of percentages in points. "
            "Interval and p (permutation test, each pair in its own standard deviations) allow for their having been "
            "picked as the widest of all pairs. Holm's p "
            "is corrected for the number of quantities.",
            "note",
        ),
    ]


def known(audit: Audit, g: int, q: int) -> Estimate:
    return Estimate(float(audit.value[g, q]), float("nan"), float("nan"), int(audit.n[g, q]))


def gaps(audit: Audit, groups: Grouping, quantity: str, by: str, fitted: Adjusted | None) -> Table:
    """The gap of each group to the rest, with its tests, and adjusted for the other attributes."""
    shown, q = QUANTITIES[quantity], audit.quantities.index(quantity)
    found = gap_rows(audit, groups, quantity, MINIMUM, fitted)
    kinds = {kind: list(rows.itertuples()) for kind, rows in found.groupby("kind", sort=False)}
    rows: list[tuple[Cell | str, ...]] = []
    for g, group in enumerate(groups.names):
        n = f"{audit.n[g, q]:,}"
        raw, *other = (gap(of_kind[g], shown.decimals) for of_kind in kinds.values())
        tests = (p_value(float(p[g, q])) for p in (audit.p, audit.p_holm))
        rows.append((group, Cell(n, faint=True) if audit.n[g, q] < MINIMUM else n, raw, *tests, *other))
    head = ("", "n", "raw gap", "p", "Holm's p", *(f"{kind} gap" for kind in list(kinds)[1:]))
    unit = f", {shown.gap_unit}" if shown.gap_unit else ""
    return Table(f"Gap of {shown.title} to the rest{unit}, by {by}.", head, tuple(rows))


def gap(row: Any, decimals: int) -> Cell:
    """row: of gap_rows."""
    found = cell(Estimate(row.value, row.low, row.high, int(row.n)), decimals)
    return Cell(found.value, faint=True) if row.few and found.value != DASH else found


def p_value(p: float) -> str:
    return DASH if np.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def reading(audit: Audit, subject: Subject) -> list[str]:
    """How to read the tables of values."""
    by = SYMBOLS[orders_of(subject.samples)[0]]
    said = ["Value [95 % interval] over n faces, from the fewest to the most where a quantity is known of fewer."]
    if ECE in audit.quantities:
        said.append("ECE rises with fewer faces by chance alone, so small groups seem worse calibrated than they are.")
    said.append(f"Handed over: share of the group among the {100 * HANDED:.0f} % of all faces with the highest {by}.")
    if (audit.faces < MINIMUM).any():
        said.append(f"Faint: fewer than {MINIMUM} faces, too few for an interval or a test.")
    return said


def reading_gaps(name: str, fitted: Adjusted | None, called: Callable[[str], str]) -> list[str]:
    """How to read the tables of gaps."""
    said = [
        "Gap: the group less the rest, all other faces that are in a group [95 % interval]. p: two-sided permutation "
        f"test of the raw gap; Holm's p is corrected for the number of groups of at least {MINIMUM} faces."
    ]
    if fitted is None:
        return said
    if fitted.used:
        said.append(
            f"Adjusted: the gap in a linear regression on {', '.join(map(called, fitted.used))}; intervals from HC3 "
            "standard errors, on the faces of which all of these are known."
        )
    if fitted.left_out:
        said.append(f"Not adjusted for {'; '.join(f'{called(n)}: {why}' for n, why in fitted.left_out.items())}.")
    if name in TONES and "attr_brightness" in fitted.used:
        said.append(
            "A darker skin makes a darker image: equal brightness takes away a part of what skin tone itself does."
        )
    return said
