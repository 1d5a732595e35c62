"""Tables of statistics, each with its interval."""

import math
from typing import Protocol

import pandas as pd
import streamlit as st

from pages.widgets.wording import DASH

RIGHT = """<style>
.st-key-KEY :is(td, th):not(:first-child) { text-align: right !important; white-space: nowrap; }
.st-key-KEY td { font-variant-numeric: tabular-nums; }
</style>"""


class Interval(Protocol):
    """What can stand in a cell, such as engine.metrics.bootstrap.Estimate."""

    value: float
    low: float
    high: float


def cell(found: Interval | None, decimals: int = 3, scale: float = 1.0, unit: str = "") -> str:
    """
    >>> from engine.metrics.bootstrap import Estimate
    >>> cell(Estimate(0.8, 0.78, 0.8213, 100), 1, 100.0), cell(Estimate(math.nan, math.nan, math.nan, 0))
    ('**80.0** [78.0,\\xa082.1]', '—')
    >>> cell(Estimate(-0.0001, -0.004, 0.004, 100))
    '**0.000** [-0.004,\\xa00.004]'
    """
    if found is None or not math.isfinite(found.value):
        return DASH
    # 0 is added because a value that rounds to 0 has no sign
    value, low, high = (
        f"{round(scale * number, decimals) + 0.0:.{decimals}f}" for number in (found.value, found.low, found.high)
    )
    known = math.isfinite(found.low) and math.isfinite(found.high)
    return f"**{value}{unit}**" + (f" [{low},\N{NO-BREAK SPACE}{high}]" if known else "")


def statistics(frame: pd.DataFrame, *, key: str, alt: str) -> None:
    """A table whose first column names the rows and whose numbers are right-aligned."""
    with st.container(key=key):
        st.html(RIGHT.replace("KEY", key))
        st.table(frame, border="horizontal", hide_index=True, alt=alt)
