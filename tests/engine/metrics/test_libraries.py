"""Calibration against netcal, torchmetrics and scikit-learn, on data where their definitions and ours coincide.

netcal and torchmetrics close their bins on the left, and torchmetrics gives confidence 1.0 a bin of its own; so no
confidence here lies on an edge. None of them has the per-class errors over ranges of equal mass.
"""

import netcal.metrics
import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import multiclass_calibration_error

from engine.metrics.calibration import calibration_errors, one_class, reliability, top_label


@pytest.fixture(scope="module")
def hard():
    """Probabilities off the edges of 5, 10 and 15 bins, one vote a face, and its class."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(4, 0.6), 3_000)
    inside = np.min([np.abs(p * b - np.round(p * b)).min(axis=1) for b in (5, 10, 15)], axis=0) > 1e-6
    p = p[inside]
    q = p**0.6 / (p**0.6).sum(axis=1, keepdims=True)
    votes = rng.multinomial(1, q)
    return p, votes, votes.argmax(axis=1)


@pytest.mark.parametrize("bins", [5, 10, 15])
def test_against_netcal(hard, bins):
    p, votes, label = hard
    found = calibration_errors(p, votes, "majority", bins, resamples=2)
    assert found["ece"].value == pytest.approx(netcal.metrics.ECE(bins).measure(p, label), abs=1e-9)
    assert found["mce"].value == pytest.approx(netcal.metrics.MCE(bins).measure(p, label), abs=1e-9)


@pytest.mark.parametrize("bins", [5, 10, 15])
def test_against_torchmetrics(hard, bins):
    p, votes, label = hard
    found = calibration_errors(p, votes, "majority", bins, resamples=2)
    preds, target = torch.tensor(p), torch.tensor(label)
    for name, norm in (("ece", "l1"), ("mce", "max")):
        theirs = multiclass_calibration_error(preds, target, num_classes=4, n_bins=bins, norm=norm)
        assert found[name].value == pytest.approx(float(theirs), abs=1e-6)


@pytest.mark.parametrize("edges", ["width", "mass"])
def test_against_scikit_learn(hard, edges):
    p, votes, label = hard
    p, votes, label = p[:2_500], votes[:2_500], label[:2_500]  # as many in every range, so that quantiles agree
    for c in range(4):
        table = reliability(one_class(p, votes, "majority", c), 10, edges)
        strategy = {"width": "uniform", "mass": "quantile"}[edges]
        right, confidence = calibration_curve(label == c, p[:, c], n_bins=10, strategy=strategy)
        filled = table["faces"] > 0
        np.testing.assert_allclose(table["accuracy"][filled], right)
        np.testing.assert_allclose(table["confidence"][filled], confidence)


def test_scikit_learn_closes_bins_on_the_right_too():
    outcomes = top_label([[0.6, 0.4], [0.7, 0.3], [0.7, 0.3]], [[1, 0], [1, 0], [0, 1]], "majority")
    right, _ = calibration_curve(outcomes.correct, outcomes.confidence, n_bins=10)
    table = reliability(outcomes)
    np.testing.assert_array_equal(table["accuracy"][table["faces"] > 0], right)


def test_netcals_ace_is_another(hard):
    """Its ACE averages over the bins of the top label: a reader who compares the two should expect a difference."""
    p, votes, label = hard
    ours = calibration_errors(p, votes, "majority", resamples=2)["ace"].value
    assert abs(netcal.metrics.ACE(10).measure(p, label) - ours) > 0.005
