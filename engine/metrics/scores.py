"""How far a model's distribution is from the annotators', per face. Faces nobody voted on score NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.annotators import disagreement
from engine.metrics.checks import Floats, as_column, as_probabilities, check_shape
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


def jensen_shannon_distance(p: ArrayLike, q: ArrayLike) -> Floats:
    """Root of the Jensen-Shannon divergence, from 0 to sqrt(ln 2): a metric, as scipy's jensenshannon returns.

    p, q as for jensen_shannon. Most likely what Ghandeharioun et al. 2019 print as JSD.
    Source: Endres & Schindelin 2003.

    >>> jensen_shannon_distance([[1.0, 0.0]], [[0.0, 1.0]]).round(4)
    array([0.8326])
    """
    return np.sqrt(jensen_shannon(p, q))


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


def brier_pairs(p_model: ArrayLike, p_annotators: ArrayLike) -> Floats:
    """Mean over a face's single votes of their squared error sum_c ([vote = c] - p_c)^2: brier + d_i.

    The "BCE" of Ghandeharioun et al. 2019 is its mean over <annotation, sample> pairs, which weights each
    face by its number of votes. Arguments, range and errors as for brier.

    >>> brier_pairs([[0.5, 0.5]], [[0.5, 0.5]])
    array([0.5])
    """
    return brier(p_model, p_annotators) + disagreement(p_annotators)


def brier_hard(p: ArrayLike, majority: ArrayLike) -> Floats:
    """Squared error sum_c ([majority = c] - p_c)^2 of each face against one class, (N,), from 0 to 2.

    p: (N, C), rows sum to 1 within 1e-4. majority: (N,) class indices; -1 (a tie, no votes) scores NaN.
    Raises ValueError on other shapes, a row that is not a distribution, or naming the first face whose class
    is not a whole number from -1 to C - 1. Source: Brier 1950.

    >>> brier_hard([[0.75, 0.25], [0.75, 0.25]], [0, -1])
    array([0.125,   nan])
    """
    p = np.asarray(p)
    check_shape(p, "p", ("N", "C"))
    p = as_probabilities(p, "p")
    classes = as_column(majority, "majority", len(p))
    bad = ~np.isin(classes, np.arange(-1, p.shape[1]))
    if bad.any():
        face = int(bad.argmax())
        raise ValueError(f"Expected classes from -1 to {p.shape[1] - 1} but face {face} has {classes[face]:g}")
    chosen = np.arange(p.shape[1]) == classes[:, None]  # (N, C)
    return np.where(classes < 0, np.nan, ((chosen - p) ** 2).sum(axis=1))


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
