"""Statistics of each model on each split, with bootstrap intervals; computed once, at the end of a build."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cache import schema
from cache.manifest import Manifest
from engine.metrics.bootstrap import Estimate, bootstrap_means
from engine.metrics.correlation import correlations

EVERY_FACE = "all"
MEANS = ("u_total", "u_aleatoric", "u_epistemic", "jsd", "nll", "brier")
PARTS = {"total": "u_total", "aleatoric": "u_aleatoric", "epistemic": "u_epistemic"}
RESAMPLES = 1000


def summarise(folder: Path, manifest: Manifest) -> pa.Table:
    """The summary table of a cache whose predictions are complete. Reads narrow columns only.

    A model that has scored only some faces is measured on those; its n says how many.
    """
    faces = _read(folder, manifest, "faces", ["face_id", "split", "content_id", "votes", "disagreement", "majority"])
    faces["first_choice"] = [-1 if votes is None else int(np.argmax(votes)) for votes in faces.pop("votes")]
    faces["copied"] = faces.groupby("content_id")["split"].transform("nunique") > 1
    rows = []
    for model in manifest.ready_models:
        scores = _read(folder, manifest, f"predictions/model={model}", ["face_id", "predicted", *MEANS])
        merged = faces.merge(scores, on="face_id", validate="one_to_one")
        for split, part in _splits(merged):
            for metric, estimate in statistics(part).items():
                rows.append({"model": model, "split": split, "metric": metric, **asdict(estimate)})
    return pa.Table.from_pylist(rows, schema=schema.summary())


def statistics(faces: pd.DataFrame) -> dict[str, Estimate]:
    """Every headline statistic of some faces, by name.

    faces: columns predicted, majority, first_choice (-1 without votes), copied, disagreement and MEANS.
    accuracy: over the faces whose annotators have one most frequent class. accuracy_with_ties: over all faces with
    votes, a tie going to the class listed first. accuracy_without_copies: as accuracy, without the faces whose very
    pixels also stand in another split. spearman_*, pearson_*: of each part of the triple with the annotators'
    disagreement.
    """
    predicted = faces["predicted"].to_numpy()
    majority = faces["majority"].to_numpy(dtype=np.float64, na_value=np.nan)
    first = faces["first_choice"].to_numpy()
    correct = np.where(np.isnan(majority), np.nan, predicted == majority)
    columns = {
        "accuracy": correct,
        "accuracy_with_ties": np.where(first < 0, np.nan, predicted == first),
        "accuracy_without_copies": np.where(faces["copied"], np.nan, correct),
    } | {name: faces[name].to_numpy(np.float64, na_value=np.nan) for name in MEANS}
    found = bootstrap_means(columns, RESAMPLES)
    d = faces["disagreement"].to_numpy(np.float64, na_value=np.nan)
    parts = {name: columns[column] for name, column in PARTS.items()}
    for name, values in correlations(parts, d, "spearman", RESAMPLES).items():
        found[f"spearman_{name}"] = values
    for name, values in correlations(parts, d, "pearson", RESAMPLES).items():
        found[f"pearson_{name}"] = values
    return found


def _splits(faces: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield EVERY_FACE, faces
    for split, part in faces.groupby("split"):  # faces without a split count under 'all' only
        yield str(split), part


def _read(folder: Path, manifest: Manifest, table: str, columns: list[str]) -> pd.DataFrame:
    files = [folder / part.file for part in manifest.parts[table].values()]
    return pa.concat_tables([pq.read_table(file, columns=columns) for file in files]).to_pandas()
