"""Caches whose features a test chooses, and the space of their vectors."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache.manifest import BackboneInfo
from cache.writer import CacheWriter
from engine.records import feature_table
from engine.spaces import Space, named
from tests import synthetic

BACKBONE = "compact-0"
SPLITS = ("train", "validation", "test")


def write(
    folder: Path, vectors: np.ndarray, *, splits: Sequence[str | None] = SPLITS, models: tuple[str, ...] = ("compact",),
    imported: tuple[str, ...] = (), parts: int = 3,
) -> Path:  # fmt: skip
    """A complete cache with these features. splits: of the faces in turn. imported: models that keep no features."""
    synthetic.write(folder, len(vectors), models=models + imported, parts=parts, splits=splits)
    with CacheWriter(folder) as writer:
        manifest = writer.manifest
        assert manifest is not None
        infos = {
            name: replace(i, backbones=() if name in imported else (BACKBONE,)) for name, i in manifest.models.items()
        }
        backbones = {BACKBONE: BackboneInfo("0" * 64, "fp32", "cpu")}
        writer.start(replace(manifest, models=infos, backbones=backbones))
        first = 0
        for name, part in manifest.parts["faces"].items():
            last = first + part.rows
            writer.commit({f"features/backbone={BACKBONE}": feature_table(vectors[first:last], first)}, name)
            first = last
    return folder


def space(folder: Path, vectors: np.ndarray, **options) -> Space:
    write(folder, vectors, **options)
    return named(folder, manifests.load(folder), BACKBONE)


def clusters(faces: int, dimensions: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """((N, D) vectors about three directions that are far apart, (N,) which one)."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 3, faces)
    return np.eye(dimensions)[which] * 3 + rng.normal(0, 0.2, (faces, dimensions)), which


def nothing(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def table(folder: Path, name: str) -> pa.Table:
    """All rows of one table, as the manifest names its parts."""
    parts = manifests.load(folder).parts[name].values()
    return pa.concat_tables([pq.read_table(folder / part.file) for part in parts])
