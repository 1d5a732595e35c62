"""Predictions made elsewhere -> a model of a cache: read, match, check every row, then write.

Nothing is written before all of it is known to be good, and nothing can be seen before all of it is written: until
the last step the manifest says that the model has scored no face. An import that was interrupted is simply begun anew.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.manifest import Manifest, ModelInfo
from cache.writer import CacheWriter
from engine import records
from engine.config import ImportConfig
from engine.imports.files import read_predictions
from engine.imports.given import Given
from engine.imports.matching import match
from engine.imports.rows import ImportProblem, are_distributions, probabilities, refuse, wrong_rows
from engine.models import NAMES
from engine.summary import EVERY_FACE, summarise
from engine.weights.files import sha256_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # a folder's name and part of an address
MOST_TITLE = 200  # characters

Progress = Callable[[int, int], None]  # (faces passed, faces scored) since the last call


@dataclass(frozen=True)
class Imported:
    """What was imported, for the report."""

    info: ModelInfo
    covered: int
    faces: int  # of the cache
    classes: tuple[str, ...]
    ordered: bool  # whether the file itself says which column is which class
    accuracy: float  # NaN without votes
    voted: int  # faces that the accuracy is over


def import_predictions(config: ImportConfig, progress: Progress) -> Imported:
    """Raises ImportProblem, CacheError, OSError (disk); whatever it raises, the cache stays readable."""
    _check_name(config.name)
    manifests.load(config.cache)  # a writer would begin a new cache where there is none
    with CacheWriter(config.cache) as writer:
        manifest = _now(writer)
        _check_cache(config, manifest)
        given = read_predictions(config.file, config.logits, manifest.classes)
        faces = match(given, config.cache, manifest)  # (N,) face_ids
        _check_rows(given)
        info = ModelInfo(
            title=_title(config), samples=given.values.shape[1], seed=None, backbones=(),
            weights_sha256=sha256_of(config.file), precision="", device="",
            faces=None if len(faces) == manifest.faces else len(faces),
        )  # fmt: skip
        summary = _write(writer, config, given, faces, info, progress)
    accuracy, voted = _accuracy(summary, config.name)
    ordered = given.classes is not None
    return Imported(info, len(faces), manifest.faces, manifest.classes, ordered, accuracy, voted)


def _write(
    writer: CacheWriter, config: ImportConfig, given: Given, faces: np.ndarray, info: ModelInfo, progress: Progress
) -> pa.Table:
    """Every part, then the summary, then the model itself: it appears in one step. Returns the summary."""
    manifest = _now(writer)
    table, hidden = f"predictions/model={config.name}", replace(info, faces=0)
    layouts = {name: layout for name, layout in manifest.layouts.items() if layout.space != config.name}
    # What there is of an earlier import under this name goes.
    gone = {table, *(f"embeddings/layout={name}" for name in manifest.layouts if name not in layouts)}
    others = {name: parts for name, parts in manifest.parts.items() if name not in gone}
    models = {**manifest.models, config.name: hidden}
    writer.start(replace(manifest, models=models, layouts=layouts, parts=others))
    for part, passed, predictions in _predictions(config, given, faces, manifest):
        writer.commit({table: predictions}, part)
        progress(passed, len(predictions))
    shown = {**manifest.models, config.name: info}
    summary = summarise(config.cache, replace(_now(writer), models=shown))
    writer.commit({"summary": summary}, "part-00000")
    writer.start(replace(_now(writer), models=shown))
    return summary


def _now(writer: CacheWriter) -> Manifest:
    assert writer.manifest is not None  # import_predictions has seen it
    return writer.manifest


def _predictions(
    config: ImportConfig, given: Given, faces: np.ndarray, manifest: Manifest
) -> Iterator[tuple[str, int, pa.Table]]:
    """For each part of the faces: its name, how many faces it has, and the predictions of those that the file has."""
    order = np.argsort(faces)  # the file's rows by face_id
    ordered = faces[order]
    columns = [(given.classes or manifest.classes).index(name) for name in manifest.classes]
    for name, part in manifest.parts["faces"].items():
        known = pq.read_table(config.cache / part.file, columns=["face_id", "votes"])
        votes, ids = records.known_votes(known, len(manifest.classes)), known["face_id"].to_numpy()
        first, end = np.searchsorted(ordered, (ids[0], ids[-1] + 1)) if len(ids) else (0, 0)
        rows, here = order[first:end], ordered[first:end]
        samples = probabilities(given.values[rows][..., columns], given.logits)  # (n, S, C)
        scored = votes[np.searchsorted(ids, here)]
        yield name, len(ids), records.prediction_table(samples, scored, here, keep_samples=config.samples)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ImportProblem(
            f"{name!r} cannot be a model's name. Use up to 64 letters (a to z), digits, dots, dashes and underscores, "
            "the first a letter or digit."
        )
    if name.lower() in NAMES:
        raise ImportProblem(f"'{name}' is the name of a model that `build` makes. Choose another --name.")


def _check_cache(config: ImportConfig, manifest: Manifest) -> None:
    if not manifest.complete or not manifest.faces:
        raise ImportProblem(
            f"{config.cache} is not built to its end, and predictions need all of its faces. Go on with it first: "
            f"{manifest.command}"
        )
    known = [*manifest.models, *manifest.backbones]  # on some disks 'Mine' and 'mine' are one folder
    alike = next((name for name in known if name.lower() == config.name.lower()), None)
    if alike is None:
        return
    if alike != config.name or alike not in manifest.models or manifest.models[alike].precision:
        raise ImportProblem(f"{config.cache} has a model or features '{alike}' already. Choose another --name.")
    if alike in manifest.ready_models and not config.replace:
        raise ImportProblem(
            f"{config.cache} has imported predictions of '{alike}' already (sha256 of their file: "
            f"{manifest.models[alike].weights_sha256[:12]}...). Add --replace to put these in their place, or choose "
            "another --name."
        )


def _check_rows(given: Given) -> None:
    wrong = list(wrong_rows(given.values, given.logits))
    n, _, classes = given.values.shape
    logits = "If these are logits, add --logits (in a .npz or list column: call them 'logits'). "
    most = not given.logits and 2 * len(wrong) > n
    refuse(given.path, n, given.name, wrong, f"{logits if most else ''}Correct these rows and import again.")
    if given.logits and classes > 1 and are_distributions(given.values):
        raise ImportProblem(
            f"Every row of {given.path} sums to 1 and none is negative: these are probabilities, not logits. Leave out "
            "--logits (in a .npz or list column: call them 'probs')."
        )


def _title(config: ImportConfig) -> str:
    words = " ".join((config.title or f"Predictions imported from {config.file.name}").split())
    return "".join(letter for letter in words if letter.isprintable())[:MOST_TITLE]


def _accuracy(summary: pa.Table, model: str) -> tuple[float, int]:
    """Of all faces that were scored and whose annotators have one most frequent class."""
    wanted = {"model": model, "split": EVERY_FACE, "metric": "accuracy"}
    row = next(row for row in summary.to_pylist() if wanted.items() <= row.items())
    return float("nan") if row["value"] is None else row["value"], row["n"]
