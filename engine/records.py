"""Faces and predictions as the Arrow tables that the cache stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from cache import schema
from engine.backbones.trunk import PREPARE
from engine.images import content_id, thumbnail
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.metrics.scores import brier, jensen_shannon, nll
from engine.metrics.uncertainty import decompose
from engine.sources.rows import Attribute, Item, Reject


@dataclass(frozen=True)
class FaceRow:
    """One face, decoded: what its rows need and nothing larger."""

    item: Item
    width: int
    height: int
    content_id: str
    thumbnail: bytes
    pixels: dict[str, np.ndarray]  # input of a trunk -> the crop as that trunk sees it, uint8
    extra: dict[str, float]  # attributes found by detection
    measured: Mapping[str, float | str | None] = field(default_factory=dict)  # in the image

    @classmethod
    def of(
        cls, item: Item, image: Image.Image, inputs: Sequence[str] = (), extra: dict[str, float] | None = None
    ) -> "FaceRow":
        width, height = image.size
        pixels = {name: PREPARE[name](image) for name in inputs}
        return cls(item, width, height, content_id(image), thumbnail(image), pixels, extra or {})

    def with_measured(self, values: Mapping[str, float | str | None]) -> "FaceRow":
        return replace(self, measured=values)


def votes_of(rows: Sequence[FaceRow], classes: int) -> np.ndarray:
    """(N, C) vote counts; a row of zeros where a face has none."""
    blank = (0,) * classes
    return np.array([row.item.votes or blank for row in rows], dtype=np.float64).reshape(len(rows), classes)


def known_votes(faces: pa.Table, classes: int) -> np.ndarray:
    """(N, C) vote counts of faces that are in the cache; a row of zeros where a face has none."""
    lists = faces["votes"].combine_chunks().fill_null([0] * classes)
    return lists.flatten().to_numpy().reshape(len(faces), classes).astype(np.float64)


def vectors(path: Path) -> np.ndarray:
    """(N, D) float16 features of one part."""
    lists = pq.read_table(path, columns=["vector"])["vector"].combine_chunks()
    return lists.flatten().to_numpy().reshape(len(lists), -1)


def attribute_fields(attributes: Sequence[Attribute]) -> list[pa.Field]:
    return [schema.attribute_field(a.name, text=a.kind == "text", unit=a.unit) for a in attributes]


def face_tables(
    rows: Sequence[FaceRow], first_id: int, classes: int, attributes: Sequence[Attribute]
) -> dict[str, pa.Table]:
    """The faces and thumbnails tables of some consecutive faces."""
    ids = np.arange(first_id, first_id + len(rows))
    votes = votes_of(rows, classes)
    voted = votes.sum(1) > 0
    chosen = majority(votes)
    columns = {
        "face_id": ids,
        "source": [row.item.source for row in rows],
        "content_id": [row.content_id for row in rows],
        "split": [row.item.split for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "votes": _fixed(votes.astype(np.uint16), ~voted),
        "n_votes": votes.sum(1).astype(np.int32),
        "disagreement": pa.array(disagreement(vote_distribution(votes)).astype(np.float32), mask=~voted),
        "majority": pa.array(chosen.astype(np.int16), mask=chosen < 0),
    }
    for attribute in attributes:
        values = [row.extra.get(attribute.name, row.item.attributes.get(attribute.name)) for row in rows]
        columns[schema.ATTRIBUTE_PREFIX + attribute.name] = _values(attribute, values)
    faces = pa.table(columns, schema=schema.faces(classes, attribute_fields(attributes)))
    thumbnails = {"face_id": ids, "thumbnail": [row.thumbnail for row in rows]}
    return {"faces": faces, "thumbnails": pa.table(thumbnails, schema=schema.thumbnails())}


def attribute_table(rows: Sequence[FaceRow], first_id: int, attributes: Sequence[Attribute]) -> pa.Table:
    """What was measured in the images of some consecutive faces."""
    columns: dict[str, Any] = {"face_id": np.arange(first_id, first_id + len(rows))}
    for attribute in attributes:
        values = [row.measured[attribute.name] for row in rows]
        columns[schema.ATTRIBUTE_PREFIX + attribute.name] = _values(attribute, values)
    return pa.table(columns, schema=schema.attributes(attribute_fields(attributes)))


def prediction_table(
    probs: np.ndarray, votes: np.ndarray, face_ids: np.ndarray, *, keep_samples: bool = True
) -> pa.Table:
    """The predictions of one model for any faces.

    probs: (N, S, C); votes: (N, C), a row of zeros where a face has none; face_ids: (N,), ascending.
    """
    n, samples, classes = probs.shape
    triple = decompose(probs)
    mean = probs.mean(axis=1, dtype=np.float64)  # (N, C)
    mean /= mean.sum(axis=1, keepdims=True)
    unknown = votes.sum(1) == 0
    annotators = vote_distribution(votes)
    columns = {
        "face_id": face_ids,
        "probs": _fixed(mean.astype(np.float32)),
        "predicted": mean.argmax(axis=1).astype(np.int16),
        "confidence": mean.max(axis=1, initial=0.0).astype(np.float32),
        "u_total": triple.total.astype(np.float32),
        "u_aleatoric": triple.aleatoric.astype(np.float32),
        "u_epistemic": triple.epistemic.astype(np.float32),
        "jsd": pa.array(jensen_shannon(mean, annotators).astype(np.float32), mask=unknown),
        "nll": pa.array(nll(mean, annotators).astype(np.float32), mask=unknown),
        "brier": pa.array(brier(mean, annotators).astype(np.float32), mask=unknown),
        "samples": _fixed(probs.reshape(n, samples * classes).astype(np.float16), np.full(n, not keep_samples)),
    }
    return pa.table(columns, schema=schema.predictions(classes, samples))


def feature_table(vectors: np.ndarray, first_id: int) -> pa.Table:
    """vectors: (N, D)."""
    ids = np.arange(first_id, first_id + len(vectors))
    columns = {"face_id": ids, "vector": _fixed(vectors.astype(np.float16))}
    return pa.table(columns, schema=schema.features(vectors.shape[1]))


def reject_table(rejects: Sequence[Reject]) -> pa.Table:
    rows = [{"source": r.source, "stage": r.stage, "reason": r.reason} for r in rejects]
    return pa.Table.from_pylist(rows, schema=schema.rejects())


def _values(attribute: Attribute, values: Sequence[float | str | None]) -> pa.Array:
    """A column of the cache; what is missing, or NaN, becomes null."""
    return pa.array(values, pa.float64() if attribute.kind == "number" else pa.string(), from_pandas=True)


def _fixed(rows: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """(N, K) -> a fixed-size list array; rows marked missing become null."""
    mask = None if missing is None else pa.array(missing)
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1], mask=mask)
