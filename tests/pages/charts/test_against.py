"""Disagreement against uncertainty as points and as a density, without Streamlit."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest

from pages.charts import against
from pages.charts.against import CELLS, LEVEL, density_against, density_cells, describe_against, points_against
from pages.charts.colours import ALEATORIC, ANNOTATORS, EPISTEMIC

D = np.array([0.0, 0.0, 0.0, 0.18, 0.42])
PARTS = {"u_aleatoric": np.array([0.0, 0.1, 2.4, 1.2, 0.3]), "u_epistemic": np.zeros(5)}
MEANS = pd.DataFrame(
    {
        "part": ["u_aleatoric"] * 3 + ["u_epistemic"] * 3,
        "d": [0.0, 0.18, 0.42] * 2,
        "mean": [0.83, 1.2, 0.3, 0.0, 0.0, 0.0],
        "low": [0.1, math.nan, math.nan] * 2,
        "high": [2.0, math.nan, math.nan] * 2,
        "faces": [3, 1, 1] * 2,
    }
)


def test_examples_in_docstrings():
    assert doctest.testmod(against).failed == 0


def test_every_face_is_in_one_cell():
    cells = density_cells(D, PARTS)
    assert (cells.groupby("part").faces.sum() == len(D)).all()
    of_a = cells[cells.part == "u_aleatoric"]
    assert of_a.faces.tolist() == [1, 1, 1, 1, 1]
    for d, u in zip(D, PARTS["u_aleatoric"], strict=True):
        inside = (of_a.d_low <= d) & (d < of_a.d_high) & (of_a.u_low <= u) & (u <= of_a.u_high + 1e-9)
        assert inside.any()


def test_an_uncertainty_that_is_always_zero_fills_one_row():
    cells = density_cells(D, PARTS)
    of_e = cells[cells.part == "u_epistemic"]
    assert of_e.faces.tolist() == [3, 1, 1] and (of_e.u_low == 0).all()


def test_no_faces():
    nothing = density_cells(np.zeros(0), {"u_total": np.zeros(0)})
    assert nothing.empty and not density_against(nothing, MEANS[:0]).data
    assert describe_against(MEANS[:0]) == "No faces to draw."
    points = pd.DataFrame({"face_id": [], "disagreement": [], "u_total": []})
    assert len(points_against(points, MEANS[:0]).data[0].x) == 0


def test_density_in_the_colour_of_the_part_on_one_logarithmic_scale():
    figure = density_against(density_cells(D, PARTS), MEANS)
    first, _, second, _ = figure.data
    assert [trace.colorscale[1][1] for trace in (first, second)] == [ALEATORIC, EPISTEMIC]
    assert first.zmax == second.zmax and (first.showscale, second.showscale) == (False, True)
    counts = 10 ** np.array(second.z, dtype=float)
    assert counts.shape[0] == CELLS and counts[0, 0] == pytest.approx(3) and np.isnan(counts[0, 1])
    assert second.text[0][0] == "3 faces"
    assert list(second.x) == pytest.approx((np.arange(9) + 0.5) * LEVEL)


def test_the_mean_per_level_is_drawn_over_both_kinds():
    faces = pd.DataFrame({"face_id": range(5), "disagreement": D, **PARTS})
    density, points = density_against(density_cells(D, PARTS), MEANS), points_against(faces, MEANS)
    for line in (density.data[1], points.data[2]):
        assert list(line.x) == [0.0, 0.18, 0.42] and list(line.y) == [0.83, 1.2, 0.3]
        assert line.line.color == ANNOTATORS["light"]
        assert line.y[0] + line.error_y.array[0] == pytest.approx(2.0)
        assert line.y[0] - line.error_y.arrayminus[0] == pytest.approx(0.1)
        assert math.isnan(line.error_y.array[1])


def test_points_carry_their_face_and_stay_near_their_d():
    faces = pd.DataFrame({"face_id": [7, 8, 9, 10, 11], "disagreement": D, **PARTS})
    figure = points_against(faces, MEANS)
    points = figure.data[0]
    assert [row[0] for row in points.customdata] == [7, 8, 9, 10, 11]
    assert list(points.y) == list(PARTS["u_aleatoric"])
    assert 0 < np.abs(np.array(points.x) - D).max() <= against.SIDEWAYS
    assert list(figure.data[1].x) == list(points.x)  # a face stands at the same place in every panel


def test_an_axis_never_magnifies_rounding_errors():
    faces = pd.DataFrame({"face_id": range(5), "disagreement": D, "u_aleatoric": D, "u_epistemic": D * 1e-17})
    for figure in (points_against(faces, MEANS), density_against(density_cells(D, faces[["u_epistemic"]]), MEANS)):
        axis = figure.layout.yaxis2 if len(figure.layout.annotations) == 2 else figure.layout.yaxis
        assert axis.range[1] >= 0.01
    assert points_against(faces, MEANS).layout.yaxis.range[1] == pytest.approx(1.03 * 0.42)


def test_axes_carry_units():
    layout = points_against(pd.DataFrame({"face_id": [1], "disagreement": [0.5], "u_total": [1.0]}), MEANS[:0]).layout
    assert layout.xaxis.title.text == "d" and layout.yaxis.title.text == "nats"
    assert [note.text for note in layout.annotations] == ["total U_t"]


def test_described_in_words():
    assert "mean aleatoric U_a goes from 0.830 nats at d 0.00 to 0.300 at d 0.42" in describe_against(MEANS)
