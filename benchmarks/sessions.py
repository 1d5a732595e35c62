"""Twenty people at once on one server: each on a cache and a filter of its own, with a second of thought between steps.

None may wait long, none may fail, and none may ever see what another one asked for.
"""

import itertools
import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.report import Figure, median
from benchmarks.server import Server, serving
from benchmarks.visitor import Answer, Visitor
from benchmarks.visits import Visits
from cache.manifest import Manifest, load
from pages.widgets.wording import plain

PEOPLE, THOUGHT, SECONDS = 20, 1.0, 30.0
MEDIAN, SLOW = 0.6, 2.0  # s: four times what one visitor may wait
SORTS = ("U_e", "U_t", "confidence", "dataset order")
WRITTEN = re.compile(r"\d+\.\d+\.\.\d+\.\d+")  # a range in a text field


@dataclass(frozen=True)
class Shelf:
    """A cache, and what the pages must say of it."""

    name: str  # in an address
    manifest: Manifest
    u_total: np.ndarray  # (N,) nats, of the model that the app shows at first

    @classmethod
    def of(cls, name: str, folder: Path) -> "Shelf":
        manifest = load(folder)
        ready = manifest.ready_models
        model = next((m for m in ready if manifest.models[m].samples > 1), ready[0])
        files = [folder / part.file for part in manifest.parts[f"predictions/model={model}"].values()]
        columns = [pq.read_table(file, columns=["u_total"])["u_total"].to_numpy() for file in files]
        return cls(name, manifest, np.concatenate(columns).astype(np.float64))

    def count(self, low: float, high: float) -> str:
        """What the Faces page says of the faces within a range: '1,234 of 35,707 faces'."""
        found = int(((self.u_total >= low) & (self.u_total <= high)).sum())
        return f"**{found:,} of {len(self.u_total):,} faces**"


@dataclass
class Record:
    """What one person went through."""

    low: str  # every range of this person's begins with it, and nobody else's does
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)  # answers that are not what was asked for


def figures(caches: Sequence[Path]) -> Iterator[Figure]:
    if not caches:
        return
    title = f"{PEOPLE} people at once"
    with serving(caches) as server:
        shelves = [Shelf.of(name, folder) for name, folder in zip(server.caches, caches, strict=True)]
        for shelf in shelves:
            with Visitor(server) as first:
                Visits(first, shelf.manifest).every_page(cache=shelf.name)
        begin, cpu = threading.Barrier(PEOPLE), server.cpu
        with ThreadPoolExecutor(PEOPLE) as people:
            records = list(people.map(lambda i: person(i, server, shelves[i % len(shelves)], begin), range(PEOPLE)))
        memory, cpu = server.resident, server.cpu - cpu
    for what in sorted({text for record in records for text in (*record.failures, *record.mixed)})[:5]:
        print(what)
    seconds = [value for record in records for value in record.seconds]
    yield Figure(f"{title}: from a request to the end of the script, median", median(seconds), "s", at_most=MEDIAN)
    yield Figure(f"{title}: the same, 95th percentile", float(np.quantile(seconds, 0.95)), "s", at_most=SLOW)
    yield Figure(f"{title}: requests answered", len(seconds), "")
    yield Figure(f"{title}: processor time of the server for one", cpu / len(seconds), "CPU s")
    yield Figure(f"{title}: requests that failed", sum(len(r.failures) for r in records), "", at_most=0)
    yield Figure(f"{title}: answers to what another one asked", sum(len(r.mixed) for r in records), "", at_most=0)
    yield Figure(f"{title}: resident memory of the server", memory, "MB")


def person(index: int, server: Server, shelf: Shelf, begin: threading.Barrier) -> Record:
    """Half a minute of one person: a stroll over the pages, each with this person's own range of U_t."""
    low = round(0.1 + 0.01 * index, 2)
    record, chance = Record(f"{low:.2f}.."), random.Random(index)
    try:
        begin.wait()
        time.sleep(chance.random() * THOUGHT)
        with Visitor(server) as visitor:
            deadline = time.monotonic() + SECONDS
            for step in itertools.count():
                if time.monotonic() > deadline:
                    break
                _step(visitor, shelf, chance, step, (low, round(1.0 + 0.01 * step, 2)), record)
                time.sleep(THOUGHT)
    except Exception as problem:  # whatever it is, it is counted, and the others go on
        record.failures.append(f"{type(problem).__name__}: {problem}")
    return record


def written(span: tuple[float, float]) -> str:
    return f"{span[0]:.2f}..{span[1]:.2f}"


def _step(
    visitor: Visitor, shelf: Shelf, chance: random.Random, step: int, span: tuple[float, float], record: Record
) -> None:
    """Of eight steps, five are on the Faces page; then follow the overview and another page, which is then filtered."""
    others = [page for page in visitor.pages if page not in ("", "faces")]
    turn, page = step % 8, "faces"
    if turn >= 5:
        page = "" if turn == 5 else others[step // 8 % len(others)]
    if turn in (0, 5, 6):  # by a link of the sidebar
        _note(visitor.follow(page, cache=shelf.name), shelf, None, page, record)
        return
    asked = {"cache": shelf.name, "u_total": written(span)}
    if page == "faces":
        order = chance.choice(("lowest first", "highest first"))
        asked |= {"view": "Browse", "sort": chance.choice(SORTS), "order": order, "page": str(chance.randint(1, 3))}
    _note(visitor.visit(page, **asked), shelf, span, page, record)


def _note(answer: Answer, shelf: Shelf, span: tuple[float, float] | None, page: str, record: Record) -> None:
    """Keep the time, and whether the answer is one to this very request."""
    record.seconds.append(answer.seconds)
    if answer.problem:
        record.failures.append(f"{page}: {answer.problem}")
    wanted = [plain(shelf.manifest.source.title)]
    if span is not None and page == "faces":
        wanted.append(shelf.count(*span))
    for text in wanted:
        if not any(text in said for said in answer.texts):
            record.mixed.append(f"{page}: '{text}' was not said")
    own = record.low if span is None else written(span)  # a link may carry one's own last range along
    for text in answer.values.values():
        if WRITTEN.fullmatch(text) and not text.startswith(own):
            record.mixed.append(f"{page}: {own} was asked for, and {text} stands in a field")
