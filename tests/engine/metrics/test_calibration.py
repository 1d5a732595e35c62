"""Calibration: by hand, by brute force over pairs and cells, against libraries, and what relabelling keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics.annotators import majority, vote_distribution
from engine.metrics.bootstrap import Resamples, percentile_interval
from engine.metrics.calibration import (
    ERRORS,
    Outcomes,
    by_percentile,
    calibration_differences,
    calibration_errors,
    one_class,
    reliability,
    top_label,
)
from engine.metrics.scores import brier_hard, brier_pairs

NAN = float("nan")
TARGETS = ["pairs", "majority"]


def case(n=400, c=4, seed=0, sharpness=1.0):
    """Probabilities and votes that follow them, sharpened; no two confidences tie, none lies on an edge."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(c, 0.7), n)
    q = p**sharpness / (p**sharpness).sum(axis=1, keepdims=True)
    return p, rng.multinomial(rng.integers(1, 12, n), q)


def values(errors):
    return {name: estimate.value for name, estimate in errors.items()}


def pairs_of(p, votes):
    """One row of probabilities and one class for each single vote."""
    face = np.repeat(np.arange(len(p)), votes.sum(axis=1))
    vote = np.concatenate([np.repeat(np.arange(votes.shape[1]), row) for row in votes])
    return p[face], vote


# --- outcomes


def test_top_label_by_hand():
    probs, votes = [[0.7, 0.3], [0.4, 0.6], [0.5, 0.5], [0.9, 0.1]], [[3, 1], [1, 1], [0, 4], [0, 0]]
    soft, hard = top_label(probs, votes), top_label(probs, votes, "majority")
    np.testing.assert_array_equal(soft.confidence, [0.7, 0.6, 0.5])
    np.testing.assert_array_equal(soft.correct, [0.75, 0.5, 0.0])
    np.testing.assert_array_equal(soft.weight, [4, 2, 4])
    np.testing.assert_array_equal(hard.confidence, [0.7, 0.5])
    np.testing.assert_array_equal(hard.correct, [1.0, 0.0])
    np.testing.assert_array_equal(hard.weight, [1.0, 1.0])
    assert hard.independent and not soft.independent


def test_one_class_by_hand():
    soft = one_class([[0.7, 0.3], [0.4, 0.6]], [[3, 1], [NAN, NAN]], "pairs", 1)
    assert (soft.confidence.tolist(), soft.correct.tolist(), soft.weight.tolist()) == ([0.3], [0.25], [4.0])
    with pytest.raises(ValueError, match="a class from 0 to 1 but got 2"):
        one_class([[0.7, 0.3]], [[3, 1]], "pairs", 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0.5], [0.5, 1.0], [1.0]), "correct of length 1"),
        (([1.5], [0.5], [1.0]), r"confidence from 0 to 1 but face 0 has 1\.5"),
        (([0.5], [NAN], [1.0]), "correct from 0 to 1 but face 0 has nan"),
        (([0.5, 0.5], [0.5, 0.5], [1.0, 0.0]), "weight above 0 but face 1 has 0"),
    ],
)
def test_impossible_outcomes_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        Outcomes(*map(np.array, columns))


@pytest.mark.parametrize("function", [top_label, calibration_errors])
def test_impossible_input_is_refused(function):
    with pytest.raises(ValueError, match=r"of one shape but got \(1, 2\) and \(1, 3\)"):
        function([[0.5, 0.5]], [[1, 1, 1]])
    with pytest.raises(ValueError, match="face 0 sums to 2"):
        function([[1.0, 1.0]], [[1, 1]])
    with pytest.raises(ValueError, match="'pairs' or 'majority' but got 'soft'"):
        function([[0.5, 0.5]], [[1, 1]], "soft")
    with pytest.raises(ValueError, match="face 0 has"):
        function([[0.5, 0.5]], [[-1, 1]])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"bins": 0}, "1 of bins"), ({"ranges": 0}, "1 of ranges"), ({"epsilon": 1.0}, "from 0 to below 1")],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        calibration_errors([[0.5, 0.5]], [[1, 1]], **options)


# --- reliability


def test_reliability_by_hand():
    outcomes = Outcomes(
        np.array([0.05, 0.4, 0.45, 0.5, 0.95]), np.array([0.0, 1, 0, 0.5, 1]), np.array([1.0, 3, 1, 4, 2])
    )
    table = reliability(outcomes, bins=2)
    np.testing.assert_array_equal((table["low"], table["high"]), ([0.0, 0.5], [0.5, 1.0]))
    np.testing.assert_array_equal((table["faces"], table["weight"]), ([4, 1], [9.0, 2.0]))
    np.testing.assert_allclose(table["confidence"], [(0.05 + 1.2 + 0.45 + 2.0) / 9, 0.95])
    np.testing.assert_allclose(table["accuracy"], [5 / 9, 1.0])
    assert np.isnan(table["acc_low"]).all()  # resamples of four faces, or of one, say too little
    twice = Outcomes(*(np.tile(column, 2) for column in (outcomes.confidence, outcomes.correct, outcomes.weight)))
    table = reliability(twice, bins=2)
    assert table["acc_low"][0] < 5 / 9 < table["acc_high"][0] and np.isnan(table["acc_low"][1])


def test_empty_bins_have_no_means():
    table = reliability(Outcomes(np.array([0.95, 0.97]), np.ones(2), np.ones(2)))
    assert table["faces"].tolist() == [0] * 9 + [2]
    for name in ("confidence", "accuracy", "acc_low", "acc_high"):
        assert np.isnan(table[name][:9]).all() and np.isfinite(table[name][9])


@pytest.mark.parametrize("edges", ["width", "mass"])
def test_no_faces_give_an_empty_diagram(edges):
    table = reliability(top_label(np.empty((0, 3)), np.empty((0, 3))), edges=edges)
    assert table["faces"].sum() == 0 and np.isnan(table["accuracy"]).all() and len(table["low"]) == 10


def test_bins_of_equal_mass():
    p, votes = case(103)
    outcomes = top_label(p, votes)
    table = reliability(outcomes, 10, "mass")
    assert set(table["faces"]) == {10, 11}
    assert table["low"][0] == outcomes.confidence.min() and table["high"][-1] == outcomes.confidence.max()
    assert (table["high"][:-1] < table["low"][1:]).all()
    assert ((table["low"] <= table["confidence"]) & (table["confidence"] <= table["high"])).all()
    few = reliability(top_label(p[:3], votes[:3]), 5, "mass")
    assert few["faces"].sum() == 3 and np.isnan(few["low"][few["faces"] == 0]).all()
    with pytest.raises(ValueError, match="'width' or 'mass' but got 'equal'"):
        reliability(outcomes, edges="equal")


def test_band_of_right_or_wrong_is_wilsons():
    from scipy.stats import binomtest

    p, votes = case(300)
    table = reliability(top_label(p, votes, "majority"))
    for b in np.flatnonzero(table["faces"] > 1):
        n = int(table["faces"][b])
        theirs = binomtest(round(table["accuracy"][b] * n), n).proportion_ci(method="wilson")
        assert (table["acc_low"][b], table["acc_high"][b]) == pytest.approx(tuple(theirs))


def test_band_of_pairs_is_wider_than_if_they_were_independent():
    """Ten votes that agree are one trial: the band is that of the faces, not of the votes."""
    rng = np.random.default_rng(0)
    right = (rng.random(400) < 0.7).astype(float)
    one = reliability(Outcomes(np.full(400, 0.75), right, np.ones(400)))
    ten = reliability(Outcomes(np.full(400, 0.75), right, np.where(np.arange(400) < 399, 10.0, 9.0)))
    widths = [table["acc_high"][7] - table["acc_low"][7] for table in (one, ten)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_band_of_pairs_is_the_bootstrap_of_each_bin():
    p, votes = case(200)
    outcomes, draws = top_label(p, votes), Resamples(200, 300, seed=2)
    table = reliability(outcomes, 5, resamples=draws)
    inside = (outcomes.confidence > 0.4) & (outcomes.confidence <= 0.6)
    weight = draws.counts * outcomes.weight * inside
    expected = percentile_interval((weight * outcomes.correct).sum(axis=1) / weight.sum(axis=1))
    assert (table["acc_low"][2], table["acc_high"][2]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="Expected 5 faces"):
        reliability(outcomes, resamples=Resamples(5))


# --- errors


def test_errors_by_hand():
    # confidences .9 .8 .6 in bins (.5, 1]; right 1, 0, 1; of class 0: .9 .2 .6 against 1, 1, 1 (votes 0)
    probs, votes = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [[1, 0], [1, 0], [1, 0]]
    found = values(calibration_errors(probs, votes, "majority", bins=2, ranges=3, resamples=5))
    top = abs(2 / 3 - (0.9 + 0.8 + 0.6) / 3)
    assert found["ece"] == found["mce"] == pytest.approx(top)
    # class 0: bin 1 holds .2, bin 2 holds .9 .6; class 1 mirrors it
    assert found["sce"] == pytest.approx((0.8 + 0.1 + 0.4) / 3)
    assert found["ace"] == found["tace"] == pytest.approx((0.8 + 0.4 + 0.1) / 3)
    assert found["brier"] == pytest.approx(2 * (0.01 + 0.64 + 0.16) / 3)


def test_votes_weigh():
    probs, votes = [[0.9, 0.1], [0.6, 0.4]], [[9, 1], [1, 1]]
    found = values(calibration_errors(probs, votes, bins=1, ranges=1, resamples=5))
    assert found["ece"] == pytest.approx(abs(10 / 12 - (0.9 * 10 + 0.6 * 2) / 12))
    assert found["sce"] == found["ace"] == pytest.approx(found["ece"])
    assert found["brier"] == pytest.approx((10 * (0.0 + 0.18) + 2 * (0.02 + 0.5)) / 12)


def test_the_edge_belongs_to_the_bin_below():
    # .7 with its face right and .71 with its face wrong: one bin if .7 were in (.7, .8]
    found = values(calibration_errors([[0.7, 0.3], [0.71, 0.29]], [[1, 0], [0, 1]], "majority", resamples=5))
    assert found["ece"] == pytest.approx((0.3 + 0.71) / 2)
    assert found["mce"] == pytest.approx(0.71)


def test_renormalising_does_not_move_a_confidence_off_its_edge():
    row = [0.7, 0.2, 0.1]  # adds up to .9999999999999999
    assert reliability(top_label([row] * 2, [[1, 0, 0]] * 2))["faces"][6] == 2
    above = np.array([[1 + 5e-5, 0.0]])
    assert top_label(above, [[1, 0]]).confidence[0] == 1.0


def test_tace_leaves_small_probabilities_out():
    probs = [[0.9999, 0.0001, 0.0], [0.0004, 0.9996, 0.0], [0.5, 0.5, 0.0]]
    found = values(calibration_errors(probs, [[1, 0, 0], [0, 1, 0], [1, 1, 0]], ranges=1, resamples=5))
    class0, class1 = (1 + 2 * 0.5) / 3 - (0.9999 + 1.0) / 3, (1 + 2 * 0.5) / 3 - (0.9996 + 1.0) / 3
    assert found["tace"] == pytest.approx((class0 + class1) / 2)  # class 2 has no prediction above epsilon
    assert found["ace"] < found["tace"]


@pytest.mark.parametrize("against", TARGETS)
@pytest.mark.parametrize(("votes", "n"), [(np.empty((0, 3)), 0), (np.full((5, 3), NAN), 0), (np.zeros((5, 3)), 0)])
def test_without_votes_there_are_no_errors(against, votes, n):
    found = calibration_errors(np.full(votes.shape, 1 / 3), votes, against)
    assert set(found) == set(ERRORS)
    for estimate in found.values():
        assert estimate.n == n and np.isnan([estimate.value, estimate.low, estimate.high]).all()


@pytest.mark.parametrize("against", TARGETS)
def test_one_face_has_errors_but_no_intervals(against):
    for estimate in calibration_errors([[0.8, 0.2], [0.5, 0.5]], [[2, 0], [0, 0]], against).values():
        assert estimate.n == 1 and np.isfinite(estimate.value) and np.isnan([estimate.low, estimate.high]).all()


@pytest.mark.parametrize("against", TARGETS)
def test_odd_inputs_give_numbers_and_no_warnings(against):
    for probs, votes in (
        ([[1.0]] * 4, [[2]] * 4),  # a single class
        ([[1.0, 0.0]] * 4, [[3, 0]] * 4),  # certain and right
        ([[0.5, 0.5]] * 4, [[0, 3]] * 4),  # constant
    ):
        for estimate in calibration_errors(probs, votes, against).values():
            assert 0 <= estimate.low <= estimate.value <= estimate.high <= 2 and estimate.n == 4
    assert calibration_errors([[1.0, 0.0]] * 4, [[3, 0]] * 4, against)["ece"].value == 0.0


def brute_force(p, target, weight, bins, ranges, epsilon):
    """The formulas written out over cells."""
    total, classes = weight.sum(), p.shape[1]

    def gap(chosen, confidence, right):
        w = weight[chosen]
        return abs((w * right[chosen]).sum() - (w * confidence[chosen]).sum()) / w.sum(), w.sum() / total

    def by_width(confidence, right):
        cells = [np.flatnonzero((confidence > m / bins) & (confidence <= (m + 1) / bins)) for m in range(bins)]
        return [gap(cell, confidence, right) for cell in cells if len(cell)]

    def by_mass(confidence, right, least):
        order = np.argsort(confidence)
        order = order[confidence[order] > least]
        cut = [order[np.arange(len(order)) * ranges // len(order) == r] for r in range(ranges)] if len(order) else []
        return [gap(cell, confidence, right)[0] for cell in cut if len(cell)]

    top = p.argmax(axis=1)
    tops = by_width(p.max(axis=1), target[np.arange(len(p)), top])
    return {
        "ece": sum(g * share for g, share in tops),
        "mce": max(g for g, _ in tops),
        "sce": sum(g * share for c in range(classes) for g, share in by_width(p[:, c], target[:, c])) / classes,
        "ace": np.mean([g for c in range(classes) for g in by_mass(p[:, c], target[:, c], -1)]),
        "tace": np.mean([g for c in range(classes) for g in by_mass(p[:, c], target[:, c], epsilon)]),
    }


@pytest.mark.parametrize("against", TARGETS)
@pytest.mark.parametrize("n", [7, 150, 1500])
def test_against_brute_force(against, n):
    p, votes = case(n, seed=n)
    found = values(calibration_errors(p, votes, against, 7, 6, 0.05, resamples=2))
    if against == "pairs":
        known, target, weight = np.ones(n, bool), vote_distribution(votes), votes.sum(axis=1)
        brier = (brier_pairs(p, target) * weight).sum() / weight.sum()
    else:
        chosen = majority(votes)
        known, brier = chosen >= 0, np.nanmean(brier_hard(p, chosen))
        target, weight = np.eye(4)[np.maximum(chosen, 0)], np.ones(n)
    expected = brute_force(p[known], target[known], weight[known], 7, 6, 0.05) | {"brier": brier}
    assert found == pytest.approx(expected)


def test_pairs_are_single_votes():
    """Every error against pairs equals that of a data set with one face per vote, where ranges agree."""
    p, votes = case(60)
    single, vote = pairs_of(p, votes)
    alone = values(calibration_errors(single, np.eye(4)[vote], "majority", ranges=1, resamples=2))
    together = values(calibration_errors(p, votes, "pairs", ranges=1, resamples=2))
    assert together == pytest.approx(alone)


@pytest.mark.parametrize("against", TARGETS)
def test_resamples_keep_bins_and_ranges(against):
    """The intervals follow from errors recomputed with each resample's faces in the cells of all faces."""
    p, votes = case(80, seed=4)
    found = calibration_errors(p, votes, against, 4, 3, resamples=60)
    chosen = np.arange(80) if against == "pairs" else np.flatnonzero(majority(votes) >= 0)
    draws = Resamples(len(chosen), 60)
    outcomes = top_label(p, votes, against)
    cell = np.ceil(outcomes.confidence * 4)
    gap = outcomes.weight * (outcomes.correct - outcomes.confidence)
    replicates = [
        sum(abs((row * gap)[cell == b].sum()) for b in range(1, 5)) / (row * outcomes.weight).sum()
        for row in draws.counts
    ]
    low, high = percentile_interval(replicates)
    assert found["ece"].high == pytest.approx(max(2 * found["ece"].value - low, found["ece"].value))
    assert found["ece"].low <= max(2 * found["ece"].value - high, 0) + 1e-12


def test_perfect_calibration_has_errors_near_zero():
    # every confidence is met exactly: .75 of four votes, and halves of two
    p = np.repeat([[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]], 50, axis=0)
    votes = np.repeat([[3, 1], [2, 2], [1, 9]], 50, axis=0)
    found = calibration_errors(p, votes)
    for name in ("ece", "mce", "sce", "ace", "tace"):
        assert found[name].value < 1e-12 and found[name].low == 0.0


def test_errors_shrink_with_faces_when_calibrated_and_stay_when_not():
    for sharpness, still in ((1.0, False), (0.5, True)):
        few, many = (calibration_errors(*case(n, sharpness=sharpness), resamples=50)["ece"] for n in (300, 30_000))
        assert (many.value > 0.05) == still and (many.low > 0.05) == still
        assert few.value > many.value or still


@st.composite
def cases(draw):
    n, c, seed = draw(st.integers(2, 30)), draw(st.integers(2, 5)), draw(st.integers(0, 10**6))
    return case(n, c, seed)


@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("against", TARGETS)
@given(data=cases(), seed=st.integers(0, 1000))
def test_order_of_faces_and_names_of_classes_do_not_matter(against, data, seed):
    p, votes = data
    rng = np.random.default_rng(seed)
    face, klass = rng.permutation(len(p)), rng.permutation(p.shape[1])
    found = calibration_errors(p, votes, against, resamples=20)
    relabelled = calibration_errors(p[:, klass], votes[:, klass], against, resamples=20)
    shuffled = calibration_errors(p[face], votes[face], against, resamples=20)
    for name, e in found.items():
        for other in (relabelled[name], shuffled[name]):
            assert other.value == pytest.approx(e.value, nan_ok=True, abs=1e-12) and other.n == e.n
        assert relabelled[name].low == pytest.approx(e.low, nan_ok=True, abs=1e-12)
        assert np.isnan(e.value) or 0 <= e.value <= (2 if name == "brier" else 1)
        assert np.isnan(e.low) or 0 <= e.low <= e.value <= e.high


@settings(max_examples=20, deadline=None)
@given(data=cases(), bins=st.integers(1, 15))
def test_ece_is_at_most_mce_and_the_diagram_adds_up(data, bins):
    p, votes = data
    found = values(calibration_errors(p, votes, bins=bins, resamples=2))
    assert found["ece"] <= found["mce"] + 1e-12
    table = reliability(top_label(p, votes), bins, resamples=Resamples(len(p), 2))
    gaps = np.abs(table["accuracy"] - table["confidence"])
    assert np.nansum(gaps * table["weight"]) / table["weight"].sum() == pytest.approx(found["ece"])
    assert table["faces"].sum() == len(p) and table["weight"].sum() == votes.sum()


# --- differences


@pytest.mark.parametrize("against", TARGETS)
def test_differences_are_those_of_the_errors(against):
    p, votes = case(300)
    flat = 0.5 * p + 0.125
    found = calibration_differences(p, flat, votes, against, resamples=100)
    first, second = (values(calibration_errors(q, votes, against, resamples=2)) for q in (p, flat))
    assert values(found) == pytest.approx({name: first[name] - second[name] for name in ERRORS})
    assert found["brier"].high < 0 and found["ece"].high < 0  # the flattened model is clearly worse
    turned = calibration_differences(flat, p, votes, against, resamples=100)
    assert (turned["ece"].low, turned["ece"].high) == pytest.approx((-found["ece"].high, -found["ece"].low))


def test_a_model_does_not_differ_from_itself():
    p, votes = case(100)
    for estimate in calibration_differences(p, p, votes, resamples=20).values():
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


@pytest.mark.parametrize("n", [0, 1])
def test_differences_of_too_few_faces(n):
    p, votes = np.full((n, 2), 0.5), np.full((n, 2), 3)
    for estimate in calibration_differences(p, p, votes).values():
        assert (
            estimate.n == n and np.isnan([estimate.low, estimate.high]).all() and np.isnan(estimate.value) == (n == 0)
        )


# --- by percentile


def test_percentiles_by_hand():
    table = by_percentile([5, 1, 4, 2, 3, NAN], {"x": [50, 10, NAN, 20, 30, 999]}, groups=2)
    np.testing.assert_array_equal(table["percentile"], [50, 100])
    np.testing.assert_array_equal(table["faces"], [3, 2])
    np.testing.assert_array_equal(table["order"], [2.0, 4.5])
    np.testing.assert_array_equal(table["x"], [20.0, 50.0])
    assert table["x_low"][0] >= 10 and table["x_high"][0] <= 30 and np.isnan(table["x_low"][1])


@pytest.mark.parametrize("n", [0, 1, 4])
def test_fewer_faces_than_groups(n):
    table = by_percentile(np.arange(n), {"x": np.ones(n)})
    assert table["faces"].sum() == n and len(table["x"]) == 10
    assert (np.isnan(table["x"]) == (table["faces"] == 0)).all() and np.isnan(table["x_low"]).all()


def test_intervals_of_groups_are_bootstraps_of_their_means():
    rng = np.random.default_rng(0)
    order, x, draws = rng.random(120), rng.random(120), Resamples(120, 200)
    table = by_percentile(order, {"x": x}, 4, draws)
    lowest = order <= np.sort(order)[29]
    counts = draws.counts * lowest
    assert table["x"][0] == pytest.approx(x[lowest].mean())
    assert (table["x_low"][0], table["x_high"][0]) == pytest.approx(
        percentile_interval(counts @ x / counts.sum(axis=1))
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], {"x": [1.0]}), "x of length 2"),
        (([1.0], {"faces": [1.0]}), "a column 'faces'"),
        (([1.0], {"x": [1.0]}, 0), "1 of groups"),
        (([np.inf], {}), "NaN in order but face 0 is infinite"),
        (([1.0], {"x": [1.0]}, 2, Resamples(2)), "Expected 2 faces"),
    ],
)
def test_impossible_percentiles_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        by_percentile(*arguments)
