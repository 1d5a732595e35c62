"""The dots against the noise ceiling, without Streamlit."""

import math

import pandas as pd
import pytest

from pages.charts.agreement import correlation_dots, describe_correlations, describe_groups, group_dots
from pages.charts.colours import ALEATORIC, ANNOTATORS, EPISTEMIC, OUTLINE, TOTAL

PARTS = {"u_aleatoric": 0.6, "u_epistemic": -0.2, "u_total": 0.5}


def found(ceiling: float = 0.8, **changes: float) -> pd.DataFrame:
    """Three parts by two methods; Spearman's coefficients are .1 higher."""
    rows = [
        {
            "part": part,
            "method": method,
            "r": (r := value + shift),
            "low": r - 0.05,
            "high": r + 0.04,
            "n": 1200,
            "ceiling": ceiling + shift,
            "ceiling_low": ceiling + shift - 0.02,
            "ceiling_high": ceiling + shift + 0.02,
        }
        for method, shift in (("pearson", 0.0), ("spearman", 0.1))
        for part, value in PARTS.items()
    ]
    return pd.DataFrame(rows).assign(**changes)


def groups(**changes: object) -> pd.DataFrame:
    tables = [found().query("method == 'pearson'").assign(group=name, n=n, few=n < 30) for name, n in ROWS.items()]
    return pd.concat(tables, ignore_index=True).assign(**changes)


ROWS = {"fear": 900, "<b>anger</b>": 40, "contempt": 12}


def test_a_dot_per_part_and_method_in_the_colour_of_the_part():
    figure = correlation_dots(found())
    assert [trace.marker.color for trace in figure.data] == [ALEATORIC, EPISTEMIC, TOTAL] * 2
    assert [trace.x[0] for trace in figure.data] == pytest.approx([0.6, -0.2, 0.5, 0.7, -0.1, 0.6])
    assert len({trace.marker.symbol for trace in figure.data}) == 3  # not by colour alone
    assert [figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text] == ["Pearson r", "Spearman ρ"]


def test_the_grey_of_the_total_is_lighter_on_a_dark_page():
    for figure in (correlation_dots(found(), theme="dark"), group_dots(groups(), "pearson", theme="dark")):
        aleatoric, _, total = figure.data[:3]
        assert (aleatoric.marker.color, total.marker.color, total.error_x.color) == (ALEATORIC, OUTLINE, OUTLINE)


def test_few_faces_have_no_interval_in_the_hover_text():
    few = correlation_dots(found(low=math.nan, high=math.nan)).data[0]
    assert few.customdata[0][0] == "" and math.isnan(few.error_x.array[0])
    assert correlation_dots(found()).data[0].customdata[0][0] == " [0.550, 0.640]"


def test_whiskers_end_where_the_interval_does():
    dot = correlation_dots(found()).data[0]
    assert dot.x[0] - dot.error_x.arrayminus[0] == pytest.approx(0.55)
    assert dot.x[0] + dot.error_x.array[0] == pytest.approx(0.64)


def test_each_panel_has_the_ceiling_of_its_method():
    figure = correlation_dots(found(), theme="dark")
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [(line.x0, line.xref) for line in lines] == [(0.8, "x"), (0.9, "x2")]
    assert {line.line.color for line in lines} == {ANNOTATORS["dark"]}
    assert [note.text for note in figure.layout.annotations] == ["ceiling 0.80", "ceiling 0.90"]
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(band.x0, band.x1) for band in bands] == [pytest.approx((0.78, 0.82)), pytest.approx((0.88, 0.92))]


def test_the_axis_reaches_from_the_lowest_whisker_to_one():
    assert correlation_dots(found()).layout.xaxis.range[0] < -0.25
    assert correlation_dots(found(r=0.5, low=0.4, high=0.6)).layout.xaxis.range == pytest.approx((-0.04, 1.02))


def test_what_is_unknown_is_not_drawn():
    unknown = found(ceiling=math.nan, r=math.nan, low=math.nan, high=math.nan)
    figure = correlation_dots(unknown)
    assert not figure.layout.shapes and not figure.layout.annotations
    assert all(math.isnan(trace.x[0]) for trace in figure.data)
    assert describe_correlations(unknown) == "No correlation is known."


def test_groups_keep_their_order_and_say_how_many_they_are():
    figure = group_dots(groups(), "spearman")
    labels = figure.layout.yaxis.ticktext
    assert [label.split("<br>")[0] for label in labels] == ["fear", "&lt;b&gt;anger&lt;/b&gt;", "contempt"]
    assert "n = 900" in labels[0]
    heights = [figure.data[0].y[i] for i in range(3)]
    assert heights == sorted(heights, reverse=True)
    assert "Spearman" in figure.layout.xaxis.title.text


def test_few_faces_are_faint_and_have_no_interval():
    dots = group_dots(groups(), "pearson").data[0]
    assert list(dots.marker.opacity) == [1.0, 1.0, 0.35]
    assert [math.isnan(end) for end in dots.error_x.array] == [False, False, True]
    assert "[" in dots.customdata[1][1] and dots.customdata[2][1] == ""


def test_every_group_has_its_own_ceiling():
    tops = [0.8] * 3 + [math.nan] * 3 + [0.7] * 3
    ticks = group_dots(groups(ceiling=tops), "pearson").data[-1]
    assert ticks.name == "noise ceiling" and list(ticks.x) == [0.8, 0.7]
    assert list(ticks.y) == [0, -2] and list(ticks.marker.opacity) == [1.0, 0.35]


def test_described_in_words():
    words = describe_correlations(found())
    assert "Pearson r: aleatoric U_a 0.600 [0.550, 0.640]" in words and "noise ceiling 0.900" in words
    table = groups(r=[0.1, 0, 0, 0.3, 0, 0, 0.9, 0, 0])
    assert "from 0.100 (fear) to 0.300 (<b>anger</b>)" in describe_groups(table, "pearson")
    assert describe_groups(groups(few=True), "pearson") == "No group has enough faces for a correlation."
