"""The headline table: every model's agreement, uncertainty and correlation, each with its interval."""

import math

import pandas as pd
import streamlit as st

from engine.metrics.bootstrap import Estimate
from pages.findings import overview as findings
from pages.findings.overview import READING, faces_behind, why_unknown
from pages.widgets.bound import switch
from pages.widgets.caches import View
from pages.widgets.filters import text_values
from pages.widgets.measured import has_votes
from pages.widgets.wording import DASH, KINDS, PALETTE, SYMBOLS, plain

ROWS = {
    "accuracy": "Accuracy",
    "jsd": "JSD, nats",
    "nll": "NLL, nats",
    **{part: f"Mean :{PALETTE[part]}[**{SYMBOLS[part]}**], nats" for part in SYMBOLS},
    **{
        f"{kind}_{KINDS[part]}": f"{name}, :{PALETTE[part]}[**{SYMBOLS[part]}**] and d"
        for kind, name in (("spearman", "Spearman ρ"), ("pearson", "Pearson r"))
        for part in SYMBOLS
    },
}
RIGHT = """<style>
.st-key-headline :is(td, th):not(:first-child) { text-align: right !important; white-space: nowrap; }
.st-key-headline td { font-variant-numeric: tabular-nums; }
</style>"""


def choose_split(view: View, question: str, start: str = "test") -> str:
    """The split that what is below is about; at first `start`, where the cache has it."""
    shown = {plain(split): split for split in ["all", *text_values(view, "split")]}  # this widget reads Markdown
    options = list(shown)
    st.subheader(question, anchor=False)
    begin = start if start in options else "all"
    chosen = switch("Faces of", options, key="of", default=begin, label_visibility="collapsed")
    return shown[chosen]


def headline(view: View, split: str) -> None:
    """One row per statistic, one column per model, value [95 % interval]."""
    found = findings.headline(view.cache, split)
    if found is None:
        st.info(f"This build has no statistics of the split '{plain(split)}'. Build the cache to its end to get them.")
        return
    shared = found.shared
    body = [
        (ROWS[metric], *(cell(row, shared) for row in rows), *[faces_behind(rows)] * shared)
        for metric, rows in found.rows.items()
    ]
    with st.container(key="headline"):
        st.html(RIGHT)
        st.table(
            pd.DataFrame(body, columns=["", *map(plain, found.models), *["n"] * shared]),
            border="horizontal",
            hide_index=True,
            alt=f"Statistics of {len(found.models)} models on split {split}, with 95 % intervals",
        )
    st.caption(" ".join([READING, *[why_unknown(view.cache, has_votes(view), plain)] * found.gaps]))


def cell(row: Estimate | None, shared: bool) -> str:
    """shared: all models have scored the same faces, and the table has a column for their number.

    >>> cell(Estimate(0.8, 0.78, 0.8213, 60), True), cell(None, True)
    ('**0.800** [0.780,\\xa00.821]', '—')
    >>> cell(Estimate(0.8, math.nan, math.nan, 60), False)
    '**0.800** :small[n 60]'
    """
    if row is None or not math.isfinite(row.value):
        return DASH
    known = math.isfinite(row.low) and math.isfinite(row.high)
    n = "" if shared else f" :small[n {row.n:,}]"
    return f"**{row.value:.3f}**" + (f" [{row.low:.3f},\N{NO-BREAK SPACE}{row.high:.3f}]" if known else "") + n
