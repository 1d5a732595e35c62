"""Do the 95 % intervals hold the truth 95 % of the time? Simulated with known truths; tolerances are three
standard errors of the share found, and a little for what a bootstrap of few faces owes to theory."""

import numpy as np
import pytest
import scipy.stats

from engine.metrics.bootstrap import Resamples, bootstrap_means
from engine.metrics.calibration import calibration_errors, reliability, top_label
from engine.metrics.correlation import correlations
from engine.metrics.paired import paired_t
from engine.metrics.rejection import areas, risk_coverage

RUNS = 200


def covers(hits, owed=0.01):
    """Whether the share of intervals that hold the truth may be .95; `owed` is what theory leaves the bootstrap."""
    hits = np.asarray(hits)
    assert len(hits) >= 100
    return hits.mean(axis=0) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(hits)) - owed


def holds(estimate, truth):
    return estimate.low <= truth <= estimate.high


def test_means_with_gaps():
    rng = np.random.default_rng(0)
    x = rng.gamma(2, size=(RUNS, 150))
    x[rng.random(x.shape) < 0.3] = np.nan
    found = [bootstrap_means({"x": row}, 300, seed)["x"] for seed, row in enumerate(x)]
    assert covers([holds(e, 2.0) for e in found]).all() and not np.all([holds(e, 2.0) for e in found])


@pytest.mark.parametrize("groups", [60, 1000])
def test_means_of_groups(groups):
    rng = np.random.default_rng(1)
    hits = []
    for seed, x in enumerate(rng.gamma(2, size=(RUNS, 700, 1))):
        low, high = np.percentile(Resamples(700, 300, seed, groups).sums(x)[:, 0] / 700, [2.5, 97.5])
        hits.append(low <= 2.0 <= high)
    assert covers(hits).all() and not np.all(hits)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations(method):
    rng = np.random.default_rng(2)

    def draw(n):
        x = rng.normal(size=n)
        return x, np.round(x + rng.normal(size=n))

    library = scipy.stats.pearsonr if method == "pearson" else scipy.stats.spearmanr
    truth = library(*draw(400_000)).statistic
    hits = []
    for seed in range(RUNS):
        x, y = draw(150)
        hits.append(holds(correlations({"x": x}, y, method, 300, seed)["x"], truth))
    assert covers(hits).all() and not np.all(hits)


def draw_votes(rng, n, sharpness):
    """Probabilities, and votes that follow them (1), or less sharp ones: an overconfident model (below 1)."""
    p = rng.dirichlet(np.full(4, 0.5), n)
    q = p**sharpness / (p**sharpness).sum(axis=1, keepdims=True)
    return p, rng.multinomial(10, q)


@pytest.mark.parametrize("sharpness", [1.0, 0.9, 0.6])
def test_calibration_errors(sharpness):
    """The truth is the error of a population cut into the same cells: 0 for a calibrated model."""
    rng = np.random.default_rng(3)
    big = calibration_errors(*draw_votes(rng, 200_000, sharpness), resamples=1)
    hits = {name: [] for name in ("ece", "sce", "ace", "tace", "brier")}
    for seed in range(100):
        found = calibration_errors(*draw_votes(rng, 600, sharpness), resamples=200, seed=seed)
        for name, runs in hits.items():
            runs.append(holds(found[name], big[name].value) or (sharpness == 1 and found[name].low == 0))
    for name, runs in hits.items():
        assert covers(runs, owed=0.01 if name == "brier" else 0.06), name


def test_calibration_intervals_are_not_idle():
    """An overconfident model's interval stays clear of 0, and narrows with more faces."""
    rng = np.random.default_rng(4)
    few, many = (calibration_errors(*draw_votes(rng, n, 0.6))["ece"] for n in (1000, 16_000))
    assert few.low > 0.05 and many.low > 0.08
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(1 / 4, rel=0.3)


@pytest.mark.parametrize("against", ["pairs", "majority"])
def test_bands_of_the_diagram(against):
    rng = np.random.default_rng(5)
    big = reliability(top_label(*draw_votes(rng, 400_000, 0.7), against), 5, resamples=Resamples(400_000, 1))
    hits = []
    for seed in range(RUNS):
        outcomes = top_label(*draw_votes(rng, 600, 0.7), against)
        table = reliability(outcomes, 5, resamples=Resamples(len(outcomes.weight), 200, seed))
        hits.append((table["acc_low"] <= big["accuracy"])[2:] & (big["accuracy"] <= table["acc_high"])[2:])
    assert covers(hits).all() and not np.all(hits)


def test_accuracy_and_area_when_the_model_may_abstain():
    rng = np.random.default_rng(6)

    def draw(n):
        u = rng.random(n)
        return u, (rng.random(n) < 1 - u**2 / 1.5).astype(float)

    u, correct = draw(1_000_000)
    truth, area = (
        correct[u <= np.quantile(u, 0.75)].mean(),
        areas({"u": u}, correct, Resamples(1_000_000, 1))["u"].aurc.value,
    )
    kept, inside = [], []
    for seed in range(RUNS):
        u, correct = draw(400)
        draws = Resamples(400, 150, seed)
        table = risk_coverage(u, {"correct": correct}, [0.75], draws)
        kept.append(table["correct_low"][0] <= truth <= table["correct_high"][0])
        inside.append(holds(areas({"u": u}, correct, draws)["u"].aurc, area))
    assert covers(kept).all() and not np.all(kept)
    assert covers(inside).all() and not np.all(inside)


def test_paired_differences():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(RUNS, 12))
    found = [paired_t(row + rng.normal(0.3, 1, 12), row) for row in x]
    assert covers([holds(t, 0.3) for t in found]).all() and not np.all([holds(t, 0.3) for t in found])
