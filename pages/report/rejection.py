"""What is gained when the model hands its most doubtful faces to a person: as the Rejection page begins."""

from pages.charts.coverage import ORDERS, SCORES, TABLE_3, coverage_curves, coverage_table, describe_coverage
from pages.findings.rejection import COLUMNS, correct, measured, orders_of, rows_of
from pages.report.blocks import Block, Rows, Section, Table, Text, cell, figure
from pages.report.subject import Subject, few, sampled
from pages.widgets.wording import count

NAME, TITLE = "rejection", "Rejection"


def rejection(subject: Subject) -> Section:
    return Section(NAME, TITLE, tuple(blocks(subject)))


def blocks(subject: Subject) -> list[Block]:
    if len(subject.cache.classes) == 1:
        return [Text("The cache knows one class, so there is no error to avoid.")]
    faces = subject.numbers(COLUMNS)
    known = int((correct(faces) >= 0).sum())
    if known < 2:
        return [Text(f"{count(known, 'face')} with a majority of votes: too few to say what is gained.")]
    found = measured(faces, orders_of(subject.samples))
    curves = {order: measures.curve for order, measures in found.items()}
    names = ["1 − confidence" if order == "doubt" else ORDERS[order][0] for order in found]
    rows: Rows = tuple(
        (row.label, *(cell(e, row.score.decimals, row.score.scale) for e in row.estimates.values()), row.faces)
        for row in rows_of(found, TABLE_3)
    )
    said = (
        f"Value [95 % bootstrap interval] over n of {subject.described(len(faces))}: those that "
        "are kept and whose score is known; faces whose votes tie have no accuracy. Given up first: the highest "
        "uncertainty, or the lowest confidence. AURC is the error rate averaged over all coverages, excess AURC the "
        "part of it that an order which knew the errors beforehand would save: the lower, the better."
    )
    return [
        *few(known),
        *(
            figure(
                coverage_curves(curves, score, TABLE_3),
                coverage_table(curves, score),
                caption=f"{shown.title[0].upper()}{shown.title[1:]} of the faces kept by {subject.model}, "
                f"on {subject.named_split}. Tint: 95 % interval.",
                alt=describe_coverage(curves, score),
                file=f"coverage-{score}",
            )
            for score, shown in SCORES.items()
            if score != "nll"
        ),
        *sampled(faces),
        Table("What the faces kept are worth, by what the others are given up for.", ("", *names, "n"), rows),
        Text(said, "note"),
    ]
