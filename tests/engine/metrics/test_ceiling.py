"""Reliability of the disagreement: by hand, against brute force over splits, and against simulated truths."""

from itertools import combinations

import numpy as np
import pytest
import scipy.stats

from engine.metrics.annotators import disagreement, vote_distribution
from engine.metrics.ceiling import _draw, _halve, _halved, _stepped_up, noise_ceiling, split_half_reliability

NAN = float("nan")


def reliability_of(votes, splits=None, method="pearson", *options, **named):
    return split_half_reliability(votes, splits, (method,), *options, **named)[method]


def ceiling_of(votes, splits=None, method="pearson", *options, **named):
    return noise_ceiling(votes, splits, (method,), *options, **named)[method]


def simulated(n, votes=10, seed=0, classes=8, concentration=0.3):
    """Votes on n faces with known truths, and the expected disagreement of the votes on each."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(classes, concentration), n)
    expected = (1 - (truth**2).sum(axis=1)) * (1 - 1 / votes)
    return rng.multinomial(votes, truth), expected


def d_of(votes):
    return disagreement(vote_distribution(votes))


def test_stepping_up_by_hand():
    r = np.array([0.5, 0.0, 1.0])
    np.testing.assert_allclose(_stepped_up(r, np.float64(2 / 3), np.float64(0.5)), [2 / 3, 0.0, 1.0])  # k = 2
    np.testing.assert_allclose(_stepped_up(r, np.float64(0.75), np.float64(0.5)), [0.75, 0.0, 1.0])  # k = 3
    np.testing.assert_allclose(_stepped_up(r, np.float64(-0.1), np.float64(0.5)), [2 / 3, 0.0, 1.0])


def test_halves_are_halves():
    votes, _ = simulated(300, votes=11)
    first, second = _halve(votes, np.random.default_rng(0))
    assert (first.sum(axis=1) == 5).all() and (second.sum(axis=1) == 5).all()
    left = votes - first - second
    assert (left >= 0).all() and (left.sum(axis=1) == 1).all()


def test_either_half_follows_the_hypergeometric_law():
    first, second = _halve(np.tile([5, 0, 4, 2], (20_000, 1)), np.random.default_rng(0))
    for half in (first, second):
        for c, count in enumerate([5, 0, 4, 2]):
            share = [(half[:, c] == k).mean() for k in range(6)]
            np.testing.assert_allclose(share, scipy.stats.hypergeom.pmf(range(6), 11, count, 5), atol=0.012)


def test_halves_of_any_order_of_the_classes_disagree_as_much():
    votes, _ = simulated(4000, votes=9)
    mixed = np.random.default_rng(1).permuted(votes, axis=1)
    rows = [np.sort(d, axis=1) for d in _halved(votes, 3, np.random.default_rng(0))]
    for one, other in zip(rows, _halved(mixed, 3, np.random.default_rng(0)), strict=True):
        np.testing.assert_array_equal(one, np.sort(other, axis=1))
    half = _halve(votes, np.random.default_rng(2))[0]
    expected = disagreement(vote_distribution(half)).mean()
    assert rows[0].mean() == pytest.approx(expected, abs=0.01) and rows[1].mean() == pytest.approx(expected, abs=0.01)


def test_draws_follow_the_hypergeometric_law():
    votes = np.tile([5, 3, 2], (20_000, 1))
    drawn = _draw(votes, np.full(20_000, 4), np.random.default_rng(0))
    assert (drawn.sum(axis=1) == 4).all()
    for c, count in enumerate([5, 3, 2]):
        share = [(drawn[:, c] == k).mean() for k in range(5)]
        np.testing.assert_allclose(share, scipy.stats.hypergeom.pmf(range(5), 10, count, 4), atol=0.012)


def test_faces_that_all_agree_on_halves_of_their_own_are_perfectly_reliable():
    # unanimous faces have d = 0 in any half; faces of ten different votes have the same d in any half
    votes = np.array([[10] + [0] * 9, [1] * 10, [0, 10] + [0] * 8, [1] * 10])
    found = reliability_of(votes, splits=3)
    assert found.value == pytest.approx(1.0) and found.n == 4
    assert ceiling_of(votes, splits=3).value == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_constants_have_no_reliability_whatever_they_round_to(method):
    votes = np.array([[3, 3, 4], [4, 3, 3], [3, 4, 3]] * 20)
    found = reliability_of(np.vstack([votes, votes]), splits=1, method=method)
    assert np.isnan([found.value, found.low, found.high]).all() and found.n == 120


def test_splits_that_are_constant_are_left_out():
    votes = np.array([[4, 0], [0, 4], [3, 1], [1, 3], [4, 0]])  # a half of 3 : 1 is often unanimous
    for seed in range(5):
        found = reliability_of(votes, splits=60, method="spearman", resamples=50, seed=seed)
        assert np.isfinite(found.value) and found.n == 5
    alike = reliability_of(np.vstack([votes] * 3), splits=1, method="spearman", resamples=50)
    assert alike.n == 15


def test_few_votes_are_left_out():
    votes, _ = simulated(60)
    few = np.vstack([votes, np.eye(8)[:4] * 3, np.zeros((5, 8)), np.full((2, 8), NAN)])
    assert reliability_of(few, splits=4) == reliability_of(votes, splits=4)


@pytest.mark.parametrize("metric", [reliability_of, ceiling_of])
@pytest.mark.parametrize(
    ("votes", "n"),
    [(np.empty((0, 3)), 0), (np.full((4, 3), NAN), 0), ([[2, 2]] * 2, 2), ([[5, 0]] * 9, 9), ([[3, 0]] * 9, 0)],
)
def test_nothing_to_correlate(metric, votes, n):
    found = metric(votes)
    assert found.n == n and np.isnan([found.value, found.low, found.high]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.5, 3.0]],), r"whole numbers of votes but face 0 has \[1\.5, 3\.0\]"),
        (([[1, 3]], 0), "at least 1 split but got 0"),
        (([[1, 3]], 1, "kendall"), "'pearson' or 'spearman' but got 'kendall'"),
        (([[-1, 3]],), "face 0 has"),
    ],
)
def test_impossible_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        reliability_of(*arguments)


def test_seed_decides_the_splits():
    votes, _ = simulated(50)
    assert ceiling_of(votes, splits=2, seed=1) == ceiling_of(votes, splits=2, seed=1)
    assert ceiling_of(votes, splits=2, seed=1) != ceiling_of(votes, splits=2, seed=2)


def test_many_splits_reach_the_mean_over_every_split():
    votes, _ = simulated(8, votes=4, seed=3, concentration=0.8)
    means = []
    for row in votes:
        single = np.repeat(np.arange(8), row)
        pairs = [
            [
                d_of(np.bincount(single[part], minlength=8)[None])[0]
                for part in (list(chosen), [i for i in range(4) if i not in chosen])
            ]
            for chosen in combinations(range(4), 2)
        ]
        means.append((np.prod(pairs, axis=1).mean(), np.mean(pairs)))
    product, middle = np.array(means).T
    growth = (1 - 1 / 4) / (1 - 1 / 2)  # an expected d of 4 votes against 2
    expected = growth**2 * (product.mean() - middle.mean() ** 2) / d_of(votes).var()
    assert reliability_of(votes, splits=4_000, resamples=2).value == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize(("votes", "concentration"), [(10, 0.3), (10, 1.0), (20, 0.15)])
def test_no_predictor_does_better_than_the_ceiling(method, votes, concentration):
    """The best predictor is the expected disagreement itself; its correlation with d is the ceiling's target."""
    drawn, expected = simulated(20_000, votes, seed=votes, concentration=concentration)
    library = scipy.stats.pearsonr if method == "pearson" else scipy.stats.spearmanr
    truth = library(d_of(drawn), expected).statistic
    found = ceiling_of(drawn, splits=8, method=method)
    tolerance = 0.75 * (found.high - found.low)  # three standard errors
    assert found.value == pytest.approx(truth, abs=tolerance + (0.01 if method == "spearman" else 0))
    assert found.low < found.value < found.high < found.low + 0.08


def test_numbers_of_votes_may_differ():
    rng = np.random.default_rng(0)
    truth, number = rng.dirichlet(np.full(8, 0.3), 20_000), rng.integers(4, 16, 20_000)
    votes = rng.multinomial(number, truth)
    expected = (1 - (truth**2).sum(axis=1)) * (1 - 1 / number)
    assert ceiling_of(votes, splits=8).value == pytest.approx(np.corrcoef(d_of(votes), expected)[0, 1], abs=0.015)


def test_reliability_is_the_correlation_with_new_votes():
    rng = np.random.default_rng(2)
    truth = rng.dirichlet(np.full(8, 0.3), 20_000)
    first, second = rng.multinomial(10, truth), rng.multinomial(10, truth)
    again = np.corrcoef(d_of(first), d_of(second))[0, 1]
    assert reliability_of(first, splits=8).value == pytest.approx(again, abs=0.02)


def test_pure_noise_has_no_ceiling():
    votes = np.random.default_rng(4).multinomial(10, np.full(8, 1 / 8), 400)
    found = reliability_of(votes, splits=20)
    assert found.low < 0.1 and abs(found.value) < 0.25
    ceiling = ceiling_of(votes, splits=20)
    assert np.isnan(ceiling.value) if found.value <= 0 else ceiling.value == pytest.approx(np.sqrt(found.value))


def test_order_of_faces_and_classes_changes_little():
    votes, _ = simulated(500)
    rng = np.random.default_rng(0)
    found, shuffled = (
        reliability_of(v, splits=100).value for v in (votes, votes[rng.permutation(500)][:, rng.permutation(8)])
    )
    assert shuffled == pytest.approx(found, abs=0.01)


def test_both_coefficients_at_once_are_those_of_each_alone():
    votes = np.random.default_rng(0).multinomial(10, np.full(4, 0.25), 60)
    both = split_half_reliability(votes, splits=5)
    assert both == {m: reliability_of(votes, 5, m) for m in ("pearson", "spearman")}


def test_the_closed_form_is_the_average_over_all_splits():
    """Six votes a face, every way to halve them."""
    from itertools import combinations

    labels = np.random.default_rng(5).integers(0, 3, (40, 6))
    votes = np.stack([np.bincount(row, minlength=3) for row in labels])
    products = []
    for half in combinations(range(6), 3):
        rest = [i for i in range(6) if i not in half]
        first, second = (np.stack([np.bincount(row, minlength=3) for row in labels[:, list(h)]]) for h in (half, rest))
        products.append(d_of(first) * d_of(second))
    growth = (1 - 1 / 6) / (1 - 1 / 3)
    expected = (np.mean(products, axis=0) * growth**2).mean() - d_of(votes).mean() ** 2
    assert reliability_of(votes).value == pytest.approx(expected / d_of(votes).var())
