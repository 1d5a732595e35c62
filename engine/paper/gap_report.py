"""What explain-gap wrote, as sections of docs/results.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.metrics.bootstrap import Estimate
from engine.paper.gap import Finding, OnAllFaces
from engine.paper.measure import Line
from engine.paper.report import cell, table

Written = Finding | OnAllFaces | Line


def section(path: Path) -> str:
    """A paragraph and a table. Raises ValueError when the file is something else, OSError when it is not there."""
    found = read(path.read_text(encoding="utf-8"))
    if isinstance(found[0], Finding):
        return _variants([f for f in found if isinstance(f, Finding)])
    if isinstance(found[0], OnAllFaces):
        return _layers([f for f in found if isinstance(f, OnAllFaces)])
    return _uncnet([f for f in found if isinstance(f, Line)])


def read(text: str) -> list[Written]:
    """The records of one file, all of one kind. Raises ValueError when they are none of explain-gap's."""
    problem = ValueError("A --gap file is not what explain-gap writes. Run it again.")
    try:
        records = json.loads(text)
        kind: Any = Finding if "accuracy_lost" in records[0] else OnAllFaces if "way" in records[0] else Line
        found = [
            kind(**{k: Estimate(**v) if isinstance(v, dict) else v for k, v in record.items()}) for record in records
        ]
    except (ValueError, TypeError, KeyError, IndexError):
        raise problem from None
    return found


def _variants(found: Sequence[Finding]) -> str:
    rows = [
        (f.name, cell(f.accuracy), cell(f.accuracy_lost), cell(f.loss), cell(f.pair_accuracy), f"{f.accuracy.n:,}")
        for f in found
    ]
    head = ("variant", "here: accuracy, %", "here: lost, points", "here: loss, nats", "here: pair accuracy, %", "n")
    return (
        "Validation faces drawn at random, twice as many for training; CASIA-WebFace, Mixed-7a, deterministic head. "
        "The names say what differs from the first line (`explain-gap`). Pair accuracy: agreement with single votes."
        "\n\n" + table(head, rows)
    )


def _layers(found: Sequence[OnAllFaces]) -> str:
    rows = [
        (
            f.way,
            f.layer,
            f"{f.paper_accuracy:g}",
            cell(f.accuracy),
            f"{f.paper_loss:g}",
            cell(f.loss),
            f"{f.accuracy.n:,}",
        )
        for f in found
    ]
    head = ("way", "layer", "paper", "here: accuracy, %", "paper", "here: loss, nats", "n")
    return "Table 1 again, CASIA-WebFace, all training and validation faces (`explain-gap --what layers`):\n\n" + table(
        head, rows
    )


def _uncnet(found: Sequence[Line]) -> str:
    rows = [
        (f.section, f.subject, f.quantity, "" if f.paper is None else f"{f.paper:g}", cell(f.ours), f"{f.ours.n:,}")
        for f in found
    ]
    head = ("", "", "quantity", "paper", "here, pixels at 0..255 [95 %]", "n")
    return (
        "The rest of the paper on pixels left at 0..255, Mixed-7a of CASIA-WebFace, heads trained and chosen as the "
        "shipped ones (`explain-gap --what uncnet`); test:\n\n" + table(head, rows)
    )
