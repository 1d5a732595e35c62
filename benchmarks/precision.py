"""How far bf16 trunks move the results: the same faces, weights and masks in fp32 and in bf16."""

from collections.abc import Iterator

import numpy as np

from benchmarks.pipeline import MODEL, pixels_of
from benchmarks.report import Figure
from engine import device as devices
from engine import models
from engine.backbones.compact import INPUTS
from engine.metrics.uncertainty import decompose


def figures(source: str, faces: int = 2_048) -> Iterator[Figure]:
    device = devices.choose_device()
    pixels = pixels_of(source, faces, INPUTS)
    outputs = []
    for precision in ("fp32", "bf16"):
        engine = models.load((MODEL,), device.type, precision)
        model = engine.models[MODEL]
        batches = pixels.split(engine.batch)
        parts = [model.predict(engine.features({INPUTS: x}, model.backbones)).cpu().numpy() for x in batches]
        outputs.append(np.concatenate(parts))
    full, half = outputs
    moved = np.abs(full.mean(1) - half.mean(1)).max(axis=1)  # (N,)
    title = f"bf16 against fp32, {MODEL}, {device.type}, {len(pixels):,} faces"
    yield Figure(f"{title}: mean probability, largest change", float(moved.max()), "", at_most=0.05)
    yield Figure(f"{title}: mean probability, 99th percentile", float(np.quantile(moved, 0.99)), "")
    first, second = decompose(full), decompose(half)
    for name in ("aleatoric", "epistemic"):
        change = np.abs(getattr(first, name) - getattr(second, name))
        yield Figure(f"{title}: U {name}, largest change", float(change.max()), "nats")
    same = float((full.mean(1).argmax(1) == half.mean(1).argmax(1)).mean())
    yield Figure(f"{title}: same predicted class", 100 * same, "%")
