"""Agreement with the truth: by hand, against engine.metrics, and against resampling persons one by one."""

import numpy as np
import pytest
from scipy import stats

from engine.attributes.agreement import Draws, agreement
from engine.metrics.bootstrap import Resamples
from engine.metrics.correlation import pearson, spearman

nan = float("nan")


def example(n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, n).astype(float)  # with ties
    measured = truth + rng.normal(0, 2, n).round()
    measured[::9] = nan
    return measured, truth, rng.integers(0, 7, n)


def test_by_hand():
    found = agreement(np.array([1.0, 3, nan, 5]), np.array([1.0, 1, 1, 6]), np.array([0, 0, 1, 1]))
    assert (found.coverage.value, found.coverage.n) == (0.75, 4)
    assert (found.error.value, found.bias.value, found.error.n) == pytest.approx((1, 1 / 3, 3))


def test_values_are_those_of_the_metrics():
    measured, truth, person = example()
    found = agreement(measured, truth, person)
    assert found.pearson.value == pytest.approx(pearson(measured, truth, resamples=1).value)
    assert found.spearman.value == pytest.approx(spearman(measured, truth, resamples=1).value)
    assert found.pearson.n == int((~np.isnan(measured)).sum())


def test_intervals_are_those_of_persons_drawn_one_by_one():
    measured, truth, person = example()
    found = agreement(measured, truth, person, resamples=200)
    known = ~np.isnan(measured)
    rows = []
    for counts in Resamples(7, 200).counts.astype(int):
        drawn = np.concatenate([np.repeat(np.flatnonzero((person == k) & known), counts[k]) for k in range(7)])
        x, y = measured[drawn], truth[drawn]
        rows.append((np.abs(x - y).mean(), (x - y).mean(), stats.pearsonr(x, y)[0], stats.spearmanr(x, y)[0]))
    low, high = np.percentile(rows, [2.5, 97.5], axis=0)
    for estimate, a, b in zip((found.error, found.bias, found.pearson, found.spearman), low, high, strict=True):
        assert (estimate.low, estimate.high) == pytest.approx((a, b))


def test_alike_images_of_one_person_are_no_more_than_one():
    rng = np.random.default_rng(1)
    error = np.repeat(rng.normal(0, 1, 10), 50)
    by_person = agreement(error, np.zeros(500), np.repeat(np.arange(10), 50)).bias
    by_image = agreement(error, np.zeros(500), np.arange(500)).bias
    assert by_person.high - by_person.low > 4 * (by_image.high - by_image.low)


def test_what_cannot_be_said_is_nan():
    constant = agreement(np.arange(5.0), np.ones(5), np.arange(5))
    assert np.isnan([constant.pearson.value, constant.spearman.low]).all()
    unknown = agreement(np.full(3, nan), np.arange(3.0), np.arange(3))
    assert unknown.coverage.value == 0 and unknown.error.n == 0 and np.isnan(unknown.error.value)
    assert Draws(np.arange(3)).mean(np.array([1, nan, 3])).value == 2
