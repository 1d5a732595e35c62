"""Gaps at equal quality: strata by hand, what may confound, faces that match nobody, and how often intervals hold."""

import numpy as np
import pytest

from engine.metrics.audit import audit
from engine.metrics.equalised import equalised

NAN = float("nan")


def darker(n=4000, seed=0):
    """Group 0 has darker images, and darkness alone raises x; y is 0.5 higher in group 0 at equal light."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    light = rng.choice([1.0, 2, 3, 4], n, p=[0.25] * 4)
    light = np.where((group == 0) & (rng.random(n) < 0.5), 1.0, light)
    x = -0.5 * light + rng.normal(size=n)
    return group, {"light": light}, {"x": x, "y": x + 0.5 * (group == 0)}


def test_weights_by_hand():
    """Group 0: 1 dark, 3 light. The rest: 2 dark, 1 light, so that they weigh 1/2, 1/2 and 3."""
    found = equalised(
        {"x": [0.0, 1, 1, 3, 4, 6, 2]}, [0, 0, 0, 0, 1, 1, 1], 2, {"light": [1, 9, 9, 9, 1, 1, 9]}, bins=2, minimum=2
    )
    assert found.matched.tolist() == [1, 1] and found.n[:, 0].tolist() == [4, 3]
    assert found.value[0, 0] == 1.25 and found.rest[0, 0] == pytest.approx((0.5 * 4 + 0.5 * 6 + 3 * 2) / 4)
    assert found.gap[0, 0] == pytest.approx(1.25 - 2.75)
    assert found.effective[0, 0] == pytest.approx(4**2 / (0.25 + 0.25 + 9)) and found.effective[0, 0] < 2
    assert np.isnan(found.low[0, 0])  # nearly all rests on one face
    assert found.rest[1, 0] == pytest.approx((2 * 0 + (1 / 3) * 5) / 3)


def test_equal_light_explains_the_gap_away():
    group, quality, columns = darker()
    raw = audit(group, 3, columns)
    found = equalised(columns, group, 3, quality)
    assert raw.gap_low[0, 0] > 0.2 and abs(found.gap[0, 0]) < 0.1
    assert found.low[0, 0] < 0 < found.high[0, 0] and found.low[0, 1] < 0.5 < found.high[0, 1]
    assert found.used == ("light",) and (found.matched == 1).all()


def test_without_quality_the_gap_is_raw():
    group, _, columns = darker(900)
    found, raw = equalised(columns, group, 3, {}, resamples=4000), audit(group, 3, columns, resamples=4000)
    np.testing.assert_allclose(found.gap, raw.gap)
    np.testing.assert_allclose(found.value, raw.value)
    np.testing.assert_allclose(found.high - found.low, raw.gap_high - raw.gap_low, rtol=0.08)
    np.testing.assert_allclose(found.effective[:, 0], 900 - raw.faces)


def test_against_a_plain_loop():
    """Every stratum's difference, weighted by the group's faces in it."""
    rng = np.random.default_rng(1)
    group, x = rng.integers(0, 2, 500), rng.normal(size=500)
    first, second = rng.integers(0, 3, 500), rng.integers(0, 2, 500)
    quality = {"a": first * 1.0, "b": second * 1.0}
    gaps = []
    for a in range(3):
        for b in range(2):
            inside = (first == a) & (second == b)
            mine, rest = x[inside & (group == 0)], x[inside & (group == 1)]
            gaps.append(len(mine) * (mine.mean() - rest.mean()))
    found = equalised({"x": x}, group, 2, quality, bins=9)
    assert found.gap[0, 0] == pytest.approx(sum(gaps) / (group == 0).sum())


def test_ranges_hold_about_equal_numbers_and_equal_values_stay_together():
    """Four ranges of 0 .. 99 are quarters; of a column that is mostly 0, the zeros are one."""
    group = np.arange(100) % 2
    spread = equalised({"x": np.arange(100.0) // 25}, group, 2, {"q": np.arange(100.0)}, minimum=2)
    assert spread.gap[0, 0] == pytest.approx(0, abs=1e-12)  # x is constant in each range, and as frequent
    mostly = equalised(
        {"x": np.r_[np.zeros(90), np.ones(10)]}, group, 2, {"q": np.r_[np.zeros(90), 1:11]}, bins=2, minimum=2
    )
    assert mostly.gap[0, 0] == pytest.approx(0, abs=1e-12)


def test_faces_without_a_partner_are_left_out():
    group = np.repeat([0, 1], [60, 40])
    light = np.r_[np.repeat([1.0, 9.0], 30), np.full(40, 9.0)]
    light[-5:] = NAN
    found = equalised({"x": light}, group, 2, {"light": light}, bins=2)
    assert found.matched.tolist() == [0.5, 0.875] and found.n[:, 0].tolist() == [30, 35]
    np.testing.assert_allclose(found.gap[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(found.effective[:, 0], [35, 30])


def test_nobody_matches():
    group = np.repeat([0, 1], 40)
    found = equalised({"x": np.arange(80.0)}, group, 3, {"light": group * 1.0}, bins=2)
    assert found.matched[:2].tolist() == [0, 0] and np.isnan(found.matched[2])
    assert (found.n == 0).all() and np.isnan(found.gap).all() and np.isnan(found.low).all()
    assert (found.effective == 0).all()


def test_unknown_values_match_by_themselves():
    """The weights of a column are those of its known faces."""
    group, quality, columns = darker(600)
    x = np.where(np.arange(600) % 7 == 0, NAN, columns["x"])
    found = equalised({"x": x, "y": columns["y"]}, group, 3, quality)
    known = ~np.isnan(x)
    alone = equalised({"x": x[known]}, group[known], 3, {"light": quality["light"][known]})
    np.testing.assert_allclose(found.gap[:, 0], alone.gap[:, 0])
    assert (found.n[:, 0] < found.n[:, 1]).all()


def test_quality_that_cannot_serve():
    group, quality, columns = darker(400)
    bad = {
        "constant": np.ones(400),
        "unknown": np.full(400, NAN),
        "mostly": np.where(np.arange(400) < 300, NAN, 1.0),
        "words": np.array(["a", "b"] * 200),
    }
    found = equalised(columns, group, 3, quality | bad)
    assert found.used == ("light",)
    assert found.left_out == {
        "constant": "constant",
        "unknown": "unknown for all faces",
        "mostly": "unknown for 75 % of the faces",
        "words": "not numbers, which alone can be cut into ranges",
    }


def test_small_groups_have_no_interval():
    group = np.array([0] * 60 + [1] * 29 + [2])
    found = equalised({"x": np.random.default_rng(2).normal(size=90)}, group, 3, {"light": np.arange(90) % 2 * 1.0})
    assert np.isnan(found.low[:, 0]).tolist() == [False, True, True] and not np.isnan(found.gap).any()
    empty = equalised({"x": []}, np.zeros(0, int), 2, {"light": np.zeros(0)})
    assert np.isnan(empty.gap).all() and empty.left_out == {"light": "unknown for all faces"}
    assert equalised({}, [0, 1], 2, {}).gap.shape == (2, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {"x": [1.0, np.inf, 2]}}, "values or NaN in x"),
        ({"quality": {"light": [1.0, 2]}}, "light of length 3"),
        ({"quality": {"light": [1.0, np.inf, 2]}}, "values or NaN in light"),
        ({"bins": 1}, "at least 2 bins"),
        ({"group": [0, 1, 2]}, "face 2 has 2"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"columns": {"x": [1.0] * 3}, "group": [0, 1, 1], "groups": 2, "quality": {}} | change
    with pytest.raises(ValueError, match=message):
        equalised(**given)


def test_same_faces_and_seed_same_numbers():
    group, quality, columns = darker()
    first, again, other = (equalised(columns, group, 3, quality, seed=seed) for seed in (0, 0, 1))
    assert (first.low == again.low).all() and (first.low != other.low).any() and (first.gap == other.gap).all()


def test_intervals_hold_the_truth():
    held = []
    for seed in range(200):
        group, quality, columns = darker(400, seed)
        found = equalised(columns, group, 3, quality, resamples=200)
        held.append((found.low[0] <= [0, 0.5]) & (found.high[0] >= [0, 0.5]))
    assert (np.abs(np.mean(held, axis=0) - 0.95) < 0.05).all()
