"""The headline table: every model's agreement, uncertainty and correlation, each with its interval."""

import math

import pandas as pd
import streamlit as st

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
    table = view.cache.summary()
    table = table[table.split == split]
    if table.empty:
        st.info(f"This build has no statistics of the split '{plain(split)}'. Build the cache to its end to get them.")
        return
    cells = {(row.model, row.metric): row for row in table.itertuples()}
    models = view.cache.models
    rows = []
    for metric, label in ROWS.items():
        rows.append((label, [cells.get((model, metric)) for model in models]))
    shared = all(len({row.n for row in found if row is not None}) <= 1 for _, found in rows)
    body = [(label, *(cell(row, shared) for row in found), *[faces(found)] * shared) for label, found in rows]
    with st.container(key="headline"):
        st.html(RIGHT)
        st.table(
            pd.DataFrame(body, columns=["", *map(plain, models), *["n"] * shared]),
            border="horizontal",
            hide_index=True,
            alt=f"Statistics of {len(models)} models on split {split}, with 95 % intervals",
        )
    st.caption(" ".join(notes(view, [text for row in body for text in row[1 : len(models) + 1]])))


def faces(found: list) -> str:
    """Faces behind a row, which all models share."""
    return next((f"{row.n:,}" for row in found if row is not None), DASH)


def cell(row, shared: bool) -> str:
    """shared: all models have scored the same faces, and the table has a column for their number.

    >>> from types import SimpleNamespace as Row
    >>> cell(Row(value=0.8, low=0.78, high=0.8213, n=60), True), cell(None, True)
    ('**0.800** [0.780,\\xa00.821]', '—')
    >>> cell(Row(value=0.8, low=math.nan, high=math.nan, n=60), False)
    '**0.800** :small[n 60]'
    """
    if row is None or not math.isfinite(row.value):
        return DASH
    known = math.isfinite(row.low) and math.isfinite(row.high)
    n = "" if shared else f" :small[n {row.n:,}]"
    return f"**{row.value:.3f}**" + (f" [{row.low:.3f},\N{NO-BREAK SPACE}{row.high:.3f}]" if known else "") + n


def notes(view: View, cells: list[str]) -> list[str]:
    """How to read the table, and why some of its cells are empty."""
    found = [
        "Value [95 % bootstrap interval] over n faces. Accuracy is the share of faces with the annotators' most "
        "frequent class. JSD (Jensen-Shannon divergence) and NLL (negative log-likelihood) compare with all their "
        "votes; lower is better. d, their disagreement, is the chance that two of them differ about the face."
    ]
    if DASH in cells:
        reasons = ["the build did not compute it"]
        single = [m for m in view.cache.models if view.cache.manifest.models[m].samples == 1]
        if single:
            draw = "draws" if len(single) == 1 else "draw"
            reasons.insert(
                0, f"{', '.join(map(plain, single))} {draw} one sample, so U_e is 0 and correlates with nothing"
            )
        partial = [m for m in view.cache.models if view.cache.manifest.models[m].faces is not None]
        if partial:
            have = "has" if len(partial) == 1 else "have"
            reasons.insert(0, f"{', '.join(map(plain, partial))} {have} scored too few of these faces")
        if not has_votes(view):
            reasons.insert(0, "it needs annotators' votes, and this cache has none")
        found.append(f"{DASH}: {'; or '.join(reasons)}.")
    return found
