"""Bootstrap of means: tiny sizes by hand, then the plain resample-and-average, SciPy and the normal law."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics import bootstrap
from engine.metrics.bootstrap import Estimate, bootstrap_means, percentile_interval, resample_counts

NAN = float("nan")


def counts(n, resamples, seed=0):
    return np.concatenate(list(resample_counts(n, resamples, seed)))


def test_each_resample_draws_n_faces():
    drawn = counts(7, 50)
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all() and (drawn >= 0).all() and (drawn == drawn.round()).all()


def test_one_face_is_always_drawn():
    np.testing.assert_array_equal(counts(1, 3), np.ones((3, 1)))


def test_blocks_bound_memory_and_change_nothing(monkeypatch):
    whole = counts(10, 25)
    monkeypatch.setattr(bootstrap, "BLOCK", 40)
    blocks = list(resample_counts(10, 25))
    assert [len(block) for block in blocks] == [4] * 6 + [1]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    monkeypatch.setattr(bootstrap, "BLOCK", 1)
    assert [len(block) for block in resample_counts(10, 3)] == [1, 1, 1]


def test_seed_decides_the_draws():
    np.testing.assert_array_equal(counts(20, 10, seed=3), counts(20, 10, seed=3))
    assert (counts(20, 10, seed=3) != counts(20, 10, seed=4)).any()


def test_counts_follow_the_multinomial_law():
    drawn = counts(5, 20_000)
    observed = [(drawn[:, 0] == k).mean() for k in range(6)]
    np.testing.assert_allclose(observed, scipy.stats.binom.pmf(range(6), 5, 0.2), atol=0.015)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(-1 / 4, abs=0.03)


@pytest.mark.parametrize(("n", "resamples"), [(0, 10), (10, 0), (-1, 10)])
def test_nothing_to_draw_is_refused_at_the_call(n, resamples):
    with pytest.raises(ValueError, match="at least 1 face and 1 resample"):
        resample_counts(n, resamples)


def test_percentile_interval_leaves_undefined_replicates_out():
    assert percentile_interval([*range(1001), NAN]) == (25.0, 975.0)
    assert np.isnan(percentile_interval([NAN, NAN])).all()
    assert np.isnan(percentile_interval([])).all()


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
        means = [np.nanmean(np.repeat(x, row.astype(int))) for row in counts(40, 200, seed=9)]
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
