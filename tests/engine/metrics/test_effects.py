"""Means, contrasts and AUROCs whose uncertainty is that of whole people; the star that they are taken along."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from engine.metrics.effects import (
    cluster_auroc,
    cluster_means,
    compare_aurocs,
    effects,
    group_contrast,
    slopes,
)
from engine.metrics.lacking import lacking, otherwise_kept, removed_levels
from engine.metrics.star import FACTORS, quantities, sweep
from engine.probe.design import scenes, shots

NAN = float("nan")


# ---- by hand


def test_means_by_hand():
    (found,) = cluster_means([[1.0], [3.0], [NAN], [8.0]], ["a", "a", "b", "c"])
    assert (found.value, found.n, found.clusters) == (4.0, 3, 2)
    assert found.low < 4 < found.high


def test_without_two_clusters_there_is_no_interval():
    one, none = cluster_means([[1.0, NAN], [3.0, NAN]], ["a", "a"])
    assert one.value == 2 and np.isnan([one.low, one.high]).all() and (one.n, one.clusters) == (2, 1)
    assert np.isnan([none.value, none.low, none.high]).all() and (none.n, none.clusters) == (0, 0)


def test_effects_by_hand():
    table = [[1.0, 2.0, 4.0], [2.0, NAN, 6.0], [0.0, 1.0, NAN]]
    found = effects(table, ["a", "b", "c"], 0, steps=[0, 1, 2])
    assert [m.value for m in found.means] == [1.0, 1.5, 5.0]
    assert [(d.value, d.n) for d in found.differences] == [(0.0, 3), (1.0, 2), (3.5, 2)]
    assert (found.differences[0].low, found.differences[0].high) == (0.0, 0.0)
    assert found.slope.value == pytest.approx((1.5 + 2.0 + 1.0) / 3) and found.slope.n == 3


def test_differences_do_not_see_how_scenes_differ():
    rng = np.random.default_rng(0)
    scene = rng.normal(0, 100, (40, 1))
    table = scene + np.array([[0.0, 1.0]]) + rng.normal(0, 0.01, (40, 2))
    found = effects(table, np.arange(40) // 5, 0)
    assert found.slope is None
    assert found.differences[1].high - found.differences[1].low < 0.05
    assert found.means[1].high - found.means[1].low > 20


def test_means_stay_within_their_bounds():
    found = effects([[1.0, 0.9], [1.0, 0.2], [1.0, 1.0]], ["a", "b", "c"], 0, bounds=(0.0, 1.0))
    assert found.means[1].high == 1.0 and found.means[1].low == 0.0
    assert found.differences[1].low < -1.0  # a difference is not cut


def test_contrast_of_levels_by_hand():
    found = group_contrast([[1.0, 2.0, 6.0, NAN], [NAN, NAN, 6.0, 8.0]], [True, True, False, False])
    assert found[0] == -4.5 and np.isnan(found[1])


def test_lengths_are_checked():
    with pytest.raises(ValueError, match=r"Expected clusters of shape \(2,\)"):
        cluster_means([[1.0], [2.0]], ["a"])


# ---- against other libraries


def test_of_equal_clusters_the_interval_is_students():
    """Means of clusters of one size: the bootstrap must come to the t interval of the clusters' means."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 8)[:, None] + rng.normal(0, 1, (8, 10))
    (found,) = cluster_means(values.reshape(-1, 1), np.repeat(np.arange(8), 10), resamples=20_000)
    means = values.mean(axis=1)
    low, high = stats.t.interval(0.95, 7, means.mean(), stats.sem(means))
    assert found.value == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


def test_slopes_are_those_of_scipy():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(5, 10))
    table[0, 3] = NAN
    for row, slope in zip(table, slopes(table, np.arange(1, 11)), strict=True):
        known = ~np.isnan(row)
        assert slope == pytest.approx(stats.linregress(np.arange(1, 11)[known], row[known]).slope)


def test_auroc_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    truth = rng.random(300) < 0.3
    first = rng.integers(0, 8, 300) + 2.0 * truth  # with ties
    second = rng.normal(size=300) + truth
    one, other, difference = compare_aurocs(first, second, truth, np.arange(300) % 7)
    assert one.value == pytest.approx(roc_auc_score(truth, first))
    assert other.value == pytest.approx(roc_auc_score(truth, second))
    assert difference.value == pytest.approx(one.value - other.value)
    assert one.low < one.value < one.high and (one.n, one.clusters) == (300, 7)


def test_auroc_of_resamples_is_that_of_the_repeated_faces():
    """The interval comes from the AUROCs of faces repeated as often as their cluster is drawn."""
    from engine.metrics.bootstrap import Resamples

    rng = np.random.default_rng(4)
    truth, score, cluster = rng.random(60) < 0.5, rng.normal(size=60), np.arange(60) // 10
    counts = Resamples(6, 200, 0).counts.astype(int)
    slow = [roc_auc_score(np.repeat(truth, c[cluster]), np.repeat(score, c[cluster])) for c in counts]
    found = cluster_auroc(score, truth, cluster, resamples=200)
    half = stats.t.ppf(0.975, 5) * np.std(slow, ddof=1) * np.sqrt(6 / 5)
    assert found.high == pytest.approx(min(1.0, found.value + half))


# ---- properties


def test_repeating_images_of_the_same_people_teaches_nothing():
    rng = np.random.default_rng(5)
    values, cluster = rng.normal(size=(80, 1)), np.arange(80) % 8
    (once,) = cluster_means(values, cluster)
    (often,) = cluster_means(np.repeat(values, 9, axis=0), np.repeat(cluster, 9))
    assert (often.low, often.high) == pytest.approx((once.low, once.high)) and often.n == 720


def test_order_does_not_matter():
    rng = np.random.default_rng(6)
    values, cluster, truth = rng.normal(size=(90, 2)), np.arange(90) % 9, rng.random(90) < 0.5
    shuffled = rng.permutation(90)
    for one, other in zip(
        cluster_means(values, cluster), cluster_means(values[shuffled], cluster[shuffled]), strict=True
    ):
        assert (one.low, one.high) == pytest.approx((other.low, other.high))
    one = cluster_auroc(values[:, 0], truth, cluster)
    other = cluster_auroc(values[shuffled, 0], truth[shuffled], cluster[shuffled])
    assert (one.value, one.low) == pytest.approx((other.value, other.low))


def test_eight_people_are_covered_as_often_as_promised():
    """About 95 % of the intervals hold the truth, where plain percentiles would in 87 %."""
    rng = np.random.default_rng(7)
    draws = rng.normal(size=(8, 1, 400)).repeat(3, axis=1) + rng.normal(size=(8, 3, 400))
    found = cluster_means(draws.reshape(24, 400), np.repeat(np.arange(8), 3))
    held = np.mean([estimate.low <= 0 <= estimate.high for estimate in found])
    assert 0.92 < held < 0.98


# ---- the star


def star(**changes):
    columns = {"scene": [7, 7, 7, 7, 9], "identity": [1, 1, 1, 1, 2], "centre": [1, 0, 0, 0, 0]}
    factors = {"tone": [3, 4, 3, 3, 3], "yaw": [0, 0, 30, 0, 0], "light": ["side", "side", "side", "front", "side"]}
    return {**columns, "factors": factors, **changes}


def test_each_arm_holds_the_faces_that_differ_in_its_factor_alone():
    assert sweep("tone", **star()).rows.tolist() == [[0, 1]]
    assert sweep("yaw", **star()).rows.tolist() == [[0, 2]]
    light = sweep("light", **star())
    assert light.levels == ("front", "side") and light.rows.tolist() == [[3, 0]]
    assert light.scene.tolist() == [7] and light.setting["tone"].tolist() == [3]


def test_a_scene_without_its_centre_is_on_no_arm():
    assert sweep("tone", **star(centre=[0] * 5)).rows.shape == (0, 0)


def test_tables_hold_nan_where_there_is_no_face():
    arm = sweep("tone", **star(centre=[1, 0, 0, 0, 1]))
    np.testing.assert_array_equal(arm.table([10, 20, 30, 40, 50]), [[10, 20], [50, NAN]])
    assert arm.within(np.array([True, False, True, True, True])).rows.tolist() == [[0], [4]]
    assert arm.within(np.zeros(5, dtype=bool)).rows.shape == (0, 0)


def test_the_whole_design_is_laid_out():
    rows = [(scene, shot) for scene in scenes() for shot in shots(scene)]
    columns = {name: [getattr(shot, name) for _, shot in rows] for name in FACTORS}
    at = [scene.index for scene, _ in rows], [scene.identity for scene, _ in rows], [shot.centre for _, shot in rows]
    for name, levels in (("tone", 10), ("yaw", 5), ("light", 3)):
        arm = sweep(name, *at, columns)
        assert arm.rows.shape == (240, levels) and (arm.rows >= 0).all()
        for other in (factor for factor in FACTORS if factor != name):
            values = np.array(columns[other])[arm.rows]
            assert (values == values[:, :1]).all()
        assert (np.array(columns[name])[arm.rows] == np.array(arm.levels)).all()
        assert arm.levels[arm.reference()] == FACTORS[name].reference
    assert arm.reference("side") == 1 and arm.reference("no such light") == 0


def test_accuracy_is_unknown_where_votes_tie():
    found = quantities({"predicted": [1, 2, NAN], "majority": [1, NAN, 1]}, ["accuracy"])["accuracy"]
    np.testing.assert_array_equal(found, [1, NAN, NAN])


# ---- the skew experiment


def probe_faces():
    rows = [(scene, shot) for scene in scenes() if scene.identity >= 16 for shot in shots(scene)]
    factors = {name: np.array([getattr(shot, name) for _, shot in rows], dtype=object) for name in FACTORS}
    scene, person = (np.array([getattr(scene, name) for scene, _ in rows]) for name in ("index", "identity"))
    centre = np.array([shot.centre for _, shot in rows])
    arms = {name: sweep(name, scene, person, centre, factors) for name in FACTORS}
    return factors["tone"].astype(float), factors["yaw"].astype(float), person, arms


def test_a_known_lack_is_found_and_nothing_else():
    tone, yaw, person, arms = probe_faces()
    rng = np.random.default_rng(8)
    base = rng.normal(size=len(tone))
    lack = (tone >= 6) | (np.abs(yaw) >= 60)
    parts = ("u_epistemic", "u_aleatoric", "u_total")
    one = dict.fromkeys(parts, base)
    other = {"u_epistemic": base + 0.3 * lack, "u_aleatoric": base + 1.0, "u_total": base}
    found = lacking(one, other, tone, yaw, person, arms)
    for factor in ("tone", "yaw"):
        assert found.gaps["u_epistemic"][factor].difference.value == pytest.approx(0.3)
        assert found.gaps["u_aleatoric"][factor].difference.value == pytest.approx(0.0, abs=1e-12)
    change = found.change["u_epistemic"]
    assert [round(change[group].value, 6) for group in ("kept", "dark", "profile", "both")] == [0, 0.3, 0.3, 0.3]
    assert sum(group.n for group in change.values()) == len(tone)
    assert found.change["u_aleatoric"]["kept"].value == pytest.approx(1.0)
    skewed, balanced, difference = found.auroc["u_epistemic"]
    assert skewed.value == pytest.approx(roc_auc_score(lack, other["u_epistemic"]))
    assert balanced.value == pytest.approx(roc_auc_score(lack, base)) and difference.value > 0
    assert found.auroc["u_aleatoric"][2].value == 0


def test_arms_are_taken_where_the_other_factor_was_kept():
    _, _, _, arms = probe_faces()
    assert (np.abs(otherwise_kept(arms["tone"]).setting["yaw"].astype(float)) < 60).all()
    assert (otherwise_kept(arms["yaw"]).setting["tone"].astype(float) < 6).all()
    assert removed_levels("tone", arms["tone"].levels).tolist() == [False] * 5 + [True] * 5
    assert not removed_levels("light", arms["light"].levels).any()
