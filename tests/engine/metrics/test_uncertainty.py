"""Entropy and the uncertainty triple: cases done by hand, then SciPy, then what must hold for any input."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.metrics import uncertainty
from engine.metrics.uncertainty import decompose, entropy, normalised_entropy

LN2 = np.log(2)


def dirichlet(n, s, c, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(c, 0.3), (n, s))


@st.composite
def samples(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 5)))
    zero_or_not_tiny = st.one_of(st.just(0.0), st.floats(1e-6, 1.0))
    weights = draw(arrays(np.float64, shape, elements=zero_or_not_tiny))
    weights[..., 0] += weights.sum(axis=-1) == 0  # a row of zeros becomes certain of class 0
    return weights / weights.sum(axis=-1, keepdims=True)


def test_certainty_has_entropy_exactly_zero():
    h = entropy([0.0, 1.0, 0.0])
    assert h == 0.0 and not np.signbit(h)


def test_uniform_has_entropy_ln_c():
    assert entropy(np.full(8, 1 / 8)) == pytest.approx(np.log(8), abs=1e-15)


def test_entropy_along_another_axis():
    p = np.array([[1.0, 0.5], [0.0, 0.5]])
    np.testing.assert_allclose(entropy(p, axis=0), [0.0, LN2])


def test_entropy_passes_nan_on_and_refuses_negatives():
    assert np.isnan(entropy([np.nan, np.nan]))
    with pytest.raises(ValueError, match=r"at least 0 but got -0\.5"):
        entropy([1.5, -0.5])


def test_normalised_entropy_by_hand():
    shares = normalised_entropy([[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.25] * 4, [np.nan] * 4])
    np.testing.assert_allclose(shares, [0.0, 0.5, 1.0, np.nan], atol=1e-15)


def test_a_single_class_is_never_uncertain():
    np.testing.assert_array_equal(normalised_entropy([[1.0], [1.0]]), [0.0, 0.0])


def test_normalised_entropy_refuses_no_classes_and_takes_no_faces():
    assert normalised_entropy(np.empty((0, 8))).shape == (0,)
    for wrong in (np.empty((2, 0)), 1.0):
        with pytest.raises(ValueError, match="C at least 1"):
            normalised_entropy(wrong)
    with pytest.raises(ValueError, match="at least 0"):
        normalised_entropy([-0.5, 1.5])


@given(st.integers(1, 300))
def test_uniform_is_exactly_one_and_no_more(c):
    share = normalised_entropy(np.full(c, 1 / c))
    assert share == 0 if c == 1 else 1 - 1e-12 < share <= 1


def test_two_opposite_certain_samples_are_all_epistemic():
    u = decompose([[[1.0, 0.0], [0.0, 1.0]]])
    assert u.total[0] == pytest.approx(LN2)
    assert u.aleatoric[0] == 0.0
    assert u.epistemic[0] == pytest.approx(LN2)


def test_agreeing_uniform_samples_are_all_aleatoric():
    u = decompose(np.full((1, 2, 4), 0.25))
    assert u.aleatoric[0] == pytest.approx(np.log(4))
    assert u.epistemic[0] == pytest.approx(0.0, abs=1e-15)


def test_half_and_half_by_hand():
    # samples (1, 0) and (1/2, 1/2): mean (3/4, 1/4), U_a = ln 2 / 2
    u = decompose([[[1.0, 0.0], [0.5, 0.5]]])
    total = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert u.total[0] == pytest.approx(total)
    assert u.aleatoric[0] == pytest.approx(LN2 / 2)
    assert u.epistemic[0] == pytest.approx(total - LN2 / 2)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_one_sample_has_no_epistemic_uncertainty(layout):
    u = decompose(layout(dirichlet(200, 1, 37).astype(np.float32)))
    assert (u.epistemic == 0.0).all()
    np.testing.assert_array_equal(u.total, u.aleatoric)


def test_no_faces_give_no_uncertainty():
    u = decompose(np.empty((0, 5, 8)))
    assert u.total.shape == u.aleatoric.shape == u.epistemic.shape == (0,)


def test_float32_is_computed_in_float64():
    p = dirichlet(50, 10, 8)
    u = decompose(p.astype(np.float32))
    assert u.epistemic.dtype == np.float64
    np.testing.assert_allclose(u.epistemic, decompose(p).epistemic, atol=1e-6)


def test_sums_within_the_tolerance_are_renormalised():
    np.testing.assert_allclose(decompose([[[0.50004, 0.50004]]]).total, [LN2], atol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4, 5), (2, 0, 4), (2, 3, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(N, S, C\)"):
        decompose(np.ones(shape))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.7, 0.7], r"sum to 1 within 0.0001 but face 3, sample 1 sums to 1\.4"),
        ([0.5002, 0.5], r"face 3, sample 1 sums to 1\.0002"),
        ([0.0, 0.0], "face 3, sample 1 sums to 0"),
        ([1.5, -0.5], r"at least 0 but face 3, sample 1 holds -0\.5"),
        ([np.nan, 1.0], "finite probs but face 3, sample 1 holds nan"),
        ([np.inf, -np.inf], "finite probs but face 3, sample 1 holds inf"),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_the_first_offending_face_and_sample_are_named(row, message, block, monkeypatch):
    monkeypatch.setattr(uncertainty, "BLOCK", block)
    probs = np.full((6, 2, 2), 0.5)
    probs[3, 1] = row
    probs[5, 0] = [9.0, 9.0]
    with pytest.raises(ValueError, match=message):
        decompose(probs)


def test_rounding_is_floored_and_a_real_negative_is_an_error():
    np.testing.assert_array_equal(uncertainty._floor_rounding(np.array([-1e-9, 0.5])), [0.0, 0.5])
    with pytest.raises(ArithmeticError, match=r"face 1 has -0\.002"):
        uncertainty._floor_rounding(np.array([0.5, -0.002]))


def test_blocks_change_nothing(monkeypatch):
    p = dirichlet(23, 5, 8)
    whole = decompose(p)
    monkeypatch.setattr(uncertainty, "BLOCK", 7 * 5 * 8)
    for part in ("total", "aleatoric", "epistemic"):
        np.testing.assert_array_equal(getattr(decompose(p), part), getattr(whole, part))


def test_against_scipy():
    p = dirichlet(40, 6, 8)
    u = decompose(p)
    np.testing.assert_allclose(u.total, scipy.stats.entropy(p.mean(axis=1), axis=1))
    np.testing.assert_allclose(u.aleatoric, scipy.stats.entropy(p, axis=2).mean(axis=1))
    mutual_information = scipy.stats.entropy(p, p.mean(axis=1, keepdims=True), axis=2).mean(axis=1)
    np.testing.assert_allclose(u.epistemic, mutual_information, atol=1e-12)


@given(samples())
def test_parts_add_up_within_their_bounds(p):
    u = decompose(p)
    np.testing.assert_allclose(u.aleatoric + u.epistemic, u.total, atol=1e-12)
    for part in (u.total, u.aleatoric, u.epistemic):
        assert (part >= 0).all() and (part <= np.log(p.shape[2]) + 1e-12).all()


@given(samples(), st.randoms(use_true_random=False))
def test_order_of_faces_samples_and_classes(p, random):
    face, sample, klass = (np.array(random.sample(range(k), k)) for k in p.shape)
    u, shuffled = decompose(p), decompose(p[face][:, sample][:, :, klass])
    np.testing.assert_array_equal(decompose(p[face]).epistemic, u.epistemic[face])
    for part in ("total", "aleatoric", "epistemic"):
        np.testing.assert_allclose(getattr(shuffled, part), getattr(u, part)[face], atol=1e-12)


@given(samples())
def test_repeating_every_sample_changes_nothing(p):
    repeated = decompose(np.repeat(p, 2, axis=1))
    np.testing.assert_allclose(repeated.epistemic, decompose(p).epistemic, atol=1e-12)
