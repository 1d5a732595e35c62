"""Adjusted gaps: a case by hand, statsmodels, what may confound, and covariates that cannot serve."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.interpolate import CubicSpline

from engine.metrics.adjusted import adjusted

NAN = float("nan")


def confounded(n=600, seed=0):
    """Group 0 is darker, and darkness alone raises x; the group adds 0.5 to y."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    light = rng.normal(size=n) - 1.0 * (group == 0)
    kind = rng.choice(["a", "b", "c"], n)
    x = -0.8 * light + 0.3 * (kind == "b") + rng.normal(size=n) * (1 + (group == 0))
    return group, {"light": light, "kind": kind}, {"x": x, "y": x + 0.5 * (group == 0)}


def natural(z, knots):
    """Two natural cubic splines that are not straight, (n, 2)."""
    curves = []
    for heights in ((0, 1, 0, 0), (0, 0, 1, 0)):
        curve = CubicSpline(knots, heights, bc_type="natural")
        inside = np.clip(z, knots[0], knots[-1])
        curves.append(curve(inside) + curve(inside, 1) * (z - inside))
    return np.stack(curves, axis=1)


def test_raw_by_hand():
    found = adjusted({"x": [1.0, 3, 2, 4, 9]}, [0, 0, 1, 1, -1], 2, {}, minimum=2)
    np.testing.assert_allclose(found.raw[:, 0], [-1, 1])
    assert found.n.tolist() == [[2], [2]] and found.dropped.tolist() == [0]
    # residuals of 1, doubled by a leverage of 1/2: each mean has a variance of (2^2 + 2^2) / 2^2
    np.testing.assert_allclose((found.raw_high - found.raw_low)[:, 0] / 2, 1.959964 * np.sqrt(2 + 2), rtol=1e-6)


def test_equal_values_of_the_covariate_explain_the_gap_away():
    group, covariates, columns = confounded(6000)
    found = adjusted(columns, group, 3, covariates)
    assert found.raw_low[0, 0] > 0.5 and abs(found.gap[0, 0]) < 0.15
    assert found.low[0, 0] < 0 < found.high[0, 0] and found.low[0, 1] < 0.5 < found.high[0, 1]
    assert found.used == ("light", "kind") and found.left_out == {}


def test_a_face_turned_left_counts_like_one_turned_right():
    """x rises with the angle to either side: a straight line would adjust for nothing."""
    rng = np.random.default_rng(1)
    group = np.repeat([0, 1], 2000)
    yaw = np.where(group == 0, rng.choice([-1, 1], 4000) * rng.uniform(10, 40, 4000), rng.uniform(-40, 40, 4000))
    found = adjusted({"x": np.abs(yaw) / 20 + rng.normal(size=4000)}, group, 2, {"yaw": yaw})
    assert found.raw[0, 0] > 0.2 and abs(found.gap[0, 0]) < 0.1


@pytest.mark.parametrize("covariate", ["tone", "kind"])
def test_against_statsmodels(covariate):
    """A number of few values enters as it is, for its knots fall together; text as indicators."""
    group, covariates, columns = confounded(300)
    covariates["tone"] = (covariates["light"] > 0).astype(float)
    frame = pd.DataFrame(columns | covariates | {"one": (group == 1).astype(float)})
    found = adjusted(columns, group, 3, {covariate: covariates[covariate]})
    for q, name in enumerate(columns):
        for formula, value, low, high in (
            (f"{name} ~ one", found.raw, found.raw_low, found.raw_high),
            (f"{name} ~ one + {covariate}", found.gap, found.low, found.high),
        ):
            fit = smf.ols(formula, frame).fit(cov_type="HC3")
            np.testing.assert_allclose(value[1, q], fit.params["one"])
            np.testing.assert_allclose([low[1, q], high[1, q]], fit.conf_int().loc["one"])


def test_spline_against_statsmodels():
    """Curves that SciPy draws through the same knots, straight beyond them, span the same space as ours."""
    group, covariates, columns = confounded(400)
    light = covariates["light"]
    z = (light - light.mean()) / light.std()
    frame = pd.DataFrame({"y": columns["y"], "z": z, "one": (group == 2).astype(float)})
    knots = np.percentile(z, [5, 35, 65, 95])
    frame = frame.join(pd.DataFrame(natural(z, knots), columns=["b0", "b1"]))
    fit = smf.ols("y ~ one + z + b0 + b1", frame).fit(cov_type="HC3")
    found = adjusted({"y": columns["y"]}, group, 3, {"light": light})
    np.testing.assert_allclose(found.gap[2, 0], fit.params["one"], rtol=1e-6)
    np.testing.assert_allclose([found.low[2, 0], found.high[2, 0]], fit.conf_int().loc["one"], rtol=1e-6)


def test_raw_and_adjusted_are_of_the_same_faces():
    group, covariates, columns = confounded(400)
    covariates["light"][:50] = NAN
    kind = covariates["kind"].astype(object)
    kind[50:60] = None
    columns["y"][55:70] = NAN
    found = adjusted(columns, group, 3, covariates | {"kind": kind})
    assert found.dropped.tolist() == [60, 55] and found.n.sum(axis=0).tolist() == [340, 330]
    mine, rest = columns["x"][60:][group[60:] == 1], columns["x"][60:][group[60:] != 1]
    assert found.raw[1, 0] == pytest.approx(mine.mean() - rest.mean())


def test_covariates_that_cannot_serve():
    group, covariates, columns = confounded(400)
    light = covariates["light"]
    rng = np.random.default_rng(3)
    bad = {
        "constant": np.full(400, 0.1),
        "one word": ["a"] * 400,
        "unknown": np.full(400, NAN),
        "no words": np.array([None] * 400),
        "mostly unknown": np.where(np.arange(400) < 300, NAN, light),
        "names": [f"face {i}" for i in range(400)],
        "group": np.array(["dark", "tan", "light"])[group],
        "scaled": 3 - 100 * light,
        "nearly": light + 1e-4 * rng.normal(size=400),
        "sum": light + (covariates["kind"] == "b"),
    }
    found = adjusted(columns, group, 3, covariates | bad)
    assert found.used == ("light", "kind")
    assert found.left_out == {
        "constant": "constant",
        "one word": "constant",
        "unknown": "unknown for all faces",
        "no words": "unknown for all faces",
        "mostly unknown": "unknown for 75 % of the faces",
        "names": "400 distinct strings, more than 20",
        "group": "says the same as the groups",
        "scaled": "says the same as light",
        "nearly": "says the same as light",
        "sum": "follows from the covariates before it",
    }
    without = adjusted(columns, group, 3, covariates)
    np.testing.assert_allclose(found.gap, without.gap)


def test_a_covariate_that_is_the_indicator_of_one_group_leaves_nothing_of_it():
    """It follows from the groups, so that it is left out rather than making the answer a matter of rounding."""
    group, _, columns = confounded(300)
    found = adjusted(columns, group, 3, {"is dark": (group == 0).astype(float)})
    assert found.left_out == {"is dark": "says the same as the groups"}
    np.testing.assert_allclose(found.gap, found.raw)


def test_constant_where_all_are_known():
    group, covariates, columns = confounded(400)
    only = np.where(np.arange(400) < 250, covariates["light"], NAN)
    found = adjusted(columns, group, 3, {"light": only, "late": (np.arange(400) >= 250).astype(float)})
    assert found.left_out == {"late": "constant among the faces whose covariates are all known"}


def test_small_groups_and_few_faces():
    group = np.array([0] * 60 + [1] * 40 + [2] * 29 + [3])
    x = np.random.default_rng(4).normal(size=130)
    found = adjusted({"x": x}, group, 5, {"light": x**2})
    assert np.isnan(found.gap[:, 0]).tolist() == np.isnan(found.raw_low[:, 0]).tolist() == [False] * 2 + [True] * 3
    assert found.n[:, 0].tolist() == [60, 40, 29, 1, 0]
    empty = adjusted({"x": []}, np.zeros(0, int), 2, {"light": []})
    assert np.isnan(empty.gap).all() and empty.left_out == {"light": "unknown for all faces"}
    assert adjusted({}, [0, 1], 2, {}).gap.shape == (2, 0)


def test_a_word_of_one_face():
    """Its face decides its own coefficient, and must not make the others' infinite."""
    group, covariates, columns = confounded(200)
    kind = covariates["kind"].copy()
    kind[7] = "z"
    found = adjusted(columns, group, 3, {"kind": kind})
    assert np.isfinite(found.low).all()
    keep = np.arange(200) != 7
    without = adjusted({"x": columns["x"][keep]}, group[keep], 3, {"kind": kind[keep]})
    np.testing.assert_allclose(found.gap[:, 0], without.gap[:, 0])
    np.testing.assert_allclose(found.low[:, 0], without.low[:, 0])


@pytest.mark.parametrize(
    ("columns", "covariates", "message"),
    [
        ({"x": [1.0, np.inf, 2]}, {}, "values or NaN in x"),
        ({"x": [1.0] * 3}, {"light": [1.0, 2]}, "light of length 3"),
        ({"x": [1.0] * 3}, {"light": [1.0, -np.inf, 2]}, "values or NaN in light"),
        ({"x": [1.0] * 3}, {"kind": ["a", "b"]}, "kind of length 3"),
    ],
)
def test_bad_input_is_refused(columns, covariates, message):
    with pytest.raises(ValueError, match=message):
        adjusted(columns, [0, 1, 1], 2, covariates)


def test_intervals_hold_the_truth():
    held = []
    for seed in range(200):
        group, covariates, columns = confounded(300, seed)
        found = adjusted(columns, group, 3, covariates)
        held.append((found.low[0] <= [0, 0.5]) & (found.high[0] >= [0, 0.5]))
    assert (np.abs(np.mean(held, axis=0) - 0.95) < 0.045).all()
