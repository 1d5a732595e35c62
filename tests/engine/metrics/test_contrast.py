"""Two groups and their difference: sizes by hand, then the delta method, then how often intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics.bootstrap import Resamples, bootstrap_means, percentile_interval
from engine.metrics.contrast import contrast_means

NAN = float("nan")


def one(values, first, second, **options):
    return contrast_means({"x": values}, first, second, **options)["x"]


def test_two_faces_each():
    found = one([1, 3, 5, 9], [1, 1, 0, 0], [0, 0, 1, 1])
    assert (found.first.value, found.second.value, found.difference.value) == (2, 7, -5)
    assert (found.first.n, found.second.n, found.difference.n) == (2, 2, 4)
    assert (found.first.low, found.first.high) == (1, 3) and (found.second.low, found.second.high) == (5, 9)


def test_a_shared_face_counts_in_both_groups():
    found = one([0, 6, 3], [1, 1, 0], [0, 1, 1])
    assert (found.first.value, found.second.value, found.difference.value) == (3, 4.5, -1.5)
    assert (found.first.n, found.second.n, found.difference.n) == (2, 2, 3)


def test_equal_groups_differ_by_exactly_nothing():
    values = np.random.default_rng(0).normal(1e6, 1, 1500)
    inside = np.arange(1500) % 3 > 0
    found = one(values, inside, inside)
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.first == found.second and found.first.low < found.first.value < found.first.high


@pytest.mark.parametrize(
    ("first", "n"),
    [([0, 0, 0, 0], 0), ([1, 0, 0, 0], 1)],
)
def test_too_few_for_an_interval(first, n):
    found = one([4.0, 1.0, 2.0, 3.0], first, [0, 1, 1, 1])
    assert found.first.n == n and np.isnan([found.first.low, found.difference.low, found.difference.high]).all()
    assert np.isnan(found.first.value) == (n == 0) and np.isnan(found.difference.value) == (n == 0)
    assert found.second.value == 2 and found.second.low <= 2 <= found.second.high


@pytest.mark.parametrize("faces", [0, 1])
def test_nothing_to_compare(faces):
    found = one([1.0] * faces, [True] * faces, [False] * faces)
    assert np.isnan(found.difference.value) and found.difference.n == faces


def test_unknown_values_do_not_count():
    whole = one([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1])
    found = one([1, 2, NAN, 3, 4, NAN], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    assert (found.first.value, found.second.value) == (whole.first.value, whole.second.value)
    assert (found.first.n, found.second.n, found.difference.n) == (2, 2, 4)
    nothing = one([NAN] * 3, [1, 1, 1], [1, 0, 1])
    assert np.isnan(nothing.first.value) and nothing.difference.n == 0


def test_faces_in_neither_group_change_nothing():
    rng = np.random.default_rng(1)
    values, first = rng.normal(size=60), np.arange(60) < 30
    second = (np.arange(60) >= 20) & (np.arange(60) < 50)
    padded = one(np.r_[values, [1e9] * 40], np.r_[first, [False] * 40], np.r_[second, [False] * 40])
    assert padded == one(values, first, second)


def test_infinite_values_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="face 1 is infinite"):
        one([1.0, np.inf], [1, 1], [1, 0])
    with pytest.raises(ValueError, match="length 3"):
        one([1.0, 2.0], [1, 1, 1], [1, 0, 1])
    assert contrast_means({}, [True], [True]) == {}


def test_each_mean_has_the_interval_of_an_ordinary_bootstrap():
    """Of a group alone, but for the draws: the other group's faces come in and go out at random."""
    rng = np.random.default_rng(2)
    values, first = rng.exponential(size=800), np.arange(800) < 400
    alone = bootstrap_means({"x": values[first]}, resamples=4000)["x"]
    found = one(values, first, ~first, resamples=4000).first
    assert found.value == pytest.approx(alone.value)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.08)


def test_the_means_are_taken_from_the_same_resamples():
    """Against the definition, written out: draw faces of the union, take both means of what was drawn."""
    rng = np.random.default_rng(3)
    values, first, second = rng.normal(size=50), np.arange(50) < 30, np.arange(50) >= 15
    differences = []
    for counts in Resamples(50).counts:
        drawn = np.repeat(np.arange(50), counts.astype(int))
        means = [values[drawn][group[drawn]].mean() for group in (first, second)]
        differences.append(means[0] - means[1])
    found = one(values, first, second).difference
    np.testing.assert_allclose((found.low, found.high), percentile_interval(differences))


def delta(values, first, second) -> float:
    """Standard error of the difference by the delta method: each face's pull on either mean, squared and summed."""
    pull = np.zeros(len(values))
    for group, sign in ((first, 1), (second, -1)):
        pull += sign * np.where(group, values - values[group].mean(), 0) / group.sum()
    return float(np.sqrt((pull**2).sum()))


@pytest.mark.parametrize("faces", [600, 6000])  # faces drawn one by one, and by random groups
@pytest.mark.parametrize(("end", "start"), [(0.5, 0.5), (0.7, 0.3), (1.0, 0.0), (1.0, 0.1), (0.1, 0.1)])
def test_width_agrees_with_the_delta_method(faces, end, start):
    rng = np.random.default_rng(4)
    values, place = rng.normal(size=faces), np.arange(faces) / faces
    first, second = place < end, place >= start
    found = one(values, first, second, resamples=3000).difference
    assert found.high - found.low == pytest.approx(2 * 1.96 * delta(values, first, second), rel=0.08, abs=1e-12)


def test_disjoint_groups_are_independent():
    """The variance of the difference is then the sum of the variances, as if each group had been resampled alone."""
    rng = np.random.default_rng(5)
    values, first = np.r_[rng.normal(0, 1, 300), rng.normal(5, 3, 500)], np.arange(800) < 300
    found = one(values, first, ~first, resamples=4000)
    widths = [e.high - e.low for e in (found.first, found.second, found.difference)]
    assert widths[2] == pytest.approx(np.hypot(*widths[:2]), rel=0.05)


def test_overlap_narrows_the_difference():
    """Shared faces move both means together: taking the groups for independent would claim too wide an interval."""
    values = np.random.default_rng(6).normal(size=1000)
    first, second = np.arange(1000) < 900, np.arange(1000) >= 100
    found = one(values, first, second)
    widths = [e.high - e.low for e in (found.first, found.second, found.difference)]
    assert widths[2] < 0.6 * np.hypot(*widths[:2])


def test_intervals_hold_the_truth_as_often_as_they_say():
    """300 samples of 150 faces, groups that share a third of their faces: about 95 % of the intervals hold it."""
    rng, held, truth = np.random.default_rng(7), 0, 0.5
    for seed in range(300):
        kind = rng.integers(0, 3, 150)  # in the first group, in both, in the second
        values = rng.normal(size=150) + (kind == 0)
        found = one(values, kind <= 1, kind >= 1, resamples=300, seed=seed).difference  # means 0.5 and 0
        held += found.low <= truth <= found.high
    assert 0.91 <= held / 300 <= 0.98


@settings(max_examples=40, deadline=None)
@given(
    arrays(float, st.integers(2, 20), elements=st.floats(-1e6, 1e6) | st.just(NAN)),
    st.randoms(use_true_random=False),
)
def test_properties(values, random):
    first, second = (np.array([random.random() < 0.6 for _ in values]) for _ in range(2))
    found, turned = one(values, first, second), one(values, second, first)
    assert found.difference.n <= found.first.n + found.second.n
    np.testing.assert_allclose(turned.difference.value, -found.difference.value)
    np.testing.assert_allclose((turned.difference.low, turned.difference.high),
                               (-found.difference.high, -found.difference.low), atol=1e-6)  # fmt: skip
    for group, mean in ((first, found.first), (second, found.second)):
        known = values[group & ~np.isnan(values)]
        np.testing.assert_allclose(mean.value, known.mean() if len(known) else NAN, atol=1e-6)


def test_a_constant_group_is_exact():
    """No rounding may turn a share of 0 into -0.000, or give it a width."""
    values = np.r_[np.zeros(300), np.ones(700)]
    found = one(values, values == 0, values > 0)
    assert str((found.first.value, found.first.low, found.first.high)) == "(0.0, 0.0, 0.0)"
    assert (found.second.low, found.second.high, found.difference.low, found.difference.high) == (1, 1, -1, -1)
