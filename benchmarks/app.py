"""The app on a cache: server time of interactions on every page, memory after them, and the first view."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.first_view import first_view
from benchmarks.report import Figure, median
from benchmarks.server import serving
from benchmarks.visitor import Visitor
from benchmarks.visits import Step, Visits
from cache.manifest import load

MEDIAN, SLOW, MEMORY = 0.15, 0.5, 600  # s, s, MB: the bars
ROUNDS = 5
SLOWEST = 5  # interactions that are named


def figures(cache: Path) -> Iterator[Figure]:
    title = f"App, {load(cache).faces:,} faces"
    yield from interactions(cache, title)
    yield from first_view(cache, title)


def interactions(cache: Path, title: str) -> Iterator[Figure]:
    """Seconds from a request to the end of the page's script, one visitor; the server is warm, the answer is new.

    Each is asked of ROUNDS servers, and its median counts: a machine that others use too stands still now and then.
    """
    rounds = [_round(cache) for _ in range(ROUNDS)]
    found = [
        replace(same[0], seconds=median([step.seconds for step in same]))
        for same in zip(*(steps for steps, *_ in rounds), strict=True)
    ]
    began, held, cpu = (median(list(values)) for values in zip(*(measured for _, *measured in rounds), strict=True))
    seconds = [step.seconds for step in found]
    yield Figure(f"{title}: server time of an interaction, median", median(seconds), "s", at_most=MEDIAN)
    yield Figure(f"{title}: the same, 95th percentile", float(np.quantile(seconds, 0.95)), "s", at_most=SLOW)
    yield Figure(f"{title}: interactions measured", len(found), "")
    yield Figure(f"{title}: processor time of the server for one, mean", cpu / len(found), "CPU s")
    for page in dict.fromkeys(step.page for step in found):
        part = [step.seconds for step in found if step.page == page]
        yield Figure(f"{title}: {page}, median of {len(part)}", median(part), "s")
    for step in sorted(found, key=lambda step: -step.seconds)[:SLOWEST]:
        yield Figure(f"{title}: among the slowest: {step.page}, {step.name}", step.seconds, "s")
    yield Figure(f"{title}: resident memory after a visit of every page", began, "MB")
    yield Figure(f"{title}: resident memory after all interactions", held, "MB", at_most=MEMORY)


def _round(cache: Path) -> tuple[list[Step], float, float, float]:
    """The interactions with one server; its MB before them, its MB after them, and its processor time for them."""
    with serving([cache]) as server, Visitor(server) as visitor:
        visits = Visits(visitor, load(cache))
        visits.every_page()
        began, cpu = server.resident, server.cpu
        found = list(visits.interactions())
        return found, began, server.resident, server.cpu - cpu
