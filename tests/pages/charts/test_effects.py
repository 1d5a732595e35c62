"""Curves, differences and shaded levels, without Streamlit."""

import numpy as np
import pytest

from engine.metrics.effects import Clustered
from pages.charts.audit_quantities import QUANTITIES
from pages.charts.colours import CLEAR, EPISTEMIC
from pages.charts.effects import (
    Axis,
    Line,
    curve,
    describe_curve,
    describe_differences,
    differences,
    lacking_curve,
)

TONE = Axis("skin tone (Monk)", ("1", "2", "3"), joined=True)
LIGHT = Axis("light", ("front", "<b>side</b>", "overhead"), joined=False)
ESTIMATES = [Clustered(0.1, 0.05, 0.15, 80, 8), Clustered(0.2, 0.1, 0.3, 80, 8), Clustered(0.4, 0.3, 0.5, 79, 8)]
MOVED = [Clustered(0.0, 0.0, 0.0, 80, 8), Clustered(0.1, 0.05, 0.15, 80, 8), Clustered(0.3, 0.2, 0.4, 79, 8)]
ONE = Line("compact <1>", ESTIMATES, EPISTEMIC)
TWO = Line("other", ESTIMATES, EPISTEMIC, second=True)
U_E, ACCURACY = QUANTITIES["u_epistemic"], QUANTITIES["accuracy"]


def points(figure):
    return [trace for trace in figure.data if trace.mode and "markers" in trace.mode]


def test_curve_with_its_band():
    figure = curve([ONE], TONE, U_E)
    (band,) = (trace for trace in figure.data if trace.fill)
    (line,) = points(figure)
    np.testing.assert_allclose(line.y, [0.1, 0.2, 0.4])
    np.testing.assert_allclose(band.y, [0.15, 0.3, 0.5, 0.3, 0.1, 0.05])
    assert line.line.color == EPISTEMIC and line.mode == "lines+markers" and line.name == "compact &lt;1&gt;"
    assert figure.layout.yaxis.title.text == "U_e (nats)" and figure.layout.xaxis.ticktext == ("1", "2", "3")
    assert figure.layout.paper_bgcolor == CLEAR and "n = %{customdata[2]}" in line.hovertemplate


def test_words_are_not_joined_by_lines():
    one, other = points(curve([ONE, TWO], LIGHT, U_E))
    assert one.mode == other.mode == "markers"
    np.testing.assert_allclose(one.error_y.array, [0.05, 0.1, 0.1])
    assert (np.array(one.x) < np.array(other.x)).all()
    assert curve([ONE], LIGHT, U_E).layout.xaxis.ticktext[1] == "&lt;b&gt;side&lt;/b&gt;"


def test_second_model_is_told_apart_without_colour():
    one, other = points(curve([ONE, TWO], TONE, U_E))
    assert one.line.color == other.line.color
    assert one.line.dash != other.line.dash and one.marker.symbol != other.marker.symbol


def test_shares_are_in_percent():
    figure = curve([ONE], TONE, ACCURACY)
    np.testing.assert_allclose(points(figure)[0].y, [10, 20, 40])
    moved = differences([ONE], TONE, ACCURACY, 0)
    assert figure.layout.yaxis.title.text == "accuracy (%)" and moved.layout.yaxis.title.text == "difference (points)"


def test_the_scene_on_view_is_drawn_in_the_same_unit():
    *_, own = points(curve([ONE], TONE, ACCURACY, np.array([1.0, np.nan, 0.0])))
    np.testing.assert_array_equal(own.y, [100.0, np.nan, 0.0])
    assert own.name == "the scene below"
    assert len(points(curve([ONE], TONE, ACCURACY, np.full(3, np.nan)))) == 1


def test_differences_leave_out_the_reference():
    figure = differences([Line("m", MOVED, EPISTEMIC)], TONE, U_E, 0)
    (trace,) = figure.data
    np.testing.assert_allclose(trace.x, [1, 2])
    np.testing.assert_allclose(trace.y, [0.1, 0.3])
    np.testing.assert_allclose(trace.error_y.arrayminus, [0.05, 0.1])
    assert figure.layout.annotations[0].x == 0 and figure.layout.shapes[0].y0 == 0


@pytest.mark.parametrize(
    ("removed", "boxes"),
    [([False, True, True], [(0.5, 2.5)]), ([True, False, True], [(-0.5, 0.5), (1.5, 2.5)]), ([False] * 3, [])],
)
def test_what_training_lacked_is_shaded_and_named(removed, boxes):
    figure = lacking_curve([ONE, TWO], TONE, U_E, np.array(removed))
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == boxes
    assert all("removed" in note.text for note in figure.layout.annotations)
    assert len(figure.layout.annotations) == len(boxes)


def test_in_words():
    said = describe_curve([ONE], TONE, U_E)
    assert "0.100 at 1" in said and "0.400 at 3" in said and "U_e (nats)" in said
    said = describe_differences([Line("m", MOVED, EPISTEMIC)], TONE, U_E, 0)
    assert "most at 3, +0.300 [+0.200, +0.400]" in said and "in nats to 1 in the same scene" in said


def test_nothing_to_draw_is_said():
    nothing = [Clustered(np.nan, np.nan, np.nan, 0, 0)] * 3
    line = Line("m", nothing, EPISTEMIC)
    assert describe_curve([line], TONE, U_E) == "No face to draw."
    assert describe_differences([line], TONE, U_E, 0) == "No face to draw."
    assert not [trace for trace in curve([line], TONE, U_E).data if trace.fill]
