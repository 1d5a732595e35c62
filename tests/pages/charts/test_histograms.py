"""The histograms of the triple, without Streamlit."""

import math

import pandas as pd

from pages.charts.colours import ALEATORIC, CLEAR, EPISTEMIC, OUTLINE, TOTAL
from pages.charts.histograms import axis_ceiling, describe_histograms, triple_histograms


def bins(*faces: int) -> pd.DataFrame:
    edges = [0.5 * i for i in range(len(faces) + 1)]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "faces": faces})


TRIPLE = {"u_total": bins(2, 5, 3), "u_aleatoric": bins(4, 6, 0), "u_epistemic": bins(9, 1, 0)}


def test_one_bar_trace_per_part_in_its_colour():
    figure = triple_histograms(TRIPLE, {})
    assert [trace.marker.color for trace in figure.data] == [TOTAL, ALEATORIC, EPISTEMIC]
    assert triple_histograms(TRIPLE, {}, theme="dark").data[0].marker.color == OUTLINE  # readable on a dark page
    assert list(figure.data[1].y) == [4, 6, 0]
    assert list(figure.data[1].x) == [0.25, 0.75, 1.25]


def test_axes_carry_units_and_share_the_count():
    layout = triple_histograms(TRIPLE, {}).layout
    assert layout.yaxis.title.text == "faces"
    assert [axis.title.text for axis in (layout.xaxis, layout.xaxis2, layout.xaxis3)] == ["nats"] * 3
    assert layout.yaxis2.matches == layout.yaxis3.matches == "y"
    assert layout.paper_bgcolor == layout.plot_bgcolor == CLEAR


def test_mean_is_marked_where_it_is_known():
    figure = triple_histograms(TRIPLE, {"u_total": 0.6, "u_aleatoric": math.nan})
    assert [shape.x0 for shape in figure.layout.shapes] == [0.6]
    assert any(note.text == "mean 0.60" for note in figure.layout.annotations)


def test_a_bar_that_dwarfs_the_others_is_cut_and_says_so():
    tall = {**TRIPLE, "u_epistemic": bins(500, 100, 1)}
    assert axis_ceiling(tall) == 1.08 * 2.5 * 6
    assert any(note.text == " ↑ 500, 100" for note in triple_histograms(tall, {}).layout.annotations)
    assert axis_ceiling(TRIPLE) == 1.08 * 9  # nothing to cut


def test_without_faces_or_with_one_part():
    nothing = pd.DataFrame({"low": [], "high": [], "faces": []})
    assert axis_ceiling({"u_total": nothing}) == axis_ceiling({"u_total": bins(0, 0)}) == 1.0
    assert len(triple_histograms({"u_total": nothing}, {}).data) == 1
    assert describe_histograms({"u_total": nothing}, {}) == "No uncertainties to draw."


def test_described_in_words():
    words = describe_histograms(TRIPLE, {"u_aleatoric": 0.51})
    assert "aleatoric U_a from 0.00 to 1.50 nats, mean 0.510" in words
