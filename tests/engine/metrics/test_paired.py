"""Student's t: by hand, against SciPy, and where it has nothing to say."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics.paired import paired_t, pearson_p

NAN = float("nan")


def test_by_hand():
    # differences 1, 2, 3: mean 2, sd 1, t = 2 sqrt(3) with two degrees of freedom, p = 1 - sqrt(6 / 7)
    found = paired_t([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (found.mean_x, found.sd_x, found.mean_y, found.sd_y, found.difference) == (4, 2, 2, 1, 2)
    assert (found.t, found.df, found.n) == (pytest.approx(2 * np.sqrt(3)), 2, 3)
    assert found.p == pytest.approx(1 - np.sqrt(6 / 7))
    assert found.high - 2 == pytest.approx(4.302653 / np.sqrt(3)) and found.low + found.high == pytest.approx(4)


@pytest.mark.parametrize("n", [2, 5, 3579])
def test_against_scipy(n):
    rng = np.random.default_rng(n)
    x, y = rng.normal(0.1, size=n), rng.normal(size=n)
    found, theirs = paired_t(x, y), scipy.stats.ttest_rel(x, y)
    assert (found.t, found.p, found.df) == pytest.approx((theirs.statistic, theirs.pvalue, theirs.df))
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()))
    assert (found.sd_x, found.sd_y) == pytest.approx((x.std(ddof=1), y.std(ddof=1)))


def test_gaps_are_left_out_in_pairs():
    assert paired_t([1.0, 2.0, NAN, 5.0], [0.0, NAN, 1.0, 1.0]) == paired_t([1.0, 5.0], [0.0, 1.0])


def test_tiny_p_values():
    x = np.random.default_rng(0).normal(size=2000)
    found = paired_t(x + 0.1 + 0.001 * np.random.default_rng(1).normal(size=2000), x)
    assert found.t > 100 and 0 <= found.p < 1e-300


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([], [], {"n": 0, "df": 0, "difference": NAN}),
        ([NAN], [1.0], {"n": 0, "df": 0, "difference": NAN}),
        ([3.0], [1.0], {"n": 1, "df": 0, "difference": 2.0, "mean_x": 3.0, "low": NAN}),
        ([1.0, 2.0], [1.0, 2.0], {"n": 2, "df": 1, "difference": 0.0, "low": 0.0, "high": 0.0}),
        ([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], {"n": 3, "difference": pytest.approx(-0.1)}),
    ],
)
def test_without_spread_there_is_no_test(x, y, expected):
    found = dataclasses.asdict(paired_t(x, y))
    assert np.isnan(found["t"]) and np.isnan(found["p"])
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, nan_ok=True)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=30))
def test_turning_the_pair_round_turns_the_sign(pairs):
    x, y = np.array(pairs).T
    found, turned = paired_t(x, y), paired_t(y, x)
    assert (turned.t, turned.low, turned.p) == pytest.approx((-found.t, -found.high, found.p), nan_ok=True)
    assert found.low <= found.difference <= found.high
    assert np.isnan(found.p) or 0 <= found.p <= 1


def test_impossible_columns_are_refused():
    with pytest.raises(ValueError, match="y of length 2, like the others, but got 1"):
        paired_t([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="NaN in x but face 0 is infinite"):
        paired_t([np.inf], [1.0])


@pytest.mark.parametrize("n", [3, 8, 400])
def test_p_of_a_correlation_against_scipy(n):
    x, y = np.random.default_rng(n).normal(size=(2, n))
    theirs = scipy.stats.pearsonr(x, y)
    assert pearson_p(theirs.statistic, n) == pytest.approx(theirs.pvalue)


def test_p_of_a_correlation_at_its_ends():
    assert pearson_p(0.0, 10) == 1.0
    assert pearson_p(1.0, 10) == pearson_p(-1.0, 10) == 0.0
    assert np.isnan(pearson_p(NAN, 10)) and np.isnan(pearson_p(0.5, 2))
    with pytest.raises(ValueError, match=r"from -1 to 1 but got 1\.5"):
        pearson_p(1.5, 10)
