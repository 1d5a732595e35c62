"""A full build against the bare forward pass on the same faces, batch size, device and precision."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import Figure, median
from engine import device as devices
from engine import models
from engine.backbones.facenet import backbone
from engine.backbones.trunk import PREPARE
from engine.config import BuildConfig
from engine.pipeline import build
from engine.sources import open_source
from engine.sources.rows import Item
from engine.weights.files import WeightsProblem

ROUNDS = 2
MODEL = "compact-ensemble"


@dataclass(frozen=True)
class Work:
    """What is built: a model, or the features of a trunk alone."""

    title: str
    models: tuple[str, ...]
    features: tuple[str, ...]
    faces: int  # entries of the source that take part


COMPACT = Work(MODEL, (MODEL,), (), 8_192)  # four parts of a cache
FACENET = Work("FaceNet features, Mixed-7a", (), (backbone("casia-webface", "mixed-7a"),), 1_536)


def figures(source: str) -> Iterator[Figure]:
    device = devices.choose_device()
    precisions = tuple(dict.fromkeys([devices.choose_precision(device), "fp32"]))
    for work, precision in itertools.product((COMPACT, FACENET), precisions):
        try:
            engine = models.load(work.models, device.type, precision, features=work.features)
        except WeightsProblem as problem:
            print(f"{work.title}: not measured. {problem}")
            continue
        pixels = pixels_of(source, work.faces, engine.inputs[0])
        bare, full = [], []
        for _ in range(ROUNDS):
            bare.append(_bare(engine, work, pixels))
            full.append(_full(source, work, engine))
        share = [b / f for b, f in zip(bare, full, strict=True)]
        title = f"Pipeline, {work.title}, {device.type} {precision}, batch {engine.batch}"
        yield Figure(f"{title}: full build / bare forward", median(share), "x faces/s", at_least=0.85)
        yield Figure(f"{title}: full build", len(pixels) / median(full), "faces/s")


def _bare(engine: models.Engine, work: Work, pixels: torch.Tensor) -> float:
    """Seconds for trunks and heads on pixels that lie in memory."""
    chosen = [engine.models[name] for name in work.models]
    needed = [*(b for model in chosen for b in model.backbones), *work.features]
    start = time.monotonic()
    for part in pixels.split(engine.batch):
        features = engine.features({engine.inputs[0]: part}, needed)
        for model in chosen:
            model.predict(features).cpu()
    if engine.device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - start


def _full(source: str, work: Work, engine: models.Engine) -> float:
    """Seconds from the call of build(), loading included, to the last part; the closing statistics come after it."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        config = BuildConfig(
            source, Path(folder) / "cache", work.models, limit=work.faces, batch=engine.batch,
            precision=engine.precision, features=work.features,
        )  # fmt: skip
        start = time.monotonic()
        build(config, lambda entries, found: ends.append(time.monotonic()))
    return ends[-1] - start


def pixels_of(source: str, faces: int, inputs: str) -> torch.Tensor:
    """(N, ...) uint8: the first entries of a source as the trunks see them."""
    entries = itertools.islice(open_source(source).entries(), faces)
    return torch.from_numpy(np.stack([PREPARE[inputs](entry.load()) for entry in entries if isinstance(entry, Item)]))
