"""Measured attributes: faces per second of extraction, on one core and with a thread per core."""

import time
from collections.abc import Iterator
from itertools import islice

from PIL import Image

from benchmarks.report import Figure, median
from engine import device as devices
from engine.attributes.measure import BATCH, Measurer
from engine.sources import open_source
from engine.sources.rows import Item

FACES = 1_024
FERPLUS_FACES = 35_707  # what `grey` on every core must get through well under two minutes
ROUNDS = 3


def figures(source: str) -> Iterator[Figure]:
    """Grey crops of 48 px from the source, colour crops of 112 px from the rendered faces."""
    measurer = Measurer()
    measurer.measure([Image.new("RGB", (48, 48))])  # what is loaded at first use is not extraction
    kinds = {
        "48 px grey": [image.convert("L").resize((48, 48)) for image in _images(source)],
        "112 px colour": _images("probe:"),
    }
    for title, images in kinds.items():
        one, all_cores = [], []
        for _ in range(ROUNDS):
            one.append(_seconds(measurer, images, one_thread=True))
            all_cores.append(_seconds(measurer, images, one_thread=False))
        bar = FERPLUS_FACES / 120 if "grey" in title else None
        yield Figure(f"Attributes, {title}, {len(images):,} faces: one thread", len(images) / median(one), "faces/s")
        yield Figure(
            f"Attributes, {title}, {len(images):,} faces: a thread per core",
            len(images) / median(all_cores), "faces/s", at_least=bar,
        )  # fmt: skip


def _images(source: str) -> list[Image.Image]:
    entries = (entry for entry in open_source(source).entries() if isinstance(entry, Item))
    return [item.load() for item in islice(entries, FACES)]


def _seconds(measurer: Measurer, images: list[Image.Image], one_thread: bool) -> float:
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    with devices.batch_pool(devices.choose_device("cpu")) as pool:
        start = time.monotonic()
        for _ in map(measurer.measure, batches) if one_thread else pool.map(measurer.measure, batches):
            pass
        return time.monotonic() - start
