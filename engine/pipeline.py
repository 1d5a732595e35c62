"""The story in one function: source -> faces -> features -> samples -> cache.

The source is cut into chunks of a fixed number of entries. A chunk is done when the manifest names its faces and the
predictions of every model asked for; done chunks are skipped, so the same code starts a build, resumes one that was
killed, and adds a model or measurements to a finished cache. Three stages overlap: threads read and decode the next
chunk, the device computes on this one, another thread writes the last one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from cache.attributes import MEASURED
from cache.attributes import table as attribute_table
from cache.manifest import Chunk, Manifest
from cache.writer import CacheWriter
from engine import device as devices
from engine import measuring as measurements
from engine import models, plan, records
from engine.config import BuildConfig
from engine.embed import add_pca
from engine.faces import FaceDetector
from engine.imports.attribute_file import read_attributes
from engine.imports.attributes import add_attributes, announce
from engine.measuring import Found, Measuring
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

STORED_BATCH = 384  # faces per task when features are read back: only the heads have work

Progress = Callable[[int, int], None]  # (entries done, faces done) since the last call
Decoded = list[FaceRow | Reject]


def build(config: BuildConfig, progress: Progress, *, command: str = "") -> Manifest:
    """Build, resume or extend the cache at config.out. Raises SourceProblem, BuildProblem, WeightsProblem, CacheError,
    OSError (disk); whatever it raises, the cache stays readable and the same command goes on from there."""
    source = open_source(config.source, config.labels)
    given = read_attributes(config.attributes) if config.attributes else None
    with CacheWriter(config.out) as writer:
        engine = plan.load_engine(config, writer.manifest)
        measuring = measurements.load() if config.measure else None
        classes = plan.classes(source, engine, config.classes, writer.manifest)
        shape = Shape(classes, source.attributes + (DETECTION if config.faces == "detect" else ()))
        measured = measuring.info if measuring else None
        manifest = plan.manifest(config, source, engine, classes, writer.manifest, command, measured)
        plan.expect_distinct(announce(given, manifest, config.out) if given else manifest, shape.attributes)
        writer.start(manifest)
        detector = FaceDetector() if config.faces == "detect" else None
        next_id = writer.manifest.faces if writer.manifest else 0
        device = devices.choose_device(config.device)
        with (
            ThreadPoolExecutor(config.workers) as readers,
            devices.batch_pool(device) as batches,
            ThreadPoolExecutor(1) as disk,
        ):
            jobs = plan.jobs(config, source, writer, engine)
            written: Future[None] | None = None
            started = time.monotonic()
            decoder = Decoder(detector, engine.inputs if engine else (), measuring)
            for job, decoded in _decoded(jobs, readers, decoder):
                first_id = next_id if job.new else job.first_id
                rows = _compute(job, decoded, first_id, config, engine, measuring, shape, batches)
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
        add_pca(writer)
        if not writer.manifest.complete or writer.manifest.rows("summary") == 0:
            table = summarise(config.out, writer.manifest)
            writer.commit({"summary": table}, "part-00000", seconds=time.monotonic() - started)
            writer.finish()
        if given is not None:
            add_attributes(writer, given)
        return writer.manifest


# ---- the three stages


@dataclass(frozen=True)
class Decoder:
    """What is done to an image while it is in memory."""

    detector: FaceDetector | None
    inputs: tuple[str, ...]  # of the trunks
    measuring: Measuring | None

    def of(self, job: Job) -> "Decoder":
        """Without what the job has no need of."""
        return Decoder(self.detector, self.inputs if job.trunks else (), self.measuring if job.measure else None)


def _decoded(jobs: Iterator[Job], readers: ThreadPoolExecutor, decoder: Decoder) -> Iterator[tuple[Job, Decoded]]:
    """Decode each job's entries in threads, one job ahead of the one that is handed out."""

    def submit(job: Job) -> tuple[Job, list[Future[Decoded]]]:
        size = 64  # entries per task: small enough to spread, large enough to cost nothing
        entries = job.entries if job.decode else ()
        slices = [entries[i : i + size] for i in range(0, len(entries), size)]
        return job, [readers.submit(_decode, part, decoder.of(job)) for part in slices]

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


def _decode(entries: Sequence[Item | Reject], decoder: Decoder) -> Decoded:
    """Faces and rejects of some entries, in order. Whatever one image does, the others go on."""
    found = _found(entries, decoder)
    return list(decoder.measuring.rows(found)) if decoder.measuring else [row for row, _ in found]


def _found(entries: Sequence[Item | Reject], decoder: Decoder) -> Iterator[Found]:
    for entry in entries:
        if isinstance(entry, Reject):
            yield entry, None
            continue
        stage: Any = "decode"
        try:
            image = entry.load()
            if decoder.detector is None:
                found: list[Found] = [(FaceRow.of(entry, image, decoder.inputs), image)]
            else:
                stage = "detect"
                faces = _detected(entry, decoder.detector.find(image), decoder.inputs)
                found = faces or [(Reject(entry.source, "detect", "no face found"), None)]
        except ImageProblem as problem:
            found = [(Reject(entry.source, stage, str(problem)), None)]
        except Exception as problem:  # one strange image must not end a build of a million
            found = [(Reject(entry.source, stage, f"unexpected {type(problem).__name__}: {problem}"), None)]
        yield from found


def _detected(entry: Item, found: Sequence[Any], inputs: tuple[str, ...]) -> list[Found]:
    rows: list[Found] = []
    for index, face in enumerate(found):
        left, top, right, bottom = (float(v) for v in face.box)
        extra = {
            "box_left": left, "box_top": top, "box_side": max(right - left, bottom - top),
            "detection": float(face.probability),
        }  # fmt: skip
        item = entry if len(found) == 1 else replace(entry, source=f"{entry.source}#{index}")
        rows.append((FaceRow.of(item, face.crop, inputs, extra), face.crop))
    return rows


@dataclass(frozen=True)
class Rows:
    """What one part adds to the cache."""

    tables: dict[str, pa.Table]
    chunk: Chunk | None  # None when the faces were there already
    faces: int


def _compute(
    job: Job, decoded: Decoded, first_id: int, config: BuildConfig, engine: models.Engine | None,
    measuring: Measuring | None, shape: Shape, batches: ThreadPoolExecutor,
) -> Rows:  # fmt: skip
    """All tables of one part: faces and rejects when they are new, measurements, then every model's predictions."""
    faces = [row for row in decoded if isinstance(row, FaceRow)]
    rejects = [row for row in decoded if isinstance(row, Reject)]
    tables: dict[str, pa.Table] = {}
    if job.new:
        votes = records.votes_of(faces, len(shape.classes))
        tables |= records.face_tables(faces, first_id, len(shape.classes), shape.attributes)
        if rejects:
            tables["rejects"] = records.reject_table(rejects)
    else:
        assert job.known is not None
        votes = records.known_votes(job.known, len(shape.classes))
        if job.decode and [row.content_id for row in faces] != job.known["content_id"].to_pylist():
            raise BuildProblem(plan.changed(config, job.entries[-1].source))
    if measuring is not None and job.measure:
        tables[attribute_table(MEASURED)] = records.attribute_table(faces, first_id, measuring.attributes)
    if engine is not None and (job.models or job.features):
        tables |= _predict(job, faces, first_id, votes, engine, config, batches)
    chunk = Chunk(len(job.entries), len(faces), job.entries[-1].source) if job.new else None
    return Rows(tables, chunk, len(votes))


def _predict(
    job: Job, faces: Sequence[FaceRow], first_id: int, votes: np.ndarray, engine: models.Engine, config: BuildConfig,
    batches: ThreadPoolExecutor,
) -> dict[str, pa.Table]:  # fmt: skip
    """Trunk features once per batch, or as the cache keeps them, shared by every model that reads them."""
    chosen = [engine.models[name] for name in job.models]
    needed = tuple(dict.fromkeys([*(b for model in chosen for b in model.backbones), *job.features]))
    stored = {name: records.vectors(path) for name, path in job.stored.items()}  # (n, D) float16 each

    def features(rows: slice) -> dict[str, Tensor]:
        if stored:
            return {name: torch.from_numpy(stored[name][rows].astype(np.float32)).to(engine.device) for name in needed}
        pixels = {name: np.stack([face.pixels[name] for face in faces[rows]]) for name in engine.inputs}
        return engine.features({name: torch.from_numpy(array) for name, array in pixels.items()}, needed)

    def score(rows: slice) -> tuple[list[np.ndarray], list[np.ndarray]]:
        found = features(rows)
        probs = [model.predict(found).cpu().numpy() for model in chosen]  # (n, S, C) each
        return probs, [found[backbone].half().cpu().numpy() for backbone in job.features]  # (n, D) each

    size = config.batch or (STORED_BATCH if stored else engine.batch)
    scored = list(batches.map(score, [slice(i, i + size) for i in range(0, len(votes), size)]))
    tables = {}
    ids = np.arange(first_id, first_id + len(votes))
    for index, model in enumerate(chosen):
        empty = np.zeros((0, model.samples, len(engine.classes)))
        samples = np.concatenate([probs[index] for probs, _ in scored] or [empty])
        table = records.prediction_table(samples, votes, ids, keep_samples=config.samples)
        tables[f"predictions/model={model.name}"] = table
    for index, backbone in enumerate(job.features):
        if scored:
            kept = np.concatenate([vectors[index] for _, vectors in scored])
            tables[f"features/backbone={backbone}"] = records.feature_table(kept, first_id)
    return tables


def _no_faces(config: BuildConfig, manifest: Manifest) -> str:
    rejected = manifest.rows("rejects")
    return (
        f"None of the {rejected:,} inputs of {config.source} became a face. The reasons are in "
        f"{config.out / 'rejects'}; delete {config.out} before you try again."
    )
