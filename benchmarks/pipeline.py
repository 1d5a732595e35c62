"""A full build against the bare forward pass on the same faces, batch size, device and precision."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import Figure, median
from engine import device as devices
from engine import models
from engine.backbones.compact import INPUTS, prepare
from engine.config import BuildConfig
from engine.pipeline import build
from engine.sources import open_source
from engine.sources.rows import Item

ROUNDS = 2
MODEL = "compact-ensemble"


def figures(source: str, faces: int = 8_192) -> Iterator[Figure]:
    """faces: how many entries of the source take part; 8,192 are four parts of a cache."""
    device = devices.choose_device()
    pixels = pixels_of(source, faces)
    precisions = dict.fromkeys([devices.choose_precision(device), "fp32"])
    for precision in precisions:
        engine = models.load((MODEL,), device.type, precision)
        batch = engine.batch
        bare, full = [], []
        for _ in range(ROUNDS):
            bare.append(_bare(engine, pixels, batch))
            full.append(_full(source, faces, batch, precision))
        share = [b / f for b, f in zip(bare, full, strict=True)]
        title = f"Pipeline, {MODEL}, {device.type} {precision}, batch {batch}"
        yield Figure(f"{title}: full build / bare forward", median(share), "x faces/s", at_least=0.85)
        yield Figure(f"{title}: full build", len(pixels) / median(full), "faces/s")


def _bare(engine: models.Engine, pixels: torch.Tensor, batch: int) -> float:
    """Seconds for trunks and heads on pixels that lie in memory."""
    model = engine.models[MODEL]
    start = time.monotonic()
    for part in pixels.split(batch):
        model.predict(engine.features({INPUTS: part}, model.backbones)).cpu()
    return time.monotonic() - start


def _full(source: str, faces: int, batch: int, precision: str) -> float:
    """Seconds from the call of build(), loading included, to the last part; the closing statistics come after it."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        config = BuildConfig(source, Path(folder) / "cache", (MODEL,), limit=faces, batch=batch, precision=precision)
        start = time.monotonic()
        build(config, lambda entries, found: ends.append(time.monotonic()))
    return ends[-1] - start


def pixels_of(source: str, faces: int) -> torch.Tensor:
    """(N, 48, 48) uint8: the first entries of a source as the trunks see them."""
    entries = itertools.islice(open_source(source).entries(), faces)
    return torch.from_numpy(np.stack([prepare(entry.load()) for entry in entries if isinstance(entry, Item)]))
