"""How well any predictor could follow the annotators' disagreement, given how few votes measure it."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.annotators import disagreement, vote_distribution
from engine.metrics.bootstrap import Estimate, Resamples, percentile_interval, ratio
from engine.metrics.checks import Floats
from engine.metrics.correlation import CONSTANT, Method, check_method, resampled

METHODS: tuple[Method, ...] = ("pearson", "spearman")
FEWEST_VOTES = 4  # two in each half: with one, its disagreement is always 0
SPLIT_FACES = 100_000  # faces split in all; more splits of fewer faces, since each split is a fresh accident
FEWEST_SPLITS, MOST_SPLITS = 5, 500


def split_half_reliability(
    votes: ArrayLike,
    splits: int | None = None,
    methods: Sequence[Method] = METHODS,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[Method, Estimate]:
    """Reliability of the disagreement d: the correlation to expect with d of as many new votes on the same faces.

    The votes of each face are split at random into two halves (of an odd number one vote is dropped at
    random), d is taken of both, their correlation over faces is averaged over `splits` (about 100,000 / N, from
    5 to 500, if None), and stepped up to the full number of votes: k r / (1 + (k - 1) r). Spearman-Brown's k is
    2, which is right for averages of votes. d is a sum of squares, whose noise falls faster, and with k = 2 the
    result comes out .03 to .06 too low. Here k is therefore taken from the variances: halves share no vote, so
    their covariance, times the known ratio of the expectations of d (1 - 1 / votes), is the variance of
    the expected d, and that over the variance of d is Pearson's reliability exactly. Spearman's is stepped up by
    the same k. tests/engine/metrics/test_ceiling.py checks both against simulated truths.

    votes: (N, C) whole counts; zeros or NaN mean unknown. Faces with fewer than 4 votes are left out, n counts
    the rest. The 95 % percentile bootstrap interval is over faces, with the splits held fixed. Fewer than 3
    faces or halves that all agree give NaN. Noise may carry the value below 0 or above 1.
    Raises ValueError on impossible votes or votes that are not whole, fewer than 1 split or another method.
    Sources: Spearman 1910, Brown 1910; Lord & Novick 1968.

    >>> split_half_reliability([[4, 0], [0, 6], [2, 2], [5, 0]], splits=1)["pearson"].n
    4
    """
    for method in methods:
        check_method(method)
    counts = _whole(votes)
    counts = counts[counts.sum(axis=1) >= FEWEST_VOTES]
    n = len(counts)
    if splits is not None and splits < 1:
        raise ValueError(f"Expected at least 1 split but got {splits}")
    if n < 3:
        return dict.fromkeys(methods, Estimate(nan, nan, nan, n))
    d = disagreement(vote_distribution(counts))
    splits = splits or min(MOST_SPLITS, max(FEWEST_SPLITS, SPLIT_FACES // n))
    rng = np.random.default_rng(seed)
    halves = [_halve(counts, rng) for _ in range(splits)]
    first, second = (np.array([disagreement(vote_distribution(half[i])) for half in halves]) for i in (0, 1))
    total = counts.sum(axis=1)
    growth = (1 - 1 / total) / (1 - 1 / (total // 2))  # of the expected d, from a half to all votes, (n,)
    moments = _moments(first, second, growth, d)
    draws = Resamples(n, resamples, seed)
    value, halved = _from_moments(moments.mean(axis=0))
    replicates, halves_drawn = _from_moments((draws.sums(moments) / draws.sums(np.ones((n, 1)))).T)  # (R,) each
    found = {}
    for method in methods:
        whole, drawn = value, replicates
        if method == "spearman":
            r, each = resampled(first, second, method, draws)  # (splits,), (R, splits)
            varied = ~np.isnan(r)  # a split of few faces may be constant on one side
            whole = _stepped_up(ratio(r[varied].sum(), varied.sum()), value, halved)
            drawn = _stepped_up(ratio(each[:, varied].sum(axis=1), varied.sum()), replicates, halves_drawn)
        low, high = percentile_interval(drawn) if np.isfinite(whole) else (nan, nan)
        found[method] = Estimate(float(whole), low, high, n)
    return found


def noise_ceiling(
    votes: ArrayLike,
    splits: int | None = None,
    methods: Sequence[Method] = METHODS,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[Method, Estimate]:
    """Highest correlation with d that any predictor could reach: the root of split_half_reliability.

    A predictor that knew each face's expected d exactly would correlate with the d of the votes at hand by
    this much; votes are few, and so their d is noisy. Arguments, n and errors as there. NaN where the
    reliability is not above 0; what noise carries past 0 or 1 is cut there.
    Source: Lord & Novick 1968 (there the index of reliability).

    >>> noise_ceiling([[4, 0], [4, 0], [4, 0]])["pearson"]
    Estimate(value=nan, low=nan, high=nan, n=3)
    """
    reliabilities = split_half_reliability(votes, splits, methods, resamples, seed)
    return {method: _root(reliability) for method, reliability in reliabilities.items()}


def _root(reliability: Estimate) -> Estimate:
    if not reliability.value > 0:
        return Estimate(nan, nan, nan, reliability.n)
    value, low, high = (sqrt(min(max(r, 0.0), 1.0)) for r in (reliability.value, reliability.low, reliability.high))
    return Estimate(value, low, high, reliability.n)


def _whole(votes: ArrayLike) -> NDArray[np.int64]:
    """Votes as (N, C) counts, 0 where unknown."""
    vote_distribution(votes)  # refuses impossible votes
    counts = np.asarray(votes, dtype=np.float64)
    counts = np.where(np.isnan(counts), 0.0, counts)
    broken = (counts != np.round(counts)).any(axis=1)
    if broken.any():
        face = int(broken.argmax())
        raise ValueError(f"Expected whole numbers of votes but face {face} has {counts[face].tolist()}")
    return counts.astype(np.int64)


def _halve(votes: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two random halves of each face's votes, (N, C) each; an odd vote is in neither."""
    half = votes.sum(axis=1) // 2
    first = _draw(votes, half, rng)
    return first, _draw(votes - first, half, rng)


def _draw(votes: NDArray[np.int64], size: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """`size` of each face's votes drawn without replacement, (N, C): class by class, all faces at once."""
    drawn = np.empty_like(votes)
    rest, missing = votes.sum(axis=1), size.copy()
    for c in range(votes.shape[1]):
        rest -= votes[:, c]
        drawn[:, c] = rng.hypergeometric(votes[:, c], rest, missing)
        missing -= drawn[:, c]
    return drawn


def _moments(first: Floats, second: Floats, growth: Floats, d: Floats) -> Floats:
    """What Pearson's reliability needs of each face, (n, 7), from the d of its halves, (splits, n) each."""
    product, middle = (first * second).mean(axis=0), (first + second).mean(axis=0) / 2
    square = (first**2 + second**2).mean(axis=0) / 2
    return np.stack([product * growth**2, middle * growth, d, d**2, product, middle, square], axis=1)


def _from_moments(means: Floats) -> tuple[Floats, Floats]:
    """Pearson's reliability of d, and the correlation of its halves, from the means of _moments, (7,) or (7, R).

    NaN where d, or the halves, are constant but for rounding.
    """
    grown_product, grown_middle, d, d_square, product, middle, square = means
    variance, half_variance = d_square - d**2, square - middle**2
    reliability = ratio(grown_product - grown_middle**2, np.where(variance > CONSTANT * d_square, variance, 0.0))
    return reliability, ratio(product - middle**2, np.where(half_variance > CONSTANT * square, half_variance, 0.0))


def _stepped_up(r: Floats, reliability: Floats, halves: Floats) -> Floats:
    """The correlation r of halves stepped up as Pearson's `halves` is to its reliability; NaN where that is NaN.

    Where noise has carried either out of (0, 1), there is no such step, and k is 2.
    """
    usable = (halves > 0) & (halves < 1) & (reliability > 0) & (reliability < 1)
    odds = ratio(np.where(usable, reliability * (1 - halves), 2.0), np.where(usable, halves * (1 - reliability), 1.0))
    return np.where(np.isnan(reliability), nan, ratio(odds * r, 1 + (odds - 1) * r))
