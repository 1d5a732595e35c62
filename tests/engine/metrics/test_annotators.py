"""Vote distributions, disagreement and majorities: by hand, then by brute force over pairs of votes."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics.annotators import disagreement, majority, vote_distribution

votes_of = arrays(np.uint16, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.integers(0, 6))


def test_vote_distribution_by_hand():
    p = vote_distribution([[3, 1, 0], [0, 0, 0], [0, 0, 10]])
    np.testing.assert_array_equal(p, [[0.75, 0.25, 0.0], [np.nan] * 3, [0.0, 0.0, 1.0]])


def test_unknown_votes_have_no_distribution_and_no_majority():
    votes = [[np.nan, np.nan], [1.0, 3.0]]
    np.testing.assert_array_equal(vote_distribution(votes), [[np.nan, np.nan], [0.25, 0.75]])
    np.testing.assert_array_equal(majority(votes), [-1, 1])


def test_counts_of_a_narrow_type_do_not_overflow():
    np.testing.assert_array_equal(vote_distribution(np.array([[200, 200]], dtype=np.uint8)), [[0.5, 0.5]])


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [np.nan, 2.0], [np.inf, 2.0]])
@pytest.mark.parametrize("metric", [vote_distribution, majority])
def test_the_first_impossible_row_of_votes_is_named(metric, bad):
    with pytest.raises(ValueError, match="face 1 has"):
        metric([[1.0, 1.0], bad, [-5.0, 0.0]])


@pytest.mark.parametrize("metric", [vote_distribution, majority, disagreement])
def test_other_shapes_are_refused_and_no_faces_are_fine(metric):
    with pytest.raises(ValueError, match=r"shape \(N, C\)"):
        metric([1.0, 0.0])
    assert len(metric(np.empty((0, 8)))) == 0


def test_disagreement_by_hand():
    d = disagreement([[1.0, 0.0], [0.5, 0.5], [0.8, 0.2], [np.nan, np.nan]])
    np.testing.assert_allclose(d, [0.0, 0.5, 0.32, np.nan])
    assert disagreement(np.full((1, 8), 1 / 8))[0] == pytest.approx(1 - 1 / 8)


def test_equal_votes_on_other_classes_tie_exactly():
    votes = [[7, 2, 1, 0], [0, 1, 7, 2], [1, 0, 2, 7], [3, 3, 4, 0], [4, 0, 3, 3], [3, 4, 3, 0]]
    d = disagreement(vote_distribution(votes))
    assert len(np.unique(d)) == 2 and d[0] == d[1] == d[2] < d[3] == d[4] == d[5]


def test_disagreement_refuses_counts():
    with pytest.raises(ValueError, match=r"rows of p to sum to 1 within 0\.0001 but face 1 sums to 10"):
        disagreement([[1.0, 0.0], [7.0, 3.0]])


def test_majority_by_hand():
    votes = [[5, 3, 2], [4, 4, 2], [0, 0, 0], [0, 1, 1], [0, 0, 1]]
    np.testing.assert_array_equal(majority(votes), [0, -1, -1, -1, 2])
    np.testing.assert_array_equal(majority(votes, ties="first"), [0, 0, -1, 1, 2])


def test_majority_refuses_an_unknown_rule_for_ties():
    with pytest.raises(ValueError, match="'null' or 'first' but got 'random'"):
        majority([[1, 1]], ties="random")


@given(votes_of)
def test_disagreement_is_the_share_of_differing_pairs(votes):
    for row, d in zip(votes, disagreement(vote_distribution(votes)), strict=True):
        single = np.repeat(np.arange(len(row)), row)
        pairs = [a != b for a, b in product(single, single)]
        assert d == pytest.approx(np.mean(pairs)) if pairs else np.isnan(d)


@given(votes_of, st.randoms(use_true_random=False))
def test_order_of_faces_and_classes(votes, random):
    face, klass = (np.array(random.sample(range(k), k)) for k in votes.shape)
    np.testing.assert_array_equal(majority(votes[face]), majority(votes)[face])
    d = disagreement(vote_distribution(votes))
    np.testing.assert_allclose(disagreement(vote_distribution(votes[face][:, klass])), d[face], atol=1e-12)
    named = majority(votes[:, klass])
    np.testing.assert_array_equal(np.where(named < 0, -1, klass[named]), majority(votes))


@given(votes_of)
def test_majority_is_an_only_largest_class(votes):
    for row, m in zip(votes, majority(votes), strict=True):
        largest = [c for c, v in enumerate(row) if v == max(row) and v > 0]
        assert m == (largest[0] if len(largest) == 1 else -1)
