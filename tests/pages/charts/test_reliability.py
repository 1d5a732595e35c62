"""Reliability diagrams, without Streamlit."""

import math

import numpy as np
import pytest

from engine.metrics.calibration import Outcomes, reliability
from pages.charts.colours import CLEAR, MODELS
from pages.charts.reliability import (
    Curve,
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    reliability_table,
)

RNG = np.random.default_rng(0)
CONFIDENCE = np.concatenate([RNG.uniform(0.3, 1.0, 200), [0.05]])  # one lonely face in the first bin
OUTCOMES = Outcomes(CONFIDENCE, (RNG.uniform(size=201) < CONFIDENCE).astype(float), np.ones(201))
BINS = reliability(OUTCOMES)
BUILT, SCALED = Curve("a", "a", BINS), Curve("a", "a, T = 2.00", BINS, 2.0)
OTHER = Curve("b", "b", BINS)


def lines(figure):
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def bands(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def test_points_are_the_bins_with_several_faces():
    (line,) = lines(reliability_diagram([BUILT]))
    several = BINS["faces"] >= 5
    np.testing.assert_array_equal(line.x, BINS["confidence"][several])
    np.testing.assert_array_equal(line.y, BINS["accuracy"][several])
    assert several.sum() == 7 and line.marker.color == MODELS[0][0]


def test_a_lonely_face_is_a_small_point_beside_the_line():
    figure = reliability_diagram([BUILT])
    (point,) = (trace for trace in figure.data if trace.mode == "markers")
    assert list(point.x) == [0.05] and point.marker.size < lines(figure)[0].marker.size
    assert min(min(band.x) for band in bands(figure)) > 0.3


def test_the_band_goes_up_one_end_and_down_the_other():
    (band,) = bands(reliability_diagram([BUILT]))
    several = BINS["faces"] >= 5
    np.testing.assert_array_equal(band.y[:7], BINS["acc_high"][several])
    np.testing.assert_array_equal(band.y[:6:-1], BINS["acc_low"][several])


def test_models_differ_by_colour_and_symbol_and_versions_by_line():
    built, scaled, other = lines(reliability_diagram([BUILT, SCALED, OTHER]))
    assert built.line.color == scaled.line.color != other.line.color
    assert (built.line.dash, scaled.line.dash) == ("solid", "dash")
    assert scaled.marker.symbol == f"{built.marker.symbol}-open" and other.marker.symbol != built.marker.symbol
    assert [line.name for line in (built, scaled, other)] == ["a", "a, T = 2.00", "b"]


def test_counts_below_share_the_axis_of_confidence():
    figure = reliability_diagram([BUILT])
    counts = figure.data[-1]
    assert counts.yaxis == "y2" and figure.layout.xaxis.matches == "x2"
    assert max(counts.y) == BINS["faces"].max() and figure.layout.yaxis2.title.text == "faces"


def test_axes_say_what_they_show():
    layout = reliability_diagram([BUILT], sure="probability of <b>", right="share of votes for <b>").layout
    assert layout.xaxis2.title.text == "probability of &lt;b&gt;"
    assert layout.yaxis.title.text == "share of votes for &lt;b&gt;"
    assert layout.yaxis.range == (-0.02, 1.02) and layout.paper_bgcolor == CLEAR


@pytest.mark.parametrize("edges", ["width", "mass"])
def test_without_faces_there_is_only_the_diagonal(edges):
    nothing = Curve("a", "a", reliability(Outcomes([], [], []), 5, edges))
    drawn = [trace for trace in reliability_diagram([nothing]).data if trace.x is not None and len(trace.x)]
    assert len(drawn) == 1 and list(drawn[0].x) == [0, 1]
    assert describe_reliability([nothing]) == "No face with votes to draw."


def test_bins_of_equal_mass_with_fewer_faces_than_bins_have_no_nan_edges():
    few = reliability(Outcomes([0.2, 0.9], [0.0, 1.0], [1.0, 1.0]), 5, "mass")
    counts = reliability_diagram([Curve("a", "a", few)]).data[-1]
    assert not any(math.isnan(x) for x in counts.x) and list(counts.y) == [0, 1, 1, 0, 0, 1, 1, 0]


def test_described_in_words():
    most = int(BINS["faces"].argmax())
    words = describe_reliability([BUILT, OTHER])
    assert f"most faces, {BINS['faces'][most]}, at confidence {BINS['confidence'][most]:.2f}" in words
    assert "a: " in words and ". b: " in words


def test_the_table_names_model_and_temperature():
    table = reliability_table([BUILT, SCALED])
    assert table.columns.tolist()[:4] == ["model", "temperature", "low", "high"] and len(table) == 20
    assert table.temperature.tolist() == [1.0] * 10 + [2.0] * 10


def test_histogram_of_confidence():
    figure = confidence_histogram(np.array([0.0, 0.5]), np.array([0.5, 1.0]), np.array([3, 4]))
    assert list(figure.data[0].y) == [3, 4] and figure.layout.xaxis.title.text == "confidence"
