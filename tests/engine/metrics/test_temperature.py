"""Temperature: by hand, against a bounded search by SciPy, and what rescaling keeps."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics.annotators import vote_distribution
from engine.metrics.scores import nll
from engine.metrics.temperature import COLDEST, HOTTEST, fit_temperature, rescale


def soft_case(temperature, n=400, c=5, seed=0):
    """Probabilities whose votes follow them at another temperature."""
    rng = np.random.default_rng(seed)
    p = scipy.special.softmax(2 * rng.normal(size=(n, c)), axis=1)
    return p, rng.multinomial(10, rescale(p, temperature))


def test_by_hand():
    # ln 9 / T = ln 3 when T = 2: .9 becomes .75, as three of four votes say
    assert fit_temperature([[0.9, 0.1]], [[3, 1]]) == pytest.approx(2.0)
    assert fit_temperature([[0.75, 0.25]], [[9, 1]]) == pytest.approx(0.5)
    np.testing.assert_allclose(rescale([[0.9, 0.1], [0.5, 0.5]], 2.0), [[0.75, 0.25], [0.5, 0.5]])


def test_calibrated_probabilities_keep_their_temperature():
    assert fit_temperature([[0.75, 0.25], [0.5, 0.5]], [[3, 1], [2, 2]]) == pytest.approx(1.0)


@pytest.mark.parametrize(("votes", "edge"), [([[5, 0]], COLDEST), ([[0, 5]], HOTTEST)])
def test_the_search_stops_at_its_bounds(votes, edge):
    assert fit_temperature([[0.9, 0.1]], votes) == pytest.approx(edge, rel=1e-6)


def test_without_votes_there_is_no_temperature():
    assert np.isnan(fit_temperature(np.empty((0, 3)), np.empty((0, 3))))
    assert np.isnan(fit_temperature([[0.5, 0.5]], [[np.nan, np.nan]]))
    assert np.isnan(fit_temperature([[0.5, 0.5]], [[0, 0]]))


@pytest.mark.parametrize("row", [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
def test_where_no_temperature_matters_it_is_one(row):
    assert fit_temperature([row], [[3, 1]]) == 1.0


def test_faces_without_votes_and_numbers_of_votes_change_nothing():
    p, votes = soft_case(1.7)
    fitted = fit_temperature(p, votes)
    assert fit_temperature(np.vstack([p, p[:9]]), np.vstack([votes, np.zeros((9, 5))])) == pytest.approx(fitted)
    assert fit_temperature(p, votes * np.arange(1, 401)[:, None]) == pytest.approx(fitted)


def test_votes_on_impossible_classes_have_no_say():
    p, votes = [[0.9, 0.1, 0.0]], [[3, 1, 4]]
    assert fit_temperature(p, votes) == pytest.approx(2.0)
    assert rescale(p, 5.0)[0, 2] == 0.0


@pytest.mark.parametrize("truth", [0.3, 0.8, 1.0, 2.0, 6.0])
def test_against_scipys_bounded_search(truth):
    p, votes = soft_case(truth, seed=int(10 * truth))
    y = vote_distribution(votes)

    def loss(log_t):
        return nll(rescale(p, np.exp(log_t)), y).mean()

    found = scipy.optimize.minimize_scalar(loss, bounds=np.log([COLDEST, HOTTEST]), options={"xatol": 1e-9})
    assert fit_temperature(p, votes) == pytest.approx(np.exp(found.x), rel=1e-4)
    assert fit_temperature(p, votes) == pytest.approx(truth, rel=0.1)


def test_rescaling_is_softmax_of_logits():
    p, _ = soft_case(1.0)
    np.testing.assert_allclose(rescale(p, 3.0), scipy.special.softmax(np.log(p) / 3.0, axis=1))
    np.testing.assert_allclose(rescale(p, 1.0), p)
    assert rescale(np.empty((0, 4)), 2.0).shape == (0, 4)


@given(st.integers(0, 1000), st.floats(0.05, 20))
def test_rescaling_keeps_the_order_of_classes_and_undoes_itself(seed, temperature):
    p = np.random.default_rng(seed).dirichlet(np.ones(6), 3) * 0.9 + 0.1 / 6
    q = rescale(p, temperature)
    np.testing.assert_allclose(q.sum(axis=1), 1.0)
    np.testing.assert_array_equal(q.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_allclose(rescale(q, 1 / temperature), p, atol=1e-9)


@given(st.integers(0, 1000))
def test_order_of_faces_and_classes_does_not_matter(seed):
    p, votes = soft_case(1.5, n=20, seed=seed)
    rng = np.random.default_rng(seed)
    face, klass = rng.permutation(20), rng.permutation(5)
    assert fit_temperature(p[face][:, klass], votes[face][:, klass]) == pytest.approx(fit_temperature(p, votes))


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, np.nan])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="finite temperature above 0"):
        rescale([[0.5, 0.5]], temperature)


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match=r"of one shape but got \(1, 2\) and \(2, 2\)"):
        fit_temperature([[0.5, 0.5]], [[1, 1], [1, 1]])
    with pytest.raises(ValueError, match="face 0 sums to 2"):
        fit_temperature([[1.0, 1.0]], [[1, 1]])
    with pytest.raises(ValueError, match=r"probs of shape \(N, C\)"):
        rescale([0.5, 0.5], 1.0)
