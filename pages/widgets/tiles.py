"""Faces of a query as tiles of the grid: thumbnails by id, a score under each, one sentence of alt text."""

import math
from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from cache.filters import Filter, Sort
from cache.reader import Cache
from pages.widgets.caches import View
from pages.widgets.face_grid.component import Tile, data_uri
from pages.widgets.wording import SYMBOLS, number

BASIC = ("predicted", "confidence", "u_aleatoric")


def columns_for(model: str | None, *more: str) -> list[str]:
    """What a tile needs to know of a face."""
    return list(dict.fromkeys([*(BASIC if model else ()), "majority", *more]))


@st.cache_data(max_entries=24, show_spinner=False)
def _page(stamp: tuple[str, int], model: str | None, where: Filter, sort: Sort, limit: int, offset: int, _view: View):
    columns = columns_for(model, sort.column)
    frame = _view.cache.page(model, where, sort, limit=limit, offset=offset, columns=columns)
    unit = _view.cache.columns(model)[sort.column].unit
    return tiles(_view.cache, frame, sort.column, unit, number_scale(_view, sort.column))


def page_of_tiles(view: View, where: Filter, sort: Sort, *, limit: int, offset: int = 0) -> list[Tile]:
    """One page of a list; the last few pages are remembered, for going back and for the rerun of a click."""
    return _page(
        stamp=view.stamp, model=view.model, where=where, sort=sort, limit=limit, offset=offset, _view=view
    )  # by name: see filters.py


@st.cache_data(max_entries=8, show_spinner=False)
def _heads(stamp: tuple[str, int], model: str | None, where: Filter, sorts: tuple[Sort, ...], limit: int, _view: View):
    cache = _view.cache
    frames = [cache.page(model, where, s, limit=limit, columns=columns_for(model, s.column)) for s in sorts]
    images = cache.thumbnails(sorted({int(face) for frame in frames for face in frame.face_id}))
    units = [cache.columns(model)[s.column].unit for s in sorts]
    return [
        tiles(cache, frame, s.column, unit, number_scale(_view, s.column), images)
        for s, frame, unit in zip(sorts, frames, units, strict=True)
    ]


def heads_of_lists(view: View, where: Filter, sorts: tuple[Sort, ...], *, limit: int) -> list[list[Tile]]:
    """The first faces in each of several orders; all their thumbnails are read at once."""
    return _heads(stamp=view.stamp, model=view.model, where=where, sorts=sorts, limit=limit, _view=view)


def number_scale(view: View, column: str) -> float | None:
    """Full length of the bar under a face; None when the column is no score of a natural scale."""
    if column in ("u_total", "u_aleatoric", "u_epistemic", "jsd"):
        return math.log(2) if column == "jsd" else math.log(len(view.cache.classes)) or None  # one class: no scale
    return 1.0 if column in ("confidence", "disagreement") else None


def tiles(
    cache: Cache,
    faces: pd.DataFrame,
    column: str,
    unit: str,
    scale: float | None,
    images: Mapping[int, bytes] | None = None,
) -> list[Tile]:
    """A tile per row; `column` is the score under it. images: thumbnails that have been read already."""
    images = cache.thumbnails(faces.face_id.tolist()) if images is None else images
    return [
        Tile(
            id=int(row["face_id"]),
            image=data_uri(images.get(int(row["face_id"]))),
            alt=alt_text(row, cache.classes, column, unit),
            score=score_text(row, cache.classes, column),
            fill=None if scale is None or pd.isna(row[column]) else min(1.0, max(0.0, row[column] / scale)),
            state=state(row),
        )
        for row in faces.to_dict("records")
    ]


def state(row: dict) -> Literal["correct", "wrong", "unknown"]:
    """Whether the model's class is the annotators' most frequent one; unknown without either."""
    if pd.isna(row.get("majority")) or pd.isna(row.get("predicted")):
        return "unknown"
    return "correct" if row["majority"] == row["predicted"] else "wrong"


def score_text(row: dict, classes: tuple[str, ...], column: str) -> str:
    value = row[column]
    if column == "face_id":
        return ""
    if column in ("majority", "predicted"):
        return "no majority" if pd.isna(value) else classes[int(value)]
    return number(value) if isinstance(value, (int, float)) or pd.isna(value) else str(value)


def alt_text(row: dict, classes: tuple[str, ...], column: str = "", unit: str = "") -> str:
    """'face 1234, predicted fear 0.54, annotators fear, U_a 1.21 nats'"""
    parts = [f"face {int(row['face_id'])}"]
    if "predicted" in row:
        parts.append(f"predicted {classes[int(row['predicted'])]} {number(row['confidence'])}")
    if not pd.isna(row.get("majority")):
        parts.append(f"annotators {classes[int(row['majority'])]}")
    shown = column if column in SYMBOLS else "u_aleatoric"
    if shown in row:
        parts.append(f"{SYMBOLS[shown]} {number(row[shown], 'nats')}")
    if column and column not in SYMBOLS and column not in ("face_id", "majority", "predicted", "confidence"):
        parts.append(
            f"{column.removeprefix('attr_').replace('_', ' ')} {score_text(row, classes, column)} {unit}".strip()
        )
    return ", ".join(parts)
