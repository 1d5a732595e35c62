"""Scores of photos as text: a table for people, JSON for programs. Both are made of engine.scores.records."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.estimators.model import Model
from engine.scores import UNCERTAINTIES

COLUMNS = ("photo", "face", "predicted", "confidence", *UNCERTAINTIES)
WORDS = {"photo", "predicted"}  # columns of text; numbers stand at the right


def as_table(faces: Sequence[Mapping[str, Any]]) -> str:
    """A line per face; uncertainties in nats."""
    rows = [COLUMNS, *(tuple(_cell(face[name]) for name in COLUMNS) for face in faces)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(COLUMNS, row, widths, strict=True)
        lines.append("  ".join(cell.ljust(w) if name in WORDS else cell.rjust(w) for name, cell, w in cells).rstrip())
    return "\n".join(lines)


def as_json_text(faces: Sequence[Mapping[str, Any]], model: Model, problems: Mapping[str, str]) -> str:
    """An object with the model, a list of faces, and what became of the photos that gave none."""
    made = {
        "model": model.name,
        "title": model.title,
        "samples": model.samples,
        "weights_sha256": model.weights_sha256,
        "units": "uncertainties in nats, boxes in pixels of the upright photo",
    }
    return json.dumps({**made, "faces": faces, "problems": problems}, indent=1)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
