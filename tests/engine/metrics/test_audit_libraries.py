"""The audit against fairlearn and netcal, and how often its tests and intervals are wrong when the truth is known."""

import netcal.metrics
import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score

from engine.metrics.audit import Pairs, audit

SAMPLES = 300


def test_against_fairlearn():
    rng = np.random.default_rng(0)
    group, right, x = rng.integers(0, 4, 800), rng.random(800) < 0.7, rng.normal(size=800)
    found = audit(group, 4, {"right": right, "x": x}, resamples=50, permutations=50)
    accuracy = MetricFrame(metrics=accuracy_score, y_true=np.ones(800), y_pred=right * 1.0, sensitive_features=group)
    means = MetricFrame(
        metrics=lambda _, values: values.mean(), y_true=np.ones(800), y_pred=x, sensitive_features=group
    )
    np.testing.assert_allclose(found.value, np.stack([accuracy.by_group, means.by_group], axis=1).astype(float))
    np.testing.assert_allclose([each.value for each in found.largest], [accuracy.difference(), means.difference()])


def test_against_netcal():
    """One vote a face, no confidence on the edge of a bin: see test_libraries."""
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5001, 0.9999, 2000)
    right = (rng.random(2000) < confidence**1.5).astype(float)
    group = rng.integers(0, 3, 2000)
    found = audit(group, 3, {}, pairs=Pairs(confidence, right, np.ones(2000)), resamples=2, permutations=0)
    for g in range(3):
        mine = group == g
        theirs = netcal.metrics.ECE(10).measure(confidence[mine], right[mine])
        assert found.value[g, 0] == pytest.approx(theirs, abs=1e-9)


@pytest.fixture(scope="module")
def simulated():
    """Audits of samples in which group 0 differs in what is known, group 1 (small) and 2 do not differ in ece."""
    rng, audits = np.random.default_rng(2), []
    for seed in range(SAMPLES):
        group = np.repeat([0, 1, 2], [120, 40, 240])
        rng.shuffle(group)
        confidence = rng.beta(5, 2, 400)
        pairs = Pairs(confidence, rng.binomial(10, 0.96 * confidence) / 10, np.full(400, 10))
        x = rng.exponential(size=400)
        columns = {"same": x, "shifted": x + 0.5 * (group == 0), "right": (rng.random(400) < 0.9) * 1.0}
        audits.append(audit(group, 3, columns, pairs=pairs, resamples=200, permutations=199, seed=seed))
    return audits


def test_p_values_are_uniform_where_nothing_differs(simulated):
    """At most 5 % at .05, half at .5, for each group; the tolerance is four standard errors."""
    for q in (0, 2, 3):
        p = np.array([found.p[:, q] for found in simulated]).T
        widest = np.array([[found.largest[q].p for found in simulated]])
        for level in (0.05, 0.2, 0.5):
            error = 4 * np.sqrt(level * (1 - level) / SAMPLES)
            share = (np.concatenate([p, widest]) <= level).mean(axis=1)
            assert (share <= level + error).all()
            if q != 2:  # few zeros and ones have few values of p, which makes their test cautious
                assert (share[:-1] >= level - error).all()  # and the last is where another pair stands out more


def test_holm_errs_in_one_family_in_twenty(simulated):
    wrong = np.mean([(found.p_holm[:, 0] <= 0.05).any() for found in simulated])
    assert wrong <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / SAMPLES)


def test_a_difference_is_found_more_often(simulated):
    assert np.mean([found.p[0, 1] <= 0.05 for found in simulated]) > 0.95
    assert np.mean([found.largest[1].p <= 0.05 for found in simulated]) > 0.7


def test_intervals_hold_the_truth(simulated):
    """About 95 %, a little less for the small group, whose percentiles are too close together."""
    gaps = np.zeros((3, 4))
    gaps[:, 1] = 0.5, -0.5 * 120 / 360, -0.5 * 120 / 160
    held = np.mean([(found.gap_low <= gaps) & (gaps <= found.gap_high) for found in simulated], axis=0)
    assert (held[1] > 0.86).all() and (held[[0, 2]] > 0.9).all() and (held <= 0.995).all()
    values = np.array([[1, 1.5, 0.9], [1, 1, 0.9], [1, 1, 0.9]])
    inside = [(f.low[:, :3] <= values) & (values <= f.high[:, :3]) for f in simulated]
    assert (np.mean(inside, axis=0) > 0.86).all()


def test_the_widest_gap_is_not_claimed_where_there_is_none(simulated):
    """The pair was picked for being the widest: an interval of that pair alone would miss 0 far more often."""
    for q in (0, 2, 3):
        assert np.mean([found.largest[q].ci_low <= 0 for found in simulated]) > 0.91
