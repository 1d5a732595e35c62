"""Risk against coverage: by hand, by brute force in every resample, and the bounds of any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import auc

from engine.metrics.bootstrap import Resamples, bootstrap_means, percentile_interval
from engine.metrics.rejection import COVERAGES, areas, kept_faces, risk_coverage

NAN = float("nan")


def aurc(order, loss, draws=None):
    return areas({"order": order}, loss, draws)["order"].aurc


def excess_aurc(order, loss, draws=None):
    return areas({"order": order}, loss, draws)["order"].excess


def ranked_case(n, seed=0):
    """An order and a loss of 0 or 1 that rises with it."""
    rng = np.random.default_rng(seed)
    order = rng.random(n)
    return order, (rng.random(n) < order).astype(float)


def curve_of(order, loss):
    """Mean loss of the k lowest, k = 1 .. n."""
    ranked = loss[np.argsort(order, kind="stable")]
    return np.cumsum(ranked) / np.arange(1, len(ranked) + 1)


def test_halves_are_kept():
    assert [kept_faces(c, n) for c, n in [(0.75, 3579), (0.5, 3), (0.35, 10), (0.29, 50), (1.0, 7), (0.0, 7)]] == [
        2684,
        2,
        4,
        15,
        7,
        0,
    ]


def test_by_hand():
    table = risk_coverage([0.4, 0.1, 0.3, 0.2], {"loss": [8.0, 1.0, NAN, 3.0]}, at=[0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(table["kept"], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(table["loss"], [NAN, 1.0, 2.0, 2.0, 4.0])
    assert np.isnan(table["loss_low"][:2]).all() and np.isfinite(table["loss_low"][2:]).all()


def test_ties_go_by_index_and_unknown_orders_are_left_out():
    table = risk_coverage([1.0, 1.0, NAN, 1.0, 1.0], {"loss": [0.0, 1.0, 9.0, 2.0, 3.0]}, at=[0.5])
    assert table["kept"] == [2] and table["loss"] == [0.5]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_faces_for_an_interval(n):
    table = risk_coverage(np.ones(n), {"loss": np.ones(n)})
    assert len(table["coverage"]) == len(COVERAGES) == 20
    assert table["loss"][-1] == pytest.approx(1.0 if n else NAN, nan_ok=True)
    assert np.isnan(table["loss_low"]).all() and np.isnan(table["loss_high"]).all()
    for area in (aurc, excess_aurc):
        found = area(np.ones(n), np.ones(n))
        assert found.n == n and np.isnan([found.low, found.high]).all() and np.isnan(found.value) == (n == 0)


def test_nothing_known():
    table = risk_coverage([1.0, 2.0], {"loss": [NAN, NAN]})
    assert np.isnan(table["loss"]).all() and np.isnan(table["loss_low"]).all()
    assert aurc([1.0, 2.0], [NAN, NAN]).n == 0
    assert (risk_coverage([NAN, NAN], {"loss": [1.0, 2.0]})["kept"] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], {"a": [1.0]}), "a of length 2, like the others, but got 1"),
        (([1.0, np.inf], {}), "NaN in order but face 1 is infinite"),
        (([1.0], {"a": [1.0]}, [1.5]), "coverages from 0 to 1"),
        (([1.0], {"a": [1.0]}, [NAN]), "coverages from 0 to 1"),
        (([1.0], {"kept": [1.0]}), "a loss 'kept'"),
        (([1.0], {"a": [1.0], "a_low": [1.0]}), "a loss 'a_low'"),
        (([1.0, 2.0], {"a": [1.0, 2.0]}, [0.5], Resamples(3)), "Expected 3 faces"),
    ],
)
def test_impossible_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        risk_coverage(*arguments)


def test_full_coverage_is_the_plain_mean_and_its_interval():
    order, loss = ranked_case(500)
    table = risk_coverage(order, {"loss": loss}, at=[1.0])
    plain = bootstrap_means({"loss": loss})["loss"]
    assert table["loss"][0] == pytest.approx(plain.value)
    assert (table["loss_low"][0], table["loss_high"][0]) == pytest.approx((plain.low, plain.high), abs=1e-6)


@pytest.mark.parametrize("n", [150, 900])
def test_intervals_against_sorting_every_resample(n):
    order, loss = ranked_case(n)
    draws = Resamples(n, 400)
    exact = []
    for row in draws.counts:
        faces = np.repeat(np.arange(n), row.astype(int))
        exact.append(curve_of(order[faces], loss[faces])[kept_faces(0.6, n) - 1])
    table = risk_coverage(order, {"loss": loss}, [0.6], draws)
    low, high = percentile_interval(exact)
    assert (table["loss_low"][0], table["loss_high"][0]) == pytest.approx((low, high), abs=0.06 * (high - low))


def test_groups_give_the_intervals_of_single_faces():
    order, loss = ranked_case(5_000)
    widths = [
        table["loss_high"] - table["loss_low"]
        for table in (
            risk_coverage(order, {"loss": loss}, resamples=Resamples(5_000, 1_000, 0, g)) for g in (5_000, 1_000)
        )
    ]
    np.testing.assert_allclose(widths[1], widths[0], rtol=0.2)


def test_a_threshold_of_its_own_widens_the_interval():
    # the loss steps up where the threshold falls: fixing it would leave its own spread out
    order = np.linspace(0, 1, 1_000)
    loss = (order > 0.5).astype(float)
    table = risk_coverage(order, {"loss": loss}, at=[0.5])
    assert table["loss"][0] == 0.0
    assert table["loss_high"][0] == pytest.approx(1.96 * np.sqrt(0.25 / 1_000) / 0.5, rel=0.15)


def test_aurc_by_hand():
    # means of the kept: 0, 0, 1/3, 2/4
    assert aurc([1, 2, 3, 4], [0, 0, 1, 1]).value == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert aurc([4, 3, 2, 1], [0, 0, 1, 1]).value == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)
    assert excess_aurc([4, 3, 2, 1], [0, 0, 1, 1]).value == pytest.approx((1 + 1 + 1 / 3) / 4)
    assert aurc([3, 1, NAN, 2, 5], [1, 0, 5, 0, NAN]).value == pytest.approx(1 / 9)


def test_aurc_against_scikit_learns_trapezia():
    order, loss = ranked_case(4_000)
    curve = curve_of(order, loss)
    assert aurc(order, loss).value == pytest.approx(auc(np.linspace(0, 1, 4_000), curve), abs=1e-3)


@pytest.mark.parametrize("n", [150, 900])
def test_aurc_against_sorting_every_resample(n):
    order, loss = ranked_case(n)
    draws = Resamples(n, 400)
    whole, excess = [], []
    for row in draws.counts:
        faces = np.repeat(np.arange(n), row.astype(int))
        whole.append(curve_of(order[faces], loss[faces]).mean())
        excess.append(whole[-1] - curve_of(loss[faces], loss[faces]).mean())
    for found, exact in ((aurc(order, loss, draws), whole), (excess_aurc(order, loss, draws), excess)):
        low, high = percentile_interval(exact)
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))


cases = st.integers(1, 25).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, n, elements=st.floats(0, 1), unique=i == 0) for i in range(2)])
)


@settings(max_examples=40)
@given(cases, st.randoms(use_true_random=False))
def test_order_of_faces_does_not_matter_and_the_best_order_is_best(case, random):
    order, loss = case
    n = len(order)
    draws = Resamples(n, 20)
    shuffled = np.array(random.sample(range(n), n))
    table, again = (
        risk_coverage(o, {"loss": x}, resamples=draws) for o, x in ((order, loss), (order[shuffled], loss[shuffled]))
    )
    np.testing.assert_allclose(again["loss"], table["loss"])
    best, worst = aurc(loss, loss, draws).value, aurc(-loss, loss, draws).value
    assert best - 1e-12 <= aurc(order, loss, draws).value <= worst + 1e-12
    found = excess_aurc(order, loss, draws)
    assert found.value >= -1e-12 and not found.low < 0
    assert found.value == pytest.approx(aurc(order, loss, draws).value - best)
    assert loss.min() - 1e-12 <= best and worst <= loss.max() + 1e-12


@given(cases, st.floats(-3, 3), st.floats(0.1, 5))
@settings(max_examples=40)
def test_units_of_the_loss_carry_over(case, shift, scale):
    order, loss = case
    draws = Resamples(len(order), 20)
    table, moved = (risk_coverage(order, {"x": x}, [0.5, 1.0], draws) for x in (loss, shift + scale * loss))
    for name in ("x", "x_low", "x_high"):
        np.testing.assert_allclose(moved[name], shift + scale * table[name], atol=1e-5)


def test_several_orders_share_their_faces_and_resamples():
    order, loss = ranked_case(300)
    other = np.where(np.arange(300) == 7, NAN, -order)
    found = areas({"a": order, "b": other}, loss)
    keep = np.arange(300) != 7
    assert {area.aurc.n for area in found.values()} == {299}
    for name, by in (("a", order), ("b", other)):
        assert found[name].aurc.value == pytest.approx(aurc(by[keep], loss[keep]).value)


@pytest.mark.parametrize("n", [2, 5, 12, 30, 60, 100])
def test_shares_and_areas_stay_between_0_and_1(n):
    rng = np.random.default_rng(n)
    for _ in range(8):
        order, right = rng.random(n), rng.integers(0, 2, n).astype(float)
        table = risk_coverage(order, {"right": right}, np.linspace(0.05, 0.95, 19))
        area = aurc(order, right)
        ends = np.concatenate([table["right_low"], table["right_high"], [area.low, area.high]])
        ends = ends[~np.isnan(ends)]
        assert ((ends >= 0) & (ends <= 1)).all()


def test_faces_behind_each_mean_are_counted():
    loss = [NAN, 1.0, 0.0, NAN, 1.0]
    table = risk_coverage([1, 2, 3, 4, 5], {"loss": loss, "all": [1, 2, 3, 4, 5]}, [0.4, 1.0])
    assert table["kept"].tolist() == [2, 5]
    assert table["loss_n"].tolist() == [1, 3] and table["all_n"].tolist() == [2, 5]
