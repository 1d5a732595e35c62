"""Bootstrap of means: tiny sizes by hand, then the plain resample-and-average, SciPy and the normal law."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics import bootstrap
from engine.metrics.bootstrap import (
    Estimate,
    Resamples,
    basic_interval,
    bootstrap_means,
    percentile_interval,
    percentile_intervals,
    ratio,
)

NAN = float("nan")


def test_each_resample_draws_n_faces():
    drawn = Resamples(7, 50).counts
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all() and (drawn >= 0).all() and (drawn == drawn.round()).all()


def test_one_face_is_always_drawn():
    np.testing.assert_array_equal(Resamples(1, 3).counts, np.ones((3, 1)))


def test_no_faces_sum_to_nothing():
    none = Resamples(0, 4)
    np.testing.assert_array_equal(none.sums(np.empty((0, 2))), np.zeros((4, 2)))
    assert none.cell_sums(np.empty(0, np.intp), [], 3).shape == (0, 3)


def test_blocks_bound_memory_and_change_nothing(monkeypatch):
    whole = Resamples(10, 25).counts
    for block in (40, 1):
        monkeypatch.setattr(bootstrap, "BLOCK", block)
        np.testing.assert_array_equal(Resamples(10, 25).counts, whole)
    np.testing.assert_array_equal(Resamples(10, 30).counts[:25], whole)


def test_seed_decides_the_draws():
    def draws(seed):
        return Resamples(50, 10, seed, groups=20)

    np.testing.assert_array_equal(draws(3).counts, draws(3).counts)
    np.testing.assert_array_equal(draws(3).group, draws(3).group)
    assert (draws(3).counts != draws(4).counts).any() and (draws(3).group != draws(4).group).any()


def test_counts_follow_the_multinomial_law():
    drawn = Resamples(5, 20_000).counts
    observed = [(drawn[:, 0] == k).mean() for k in range(6)]
    np.testing.assert_allclose(observed, scipy.stats.binom.pmf(range(6), 5, 0.2), atol=0.015)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(-1 / 4, abs=0.03)


@pytest.mark.parametrize(("n", "resamples", "groups"), [(-1, 10, 10), (10, 0, 10), (10, 10, 1)])
def test_impossible_resamples_are_refused(n, resamples, groups):
    with pytest.raises(ValueError, match=f"n={n}, resamples={resamples}, groups={groups}"):
        Resamples(n, resamples, groups=groups)


def test_other_numbers_of_faces_are_refused():
    with pytest.raises(ValueError, match="Expected 3 faces, as many as these resamples draw from, but got 2"):
        Resamples(3).sums([[1.0], [2.0]])
    with pytest.raises(ValueError, match="Expected 3 faces"):
        Resamples(3).cell_sums(np.array([0, 1]), [1.0, 2.0], 2)
    with pytest.raises(ValueError, match=r"columns of shape \(N, K\)"):
        Resamples(3).sums([1.0, 2.0, 3.0])


def test_groups_are_equal_but_for_one_face_and_dealt_at_random():
    draws = Resamples(2_345, 5, groups=100)
    sizes = np.bincount(draws.group)
    assert draws.size == len(sizes) == 100 and set(sizes) == {23, 24}
    assert draws.counts.shape == (5, 100)
    assert abs(np.corrcoef(draws.group, np.arange(2_345))[0, 1]) < 0.1


@pytest.mark.parametrize("groups", [4, 1000])
def test_sums_are_over_the_faces_drawn(groups):
    rng = np.random.default_rng(0)
    draws, columns = Resamples(11, 6, groups=groups), rng.normal(size=(11, 3))
    faces = draws.counts[:, draws.group]  # (R, N): how often each face is drawn
    np.testing.assert_allclose(draws.sums(columns), faces @ columns)
    np.testing.assert_allclose(draws.group_sums(columns).sum(axis=0), columns.sum(axis=0))
    cell = np.array([0, 1, 2, -1, 0, 1, 2, -1, 0, 1, 1])
    by_cell = draws.counts @ draws.cell_sums(cell, columns[:, 0], 4)
    for c in range(4):
        np.testing.assert_allclose(by_cell[:, c], faces @ np.where(cell == c, columns[:, 0], 0.0), atol=1e-12)


def test_groups_give_the_intervals_of_single_faces():
    x = np.random.default_rng(0).exponential(size=(6_000, 1))
    widths = []
    for groups in (6_000, 1_000):
        low, high = percentile_interval(Resamples(6_000, 2_000, groups=groups).sums(x)[:, 0])
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_percentile_interval_leaves_undefined_replicates_out():
    assert percentile_interval([*range(1001), NAN]) == (25.0, 975.0)
    assert np.isnan(percentile_interval([NAN, NAN])).all()
    assert np.isnan(percentile_interval([])).all()


def test_percentile_intervals_are_those_of_each_column():
    columns = np.random.default_rng(0).normal(size=(200, 3))
    columns[:50, 1], columns[:, 2] = NAN, NAN
    low, high = percentile_intervals(columns)
    np.testing.assert_array_equal(list(zip(low, high, strict=True)), [percentile_interval(c) for c in columns.T])


def test_basic_interval_turns_the_percentiles_round():
    assert basic_interval(100.0, np.arange(1001)) == (200.0 - 975.0, 200.0 - 25.0)
    assert np.isnan(basic_interval(1.0, [NAN])).all()


def test_ratio_by_hand():
    np.testing.assert_array_equal(ratio([[1.0, 2.0], [3.0, 0.0]], [2.0, 0.0]), [[0.5, NAN], [1.5, NAN]])


def same(estimate, *expected):
    np.testing.assert_array_equal([estimate.value, estimate.low, estimate.high, estimate.n], expected)


def test_without_faces_there_is_no_estimate():
    same(bootstrap_means({"a": []})["a"], NAN, NAN, NAN, 0)
    same(bootstrap_means({"a": [NAN, NAN]})["a"], NAN, NAN, NAN, 0)
    assert bootstrap_means({}) == {}


def test_one_face_has_a_mean_but_no_interval():
    estimates = bootstrap_means({"one": [NAN, 4.0, NAN], "all": [1.0, 2.0, 3.0]})
    same(estimates["one"], 4.0, NAN, NAN, 1)
    assert estimates["all"].n == 3 and estimates["all"].low < 2.0 < estimates["all"].high
    same(bootstrap_means({"a": [4.0]})["a"], 4.0, NAN, NAN, 1)


def test_a_constant_has_an_interval_of_no_width():
    assert bootstrap_means({"a": [3.0] * 5 + [NAN]})["a"] == Estimate(3.0, 3.0, 3.0, 5)


def test_booleans_are_rates():
    assert bootstrap_means({"correct": np.array([True, False])})["correct"] == Estimate(0.5, 0.0, 1.0, 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0, 2.0], "b": [1.0]}, "b of length 2, like the others, but got 1"),
        ({"a": [1.0, np.inf]}, "NaN in a but face 1 is infinite"),
        ({"a": [[1.0, 2.0]]}, r"a of shape \(N,\)"),
    ],
)
def test_impossible_columns_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_means(columns)


def test_same_as_averaging_every_resample():
    rng = np.random.default_rng(5)
    columns = {"full": rng.normal(size=40), "holes": np.where(rng.random(40) < 0.3, NAN, rng.random(40))}
    estimates = bootstrap_means(columns, resamples=200, seed=9)
    for name, x in columns.items():
        means = [np.nanmean(np.repeat(x, row.astype(int))) for row in Resamples(40, 200, seed=9).counts]
        assert estimates[name].value == pytest.approx(np.nanmean(x))
        assert (estimates[name].low, estimates[name].high) == pytest.approx(percentile_interval(means))
        assert estimates[name].n == np.isfinite(x).sum()


def test_large_offsets_lose_no_digits():
    x = np.random.default_rng(0).normal(size=300)
    near, far = bootstrap_means({"near": x, "far": x + 1e9}).values()
    assert far.high - far.low == pytest.approx(near.high - near.low, rel=1e-5)


def test_against_scipys_bootstrap():
    x = np.random.default_rng(1).exponential(size=120)
    mine = bootstrap_means({"x": x}, resamples=20_000)["x"]
    theirs = scipy.stats.bootstrap((x,), np.mean, n_resamples=20_000, method="percentile", rng=2)
    assert (mine.low, mine.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)


def test_against_the_normal_interval():
    x = np.random.default_rng(1).normal(size=2000)
    x[::2] = NAN
    mine = bootstrap_means({"x": x}, resamples=4000)["x"]
    half = 1.96 * np.nanstd(x) / np.sqrt(1000)
    assert (mine.high - mine.low) / 2 == pytest.approx(half, rel=0.06)


@settings(max_examples=30)
@given(arrays(np.float64, st.integers(2, 12), elements=st.floats(-1e6, 1e6)), st.integers(0, 2**32))
def test_columns_share_resamples_and_intervals_stay_within_the_data(x, seed):
    estimates = bootstrap_means({"x": x, "twice": 2 * x, "with a gap": [*x[:-1], NAN]}, 100, seed)
    one = estimates["x"]
    assert x.min() - 1e-6 <= one.low <= one.high <= x.max() + 1e-6
    assert estimates["twice"].low == pytest.approx(2 * one.low)
    assert estimates["with a gap"].n == len(x) - 1
    assert bootstrap_means({"x": x}, 100, seed)["x"].low == pytest.approx(one.low)


def test_value_does_not_depend_on_the_order_of_faces():
    x = np.random.default_rng(0).random(500)
    a, b = (bootstrap_means({"x": column})["x"] for column in (x, x[::-1]))
    assert a.value == pytest.approx(b.value, rel=1e-12)
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=0.005)


def test_shares_leave_room_for_doubt():
    from engine.metrics.bootstrap import share

    found = share([1.0] * 13 + [np.nan])
    assert found.value == 1.0 and found.n == 13 and 0.7 < found.low < 0.9 and found.high == pytest.approx(1.0)
    assert np.isnan(share([]).value) and np.isnan(share([]).low)
    with pytest.raises(ValueError, match="0, 1 or NaN"):
        share([0.5])
    # 1,000 shares of 20 throws at .3: Wilson's interval covers about 95 % of them
    drawn = np.random.default_rng(0).random((1000, 20)) < 0.3
    inside = [e.low <= 0.3 <= e.high for e in map(share, drawn.astype(float))]
    assert 0.93 < np.mean(inside) < 0.99
