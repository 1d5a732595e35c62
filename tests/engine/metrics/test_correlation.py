"""Correlations: by hand, then SciPy on the data and on every resample written out, then invariances.

Spearman's resamples are linearised; the oracle here ranks every resample anew.
"""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics.bootstrap import Resamples, percentile_interval
from engine.metrics.correlation import _Ranks, correlations, pearson, resampled, spearman

NAN = float("nan")
BOTH = [(pearson, scipy.stats.pearsonr), (spearman, scipy.stats.spearmanr)]


def tied_pair(n, seed=0):
    """Two correlated variables, one of them of few values, as d_i is."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, np.round(x + rng.normal(size=n))


def weighted_ranks(values, counts):
    """Mid-ranks of one resample in which each face is drawn `counts` times, of every face."""
    order = np.argsort(values, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(counts[order])])
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values[order]) > 0) + 1, [len(values)]])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((reached[edges[:-1]] + reached[edges[1:]] + 1) / 2, np.diff(edges))
    return ranks


def ranked_anew(x, y, counts):
    """Spearman's coefficient of each resample from its own ranks, NaN where it is constant."""
    out = []
    for row in counts:
        a, b = weighted_ranks(x, row), weighted_ranks(y, row)
        a, b = a - np.average(a, weights=row), b - np.average(b, weights=row)
        scale = np.sqrt((row @ a**2) * (row @ b**2))
        out.append(row @ (a * b) / scale if scale > 0 else NAN)
    return np.array(out)


def test_ranks_by_hand():
    # 1 3 3 5 9 -> mid-ranks 1 2.5 2.5 4 5, mean 3
    ranks = _Ranks.of(np.array([5.0, 3.0, 9.0, 3.0, 1.0]))
    np.testing.assert_allclose(ranks.rank, np.array([1, -0.5, 2, -0.5, -2]) / 5)
    assert ranks.variance == pytest.approx((1 + 0.25 + 4 + 0.25 + 4) / 125)
    assert _Ranks.of(np.full(7, 0.1)).variance == 0.0


def test_weights_above_by_hand():
    ranks = _Ranks.of(np.array([5.0, 3.0, 9.0, 3.0]))
    np.testing.assert_allclose(ranks.higher(np.array([2.0, 1.0, -4.0, 1.0])) * 4, [1 - 4, 1 + 2 - 4, -2, 1 + 2 - 4])


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_perfect_correlations(correlation):
    x = np.arange(20.0)
    up, down = correlation(x, 3 * x + 1), correlation(x, -x)
    assert (up.value, up.low, up.high, up.n) == pytest.approx((1, 1, 1, 20))
    assert (down.value, down.low, down.high, down.n) == pytest.approx((-1, -1, -1, 20))


def test_only_ranks_matter_to_spearman():
    x = np.arange(1.0, 20.0)
    assert spearman(x, np.exp(x)).value == 1.0
    assert pearson(x, np.exp(x)).value < 0.7


def test_three_points_by_hand():
    assert pearson([1, 2, 3], [1, 3, 2]).value == pytest.approx(0.5)
    assert spearman([1, 2, 3], [10, 1000, 20]).value == pytest.approx(0.5)


@pytest.mark.parametrize("correlation", [pearson, spearman])
@pytest.mark.parametrize(
    ("x", "y", "n"),
    [
        ([], [], 0),
        ([1.0, 2.0], [1.0, 2.0], 2),
        ([1.0, 2.0, 3.0, NAN], [1.0, 2.0, NAN, 4.0], 2),
        ([0.1] * 7, [1, 2, 3, 4, 5, 6, 7], 7),
        ([1, 2, 3, 4, 5, 6, 7], [0.1] * 7, 7),
        ([0.1] * 7, [0.3] * 7, 7),
        ([1.0, 1.0, 1.0, 5.0], [1.0, 2.0, 3.0, NAN], 3),
    ],
)
def test_undefined_correlations_are_nan_with_their_n(correlation, x, y, n):
    estimate = correlation(x, y)
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all() and estimate.n == n


@given(st.integers(3, 60), st.floats(-1e9, 1e9))
@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_a_constant_correlates_with_nothing_whatever_its_mean_rounds_to(correlation, n, constant):
    assert np.isnan(correlation(np.full(n, constant), np.arange(n)).value)


def test_constant_resamples_are_left_out():
    # .1 is not a binary fraction: the moments of a resample of .1 only would give a variance of rounding size
    for correlation in (pearson, spearman):
        estimate = correlation([0.1, 0.1, 0.1, 5.0], [1.0, 2.0, 3.0, 4.0])
        assert np.isfinite([estimate.value, estimate.low, estimate.high]).all() and estimate.value > 0.7
    assert pearson([0.1, 0.1, 0.1, 5.0], [1.0, 2.0, 3.0, 4.0]).low > 0


def test_faces_with_any_gap_are_left_out_of_all():
    x, y = tied_pair(30)
    gap = np.where(np.arange(30) < 5, NAN, x)
    both = correlations({"x": x, "gap": gap}, y)
    alone = spearman(x[5:], y[5:])
    for estimate in both.values():
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((alone.value, alone.low, alone.high))
        assert estimate.n == 25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0]), "x of length 1, like the others, but got 2"),
        (([1.0, np.inf], [1.0, 2.0]), "NaN in x but face 1 is infinite"),
        (([1.0, 2.0], [[1.0, 2.0]]), r"y of shape \(N,\)"),
    ],
)
def test_impossible_columns_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pearson(*arguments)


def test_unknown_method_is_refused_and_no_xs_are_fine():
    with pytest.raises(ValueError, match="'pearson' or 'spearman' but got 'kendall'"):
        correlations({}, [1.0], method="kendall")
    assert correlations({}, [1.0, 2.0, 3.0]) == {}


@pytest.mark.parametrize(("correlation", "library"), BOTH)
@pytest.mark.parametrize("n", [3, 10, 500, 2000])
def test_value_against_scipy(correlation, library, n):
    x, y = tied_pair(n, seed=n)
    assert correlation(x, y).value == pytest.approx(library(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("n", [6, 60])
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_pearson_of_every_resample_against_scipy(n):
    x, y = tied_pair(n, seed=1)
    draws = Resamples(n, 200, seed=4)
    rows = [(np.repeat(x, c.astype(int)), np.repeat(y, c.astype(int))) for c in draws.counts]
    expected = [scipy.stats.pearsonr(a, b).statistic for a, b in rows]
    np.testing.assert_allclose(resampled(x[None], y[None], "pearson", draws)[1][:, 0], expected, atol=1e-10)
    estimate = pearson(x, y, resamples=200, seed=4)
    assert (estimate.low, estimate.high) == pytest.approx(percentile_interval(expected), abs=1e-10)


def test_the_oracle_is_scipys_spearman():
    x, y = tied_pair(60, seed=1)
    counts = Resamples(60, 50).counts
    rows = [(np.repeat(x, c.astype(int)), np.repeat(y, c.astype(int))) for c in counts]
    np.testing.assert_allclose(ranked_anew(x, y, counts), [scipy.stats.spearmanr(a, b).statistic for a, b in rows])


PAIRS = {
    "normal": lambda x, e: (x, x + e),
    "none": lambda x, e: (x, e),
    "strong": lambda x, e: (x, -x + 0.3 * e),
    "few values": lambda x, e: (x, np.round(x + e)),
    "two values": lambda x, e: (np.round(2 * x), (x + e > 1).astype(float)),
    "heavy tails": lambda x, e: (np.exp(3 * x), x + e**3),
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("n", [50, 400, 4000])
def test_linearised_spearman_against_ranking_every_resample(kind, n):
    rng = np.random.default_rng(n)
    x, y = PAIRS[kind](*rng.normal(size=(2, n)))
    mine = spearman(x, y, 1500)
    low, high = percentile_interval(ranked_anew(x, y, Resamples(n, 1500, groups=n).counts))
    assert mine.high - mine.low == pytest.approx(high - low, rel=0.15 if n == 50 else 0.1)
    assert (mine.low, mine.high) == pytest.approx((low, high), abs=0.25 * (high - low))


def test_influence_predicts_every_resample():
    x, y = tied_pair(900, seed=3)
    draws = Resamples(900, 300)
    (rho,), replicates = resampled(x[None], y[None], "spearman", draws)
    exact = ranked_anew(x, y, draws.counts)
    assert np.corrcoef(exact, replicates[:, 0])[0, 1] > 0.995
    np.testing.assert_allclose(replicates[:, 0], exact, atol=0.25 * exact.std())
    assert rho == pytest.approx(scipy.stats.spearmanr(x, y).statistic)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_rows_pair_up(method):
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(2, 3, 40))
    draws = Resamples(40, 50)
    values, replicates = resampled(xs, ys, method, draws)
    for k in range(3):
        value, alone = resampled(xs[k : k + 1], ys[k : k + 1], method, draws)
        assert values[k] == pytest.approx(value[0])
        np.testing.assert_allclose(replicates[:, k], alone[:, 0], atol=1e-6)  # added up in single precision


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_many_xs_equal_each_x_alone(method):
    x, y = tied_pair(80)
    xs = {"x": x, "minus": -x, "flat": np.ones(80), "noise": np.random.default_rng(2).normal(size=80)}
    together = correlations(xs, y, method, 100, 6)
    alone = {name: correlations({name: column}, y, method, 100, 6)[name] for name, column in xs.items()}
    for name in xs:
        for field, digits in (("value", 1e-12), ("low", 1e-6), ("high", 1e-6), ("n", 0)):
            a, b = getattr(together[name], field), getattr(alone[name], field)
            assert a == pytest.approx(b, abs=digits, nan_ok=True)
    assert np.isnan(together["flat"].value) and together["minus"].low == pytest.approx(-together["x"].high)


def test_interval_against_fishers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    y = 0.6 * x + 0.8 * rng.normal(size=1000)
    mine, theirs = pearson(x, y, 4000), scipy.stats.pearsonr(x, y).confidence_interval(0.95)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


values = st.integers(-20, 20).map(float)
pairs = st.integers(3, 15).flatmap(lambda n: st.tuples(*[arrays(np.float64, n, elements=values)] * 2))


@settings(max_examples=40)
@pytest.mark.parametrize("correlation", [pearson, spearman])
@given(pair=pairs, random=st.randoms(use_true_random=False))
def test_bounds_symmetry_and_order_of_faces(correlation, pair, random):
    x, y = pair
    e = correlation(x, y, 50)
    if np.isnan(e.value):
        assert np.ptp(x) == 0 or np.ptp(y) == 0
        return
    assert -1 <= e.low <= e.high <= 1 and -1 <= e.value <= 1 and e.n == len(x)
    turned = correlation(y, x, 50)
    assert (turned.value, turned.low, turned.high) == pytest.approx((e.value, e.low, e.high), abs=1e-9)
    order = random.sample(range(len(x)), len(x))
    assert correlation(x[order], y[order], 50).value == pytest.approx(e.value, abs=1e-9)


@settings(max_examples=40)
@pytest.mark.parametrize("correlation", [pearson, spearman])
@given(pair=pairs, scale=st.sampled_from([1e-150, 1e-9, 0.5, 3.0, 1e9, 1e150]))
def test_units_do_not_matter(correlation, pair, scale):
    x, y = pair
    a, b = correlation(x, y, 50), correlation(scale * x, y, 50)
    assert (b.value, b.low, b.high) == pytest.approx((a.value, a.low, a.high), abs=1e-9, nan_ok=True)
