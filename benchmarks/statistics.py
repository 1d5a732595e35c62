"""CPU time of everything that the pages Calibration, Disagreement and Rejection compute, on all faces of a cache.

Each function is called as its page calls it, with nothing remembered. One thread of BLAS, as `make app` sets it: the
products are small, and threads that wait for each other would be counted too.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.report import Figure, median

ROUNDS = 3
BAR = 1.0  # s, all three pages together


def figures(folder: Path) -> Iterator[Figure]:
    logging.getLogger("streamlit").setLevel(logging.ERROR)  # outside a page it warns at every call
    from cache.filters import Filter
    from cache.reader import Cache
    from pages.widgets.caches import View

    cache = Cache(folder)
    model = next((m for m in cache.models if cache.manifest.models[m].samples > 1), cache.models[0])
    view, where = View(cache, model, (str(folder), 0)), Filter()
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, call in steps(view, where):
            seconds.setdefault(name, []).append(_cold(call, reads=name.endswith(": faces")))
    pages: dict[str, float] = {}
    for name, values in seconds.items():
        page = name.partition(":")[0]
        pages[page] = pages.get(page, 0.0) + median(values)
        yield Figure(f"Statistics, {cache.manifest.faces:,} faces, {name}", median(values), "CPU s")
    whole = sum(pages.values())
    for page, total in pages.items():
        yield Figure(f"Statistics, {cache.manifest.faces:,} faces, {page}", total, "CPU s")
    yield Figure(f"Statistics, {cache.manifest.faces:,} faces, all three pages", whole, "CPU s", at_most=BAR)


def steps(view, where) -> Iterator[tuple[str, Callable[[], object]]]:
    """What a first visit of each page computes."""
    from pages.findings import calibration as findings
    from pages.widgets import (
        agreement,
        along_d,
        calibration,
        calibration_brier,
        correlation_groups,
        density_of_d,
        rejection_measures,
        rule_breakers,
    )

    model, stamp = view.model, view.stamp
    counted = findings.Counting()
    others = [name for name in view.cache.models if name != model]
    infos = view.cache.manifest.models
    beside = [name for name in (findings.sibling(infos, model, others),) if name]  # drawn unless told otherwise
    drawn = [model, *beside]
    versions = [calibration.Version(name) for name in drawn]
    yield "Calibration: faces", lambda: [calibration.faces_of(view, where, name) for name in drawn]
    yield "Calibration: diagram", lambda: [calibration._curve(stamp, model, where, v, counted, view) for v in versions]
    yield (
        "Calibration: errors",
        lambda: [calibration._errors(stamp, model, where, v, "pairs", 10, view) for v in versions],
    )
    yield (
        "Calibration: Brier by percentile",
        lambda: [calibration_brier.deciles(stamp, model, where, part, view) for part in calibration_brier.PARTS],
    )
    yield "Disagreement: faces", lambda: agreement.faces_of(view, where)
    yield "Disagreement: ceilings and correlations", lambda: agreement.correlated(view, where)
    yield "Disagreement: means along d", lambda: along_d._means(stamp, model, where, view)
    yield "Disagreement: density along d", lambda: along_d._cells(stamp, model, where, view)
    yield (
        "Disagreement: rule breakers",
        lambda: rule_breakers._found(stamp, model, where, view),
    )
    yield "Disagreement: groups", lambda: correlation_groups.grouped(view, where, "majority", "spearman")
    yield "Disagreement: density of d", lambda: density_of_d._spread(stamp, model, where, view)
    yield "Rejection: faces", lambda: rejection_measures.faces_of(view, where)
    yield "Rejection: curves and areas", lambda: rejection_measures.measured(view, where)
    yield (
        "Rejection: errors handed over",
        lambda: rejection_measures.errors_on_both_sides(view, where, "u_aleatoric", 0.75),
    )


def _cold(call: Callable[[], object], *, reads: bool) -> float:
    """reads: whether the call's work is to read the faces, which all others share."""
    import streamlit as st

    call()
    st.cache_data.clear()
    if reads:
        st.cache_resource.clear()
    start = time.process_time()
    call()
    return time.process_time() - start
