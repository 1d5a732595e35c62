"""Scoring photos: one photo and a batch in this process, and twenty people at once through the app's real server."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import Figure, median
from benchmarks.server import serving
from benchmarks.visitor import Visitor
from engine.samples import GROUP, sample
from engine.scoring import MODEL, Scorer

WARM, BATCH, PEOPLE = 1.0, 50, 20  # s, photos, sessions
REPEATS = 7
SIZE = (1200, 840)  # px: a megapixel


def figures(caches: Sequence[Path]) -> Iterator[Figure]:
    start = time.monotonic()
    scorer = Scorer()
    scorer.photo(photo())
    yield Figure("Score: first photo, model loaded for it", time.monotonic() - start, "s")
    seconds = []
    for _ in range(REPEATS):
        start = time.monotonic()
        faces = len(scorer.photo(photo()).faces)
        seconds.append(time.monotonic() - start)
    title = f"Score: a photo of {SIZE[0]} x {SIZE[1]} with {faces} faces, {MODEL}, warm, median"
    yield Figure(title, median(seconds), "s", at_most=WARM)
    start = time.monotonic()
    for _ in range(BATCH):
        scorer.photo(photo())
    yield Figure(f"Score: {BATCH} such photos, one after another", time.monotonic() - start, "s")
    if caches:
        yield from together(caches[0])


def photo() -> bytes:
    """Six rendered faces as a JPEG of one megapixel."""
    buffer = BytesIO()
    Image.open(BytesIO(sample(GROUP))).resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def together(cache: Path) -> Iterator[Figure]:
    """Every session scores the six faces at the same moment; a session knows nothing of what another has scored."""
    with serving([cache]) as server:
        with Visitor(server) as first:
            first.visit("score", **{"from": "Sample"})  # loads torch and the model
        alone = server.resident
        begin = threading.Barrier(PEOPLE)

        def person(_: int) -> tuple[float, str]:
            with Visitor(server) as visitor:
                begin.wait()
                answer = visitor.visit("score", **{"from": "Sample"})
                said = any("**6 faces**" in text for text in answer.texts)
                return answer.seconds, answer.problem or ("" if said else "the six faces were not shown")

        with ThreadPoolExecutor(PEOPLE) as people:
            answers = list(people.map(person, range(PEOPLE)))
        memory = server.resident
    seconds = [value for value, _ in answers]
    for problem in sorted({text for _, text in answers if text}):
        print(problem)
    title = f"Score: {PEOPLE} people at once, a photo of six faces each"
    yield Figure(f"{title}, median", median(seconds), "s")
    yield Figure(f"{title}, 95th percentile", float(np.quantile(seconds, 0.95)), "s")
    yield Figure(f"{title}: that failed", sum(bool(text) for _, text in answers), "", at_most=0)
    yield Figure("Score: resident memory of the server with the model loaded", alone, "MB")
    yield Figure(f"{title}: resident memory of the server afterwards", memory, "MB")
