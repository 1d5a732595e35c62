"""Table 3 of Ghandeharioun et al. 2019 for every order, at their coverage and at any other, and the areas."""

import pandas as pd
import streamlit as st

from cache.filters import Filter
from pages.charts.coverage import ORDERS
from pages.findings.rejection import Order, Row, rows_of
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import csv
from pages.widgets.measured import described
from pages.widgets.wording import PALETTE, plain


def table(view: View, where: Filter, found: dict[str, Order], kept: float, n: int) -> None:
    """Each score with nothing given up, at the coverage of Table 3 and at `kept`; below, the areas."""
    rows = rows_of(found, kept)
    cells = [
        (
            row.label,
            *(cell(e, row.score.decimals, row.score.scale) for e in row.estimates.values()),
            row.faces,
        )
        for row in rows
    ]
    statistics(
        pd.DataFrame(cells, columns=["", *map(heading, found), "n"]),
        key="coverage-table",
        alt=f"Accuracy, JSD and NLL of the faces kept by {len(found)} orders, and the area under the errors",
    )
    csv(data(rows), key="coverage-table-data", name=f"coverage-{view.model}")
    st.caption(" ".join(notes(view, where, n)))


def data(rows: list[Row]) -> pd.DataFrame:
    """The table for others to compute with."""
    return pd.DataFrame(
        [
            (row.label, ORDERS[order][0], *(row.score.scale * end for end in (e.value, e.low, e.high)), e.n)
            for row in rows
            for order, e in row.estimates.items()
        ],
        columns=["statistic", "order", "value", "low", "high", "n (faces)"],
    )


def heading(order: str) -> str:
    name = "1 − confidence" if order == "doubt" else ORDERS[order][0]
    return f":{PALETTE.get(order, 'green')}[**{name}**]"


def notes(view: View, where: Filter, n: int) -> list[str]:
    """How to read the table."""
    said = [
        f"Value [95 % bootstrap interval] over n of {described(n, where)}: those that are kept and whose score is "
        "known, from the fewest to the most where the orders differ. 75 % kept is Table 3 of Ghandeharioun et al. "
        "2019, but for one thing: accuracy here leaves out the faces whose votes tie, while Table 3, and the report "
        "of `python -m engine evaluate`, count a tie for the class listed first. AURC is the error rate averaged "
        "over all coverages, excess AURC the part of it that an order which knew the errors beforehand would save: "
        "the lower, the better."
    ]
    if view.samples == 1:
        said.append(f"No U_e: {plain(view.model)} draws one sample per face, so U_e is 0 for every face.")
    return said
