"""Scores of photos as text: a table for people, JSON for programs."""

import json
from collections.abc import Sequence

from engine.estimators.model import Model
from engine.scores import UNCERTAINTIES, PhotoScore, records

COLUMNS = ("photo", "face", "predicted", "confidence", *UNCERTAINTIES)


def as_table(photos: Sequence[PhotoScore]) -> str:
    """A line per face; uncertainties in nats."""
    rows = [COLUMNS, *(tuple(_cell(row[name]) for name in COLUMNS) for row in records(photos))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    text = {0, 2}  # columns that are words; numbers stand at the right
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i in text else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def as_json_text(photos: Sequence[PhotoScore], model: Model) -> str:
    """An object with the model and a list of faces."""
    made = {
        "model": model.name,
        "title": model.title,
        "samples": model.samples,
        "weights_sha256": model.weights_sha256,
        "units": "uncertainties in nats, boxes in pixels of the upright photo",
    }
    return json.dumps({**made, "faces": records(photos)}, indent=1, ensure_ascii=False)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
