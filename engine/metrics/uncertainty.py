"""Predictive uncertainty of sampled class probabilities, split into its aleatoric and epistemic parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.checks import Floats, as_probabilities, check_shape

ROUNDING = 1e-6  # nats; by Jensen's inequality U_e is never below 0, and float64 sums err by far less
BLOCK = 1 << 20  # probabilities converted to float64 at a time (8 MiB), so that a million faces fit in memory


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The triple of each face, in nats: total = aleatoric + epistemic, each (N,) float64.

    eq=False: comparing arrays with == has no single answer.
    """

    total: Floats
    aleatoric: Floats
    epistemic: Floats


def entropy(p: ArrayLike, axis: int = -1) -> Floats:
    """Shannon entropy -sum p ln p in nats along `axis`; a class with p = 0 adds exactly 0.

    p: any shape, at least 0; sums are not checked. NaN gives NaN. Raises ValueError on a negative entry.

    >>> entropy([[1.0, 0.0], [0.5, 0.5]]).round(4)
    array([0.    , 0.6931])
    """
    p = np.asarray(p, dtype=np.float64)
    if (p < 0).any():
        raise ValueError(f"Expected probabilities of at least 0 but got {np.nanmin(p):.6g}")
    logs = np.log(p, out=np.zeros_like(p), where=p != 0)
    return np.asarray(0.0 - (p * logs).sum(axis=axis))  # 0 - x, since -x would print certainty as -0


def normalised_entropy(p: ArrayLike) -> Floats:
    """Entropy along the last axis as a share of the largest possible, ln C: 0 (certain) to 1 (uniform).

    p: (..., C) as for entropy, C at least 1. Lets models with unlike numbers of classes be compared; with a
    single class nothing can be uncertain, which gives 0. Raises ValueError on a negative entry or no class.

    >>> normalised_entropy([[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]])
    array([0. , 0.5])
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"Expected p of shape (..., C), C at least 1, but got {p.shape}")
    largest = np.log(p.shape[-1]) if p.shape[-1] > 1 else 1.0
    return np.minimum(entropy(p) / largest, 1.0)  # ln C adds up to a rounding more than ln C


def decompose(probs: ArrayLike) -> Uncertainty:
    """Split predictive entropy into its aleatoric and epistemic parts, in nats.

    U_t = H[mean_s p_s], U_a = mean_s H[p_s], U_e = U_t - U_a: the mutual information of class and sample.

    probs: (N, S, C), N faces, S samples, C classes; every row sums to 1 within 1e-4 (float16 samples may
    not: renormalise them first) and is divided by its sum. Computed in float64. With S = 1, U_e is exactly 0.
    Raises ValueError naming the first face and sample whose row is not a distribution, ArithmeticError should
    U_e come out below -1e-6. Source: Ghandeharioun et al. 2019, section 3.2.

    >>> decompose(np.array([[[1.0, 0.0], [0.0, 1.0]]])).epistemic.round(4)
    array([0.6931])
    """
    probs = np.asarray(probs)
    check_shape(probs, "probs", ("N", "S", "C"))
    n, samples, classes = probs.shape
    total, aleatoric = np.empty(n), np.empty(n)
    step = max(1, BLOCK // (samples * classes))
    for start in range(0, n, step):
        block = as_probabilities(probs[start : start + step], "probs", ("face", "sample"), first=start)
        total[start : start + step] = entropy(block.mean(axis=1))  # (B,)
        aleatoric[start : start + step] = entropy(block).mean(axis=1)  # (B,)
    if samples == 1:  # equal in exact arithmetic, so equal here whatever the order of summation
        return Uncertainty(total, total.copy(), np.zeros(n))
    return Uncertainty(total, aleatoric, _floor_rounding(total - aleatoric))


def _floor_rounding(epistemic: Floats) -> Floats:
    """Raise negative U_e of rounding size to 0; anything lower is a bug here, not a property of the model."""
    if len(epistemic) and epistemic.min() < -ROUNDING:
        face = int(epistemic.argmin())
        raise ArithmeticError(f"Expected U_e of at least 0 but face {face} has {epistemic[face]:.3g} nats")
    return np.maximum(epistemic, 0.0)
