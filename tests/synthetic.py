"""Small caches with random but consistent contents, written through the real writer."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from cache import schema
from cache.manifest import Chunk, LayoutInfo, Manifest, ModelInfo, SourceInfo
from cache.writer import CacheWriter

CLASSES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
MODELS = ("compact", "compact-ensemble")
ONE_SAMPLE = ("compact", "baseline")
SPLITS = ("train", "validation", "test")


def manifest(
    models: tuple[str, ...] = MODELS, classes: tuple[str, ...] = CLASSES, layouts: tuple[str, ...] = (), faces: int = 0
) -> Manifest:
    return Manifest(
        classes=classes,
        source=SourceInfo("synthetic:", "Synthetic", "random squares, not faces"),
        settings={},
        command="python -m tests.synthetic",
        hardware={"device": "cpu", "processor": "any", "cores": 2},
        packages={"numpy": np.__version__},
        models={
            name: ModelInfo(name, 1 if name in ONE_SAMPLE else 6, 0, ("compact-0",), "0" * 64, "fp32", "cpu")
            for name in models
        },
        layouts={name: _layout(name, faces) for name in layouts},
    )


def write(
    folder: Path,
    faces: int = 60,
    *,
    votes: bool = True,
    models: tuple[str, ...] = MODELS,
    parts: int = 2,
    seed: int = 0,
    classes: tuple[str, ...] = CLASSES,
    splits: tuple[str, ...] = SPLITS,
    unknown: bool = False,
    layouts: tuple[str, ...] = (),
) -> Path:
    """A complete cache of `faces` faces in `parts` parts.

    models: 'compact' and 'baseline' draw one sample, any other six. splits: of the faces in turn. unknown: every fifth
    face has no votes, every fourth an attribute of NaN, every third one of null. layouts: maps of every face, such as
    'pca-compact-0'.
    """
    rng = np.random.default_rng(seed)
    with CacheWriter(folder) as writer:
        writer.start(manifest(models, classes, layouts, faces))
        for part, ids in enumerate(np.array_split(np.arange(faces), parts)):
            tables = _part(ids, rng, votes, models, len(classes), splits)
            if unknown:
                tables = _forget(tables)
            tables |= {f"embeddings/layout={name}": _points(ids, name) for name in layouts}
            chunk = Chunk(entries=len(ids), faces=len(ids), last_source=f"face{ids[-1]:06d}.png" if len(ids) else "")
            writer.commit(tables, f"part-{part:05d}", chunk=chunk, seconds=1.0)
        writer.commit({"summary": _summary(models, faces)}, "part-00000")
        writer.finish()
    return folder


def _part(
    ids: np.ndarray,
    rng: np.random.Generator,
    with_votes: bool,
    models: tuple[str, ...],
    c: int,
    splits: tuple[str, ...],
) -> dict[str, pa.Table]:
    n = len(ids)
    truth = rng.dirichlet(np.full(c, 0.3), n)
    votes = np.stack([rng.multinomial(10, p / p.sum()) for p in truth]) if n else np.zeros((0, c), int)
    distribution = votes / 10
    first = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1)
    majority = [int(v.argmax()) if with_votes and f == 1 else None for v, f in zip(votes, first, strict=True)]
    attributes = [pa.field("attr_tone", pa.float64(), metadata={"unit": "Monk"}), pa.field("attr_light", pa.string())]
    split = [splits[i % len(splits)] for i in ids]
    images = [_image(int(i)) for i in ids]
    tables = {
        "faces": pa.table(
            {
                "face_id": ids,
                "source": [f"face{i:06d}.png" for i in ids],
                "content_id": [f"{i:032x}" for i in ids],
                "split": split,
                "width": [48] * n,
                "height": [48] * n,
                "votes": pa.array(votes.tolist() if with_votes else [None] * n, pa.list_(pa.uint16(), c)),
                "n_votes": [10 if with_votes else 0] * n,
                "disagreement": 1 - (distribution**2).sum(1) if with_votes else [None] * n,
                "majority": majority,
                "attr_tone": rng.integers(1, 11, n).astype(float),
                "attr_light": [("front", "side")[i % 2] for i in ids],
            },
            schema=schema.faces(c, attributes),
        ),
        "thumbnails": pa.table({"face_id": ids, "thumbnail": images}, schema=schema.thumbnails()),
        "rejects": pa.table(
            {
                "source": [f"broken{ids[0]}.png"] if n else [],
                "stage": ["decode"] if n else [],
                "reason": ["truncated"] if n else [],
            },
            schema=schema.rejects(),
        ),
    }
    for name in models:
        s = 1 if name in ONE_SAMPLE else 6
        samples = rng.dirichlet(np.full(c, 0.5), (n, s)) * 0.5 + truth[:, None] * 0.5
        tables[f"predictions/model={name}"] = _predictions(ids, samples, distribution if with_votes else None)
    return tables


def _layout(name: str, faces: int) -> LayoutInfo:
    method, _, space = name.partition("-")
    settings = {"explained": [0.31, 0.17]} if method == "pca" else {"neighbours": 15, "min_dist": 0.1}
    return LayoutInfo(method, space, 0, faces, settings)


def _points(ids: np.ndarray, name: str) -> pa.Table:
    """Three clouds far apart: the faces of each split, in turn, make one."""
    rng = np.random.default_rng([len(name), int(ids[0]) if len(ids) else 0])
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 8.0]])
    x, y = (centres[ids % 3] + rng.normal(0, 1, (len(ids), 2))).T
    return pa.table({"face_id": ids, "x": x, "y": y}, schema=schema.embedding())


def _forget(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same tables with holes in them."""
    forgotten = {}
    for name, table in tables.items():
        rows = table.to_pylist()
        for row in rows:
            if row.get("face_id") is None:
                continue
            if row["face_id"] % 5 == 0:
                row |= {n: None for n in ("votes", "disagreement", "majority", "jsd", "nll", "brier") if n in row}
                row |= {"n_votes": 0} if "n_votes" in row else {}
            if row["face_id"] % 4 == 0 and "attr_tone" in row:
                row["attr_tone"] = float("nan")
            if row["face_id"] % 3 == 0 and "attr_light" in row:
                row["attr_light"] = None
        forgotten[name] = pa.Table.from_pylist(rows, schema=table.schema)
    return forgotten


def _predictions(ids: np.ndarray, samples: np.ndarray, annotators: np.ndarray | None) -> pa.Table:
    n, s, c = samples.shape
    mean = samples.mean(1)

    def entropy(p: np.ndarray) -> np.ndarray:
        return -(p * np.log(np.maximum(p, 1e-12))).sum(-1)

    total, aleatoric = entropy(mean), entropy(samples).mean(1)
    scores = {"jsd": [None] * n, "nll": [None] * n, "brier": [None] * n}
    if annotators is not None:
        middle = (mean + annotators) / 2
        scores = {
            "jsd": entropy(middle) - (entropy(mean) + entropy(annotators)) / 2,
            "nll": -(annotators * np.log(np.maximum(mean, 1e-12))).sum(1),
            "brier": ((annotators - mean) ** 2).sum(1),
        }
    return pa.table(
        {
            "face_id": ids,
            "probs": pa.array(mean.astype("f4").tolist(), pa.list_(pa.float32(), c)),
            "predicted": mean.argmax(1).astype("i2") if n else [],
            "confidence": mean.max(1) if n else [],
            "u_total": total,
            "u_aleatoric": aleatoric,
            "u_epistemic": np.maximum(total - aleatoric, 0),
            **scores,
            "samples": pa.array(samples.reshape(n, -1).astype("f2").tolist(), pa.list_(pa.float16(), s * c)),
        },
        schema=schema.predictions(c, s),
    )


def _summary(models: tuple[str, ...], faces: int) -> pa.Table:
    metrics = {
        "accuracy": 0.8,
        "jsd": 0.1,
        "nll": 0.9,
        "u_total": 0.7,
        "u_aleatoric": 0.6,
        "u_epistemic": 0.1,
        "spearman_total": 0.6,
        "spearman_aleatoric": 0.62,
        "spearman_epistemic": 0.3,
        "pearson_total": 0.6,
        "pearson_aleatoric": 0.62,
        "pearson_epistemic": 0.3,
    }
    names = schema.summary().names
    rows = [
        dict(zip(names, (model, split, metric, value, value - 0.02, value + 0.02, faces), strict=True))
        for model in models
        for split in ("all", "train", "validation", "test")
        for metric, value in metrics.items()
    ]
    return pa.Table.from_pylist(rows, schema=schema.summary())


def _image(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()
