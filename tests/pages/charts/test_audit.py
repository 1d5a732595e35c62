"""Forests of groups and of their gaps."""

import doctest
import math

import pandas as pd
import pytest

from pages.charts import audit
from pages.charts.audit import describe_forest, describe_gaps, forest, gap_forest
from pages.charts.audit_quantities import QUANTITIES, colour_of
from pages.charts.colours import ALEATORIC, ANNOTATORS, EPISTEMIC, MODEL, OUTLINE, TOTAL

NAMES = ["dark", "<b>tan</b>", "light"]


def found(**changes: object) -> pd.DataFrame:
    rows = {
        "group": NAMES,
        "n": [1200, 40, 12],
        "value": [80.0, 85.0, 90.0],
        "low": [78.0, 70.0, 60.0],
        "high": [82.0, 95.0, 99.0],
        "few": [False, False, True],
    }
    return pd.DataFrame(rows).assign(**changes)


def gaps(*kinds: str) -> pd.DataFrame:
    shifted = {kind: found(value=[at - 5.0, at + 1.0, math.nan], kind=kind) for at, kind in enumerate(kinds)}
    return pd.concat(shifted.values(), ignore_index=True)


def test_examples_in_docstrings():
    seen = doctest.testmod(audit)
    assert seen.attempted and not seen.failed


@pytest.mark.parametrize(
    ("quantity", "colour"),
    [
        ("u_aleatoric", ALEATORIC),
        ("u_epistemic", EPISTEMIC),
        ("u_total", TOTAL),
        ("accuracy", MODEL),
        ("disagreement", ANNOTATORS["light"]),
    ],
)
def test_every_quantity_in_its_colour(quantity, colour):
    dots = forest(found(), quantity, 84.0, "tone").data[0]
    assert dots.marker.color == dots.error_x.color == colour
    assert colour_of("u_total", "dark") == OUTLINE and colour_of("disagreement", "dark") == ANNOTATORS["dark"]


def test_groups_from_top_to_bottom_with_their_number_of_faces():
    figure = forest(found(), "accuracy", 84.0, "tone <x>")
    assert list(figure.data[0].y) == sorted(figure.data[0].y, reverse=True)
    assert [label.split("<br>")[0] for label in figure.layout.yaxis.ticktext] == [
        "dark",
        "&lt;b&gt;tan&lt;/b&gt;",
        "light",
    ]
    assert "n = 1,200" in figure.layout.yaxis.ticktext[0]
    assert figure.layout.yaxis.title.text == "tone &lt;x&gt;" and figure.layout.xaxis.title.text == "accuracy (%)"


def test_whiskers_end_where_the_interval_does_and_few_faces_have_none():
    dots = forest(found(), "accuracy", 84.0, "tone").data[0]
    assert (dots.x[0] - dots.error_x.arrayminus[0], dots.x[0] + dots.error_x.array[0]) == (78.0, 82.0)
    assert math.isnan(dots.error_x.array[2]) and list(dots.marker.opacity) == [1.0, 1.0, audit.FAINT]
    assert "[78.0, 82.0]" in dots.customdata[0][1] and dots.customdata[2][1] == ""


def test_a_line_at_all_faces_where_that_is_known():
    figure = forest(found(), "accuracy", 84.25, "tone")
    assert [shape.x0 for shape in figure.layout.shapes] == [84.25]
    assert figure.layout.annotations[0].text == "all 84.2"
    unknown = forest(found(), "ece", math.nan, "tone")
    assert not unknown.layout.shapes and not unknown.layout.annotations


def test_gaps_of_every_kind_differ_by_symbol_and_height():
    figure = gap_forest(gaps("raw", "adjusted", "equalised"), "u_epistemic", "tone")
    assert [trace.name for trace in figure.data] == ["raw", "adjusted", "equalised"]
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    assert {trace.marker.color for trace in figure.data} == {EPISTEMIC}
    heights = [trace.y[0] for trace in figure.data]
    assert heights == sorted(heights, reverse=True) and max(heights) < 0.5
    assert figure.layout.shapes[0].x0 == 0 and figure.layout.xaxis.title.text == "gap of U_e (nats)"


def test_what_chance_does_stands_in_the_row_of_the_raw_gap():
    figure = gap_forest(gaps("raw", "by chance"), "ece", "tone")
    raw, chance = figure.data
    assert list(raw.y) == list(chance.y) and raw.marker.symbol != chance.marker.symbol
    assert figure.layout.xaxis.title.text == "gap of ECE (points)"


def test_units_of_gaps():
    assert QUANTITIES["disagreement"].gap_labelled == "gap of d" and QUANTITIES["disagreement"].labelled == "d"


def test_in_words():
    assert describe_forest(found(), "accuracy", "tone") == (
        "accuracy (%) by tone in 2 groups: from 80.0 (dark) to 85.0 (<b>tan</b>)."
    )
    assert "no group has enough faces" in describe_forest(found(few=True), "accuracy", "tone")
    assert "raw -5.0 (dark)" in describe_gaps(gaps("raw"), "accuracy", "tone")
    assert "none is known" in describe_gaps(gaps("raw").assign(few=True), "accuracy", "tone")


def test_nothing_to_draw():
    empty = found().iloc[:0]
    assert len(forest(empty, "accuracy", math.nan, "tone").data[0].x) == 0
    assert not gap_forest(empty.assign(kind=[]), "accuracy", "tone").data
