"""The audit: sizes by hand, the definitions written out in plain loops, and what happens at the edges."""

import numpy as np
import pytest

from engine.metrics.audit import Pairs, audit
from engine.metrics.bootstrap import bootstrap_means, share
from engine.metrics.calibration import calibration_errors
from engine.metrics.holm import holm

NAN = float("nan")
SHOWN = ("value", "low", "high", "gap", "gap_low", "gap_high", "chance", "p", "p_holm")


def faces(n=600, groups=3, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    return group, {"x": rng.exponential(size=n) + 0.2 * group, "right": (rng.random(n) < 0.8).astype(float)}


def votes_of(n, seed=0):
    """Probabilities (n, 3), votes (n, 3), and the Pairs of both."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(3, 0.7), n)
    votes = np.array([rng.multinomial(int(k), p) for k, p in zip(rng.integers(5, 12, n), probs, strict=True)])
    top = probs.argmax(axis=1)
    weight = votes.sum(axis=1)
    return probs, votes, Pairs(probs.max(axis=1), votes[np.arange(n), top] / weight, weight)


def test_five_faces():
    found = audit([0, 0, 1, 1, -1], 2, {"x": [1, 3, 5, 9, 100]}, minimum=2)
    assert found.quantities == ("x",) and found.faces.tolist() == [2, 2] and found.n.tolist() == [[2], [2]]
    assert found.value.tolist() == [[2], [7]] and found.gap.tolist() == [[-5], [5]]
    assert (found.low[0, 0], found.high[0, 0]) == (1, 3) and (found.gap_low[0, 0], found.gap_high[0, 0]) == (-8, -2)
    largest = found.largest[0]
    assert (largest.high, largest.low, largest.value) == (1, 0, 5)
    # 2 of the 6 ways to deal four faces into pairs are as far apart as these
    assert found.p[0, 0] == pytest.approx(1 / 3, abs=0.06) and found.p[0, 0] == found.p[1, 0] == largest.p
    assert found.p_holm[0, 0] == min(1, 2 * found.p[0, 0])


def test_the_rest_is_all_other_faces_with_a_group():
    """Not the mean of the other groups' means, and with the faces of groups too small to be tested."""
    found = audit([0, 0, 1, 1, 1, 2, -1], 3, {"x": [0, 0, 1, 2, 3, 10, 1000]}, minimum=2)
    np.testing.assert_allclose(found.gap[:, 0], [0 - 4, 2 - 10 / 3, 10 - 6 / 5])
    assert np.isnan(found.p[:, 0]).tolist() == [False, False, True]


def test_unknown_values_do_not_count():
    found = audit([0, 0, 0, 1, 1, 1], 2, {"x": [1, 2, NAN, 3, 4, NAN], "y": [1, 1, 1, 1, 1, NAN]}, minimum=2)
    assert found.n.tolist() == [[2, 3], [2, 2]] and found.value[:, 0].tolist() == [1.5, 3.5]
    whole = audit([0, 0, 1, 1], 2, {"x": [1, 2, 3, 4]}, minimum=2)
    assert (found.gap[:, 0] == whole.gap[:, 0]).all() and found.faces.tolist() == [3, 3]


def test_faces_that_know_different_things_are_permuted_by_themselves():
    """Known of 3 of group 0's 500 faces: dealing all faces would pretend that hundreds are known of it."""
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 500)
    x = rng.normal(size=1000)
    x[3:500] = NAN
    x[:3] = 1.0
    alone = audit(group[~np.isnan(x)], 2, {"x": x[~np.isnan(x)]}, minimum=2)
    found = audit(group, 2, {"x": x}, minimum=2)
    assert found.p[0, 0] == alone.p[0, 0] > 0.03


@pytest.mark.parametrize("n", [500, 6000])  # faces one by one, and by random groups
def test_intervals_are_those_of_a_bootstrap_of_each_group(n):
    group, columns = faces(n)
    found = audit(group, 3, columns, resamples=4000, permutations=0)
    for g in range(3):
        alone = bootstrap_means({"x": columns["x"][group == g]}, resamples=4000)["x"]
        assert found.value[g, 0] == pytest.approx(alone.value)
        assert found.high[g, 0] - found.low[g, 0] == pytest.approx(alone.high - alone.low, rel=0.08)
        one = share(columns["right"][group == g])
        np.testing.assert_allclose(
            [found.value[g, 1], found.low[g, 1], found.high[g, 1]], [one.value, one.low, one.high]
        )


def test_gap_against_a_plain_loop():
    """Faces drawn within each group, the rest put together from the other groups' draws."""
    group, columns = faces(90)
    rng, gaps = np.random.default_rng(1), []
    for _ in range(20_000):
        drawn = [columns["x"][group == g][rng.integers((group == g).sum(), size=(group == g).sum())] for g in range(3)]
        sums, sizes = np.array([x.sum() for x in drawn]), np.array([len(x) for x in drawn])
        gaps.append(sums / sizes - (sums.sum() - sums) / (90 - sizes))
    found = audit(group, 3, columns, resamples=20_000, permutations=0)
    low, high = np.percentile(gaps, [2.5, 97.5], axis=0)
    np.testing.assert_allclose((found.gap_low[:, 0] - low) / (high - low), 0, atol=0.03)
    np.testing.assert_allclose((found.gap_high[:, 0] - high) / (high - low), 0, atol=0.03)


@pytest.mark.parametrize("n", [400, 3000])  # faces by themselves, and groups of faces
def test_groups_of_the_same_faces_are_resampled_apart(n):
    values = np.random.default_rng(3).normal(size=n)
    found = audit(np.repeat([0, 1], n), 2, {"score": [*values, *values]}, permutations=0)
    one, gap = found.high[0, 0] - found.low[0, 0], found.gap_high[0, 0] - found.gap_low[0, 0]
    assert gap == pytest.approx(np.sqrt(2) * one, rel=0.1)  # in the same order it would be nothing


def test_p_against_a_plain_loop():
    group, columns = faces(1500, seed=2)  # more faces than blocks
    x = columns["x"] - 0.16 * group  # hardly a difference
    rng = np.random.default_rng(3)

    def statistics(labels):
        gaps = [abs(x[labels == g].mean() - x[labels != g].mean()) for g in range(3)]
        return [*gaps, np.ptp([x[labels == g].mean() for g in range(3)])]

    observed = np.array(statistics(group))
    dealt = np.array([statistics(rng.permutation(group)) for _ in range(4000)])
    expected = (1 + (dealt >= observed).sum(axis=0)) / 4001
    found = audit(group, 3, {"x": x}, resamples=10, permutations=4000)
    assert (expected > 0.01).all() and (expected < 0.9).all()
    got = np.array([*found.p[:, 0], found.largest[0].p])
    np.testing.assert_allclose(got, expected, atol=0.04)
    np.testing.assert_allclose(found.p_holm[:, 0], holm(found.p[:, 0]))


def test_calibration_error_is_that_of_calibration_errors():
    probs, votes, pairs = votes_of(900)
    group = np.arange(900) % 2
    found = audit(group, 2, {}, pairs=pairs, resamples=4000)
    assert found.quantities == ("ece",) and found.n[:, 0].tolist() == [450, 450]
    for g in range(2):
        theirs = calibration_errors(probs[group == g], votes[group == g], resamples=4000)["ece"]
        assert found.value[g, 0] == pytest.approx(theirs.value)
        width = theirs.high - theirs.low
        np.testing.assert_allclose([found.low[g, 0], found.high[g, 0]], [theirs.low, theirs.high], atol=0.06 * width)
    assert found.gap[0, 0] == pytest.approx(found.value[0, 0] - found.value[1, 0])


def test_calibration_error_by_hand():
    """Bins .7 to .8 and .8 to .9: (4 x .75 - 4 x .5 + ...) / votes."""
    pairs = Pairs([0.75, 0.75, 0.85, 0.5], [0.5, 1.0, 0.5, 1.0], [4, 4, 2, 0])
    found = audit([0, 0, 0, 0], 1, {}, pairs=pairs)
    assert found.n[0, 0] == 3 and found.faces[0] == 4
    assert found.value[0, 0] == pytest.approx((abs(4 * -0.25 + 4 * 0.25) + abs(2 * -0.35)) / 10)


def test_a_small_group_is_not_blamed_for_its_size():
    """Calibrated alike, but 35 faces beside 3,000: the error is several times as high, and chance says so."""
    _, _, pairs = votes_of(3035, seed=4)
    group = (np.arange(3035) >= 35).astype(int)
    found = audit(group, 2, {}, pairs=pairs)
    assert found.gap[0, 0] > 0.02 and found.chance[0, 0] == pytest.approx(found.gap[0, 0], abs=0.02)
    assert found.p[0, 0] > 0.05 and found.gap_low[0, 0] < 0 < found.gap_high[0, 0]


def test_chance_is_nothing_for_means():
    group, columns = faces()
    assert (audit(group, 3, columns).chance == 0).all()


def test_a_difference_is_found():
    group, columns = faces(2000)
    columns["x"] = columns["x"] + 1.0 * (group == 1)
    found = audit(group, 3, columns)
    assert found.p[1, 0] == 1 / 1001 and found.p_holm[1, 0] == pytest.approx(3 / 1001)
    assert (found.largest[0].high, found.largest[0].low) == (1, 0) and found.largest[0].p == 1 / 1001
    assert found.largest[0].p_holm == pytest.approx(2 / 1001) and found.largest[0].ci_low > 0
    assert found.gap_low[1, 0] > 0 and found.gap_high[0, 0] < 0


def test_the_widest_gap_of_two_groups_is_the_gap():
    """One pair, and nothing was picked; of three groups the same pair's interval is wider than its own."""
    group, columns = faces(800, groups=2)
    found = audit(group, 2, columns, pairs=votes_of(800)[2])
    for q, widest in enumerate(found.largest):
        assert widest.value == pytest.approx(found.gap[widest.high, q])
        ends = found.gap_low[widest.high, q], found.gap_high[widest.high, q]
        np.testing.assert_allclose((widest.ci_low, widest.ci_high), ends)
        assert widest.p == found.p[0, q] or q == 2  # the error's gap is tested against what chance gives
    third = np.where(np.arange(800) < 200, 2, group)
    wider, alone = (audit(np.where(third == 2, g, third), 3, columns).largest[0] for g in (2, -1))
    assert (wider.high, wider.low, wider.value) == (alone.high, alone.low, pytest.approx(alone.value))
    assert wider.ci_high - wider.ci_low > 1.1 * (alone.ci_high - alone.ci_low)


def test_groups_that_came_out_all_alike_leave_room_for_doubt():
    found = audit(np.repeat([0, 1], 40), 2, {"right": np.repeat([1.0, 0.0], 40)})
    assert found.value[:, 0].tolist() == [1, 0] and 0.85 < found.low[0, 0] < found.high[0, 0] == 1
    assert found.gap_high[0, 0] == 1 > found.gap_low[0, 0] > 0.8
    assert found.largest[0].ci_low == pytest.approx(found.gap_low[0, 0]) and found.p[0, 0] == 1 / 1001


def test_small_empty_and_single_groups():
    group = [0] * 50 + [1] * 50 + [2] * 10 + [3]
    x = np.random.default_rng(5).normal(size=111)
    found = audit(group, 5, {"x": x})
    assert found.faces.tolist() == [50, 50, 10, 1, 0]
    assert np.isnan(found.value[:, 0]).tolist() == [False] * 4 + [True]
    assert np.isnan(found.low[:, 0]).tolist() == np.isnan(found.gap_low[:, 0]).tolist() == [False] * 3 + [True] * 2
    assert np.isnan(found.gap[:, 0]).tolist() == [False] * 4 + [True]
    assert np.isnan(found.p[:, 0]).tolist() == np.isnan(found.p_holm[:, 0]).tolist() == [False] * 2 + [True] * 3
    assert {found.largest[0].high, found.largest[0].low} == {0, 1}


def test_a_rest_that_is_too_small_is_no_better():
    found = audit([0] * 100 + [1] * 5, 2, {"x": np.arange(105.0)})
    assert np.isnan(found.p).all() and found.largest == (None,) and not np.isnan(found.gap).any()


def test_one_group_has_nothing_to_compare_with():
    found = audit([0] * 40, 1, {"x": np.arange(40.0), "right": np.ones(40)}, pairs=votes_of(40)[2])
    assert not np.isnan(found.low).any() and np.isnan(found.gap).all() and np.isnan(found.gap_low).all()
    assert found.largest == (None, None, None) and np.isnan(found.p).all()


def test_a_constant_differs_nowhere():
    found = audit(np.arange(90) % 3, 3, {"x": np.full(90, 0.1), "right": np.ones(90)})
    assert np.abs(found.gap).max() < 1e-15 and (found.p == 1).all() and (found.p_holm == 1).all()
    assert all(widest.high != widest.low and widest.value < 1e-15 and widest.p == 1 for widest in found.largest)


def test_nothing_known_and_nobody_there():
    found = audit(np.arange(80) % 2, 2, {"x": np.full(80, NAN)}, pairs=Pairs(*np.full((3, 80), NAN)))
    assert (found.n == 0).all() and found.largest == (None, None)
    assert all(np.isnan(getattr(found, name)).all() for name in SHOWN)
    empty = audit(np.zeros(0, int), 2, {"x": []}, pairs=Pairs([], [], []))
    assert empty.faces.tolist() == [0, 0] and np.isnan(empty.value).all()
    assert audit([0, 1], 2, {}).value.shape == (2, 0)


def test_a_small_group_does_not_hide_a_gap_between_large_ones():
    """Thirty noisy faces stray so far by chance that a range of raw means would see nothing beside them."""
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1, 2], [400, 400, 30])
    x = rng.normal(size=830) + 0.5 * (group == 1)
    x[group == 2] += 0.25 - x[group == 2].mean()  # in the middle, so that the widest pair is the two large groups
    largest = audit(group, 3, {"x": x}).largest[0]
    assert {largest.high, largest.low} == {0, 1} and largest.p < 0.01 and largest.ci_low > 0
    spans = [np.ptp([dealt[group == g].mean() for g in range(3)]) for dealt in (rng.permutation(x) for _ in range(300))]
    assert np.mean(np.array(spans) >= largest.value) > largest.p


def test_without_tests():
    group, columns = faces()
    found = audit(group, 3, columns, permutations=0)
    assert np.isnan(found.p).all() and np.isnan(found.largest[0].p) and not np.isnan(found.gap_low).any()


def test_columns_keep_their_order():
    """Those known of the same faces are computed together, and come back where they were."""
    group, columns = faces()
    partly = np.where(np.arange(600) < 500, columns["x"], NAN)
    found = audit(group, 3, {"a": columns["x"], "b": partly, "c": columns["right"]}, pairs=votes_of(600)[2])
    assert found.quantities == ("a", "b", "c", "ece")
    for q, name in enumerate(("a", "b", "c")):
        column = {"a": columns["x"], "b": partly, "c": columns["right"]}[name]
        np.testing.assert_allclose(found.value[:, q], [np.nanmean(column[group == g]) for g in range(3)])


def test_same_faces_and_seed_same_numbers():
    group, columns = faces(2500)
    pairs = votes_of(2500)[2]
    first, again, other = (audit(group, 3, columns, pairs=pairs, seed=seed) for seed in (0, 0, 1))
    for name in SHOWN:
        assert (getattr(first, name) == getattr(again, name)).all()
    assert first.largest == again.largest and (first.low != other.low).any() and (first.p != other.p).any()
    assert (first.value == other.value).all()


def test_an_offset_costs_no_digits():
    group, columns = faces()
    found, shifted = (audit(group, 3, {"x": columns["x"] + offset}) for offset in (0.0, 1e6))
    np.testing.assert_allclose(shifted.gap, found.gap, atol=1e-8)
    np.testing.assert_allclose(shifted.gap_low, found.gap_low, atol=1e-8)
    np.testing.assert_allclose(shifted.p, found.p, atol=0.002)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {"x": [1.0, np.inf, 1, 1]}}, "finite values or NaN in x but face 1"),
        ({"columns": {"x": [1.0, 2]}}, "x of length 4"),
        ({"columns": {"ece": [1.0] * 4}}, "rename the column"),
        ({"group": [0, 0, 2, 1]}, "from -1 .none. to 1 but face 2 has 2"),
        ({"group": [0, -2, 1, 1]}, "face 1 has -2"),
        ({"group": [0.0, 0.5, 1, 1]}, "whole number of a group per face"),
        ({"groups": 0}, "at least 1 group"),
        ({"minimum": 0}, "minimum of at least 1"),
        ({"permutations": -1}, "permutations of at least 0"),
        ({"pairs": Pairs([0.5, NAN, 1.5, 0.5], [1.0] * 4, [1] * 4)}, "confidence from 0 to 1 but face 2 has 1.5"),
        ({"pairs": Pairs([0.5] * 4, [1.0] * 4, [1, 0, 1, -1])}, "weight above 0 but face 3 has -1"),
        ({"pairs": Pairs([0.5] * 3, [1.0] * 4, [1] * 4)}, "confidence of length 4"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"group": [0, 0, 1, 1], "groups": 2, "columns": {"x": [1.0, 2, 3, 4]}} | change
    with pytest.raises(ValueError, match=message):
        audit(given.pop("group"), given.pop("groups"), given.pop("columns"), **given)
