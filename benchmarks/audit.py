"""CPU time of the bias audit on all faces of a cache: reading, resamples and permutations, adjusted and equalised gaps.

Faces are grouped by the predicted class, which every cache has. One thread of BLAS, as in `benchmarks.statistics`.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.report import Figure, median

ROUNDS = 5
BAR = 2.0  # s, reading and the whole audit together


def figures(folder: Path) -> Iterator[Figure]:
    from cache.numbers import numbers
    from cache.reader import Cache
    from engine.metrics.adjusted import adjusted
    from engine.metrics.equalised import equalised
    from pages.findings.audit import COLUMNS, audit_faces, measures
    from pages.findings.bins import group_by

    cache = Cache(folder)
    model = next((m for m in cache.models if cache.manifest.models[m].samples > 1), cache.models[0])
    samples = cache.manifest.models[model].samples
    measured = [name for name, column in cache.attributes.items() if column.kind == "number"]
    faces = numbers(cache, model, columns=(*COLUMNS, *measured), probs=True, votes=True)
    groups = group_by(faces.columns["predicted"], cache.columns(model)["predicted"], cache.classes)
    names = f"{len(faces):,} faces in {len(groups.names)} groups"
    reading = seconds(lambda: numbers(Cache(folder), model, columns=COLUMNS, probs=True, votes=True))
    yield Figure(f"Audit, {names}, reading", reading, "CPU s")
    audit = seconds(lambda: audit_faces(faces, groups, samples))
    yield Figure(f"Audit, {names}, 1,000 resamples and permutations", audit, "CPU s")
    yield Figure(f"Audit, {names}, together", reading + audit, "CPU s", at_most=BAR)
    if not measured:
        return
    columns, beside = measures(faces, samples), {name: faces.columns[name] for name in measured}
    what = f"{names}, {len(measured)} attributes"
    yield Figure(
        f"Audit, {what}, adjusted", seconds(lambda: adjusted(columns, groups.index, len(groups.names), beside)), "CPU s"
    )
    yield Figure(
        f"Audit, {what}, equalised",
        seconds(lambda: equalised(columns, groups.index, len(groups.names), beside)),
        "CPU s",
    )


def seconds(call: Callable[[], object]) -> float:
    """Median CPU time, nothing of the audit remembered but the code."""
    from engine.metrics import bootstrap

    taken = []
    for _ in range(ROUNDS):
        bootstrap._draws.cache_clear()
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return median(taken)
