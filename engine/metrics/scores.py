"""How far a model's distribution is from the annotators', per face. Faces nobody voted on score NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.checks import Floats, as_probabilities, check_shape
from engine.metrics.uncertainty import entropy

EPSILON = 1e-12  # a class that got votes but probability 0 costs 27.6 nats instead of infinity


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> Floats:
    """Jensen-Shannon divergence of each face in nats: H[m] - (H[p] + H[q]) / 2 with m = (p + q) / 2.

    p, q: (N, C), rows sum to 1 within 1e-4; a row of NaN in either gives NaN. Returns (N,), from 0 (equal) to
    ln 2 (no class in common). This is the divergence: scipy's jensenshannon returns its root, the distance.
    Raises ValueError on other shapes, or naming the first face whose row is not a distribution.
    Source: Lin 1991.

    >>> jensen_shannon([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]).round(4)
    array([0.6931, 0.    ])
    """
    p, q = _pair(p, q, ("p", "q"), nan_model=True)
    return np.maximum(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, 0.0)


def nll(p_model: ArrayLike, p_annotators: ArrayLike, epsilon: float = EPSILON) -> Floats:
    """Soft-label cross-entropy -sum_c y_c ln max(p_c, epsilon) of each face, in nats.

    It is the mean negative log-likelihood of the face's single votes, and at least their entropy.
    p_model, p_annotators: (N, C), rows sum to 1 within 1e-4; a row of NaN in p_annotators gives NaN.
    Returns (N,). Raises ValueError on other shapes, or naming the first face whose row is not a distribution.

    >>> nll([[0.5, 0.5], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]).round(4)
    array([0.6931, 0.    ])
    """
    p, y = _pair(p_model, p_annotators, ("p_model", "p_annotators"))
    return np.asarray(0.0 - (y * np.log(np.maximum(p, epsilon))).sum(axis=1))


def brier(p_model: ArrayLike, p_annotators: ArrayLike) -> Floats:
    """Squared error sum_c (y_c - p_c)^2 of each face against its vote distribution y.

    The Brier score over <annotation, sample> pairs of Ghandeharioun et al. 2019 (their "BCE"), where each
    single vote is a one-hot target, is this + d_i (annotators.disagreement): only this part is the model's.
    p_model, p_annotators: (N, C), rows sum to 1 within 1e-4; a row of NaN in p_annotators gives NaN.
    Returns (N,), from 0 to 2. Raises ValueError as nll does.

    >>> brier([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]])
    array([2., 0.])
    """
    p, y = _pair(p_model, p_annotators, ("p_model", "p_annotators"))
    return np.asarray(((y - p) ** 2).sum(axis=1))


def _pair(
    p: ArrayLike,
    y: ArrayLike,
    names: tuple[str, str],
    nan_model: bool = False,
) -> tuple[Floats, Floats]:
    """Both as (N, C) float64 distributions of the same shape."""
    p, y = np.asarray(p), np.asarray(y)
    check_shape(p, names[0], ("N", "C"))
    if p.shape != y.shape:
        raise ValueError(f"Expected {names[0]} and {names[1]} of one shape but got {p.shape} and {y.shape}")
    return as_probabilities(p, names[0], nan_rows=nan_model), as_probabilities(y, names[1], nan_rows=True)
