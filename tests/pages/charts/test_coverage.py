"""Scores against coverage, without Streamlit."""

import numpy as np
import pytest

from engine.metrics.rejection import risk_coverage
from pages.charts.colours import CLEAR, MODEL, OUTLINE, TRIPLE
from pages.charts.coverage import SCORES, coverage_curves, coverage_table, describe_coverage

RNG = np.random.default_rng(0)
U = RNG.uniform(size=400)
LOSSES = {"accuracy": (RNG.uniform(size=400) > U).astype(float), "jsd": U / 2, "nll": 2 * U}
AT = [0.25, 0.5, 0.75, 1.0]
CURVES = {"doubt": risk_coverage(-U, LOSSES, AT), "u_aleatoric": risk_coverage(U, LOSSES, AT)}


def lines(figure):
    return [trace for trace in figure.data if trace.fill is None]


def marks(figure):
    return {shape.x0: note.text for shape, note in zip(figure.layout.shapes, figure.layout.annotations, strict=True)}


def test_one_line_per_order_in_its_colour_and_dash():
    aleatoric, doubt = lines(coverage_curves(CURVES, "jsd", 0.75))
    assert (aleatoric.name, doubt.name) == ("U_a", "confidence")
    assert (aleatoric.line.color, doubt.line.color) == (TRIPLE["u_aleatoric"], MODEL)
    assert aleatoric.line.dash != doubt.line.dash
    np.testing.assert_array_equal(aleatoric.x, [25, 50, 75, 100])
    np.testing.assert_array_equal(aleatoric.y, CURVES["u_aleatoric"]["jsd"])


@pytest.mark.parametrize(
    ("score", "title"), [("accuracy", "accuracy (%)"), ("jsd", "JSD (nats)"), ("nll", "NLL (nats)")]
)
def test_axes_carry_units(score, title):
    figure = coverage_curves(CURVES, score, 0.75)
    assert figure.layout.yaxis.title.text == title and figure.layout.xaxis.title.text == "faces kept (%)"
    assert figure.layout.paper_bgcolor == CLEAR
    np.testing.assert_allclose(lines(figure)[0].y, SCORES[score].scale * CURVES["u_aleatoric"][score])


def test_marks_at_table_3_and_at_the_slider():
    assert marks(coverage_curves(CURVES, "jsd", 0.6)) == {75: "75 %", 60: "60 %"}
    assert marks(coverage_curves(CURVES, "jsd", 0.75)) == {75: "75 %"}


def test_grey_is_lighter_on_a_dark_page():
    curves = {"u_total": CURVES["doubt"]}
    assert lines(coverage_curves(curves, "jsd", 0.75))[0].line.color == TRIPLE["u_total"]
    assert lines(coverage_curves(curves, "jsd", 0.75, theme="dark"))[0].line.color == OUTLINE


def test_bands_leave_out_what_is_unknown():
    few = risk_coverage([0.1, 0.2, 0.3, 0.4], {"jsd": [0.1, 0.2, 0.3, 0.4]}, AT)
    (band,) = (t for t in coverage_curves({"u_total": few}, "jsd", 0.75).data if t.fill)
    assert min(band.x) == 50  # at 25 % one face is kept


def test_described_in_words():
    words = describe_coverage(CURVES, "accuracy")
    everyone = 100 * LOSSES["accuracy"].mean()
    assert f"{everyone:.1f} for all of them" in words and "by U_a" in words and "accuracy in %" in words
    nothing = {"u_total": risk_coverage(U, {"jsd": np.full(400, np.nan)}, AT)}
    assert describe_coverage(nothing, "jsd") == "No face with votes to draw."


def test_columns_of_the_table_carry_units():
    table = coverage_table(CURVES, "accuracy")
    assert table.columns.tolist()[:4] == ["order", "kept (%)", "kept (faces)", "accuracy (%)"] and len(table) == 8
    assert table["kept (faces)"].tolist() == [100, 200, 300, 400] * 2


def test_n_counts_the_kept_faces_whose_score_is_known():
    tied = {"accuracy": np.where(U < 0.25, np.nan, LOSSES["accuracy"])}
    curves = {"u_aleatoric": risk_coverage(U, tied, AT)}
    known = [int((np.sort(U)[:kept] >= 0.25).sum()) for kept in (100, 200, 300, 400)]
    assert coverage_table(curves, "accuracy")["accuracy_n (faces)"].tolist() == known != [100, 200, 300, 400]
    (line,) = lines(coverage_curves(curves, "accuracy", 0.75))
    assert [row[2] for row in line.customdata] == known and [row[3] for row in line.customdata] == [100, 200, 300, 400]
    assert "n = %{customdata[2]:,} of %{customdata[3]:,} faces kept" in line.hovertemplate
