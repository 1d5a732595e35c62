"""The story in one function: source -> faces -> features -> samples -> cache.

The source is cut into chunks of a fixed number of entries. A chunk is done when the manifest names its faces and the
predictions of every model asked for; done chunks are skipped, so the same code starts a build, resumes one that was
killed, and adds a model to a finished cache. Three stages overlap: threads read and decode the next chunk, the device
computes on this one, another thread writes the last one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from cache.manifest import Chunk, Manifest
from cache.writer import CacheWriter
from engine import device as devices
from engine import models, plan, records
from engine.config import BuildConfig
from engine.faces import FaceDetector
from engine.plan import BuildProblem, Job, Shape
from engine.records import FaceRow
from engine.sources import open_source
from engine.sources.rows import Attribute, ImageProblem, Item, Reject
from engine.summary import summarise

DETECTION = (
    Attribute("box_left", "number", "px"),
    Attribute("box_top", "number", "px"),
    Attribute("box_side", "number", "px"),
    Attribute("detection", "number", "probability"),
)

Progress = Callable[[int, int], None]  # (entries done, faces done) since the last call
Decoded = list[FaceRow | Reject]


def build(config: BuildConfig, progress: Progress, *, command: str = "") -> Manifest:
    """Build, resume or extend the cache at config.out. Raises SourceProblem, BuildProblem, WeightsProblem, CacheError,
    OSError (disk); whatever it raises, the cache stays readable and the same command goes on from there."""
    source = open_source(config.source, config.labels)
    with CacheWriter(config.out) as writer:
        engine = plan.load_engine(config, writer.manifest)
        classes = plan.classes(source, engine)
        writer.start(plan.manifest(config, source, engine, classes, writer.manifest, command))
        detector = FaceDetector() if config.faces == "detect" else None
        shape = Shape(classes, source.attributes + (DETECTION if detector else ()))
        next_id = writer.manifest.faces if writer.manifest else 0
        device = devices.choose_device(config.device)
        with (
            ThreadPoolExecutor(config.workers) as readers,
            devices.batch_pool(device) as batches,
            ThreadPoolExecutor(1) as disk,
        ):
            written: Future[None] | None = None
            started = time.monotonic()
            for job, decoded in _decoded(plan.jobs(config, source, writer), readers, detector):
                first_id = next_id if job.new else job.first_id
                rows = _compute(job, decoded, first_id, config, engine, shape, batches)
                next_id += rows.faces if job.new else 0
                if written is not None:
                    written.result()  # at most one part waits for the disk; its errors surface here
                seconds, started = time.monotonic() - started, time.monotonic()
                written = disk.submit(writer.commit, rows.tables, job.part, chunk=rows.chunk, seconds=seconds)
                progress(len(job.entries), rows.faces)
            if written is not None:
                written.result()
        assert writer.manifest is not None
        if not writer.manifest.faces:
            raise BuildProblem(_no_faces(config, writer.manifest))
        started = time.monotonic()
        if not writer.manifest.complete or writer.manifest.rows("summary") == 0:
            table = summarise(config.out, writer.manifest)
            writer.commit({"summary": table}, "part-00000", seconds=time.monotonic() - started)
            writer.finish()
        return writer.manifest


# ---- the three stages


def _decoded(
    jobs: Iterator[Job], readers: ThreadPoolExecutor, detector: FaceDetector | None
) -> Iterator[tuple[Job, Decoded]]:
    """Decode each job's entries in threads, one job ahead of the one that is handed out."""

    def submit(job: Job) -> tuple[Job, list[Future[Decoded]]]:
        size = 64  # entries per task: small enough to spread, large enough to cost nothing
        slices = [job.entries[i : i + size] for i in range(0, len(job.entries), size)]
        return job, [readers.submit(_decode, entries, detector) for entries in slices]

    ahead: tuple[Job, list[Future[Decoded]]] | None = None
    try:
        for job in jobs:
            following = submit(job)
            if ahead is not None:
                yield ahead[0], [row for future in ahead[1] for row in future.result()]
            ahead = following
        if ahead is not None:
            yield ahead[0], [row for future in ahead[1] for row in future.result()]
    finally:
        if ahead is not None:
            for future in ahead[1]:
                future.cancel()


def _decode(entries: Sequence[Item | Reject], detector: FaceDetector | None) -> Decoded:
    """Faces and rejects of some entries, in order. Whatever one image does, the others go on."""
    rows: Decoded = []
    for entry in entries:
        if isinstance(entry, Reject):
            rows.append(entry)
            continue
        stage: Any = "decode"
        try:
            image = entry.load()
            if detector is None:
                rows.append(FaceRow.of(entry, image))
                continue
            stage = "detect"
            found = detector.find(image)
            rows.extend(_detected(entry, found) or [Reject(entry.source, "detect", "no face found")])
        except ImageProblem as problem:
            rows.append(Reject(entry.source, stage, str(problem)))
        except Exception as problem:  # one strange image must not end a build of a million
            rows.append(Reject(entry.source, stage, f"unexpected {type(problem).__name__}: {problem}"))
    return rows


def _detected(entry: Item, found: Sequence[Any]) -> list[FaceRow]:
    rows = []
    for index, face in enumerate(found):
        left, top, right, bottom = (float(v) for v in face.box)
        extra = {
            "box_left": left, "box_top": top, "box_side": max(right - left, bottom - top),
            "detection": float(face.probability),
        }  # fmt: skip
        item = entry if len(found) == 1 else replace(entry, source=f"{entry.source}#{index}")
        rows.append(FaceRow.of(item, face.crop, extra))
    return rows


@dataclass(frozen=True)
class Rows:
    """What one part adds to the cache."""

    tables: dict[str, pa.Table]
    chunk: Chunk | None  # None when the faces were there already
    faces: int


def _compute(
    job: Job, decoded: Decoded, first_id: int, config: BuildConfig, engine: models.Engine | None, shape: Shape,
    batches: ThreadPoolExecutor,
) -> Rows:  # fmt: skip
    """All tables of one part: faces and rejects when they are new, then every model's predictions."""
    faces = [row for row in decoded if isinstance(row, FaceRow)]
    rejects = [row for row in decoded if isinstance(row, Reject)]
    tables: dict[str, pa.Table] = {}
    if job.new:
        tables |= records.face_tables(faces, first_id, len(shape.classes), shape.attributes)
        if rejects:
            tables["rejects"] = records.reject_table(rejects)
    elif [row.content_id for row in faces] != list(job.content_ids):
        raise BuildProblem(plan.changed(config, job.entries[-1].source))
    if engine is not None and job.models:
        tables |= _predict(faces, first_id, job.models, engine, shape, config, batches)
    chunk = Chunk(len(job.entries), len(faces), job.entries[-1].source) if job.new else None
    return Rows(tables, chunk, len(faces))


def _predict(
    faces: Sequence[FaceRow], first_id: int, names: Sequence[str], engine: models.Engine, shape: Shape,
    config: BuildConfig, batches: ThreadPoolExecutor,
) -> dict[str, pa.Table]:  # fmt: skip
    """Trunk features once per batch, shared by every model that reads them."""
    chosen = [engine.models[name] for name in names]
    backbones = tuple(dict.fromkeys(backbone for model in chosen for backbone in model.backbones))
    kept = tuple(dict.fromkeys(model.backbones[0] for model in chosen))
    size = config.batch or devices.batch_size(engine.device)

    def score(batch: Sequence[FaceRow]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        features = engine.features(torch.from_numpy(np.stack([face.pixels for face in batch])), backbones)
        probs = [model.predict(features).cpu().numpy() for model in chosen]  # (n, S, C) each
        return probs, [features[backbone].cpu().numpy() for backbone in kept]  # (n, D) each

    scored = list(batches.map(score, [faces[i : i + size] for i in range(0, len(faces), size)]))
    votes = records.votes_of(faces, len(shape.classes))
    tables = {}
    for index, model in enumerate(chosen):
        empty = np.zeros((0, model.samples, len(shape.classes)))
        samples = np.concatenate([probs[index] for probs, _ in scored] or [empty])
        table = records.prediction_table(samples, votes, first_id, keep_samples=config.samples)
        tables[f"predictions/model={model.name}"] = table
    for index, backbone in enumerate(kept):
        if scored:
            vectors = np.concatenate([features[index] for _, features in scored])
            tables[f"features/backbone={backbone}"] = records.feature_table(vectors, first_id)
    return tables


def _no_faces(config: BuildConfig, manifest: Manifest) -> str:
    rejected = manifest.rows("rejects")
    return (
        f"None of the {rejected:,} inputs of {config.source} became a face. The reasons are in "
        f"{config.out / 'rejects'}; delete {config.out} before you try again."
    )
