"""Permuted sums: what must add up, every permutation of a small case, and blocks against faces one by one."""

import itertools

import numpy as np
import pytest
from scipy.stats import permutation_test

from engine.metrics.permutation import BLOCKS, p_value, permuted_sums

NAN = float("nan")


def test_sums_are_those_of_some_deal():
    """Powers of two tell from a sum which faces are in it."""
    found = permuted_sums(2.0 ** np.arange(6)[:, None], [1, 0, 3, 2], permutations=50)[:, :, 0].astype(int)
    assert (found.sum(axis=1) == 63).all()
    for deal in found:
        assert [int(part).bit_count() for part in deal] == [1, 0, 3, 2]


@pytest.mark.parametrize("n", [5, BLOCKS, BLOCKS + 1, 2 * BLOCKS + 17, 7 * BLOCKS + 999])
@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.5), (0.01, 0.29, 0.7), (0.8, 0.001, 0.199)])
def test_sizes_are_kept(n, shares):
    """A column of ones counts the faces: through blocks that are cut, and the remainder that is never moved."""
    sizes = np.floor(np.array(shares) * n).astype(int)
    sizes[0] += n - sizes.sum()
    rng = np.random.default_rng(0)
    columns = np.stack([np.ones(n), rng.integers(0, 100, n)], axis=1).astype(float)
    found = permuted_sums(columns, sizes, permutations=30)
    assert (found[:, :, 0] == sizes).all()
    assert (found[:, :, 1].sum(axis=1) == columns[:, 1].sum()).all()


def test_more_groups_than_a_block_has_faces():
    sizes = np.full(3000, 3)
    assert (permuted_sums(np.ones((9000, 1)), sizes, permutations=12) == 3).all()


def test_all_deals_are_equally_frequent():
    found = permuted_sums(2.0 ** np.arange(4)[:, None], [2, 2], permutations=6000)[:, 0, 0]
    deals, counts = np.unique(found, return_counts=True)
    assert set(deals) == {2.0**a + 2.0**b for a, b in itertools.combinations(range(4), 2)}
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000 * 5 / 6)


def test_blocks_reach_every_face():
    """A single face that stands out is in each group as often as its size asks."""
    n, sizes = 3 * BLOCKS + 7, np.array([3, 507, 2497])
    column = np.zeros((n, 1))
    column[12] = 1
    found = permuted_sums(column, sizes, permutations=20_000)[:, :, 0].mean(axis=0)
    share = sizes / n
    # within one order the face stays in its block: as many blocks as permutations divided by nothing but chance
    np.testing.assert_allclose(found, share, atol=5 * np.sqrt(share * (1 - share) / 20_000).max())


@pytest.mark.parametrize("size", [20, 200, 2000])
def test_blocks_spread_as_faces_do(size):
    """The variance of a group's sum is that of a draw without replacement, known exactly."""
    rng = np.random.default_rng(1)
    n = 5 * BLOCKS + 3
    x = rng.exponential(size=n) ** 2  # a long tail
    found = permuted_sums(x[:, None], [size, n - size], permutations=4000)[:, 0, 0]
    exact = np.sqrt(size * (n - size) / n * x.var(ddof=1))
    assert found.mean() == pytest.approx(size * x.mean(), abs=4 * exact / np.sqrt(4000))
    assert found.std() == pytest.approx(exact, rel=0.08)


def test_blocks_give_the_p_value_of_faces_one_by_one():
    rng = np.random.default_rng(2)
    n, size = 2 * BLOCKS + 100, 300
    x = rng.exponential(size=n)
    centred = x - x.mean()
    observed = 1.6 * np.sqrt(size * (n - size) / n) * x.std()  # a sum of 300 faces that chance exceeds in about 11 %
    blocks = permuted_sums(centred[:, None], [size, n - size], permutations=10_000)[:, 0, 0]
    faces = np.array([centred[rng.permutation(n)[:size]].sum() for _ in range(10_000)])
    first, second = (float(p_value(observed, np.abs(each))) for each in (blocks, faces))
    assert 0.05 < second < 0.2 and first == pytest.approx(second, abs=5 * np.sqrt(2 * second / 10_000))


def test_p_by_hand():
    assert float(p_value(3.0, np.array([1.0, 2.0]))) == pytest.approx(1 / 3)  # never 0
    np.testing.assert_allclose(p_value([1, NAN], [[1, 1], [0, 1], [5, 1]]), [3 / 4, NAN])
    assert float(p_value(1.0, [1 - 1e-12], tolerance=1e-9)) == 1  # equal but for rounding
    assert np.isnan(p_value([1.0], np.zeros((0, 1)))).all()


def test_against_scipy():
    """All 252 deals of ten faces, and what 20,000 random ones say of them."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=5) + 1, rng.normal(size=5)
    exact = permutation_test((x, y), lambda a, b: abs(a.mean() - b.mean()), alternative="greater").pvalue
    values = np.r_[x, y]
    sums = permuted_sums(values[:, None], [5, 5], permutations=20_000)[:, :, 0]
    found = p_value(abs(x.mean() - y.mean()), np.abs(sums[:, 0] - sums[:, 1]) / 5, 1e-12)
    assert float(found) == pytest.approx(exact, abs=5 * np.sqrt(exact / 20_000))


def test_same_seed_same_deals():
    x = np.random.default_rng(4).normal(size=(2500, 2))
    first, again, other = (permuted_sums(x, [500, 2000], 20, seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize(("sizes", "permutations"), [([2, 2], 5), ([-1, 6], 5), ([2, 3], 0)])
def test_refused(sizes, permutations):
    with pytest.raises(ValueError, match="sizes that add up to 5"):
        permuted_sums(np.ones((5, 1)), sizes, permutations)
