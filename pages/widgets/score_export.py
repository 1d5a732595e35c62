"""Files of what was found: a CSV for a spreadsheet, JSON for a program. Numbers only, never a picture."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import streamlit as st

from cache.export import harmless
from engine.scores import PhotoScore, records
from pages.widgets.caches import View
from pages.widgets.score_face import Standing, as_known
from pages.widgets.scorer import weights


def download(view: View, model: str, photos: Sequence[PhotoScore], standing: Standing) -> None:
    """Two buttons; a file is made when somebody asks for it."""
    offers = (("CSV", "scores.csv", "text/csv", as_csv), ("JSON", "scores.json", "application/json", as_json))
    with st.container(horizontal=True):
        for label, name, mime, make in offers:
            st.download_button(
                label,
                lambda make=make: make(view, model, photos, standing),
                file_name=name,
                mime=mime,
                key=f"download-{name}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
                help="Every face found: box, class, probabilities, triple and percentiles",
            )


def rows(view: View, model: str, photos: Sequence[PhotoScore], standing: Standing) -> list[dict[str, Any]]:
    """A record per face with its percentiles."""
    faces = [face for photo in photos for face in photo.faces]
    found = []
    for record, face in zip(records(photos), faces, strict=True):
        known = as_known(view, model, face, standing)
        ranks = {f"percentile_{part}": round(value, 2) for part, value in known.percentiles.items()}
        found.append({**record, **ranks, "percentile_n": known.peers})
    return found


def as_csv(view: View, model: str, photos: Sequence[PhotoScore], standing: Standing) -> bytes:
    table = pa.Table.from_pylist(rows(view, model, photos, standing))
    safe = pa.table({name: harmless(table.column(name)) for name in table.column_names})
    return safe.to_pandas().to_csv(index=False).encode()


def as_json(view: View, model: str, photos: Sequence[PhotoScore], standing: Standing) -> bytes:
    info = view.cache.manifest.models[model]
    made = {
        "model": model,
        "title": info.title,
        "samples": info.samples,
        "weights_sha256": weights(view, model),
        "precision": info.precision,
        "percentiles_among": {"cache": view.cache.folder.name, "split": standing.split},
        "units": "uncertainties in nats, boxes in pixels of the upright photo, percentiles from 0 to 100",
        "scored": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps({**made, "faces": rows(view, model, photos, standing)}, indent=1).encode()
