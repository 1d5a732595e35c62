"""A cache of any size with invented contents: python -m benchmarks.make_synthetic --faces 1000000 --out data/million

It is for measuring speed. The heads are the rendered probe faces over and over; labels, predictions and features are
drawn at random, differ from face to face, and go through the functions and the writer that a real build uses. The same
seed gives the same cache. Samples are kept for the ensemble's test faces only: those of a million would take 160 MB.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.synthetic_faces import (
    ATTRIBUTES,
    CAMERAS,
    CLASSES,
    DIMENSIONS,
    LIGHTS,
    MODELS,
    SPLITS,
    Drawn,
    Space,
)
from benchmarks.synthetic_space import NEAREST, nearest, pca, sample
from cache import schema
from cache.manifest import BackboneInfo, Chunk, LayoutInfo, Manifest, ModelInfo, NeighbourInfo, SourceInfo
from cache.writer import CacheWriter
from engine import device as devices
from engine import records
from engine.images import thumbnail
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.provenance import package_versions
from engine.sources.probe import ASSET
from engine.sources.rows import FER_CLASSES
from engine.summary import summarise

PART = 32_768  # faces
BACKBONE, LAYOUT = "synthetic", "pca-synthetic"
KEPT = "ensemble"  # the model whose samples are kept, of the test faces
TRAIN, TEST = list(SPLITS).index("train"), list(SPLITS).index("test")
NOTE = "synthetic faces for measuring speed: rendered heads, random labels"
SIDE = 112  # px, of the rendered faces


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_synthetic", description=__doc__)
    parser.add_argument("--faces", type=int, required=True, help="how many faces")
    parser.add_argument("--out", type=Path, required=True, help="new folder of the cache")
    parser.add_argument("--seed", type=int, default=0, help="what everything is drawn from (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.faces < 1:
        raise SystemExit(f"A cache of {arguments.faces} faces cannot be made: give --faces a number of at least 1.")
    if arguments.seed < 0:
        raise SystemExit(f"The seed {arguments.seed} is below 0: give --seed a number of at least 0.")
    if arguments.out.exists():
        raise SystemExit(f"{arguments.out} is there already: give --out a new folder, or delete this one.")
    start = time.monotonic()
    write(arguments.out, arguments.faces, arguments.seed)
    print(f"{arguments.faces:,} faces in {time.monotonic() - start:.0f} s: {arguments.out}")


def write(folder: Path, faces: int, seed: int = 0) -> Path:
    """A complete cache of `faces` faces."""
    with CacheWriter(folder) as writer:
        writer.start(_manifest(faces, seed))
        _write_faces(writer, faces, seed)
        pa.default_memory_pool().release_unused()  # the statistics need as much again
        start = time.monotonic()
        summary = summarise(folder, _written(writer))
        writer.commit({"summary": summary}, "part-00000", seconds=time.monotonic() - start)
        writer.finish()
    return folder


def _write_faces(writer: CacheWriter, faces: int, seed: int) -> None:
    """Everything but the statistics. The features stay in memory until the map and the nearest faces are known."""
    spans = [np.arange(low, min(low + PART, faces)) for low in range(0, faces, PART)]
    vectors, split = np.empty((faces, DIMENSIONS), np.float16), np.empty(faces, np.int8)
    _commit(writer, _drawn(spans, seed, vectors, split))
    places, explained = pca(vectors)
    searched = {index: sample(np.flatnonzero(split == index), seed) for index in range(len(SPLITS))}
    layouts = {LAYOUT: LayoutInfo("pca", BACKBONE, seed, faces, {"explained": explained})}
    neighbours = {BACKBONE: NeighbourInfo(NEAREST, len(searched[TRAIN]))}
    writer.start(replace(_written(writer), layouts=layouts, neighbours=neighbours))
    _commit(writer, _derived(spans, vectors, split, places, searched))


def _written(writer: CacheWriter) -> Manifest:
    assert writer.manifest is not None, "start() comes first"
    return writer.manifest


Part = tuple[dict[str, pa.Table], Chunk | None]


def _commit(writer: CacheWriter, parts: Iterable[Part]) -> None:
    """Write the parts in order; the next one is made while the last one is being written."""
    with ThreadPoolExecutor(1) as disk:
        written: Future[None] | None = None
        start = time.monotonic()
        for index, (tables, chunk) in enumerate(parts):
            if written is not None:
                written.result()
            seconds, start = time.monotonic() - start, time.monotonic()
            written = disk.submit(writer.commit, tables, f"part-{index:05d}", chunk=chunk, seconds=seconds)
        if written is not None:
            written.result()


def _drawn(spans: Sequence[np.ndarray], seed: int, vectors: np.ndarray, split: np.ndarray) -> Iterator[Part]:
    """Faces, thumbnails, predictions and features; the last also go to `vectors`, and the splits to `split`."""
    images, space = _rendered(), Space.of(seed)
    for index, ids in enumerate(spans):
        rng, first = np.random.default_rng([seed, index]), int(ids[0])
        drawn = Drawn.of(len(ids), rng)
        vectors[ids], split[ids] = space.vectors(drawn, rng), drawn.split
        tables = {"faces": _faces(ids, drawn), "thumbnails": _thumbnails(ids, images)}
        for name, model in MODELS.items():
            table = records.prediction_table(model.predict(drawn, rng), drawn.votes, ids)
            tables[f"predictions/model={name}"] = _forget_samples(table, (drawn.split == TEST) & (name == KEPT))
        tables[f"features/backbone={BACKBONE}"] = records.feature_table(vectors[ids], first)
        yield tables, Chunk(len(ids), len(ids), _source(ids[-1]))


def _derived(
    spans: Sequence[np.ndarray],
    vectors: np.ndarray,
    split: np.ndarray,
    places: np.ndarray,
    searched: dict[int, np.ndarray],
) -> Iterator[Part]:
    """The map and the nearest faces. Among the training faces, `own` is what `train` is already."""
    for ids in spans:
        train = nearest(vectors, ids, searched[TRAIN])
        own = train[0].copy(), train[1].copy()
        for index, among in searched.items():
            chosen = split[ids] == index
            if index != TRAIN and chosen.any():
                own[0][chosen], own[1][chosen] = nearest(vectors, ids[chosen], among)
        columns = {"face_id": ids, "x": places[ids, 0], "y": places[ids, 1]}
        yield (
            {
                f"embeddings/layout={LAYOUT}": pa.table(columns, schema=schema.embedding()),
                f"neighbours/backbone={BACKBONE}": _neighbours(ids, train, own),
            },
            None,
        )


# ---- tables


def _manifest(faces: int, seed: int) -> Manifest:
    return Manifest(
        classes=FER_CLASSES,
        source=SourceInfo("synthetic:", f"{faces:,} invented faces", NOTE),
        settings={"faces": faces, "seed": seed},
        command=f"python -m benchmarks.make_synthetic --faces {faces} --seed {seed}",
        hardware=devices.hardware(devices.choose_device("cpu")),
        packages=package_versions(),
        models={
            name: ModelInfo(model.title, model.samples, seed, (BACKBONE,), "", "", "cpu")
            for name, model in MODELS.items()
        },
        backbones={BACKBONE: BackboneInfo("", "fp32", "cpu")},
    )


def _faces(ids: np.ndarray, drawn: Drawn) -> pa.Table:
    voted, chosen = drawn.votes.sum(1) > 0, majority(drawn.votes)
    columns = {
        "face_id": ids,
        "source": [_source(i) for i in ids],
        "content_id": [f"{i:032x}" for i in ids],
        "split": np.array(list(SPLITS))[drawn.split],
        "width": np.full(len(ids), SIDE),
        "height": np.full(len(ids), SIDE),
        "votes": _lists(drawn.votes.astype(np.uint16), voted),
        "n_votes": drawn.votes.sum(1),
        "disagreement": pa.array(disagreement(vote_distribution(drawn.votes)).astype(np.float32), mask=~voted),
        "majority": pa.array(chosen.astype(np.int16), mask=chosen < 0),
        "attr_tone": pa.array(drawn.tone.astype(np.float64), mask=~drawn.toned),
        "attr_yaw": drawn.yaw,
        "attr_light": np.array(LIGHTS)[drawn.light],
        "attr_camera": np.array(CAMERAS)[drawn.camera],
    }
    return pa.table(columns, schema=schema.faces(CLASSES, records.attribute_fields(ATTRIBUTES)))


def _rendered() -> pa.Array:
    """The thumbnails of the rendered faces that ship with the project."""
    images = pq.read_table(ASSET, columns=["image"])["image"].to_pylist()
    return pa.array([thumbnail(Image.open(BytesIO(image))) for image in images], pa.binary())


def _thumbnails(ids: np.ndarray, images: pa.Array) -> pa.Table:
    return pa.table({"face_id": ids, "thumbnail": images.take(pa.array(ids % len(images)))}, schema=schema.thumbnails())


def _forget_samples(table: pa.Table, kept: np.ndarray) -> pa.Table:
    samples, index = table["samples"].combine_chunks(), table.schema.get_field_index("samples")
    values = samples.flatten().to_numpy().reshape(len(samples), -1)
    return table.set_column(index, table.schema.field(index), _lists(values, kept))


def _neighbours(ids: np.ndarray, *found: tuple[np.ndarray, np.ndarray]) -> pa.Table:
    """found: face ids and distances among the training faces, then among the own split's."""
    columns = [pa.array(ids)]
    for faces, distances in found:
        there = faces >= 0
        offsets = np.concatenate([[0], there.sum(1).cumsum()]).astype(np.int32)
        columns += [pa.ListArray.from_arrays(offsets, pa.array(values[there])) for values in (faces, distances)]
    return pa.table(columns, schema=schema.neighbours())


def _lists(rows: np.ndarray, known: np.ndarray) -> pa.Array:
    """(N, K) -> a fixed-size list array; rows that are not known become null."""
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1], mask=pa.array(~known))


def _source(face: int) -> str:
    return f"synthetic/{face:09d}.jpg"


if __name__ == "__main__":
    main()
