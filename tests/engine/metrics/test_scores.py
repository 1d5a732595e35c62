"""Distances between model and annotators: by hand, against libraries, by brute force over pairs."""

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss, log_loss

from engine.metrics.annotators import disagreement, vote_distribution
from engine.metrics.scores import brier, brier_hard, brier_pairs, jensen_shannon, jensen_shannon_distance, nll

LN2 = np.log(2)
METRICS = [jensen_shannon, jensen_shannon_distance, nll, brier, brier_pairs]


def dirichlet(seed, n=60, c=8):
    return np.random.default_rng(seed).dirichlet(np.full(c, 0.5), n)


@st.composite
def predicted_and_votes(draw):
    """Probabilities of a model, and at least one vote a face."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(2, 5)))
    p = draw(arrays(np.float64, shape, elements=st.floats(1e-3, 1.0)))
    votes = draw(arrays(np.int64, shape, elements=st.integers(0, 5)))
    votes[:, 0] += votes.sum(axis=1) == 0
    return p / p.sum(axis=1, keepdims=True), votes


def test_jensen_shannon_by_hand():
    opposite, equal, half = jensen_shannon([[1, 0], [0.3, 0.7], [1, 0]], [[0, 1], [0.3, 0.7], [0.5, 0.5]])
    assert opposite == pytest.approx(LN2)
    assert equal == 0.0
    assert half == pytest.approx(0.5 * np.log(4 / 3) + 0.5 * (0.5 * np.log(2 / 3) + 0.5 * LN2))


def test_nll_by_hand():
    scores = nll([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]], [[1, 0], [1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(scores, [LN2, 0.0, -0.5 * np.log(0.2) - 0.5 * np.log(0.8)])
    assert not np.signbit(nll([[1.0, 0.0]], [[1.0, 0.0]])[0])


def test_nll_clips_at_epsilon():
    assert nll([[0.0, 1.0]], [[1.0, 0.0]])[0] == pytest.approx(-np.log(1e-12))
    assert nll([[0.0, 1.0]], [[1.0, 0.0]], epsilon=1e-3)[0] == pytest.approx(-np.log(1e-3))


def test_brier_by_hand():
    scores = brier([[1, 0], [0.5, 0.5], [0.8, 0.2]], [[0, 1], [0.5, 0.5], [1, 0]])
    np.testing.assert_allclose(scores, [2, 0, 0.08])


@pytest.mark.parametrize("metric", METRICS)
def test_faces_nobody_voted_on_score_nan(metric):
    scores = metric([[0.5, 0.5], [0.5, 0.5]], [[np.nan, np.nan], [1.0, 0.0]])
    assert np.isnan(scores[0]) and np.isfinite(scores[1])


@pytest.mark.parametrize("metric", [nll, brier, brier_pairs])
def test_a_prediction_of_nan_is_refused(metric):
    with pytest.raises(ValueError, match="finite p_model but face 1 holds nan"):
        metric([[0.5, 0.5], [np.nan, np.nan]], [[1.0, 0.0], [1.0, 0.0]])


@pytest.mark.parametrize("metric", METRICS)
def test_impossible_input_is_refused(metric):
    one = np.array([[1.0, 0.0]])
    with pytest.raises(ValueError, match=r"of one shape but got \(1, 2\) and \(2, 2\)"):
        metric(one, np.repeat(one, 2, axis=0))
    with pytest.raises(ValueError, match=r"shape \(N, C\)"):
        metric(one[0], one[0])
    with pytest.raises(ValueError, match="face 0 sums to 4"):
        metric(one, 4 * one)
    with pytest.raises(ValueError, match="face 0 holds nan"):
        metric(one, [[np.nan, 1.0]])


@pytest.mark.parametrize("metric", METRICS)
def test_no_faces_give_no_scores(metric):
    assert metric(np.empty((0, 8)), np.empty((0, 8))).shape == (0,)


def test_jensen_shannon_is_the_square_of_scipys_distance():
    p, q = dirichlet(0), dirichlet(1)
    np.testing.assert_allclose(jensen_shannon(p, q), scipy.spatial.distance.jensenshannon(p, q, axis=1) ** 2)


def test_distance_is_scipys():
    p, q = dirichlet(0), dirichlet(1)
    np.testing.assert_allclose(jensen_shannon_distance(p, q), scipy.spatial.distance.jensenshannon(p, q, axis=1))


def test_brier_hard_by_hand():
    scores = brier_hard([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2]], [0, 1, -1])
    np.testing.assert_allclose(scores, [0.08, 1.28, np.nan])
    assert brier_hard(np.empty((0, 3)), []).shape == (0,)


@pytest.mark.parametrize(
    ("classes", "message"), [([0, 2], "face 1 has 2"), ([-2, 0], "face 0 has -2"), ([0.5, 0], "0.5")]
)
def test_brier_hard_refuses_other_classes(classes, message):
    with pytest.raises(ValueError, match=message):
        brier_hard([[0.5, 0.5]] * 2, classes)


def test_brier_hard_refuses_other_lengths():
    with pytest.raises(ValueError, match="majority of length 2"):
        brier_hard([[0.5, 0.5]] * 2, [0])


def test_brier_hard_against_scikit_learn():
    p, hard = dirichlet(0), np.arange(60) % 8
    assert brier_hard(p, hard).mean() == pytest.approx(brier_score_loss(hard, p, labels=range(8), scale_by_half=False))


def test_nll_against_libraries():
    p, y = dirichlet(0), dirichlet(1)
    np.testing.assert_allclose(nll(p, y), scipy.stats.entropy(y, axis=1) + scipy.stats.entropy(y, p, axis=1))
    hard = np.arange(60) % 8
    assert nll(p, np.eye(8)[hard]).mean() == pytest.approx(log_loss(hard, p, labels=range(8)))


@given(predicted_and_votes())
def test_pair_scores_are_means_over_single_votes(case):
    p, votes = case
    y = vote_distribution(votes)
    for i, row in enumerate(votes):
        single = np.repeat(np.eye(len(row)), row, axis=0)  # (votes, C), one one-hot per vote
        pair_brier = ((single - p[i]) ** 2).sum(axis=1).mean()
        assert pair_brier == pytest.approx(brier(p, y)[i] + disagreement(y)[i])
        assert pair_brier == pytest.approx(brier_pairs(p, y)[i])
        assert nll(p, y)[i] == pytest.approx(-np.log((single * p[i]).sum(axis=1)).mean())


@given(predicted_and_votes())
def test_bounds_and_symmetry(case):
    p, y = case[0], vote_distribution(case[1])
    js = jensen_shannon(p, y)
    np.testing.assert_array_equal(js, jensen_shannon(y, p))
    assert (js >= 0).all() and (js <= LN2 + 1e-12).all()
    assert (nll(p, y) >= scipy.stats.entropy(y, axis=1) - 1e-12).all()
    assert (brier(p, y) >= 0).all() and (brier(p, y) <= 2 + 1e-12).all()


@pytest.mark.parametrize("metric", METRICS)
@given(case=predicted_and_votes(), random=st.randoms(use_true_random=False))
def test_order_of_faces_and_classes(metric, case, random):
    p, y = case[0], vote_distribution(case[1])
    face, klass = (np.array(random.sample(range(k), k)) for k in p.shape)
    shuffled = metric(p[face][:, klass], y[face][:, klass])
    np.testing.assert_allclose(shuffled, metric(p, y)[face], atol=1e-12)
