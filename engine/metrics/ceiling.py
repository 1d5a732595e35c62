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
HALVED_AT_ONCE = 4096  # faces, each as often as it is split: many splits of few faces are few calls of NumPy


def split_half_reliability(
    votes: ArrayLike,
    splits: int | None = None,
    methods: Sequence[Method] = METHODS,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[Method, Estimate]:
    """Reliability of the disagreement d: the correlation to expect with d of as many new votes on the same faces.

    Halves of a face's votes share no vote, so the covariance of their d over faces, times the known ratio of the
    expectations (1 - 1 / votes), is the variance of what d is expected to be; over the variance of d itself that is
    Pearson's reliability. The average over all ways to split has a closed form, by counting pairs of votes that match,
    and that is taken here.
    Spearman's needs the ranks of actual halves: their correlation, averaged over `splits` random splits (about
    100,000 / N, from 5 to 500, if None), is stepped up to the full number of votes, k r / (1 + (k - 1) r), with the k
    that steps Pearson's up. Spearman-Brown's k is 2, which is right for averages of votes. d is a sum of squares,
    whose noise falls faster, and with k = 2 the result comes out too low. tests/engine/metrics/test_ceiling.py checks
    both against simulated truths.

    votes: (N, C) whole counts; zeros or NaN mean unknown. Faces with fewer than 4 votes are left out, n counts
    the rest. The 95 % percentile bootstrap interval is over faces, with the splits held fixed. Fewer than 3
    faces or faces that all agree give NaN. Noise may carry the value below 0 or above 1.
    Raises ValueError on impossible votes or votes that are not whole, fewer than 1 split or another method.
    Sources: Spearman 1910, Brown 1910; Lord & Novick 1968; Hoeffding 1948 for the closed form.

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
    d, draws = disagreement(vote_distribution(counts)), Resamples(n, resamples, seed)
    moments = np.stack([_expected_square(counts), d, d**2, np.ones(n)], axis=1)
    whole, drawn = _reliability(moments.sum(axis=0)), _reliability(draws.sums(moments).T)  # (), (R,)
    found = {}
    for method in methods:
        value, replicates = whole, drawn
        if method == "spearman":
            step = _HalvesOfVotes(counts, splits or min(MOST_SPLITS, max(FEWEST_SPLITS, SPLIT_FACES // n)), draws)
            value, replicates = step.up(whole, drawn)
        low, high = percentile_interval(replicates) if np.isfinite(value) else (nan, nan)
        found[method] = Estimate(float(value), low, high, n)
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


def _halved(counts: NDArray[np.int64], splits: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """d of two random halves of each face's votes, (splits, n) each."""
    # Which class a vote is for is nothing to d: with the largest counts first, few columns are left to draw from.
    votes = -np.sort(-counts, axis=1)
    votes = votes[:, votes.any(axis=0)]
    square = (votes.sum(axis=1) // 2) ** 2
    found = np.empty((2, splits, len(votes)))
    together = max(1, HALVED_AT_ONCE // len(votes))
    for start in range(0, splits, together):
        these = found[:, start : start + together]
        for into, half in zip(these, _halve(np.tile(votes, (these.shape[1], 1)), rng), strict=True):
            drawn = (half**2).sum(axis=1).reshape(into.shape)
            into[:] = (square - drawn) / square  # of whole numbers, so that equal ones tie
    return found[0], found[1]


def _halve(votes: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two random halves of each face's votes, (n, C) each; an odd vote is in neither."""
    total = votes.sum(axis=1)
    first = _draw(votes, total // 2, rng)
    second = votes - first
    odd = np.flatnonzero(total % 2)
    spare = rng.integers(total[odd] // 2 + 1)  # which of the votes that are left
    second[odd, (second[odd].cumsum(axis=1) > spare[:, None]).argmax(axis=1)] -= 1
    return first, second


def _draw(votes: NDArray[np.int64], size: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """`size` of each face's votes drawn without replacement, (N, C): class by class, all faces at once."""
    drawn = np.zeros_like(votes)
    rest, missing = votes.sum(axis=1), size.copy()
    for c in range(votes.shape[1]):
        there = np.flatnonzero(votes[:, c])
        good = votes[there, c]
        rest[there] -= good
        drawn[there, c] = rng.hypergeometric(good, rest[there], missing[there])
        missing[there] -= drawn[there, c]
    return drawn


def _expected_square(counts: NDArray[np.int64]) -> Floats:
    """Unbiased estimate of the square of each face's expected d, (n,), from its (n, C) votes.

    With s the chance that two votes match, d of m votes is expected to be (1 - 1 / m)(1 - s). Of four votes drawn
    without replacement, the chance that the first two match and the last two match estimates s^2.
    """
    v = counts.astype(np.float64)
    m = v.sum(axis=1)
    pairs = v * (v - 1)
    matching = pairs.sum(axis=1)
    both = (pairs * (v - 2) * (v - 3)).sum(axis=1) + matching**2 - (pairs**2).sum(axis=1)
    s, s_square = matching / (m * (m - 1)), both / (m * (m - 1) * (m - 2) * (m - 3))
    return np.asarray((1 - 1 / m) ** 2 * (1 - 2 * s + s_square))


def _reliability(sums: Floats) -> Floats:
    """Variance of the expected d over that of d, from sums (4,) or (4, R); NaN where d is constant but for rounding."""
    square, d, d_square, faces = sums
    expected, variance = square / faces - (d / faces) ** 2, d_square / faces - (d / faces) ** 2
    return ratio(expected, np.where(variance > CONSTANT * d_square / faces, variance, 0.0))


class _HalvesOfVotes:
    """d of random halves of the votes, and how its rank correlation grows from half to all votes."""

    def __init__(self, counts: NDArray[np.int64], splits: int, draws: Resamples) -> None:
        self.first, self.second = _halved(counts, splits, np.random.default_rng(draws.seed))  # (splits, n) each
        self.draws = draws

    def up(self, whole: Floats, drawn: Floats) -> tuple[Floats, Floats]:
        """Spearman's reliability and its resamples (R,), given Pearson's."""
        halved, halves_drawn = self._pearson()
        r, each = resampled(self.first, self.second, "spearman", self.draws)  # (splits,), (R, splits)
        varied = ~np.isnan(r)  # a split of few faces may be constant on one side
        value = _stepped_up(ratio(r[varied].sum(), varied.sum()), whole, halved)
        return value, _stepped_up(ratio(each[:, varied].sum(axis=1), varied.sum()), drawn, halves_drawn)

    def _pearson(self) -> tuple[Floats, Floats]:
        """Correlation of the halves' d over all splits, and its resamples, (R,)."""
        product, middle = (self.first * self.second).mean(axis=0), (self.first + self.second).mean(axis=0) / 2
        square = (self.first**2 + self.second**2).mean(axis=0) / 2
        moments = np.stack([product, middle, square, np.ones(self.draws.n)], axis=1)

        def correlation(sums: Floats) -> Floats:
            product, middle, square, faces = sums
            variance = square / faces - (middle / faces) ** 2
            varied = np.where(variance > CONSTANT * square / faces, variance, 0.0)
            return ratio(product / faces - (middle / faces) ** 2, varied)

        return correlation(moments.sum(axis=0)), correlation(self.draws.sums(moments).T)


def _stepped_up(r: Floats, reliability: Floats, halves: Floats) -> Floats:
    """The correlation r of halves stepped up as Pearson's `halves` is to its reliability; NaN where that is NaN.

    Where noise has carried either out of (0, 1), there is no such step, and k is 2.
    """
    usable = (halves > 0) & (halves < 1) & (reliability > 0) & (reliability < 1)
    odds = ratio(np.where(usable, reliability * (1 - halves), 2.0), np.where(usable, halves * (1 - reliability), 1.0))
    return np.where(np.isnan(reliability), nan, ratio(odds * r, 1 + (odds - 1) * r))
