"""Disagreement against uncertainty as points and as a density, without Streamlit."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest

from pages.charts import against
from pages.charts.against import CELLS, LEVEL, density_against, density_cells, describe_against, points_against
from pages.charts.colours import ALEATORIC, ANNOTATORS, EPISTEMIC, OUTLINE, TOTAL

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
    assert nothing.empty and not density_against(nothing, "u_total", MEANS[:0]).data
    assert describe_against(MEANS[:0], "u_total") == "No faces to draw."
    points = pd.DataFrame({"face_id": [], "disagreement": [], "u_total": []})
    assert len(points_against(points, "u_total", MEANS[:0]).data[0].x) == 0


def test_density_in_the_colour_of_the_part_on_one_logarithmic_scale():
    first, second = (density_against(density_cells(D, PARTS), part, MEANS).data[0] for part in PARTS)
    assert [trace.colorscale[1][1] for trace in (first, second)] == [ALEATORIC, EPISTEMIC]
    assert first.zmax == second.zmax
    counts = 10 ** np.array(second.z, dtype=float)
    assert counts.shape[0] == CELLS and counts[0, 0] == pytest.approx(3) and np.isnan(counts[0, 1])
    assert second.customdata[0][0] == 3 and "%{customdata:,.0f} faces" in second.hovertemplate
    assert list(second.x) == pytest.approx((np.arange(9) + 0.5) * LEVEL)


def test_the_mean_per_level_is_drawn_over_both_kinds():
    faces = pd.DataFrame({"face_id": range(5), "disagreement": D, **PARTS})
    density = density_against(density_cells(D, PARTS), "u_aleatoric", MEANS)
    for line in (density.data[1], points_against(faces, "u_aleatoric", MEANS).data[1]):
        assert list(line.x) == [0.0, 0.18, 0.42] and list(line.y) == [0.83, 1.2, 0.3]
        assert line.line.color == ANNOTATORS["light"]
        assert line.y[0] + line.error_y.array[0] == pytest.approx(2.0)
        assert line.y[0] - line.error_y.arrayminus[0] == pytest.approx(0.1)
        assert math.isnan(line.error_y.array[1])


def test_points_carry_their_face_and_stay_near_their_d():
    faces = pd.DataFrame({"face_id": [7, 8, 9, 10, 11], "disagreement": D, **PARTS})
    points = points_against(faces, "u_aleatoric", MEANS).data[0]
    assert [row[0] for row in points.customdata] == [7, 8, 9, 10, 11]
    assert list(points.y) == list(PARTS["u_aleatoric"])
    assert 0 < np.abs(np.array(points.x) - D).max() <= against.SIDEWAYS
    other = points_against(faces, "u_epistemic", MEANS).data[0]
    assert list(other.x) == list(points.x)  # a face stands at the same place in every panel


def test_an_axis_never_magnifies_rounding_errors():
    faces = pd.DataFrame({"face_id": range(5), "disagreement": D, "u_aleatoric": D, "u_epistemic": D * 1e-17})
    cells = density_cells(D, faces[["u_epistemic"]])
    for figure in (
        points_against(faces, "u_epistemic", MEANS),
        density_against(cells, "u_epistemic", MEANS),
    ):
        assert figure.layout.yaxis.range[1] >= 0.01
    assert points_against(faces, "u_aleatoric", MEANS).layout.yaxis.range[1] == pytest.approx(1.03 * 0.42)


def test_axes_carry_units():
    one = pd.DataFrame({"face_id": [1], "disagreement": [0.5], "u_total": [1.0]})
    layout = points_against(one, "u_total", MEANS[:0]).layout
    assert layout.xaxis.title.text == "disagreement d" and layout.yaxis.title.text == "total U_t (nats)"


def test_the_grey_of_the_total_is_lighter_on_a_dark_page():
    u = PARTS["u_aleatoric"]
    faces = pd.DataFrame({"face_id": range(5), "disagreement": D, "u_total": u})
    cells = density_cells(D, {"u_total": u})
    for theme, colour in (("light", TOTAL), ("dark", OUTLINE)):
        assert points_against(faces, "u_total", MEANS, theme=theme).data[0].marker.color == colour
        assert density_against(cells, "u_total", MEANS, theme=theme).data[0].colorscale[1][1] == colour


def test_described_in_words():
    words = describe_against(MEANS, "u_aleatoric")
    assert "against aleatoric U_a: its mean goes from 0.830 nats at d 0.00 to 0.300 at d 0.42" in words
