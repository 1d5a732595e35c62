"""The Brier score along the uncertainty, without Streamlit."""

import math

import numpy as np
import pytest

from engine.metrics.calibration import by_percentile
from pages.charts.brier import brier_by_percentile, brier_table, describe_brier, highest
from pages.charts.colours import ANNOTATORS, CLEAR, MODEL

RNG = np.random.default_rng(0)
ORDER = RNG.uniform(0, 2, 300)
DECILES = by_percentile(ORDER, {"disagreement": ORDER / 4, "brier": ORDER / 2 + RNG.uniform(0, 0.1, 300)})


def test_both_parts_and_their_sum():
    d, model, total = (t for t in brier_by_percentile(DECILES, "u_total").data if t.fill is None)
    np.testing.assert_array_equal(d.y, DECILES["disagreement"])
    np.testing.assert_array_equal(model.y, DECILES["brier"])
    np.testing.assert_allclose(total.y, DECILES["disagreement"] + DECILES["brier"])
    assert (d.line.color, model.line.color) == (ANNOTATORS["light"], MODEL)
    assert list(d.x) == list(range(10, 101, 10))


def test_ink_follows_the_theme():
    assert brier_by_percentile(DECILES, "u_total", theme="dark").data[1].line.color == ANNOTATORS["dark"]


def test_axes_name_the_part_and_can_share_a_scale():
    layout = brier_by_percentile(DECILES, "u_epistemic", top=1.5).layout
    assert layout.xaxis.title.text == "percentile of epistemic U_e" and layout.yaxis.title.text == "Brier score"
    assert layout.yaxis.range == (0, 1.5) and layout.paper_bgcolor == CLEAR


def test_the_top_is_that_of_the_sum():
    assert highest(DECILES) == (DECILES["disagreement"] + DECILES["brier"]).max()


def test_groups_without_faces_leave_gaps():
    few = by_percentile([0.1, 0.2, 0.3], {"disagreement": [0.1, 0.2, 0.3], "brier": [0.4, 0.5, 0.6]})
    assert np.isnan(few["brier"]).sum() == 7 and highest(few) == pytest.approx(0.9)
    assert not [t for t in brier_by_percentile(few, "u_total").data if t.fill]  # one face has no band
    assert describe_brier(few, "u_total").endswith("annotators 0.100 to 0.300, model 0.400 to 0.600.")


def test_nothing_known():
    nothing = by_percentile([math.nan], {"disagreement": [math.nan], "brier": [math.nan]})
    assert math.isnan(highest(nothing)) and describe_brier(nothing, "u_total") == "No face with votes to draw."
    assert brier_by_percentile(nothing, "u_total").data


def test_columns_of_the_table_carry_units():
    table = brier_table(DECILES, "u_total")
    assert {"percentile of u_total (%)", "mean u_total (nats)", "pair_brier"} <= set(table.columns)
    np.testing.assert_allclose(table.pair_brier, table.disagreement + table.brier)
