"""The first paper's claims, each with the evidence found here and a verdict that follows from its interval.

A claim is put as a quantity that it says is above 0. 'holds': the whole 95 % interval lies above 0. 'does not hold':
the whole interval lies below. 'not decided by the data': 0 is inside. A claim that two things are unrelated is put as
a correlation that lies within +-MARGIN.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.backbones.facenet import backbone
from engine.metrics.bootstrap import Estimate, Resamples, bootstrap_means, percentile_interval
from engine.metrics.calibration import calibration_differences
from engine.metrics.correlation import correlations, resampled
from engine.metrics.rejection import kept_faces
from engine.paper.measure import COVERAGE, Measured, percent, percentile_correlation

MARGIN = 0.1  # a correlation smaller than this is taken for none
HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided by the data"


@dataclass(frozen=True)
class Claim:
    """What the paper says, what was found, and what follows."""

    sentence: str
    quantity: str  # what `found` is, above 0 where the claim holds
    found: Estimate
    verdict: str


def claims(measured: Measured) -> Iterator[Claim]:
    """In the order of the paper."""
    yield from _layers(measured)
    yield from _accuracy(measured)
    yield from _correlations(measured)
    yield from _calibration(measured)
    yield from _rejection(measured)


def verdict(found: Estimate) -> str:
    """
    >>> verdict(Estimate(1, 0.5, 2, 9)), verdict(Estimate(1, -0.5, 2, 9)), verdict(Estimate(-1, -2, -0.5, 9))
    ('holds', 'not decided by the data', 'does not hold')
    """
    return HOLDS if found.low > 0 else FAILS if found.high < 0 else OPEN


def unrelated(r: Estimate) -> str:
    """
    >>> unrelated(Estimate(0, -0.05, 0.05, 9)), unrelated(Estimate(0.3, 0.2, 0.4, 9))
    ('holds', 'does not hold')
    """
    if r.low >= -MARGIN and r.high <= MARGIN:
        return HOLDS
    return FAILS if r.low > MARGIN or r.high < -MARGIN else OPEN


def _claim(sentence: str, quantity: str, found: Estimate) -> Claim:
    return Claim(sentence, quantity, found, verdict(found))


def _layers(measured: Measured) -> Iterator[Claim]:
    """Mixed-7a of CASIA-WebFace against the best of the others: by loss, which moves less by chance than accuracy."""
    own = backbone("casia-webface", "mixed-7a")
    others = {name: loss for name, (_, loss) in measured.layers.items() if name != own}
    if own not in measured.layers or not others:
        return
    for sentence, chosen in (
        ("Mixed-7a is the best layer of the CASIA-WebFace trunk.", "casia-webface"),
        ("CASIA-WebFace's Mixed-7a is better than VGGFace2's best layer.", "vggface2"),
    ):
        rivals = {name: loss for name, loss in others.items() if chosen in name}
        if rivals:
            best = min(rivals, key=lambda name: float(rivals[name].mean()))
            gain = bootstrap_means({"gain": rivals[best] - measured.layers[own][1]})["gain"]
            yield _claim(sentence, f"validation loss of {best} less its own, nats", gain)


def _accuracy(measured: Measured) -> Iterator[Claim]:
    baseline, uncnet = measured.models["baseline"], measured.models["uncnet"]
    heads = len(measured.seeds["uncnet"])
    yield _claim(
        "UncNet is more accurate than the Baseline.",
        f"accuracy gained, mean of {heads} seeds of each, seeds resampled too, % points",
        percent(seeded_gain(measured.seeds["baseline"], measured.seeds["uncnet"])),
    )
    gain = np.sqrt(baseline.jsd) - np.sqrt(uncnet.jsd)
    yield _claim(
        "UncNet's distribution is closer to the annotators' (JSD).", "JSD distance gained",
        bootstrap_means({"gain": gain})["gain"],
    )  # fmt: skip


def seeded_gain(before: np.ndarray, after: np.ndarray) -> Estimate:
    """Mean of `after` less that of `before`, (heads, N) each; each resample draws faces and heads of either kind."""
    heads, n = before.shape
    draws, rng = Resamples(n), np.random.default_rng(0)
    replicates = np.zeros(draws.resamples)
    for sign, rows in ((-1, before), (1, after)):
        each = draws.sums(rows.T) / draws.sums(np.ones((n, 1)))  # (R, heads)
        replicates += sign * np.take_along_axis(each, rng.integers(heads, size=each.shape), axis=1).mean(axis=1)
    return Estimate(float(after.mean() - before.mean()), *percentile_interval(replicates), n)


def _correlations(measured: Measured) -> Iterator[Claim]:
    uncnet = measured.models["uncnet"]
    with_d = correlations(uncnet.triple, uncnet.d, "pearson")
    with_jsd = correlations(uncnet.triple, uncnet.jsd, "pearson")
    lead = correlation_difference(uncnet.triple["u_aleatoric"], uncnet.triple["u_epistemic"], uncnet.jsd)
    yield _claim("U_a grows with the annotators' disagreement d.", "Pearson r of U_a with d", with_d["u_aleatoric"])
    r = with_d["u_epistemic"]
    yield Claim("U_e is unrelated to d.", f"Pearson r of U_e with d, within +-{MARGIN:g}", r, unrelated(r))
    yield _claim("U_a grows with JSD, the model's own error.", "Pearson r of U_a with JSD", with_jsd["u_aleatoric"])
    yield _claim("U_e grows with JSD.", "Pearson r of U_e with JSD", with_jsd["u_epistemic"])
    yield _claim("U_a tells of JSD more than U_e does.", "Pearson r of U_a less that of U_e", lead)
    for part, name in (("u_aleatoric", "U_a"), ("u_epistemic", "U_e"), ("u_total", "U_t")):
        yield _claim(
            f"The pair Brier score grows with the percentile of {name}.", "Pearson r over ten tenths",
            percentile_correlation(uncnet.triple[part], uncnet.pair_brier),
        )  # fmt: skip


def correlation_difference(first: np.ndarray, second: np.ndarray, target: np.ndarray) -> Estimate:
    """Pearson correlation of the first with the target less that of the second, all (N,), on the same resamples."""
    values, drawn = resampled(np.stack([first, second]), target[None], "pearson", Resamples(len(target)))
    low, high = percentile_interval(drawn[:, 0] - drawn[:, 1])
    return Estimate(float(values[0] - values[1]), low, high, len(target))


def _calibration(measured: Measured) -> Iterator[Claim]:
    """Baseline less UncNet, so that above 0 UncNet is better; the paper says worse of three of the six."""
    baseline, uncnet = measured.models["baseline"], measured.models["uncnet"]
    gains = calibration_differences(baseline.probs, uncnet.probs, uncnet.votes)
    for name, better in (
        ("ece", True),
        ("mce", False),
        ("sce", True),
        ("ace", False),
        ("tace", False),
        ("brier", True),
    ):
        found = gains[name]
        if not better:
            found = Estimate(-found.value, -found.high, -found.low, found.n)
        label = "pair Brier score" if name == "brier" else name.upper()
        unit = "" if name == "brier" else ", % points"
        found = found if name == "brier" else percent(found)
        sentence = f"UncNet's {label} is {'lower' if better else 'higher'} than the Baseline's."
        quantity = f"{label} {'gained' if better else 'lost'}{unit}"
        if name == "mce":  # one bin of a few faces decides it, and its interval covers the truth half the time
            yield Claim(sentence, f"{quantity}; its interval is unreliable", found, OPEN)
        else:
            yield _claim(sentence, quantity, found)


def _rejection(measured: Measured) -> Iterator[Claim]:
    uncnet = measured.models["uncnet"]
    kept = {part: kept_accuracy(order, uncnet.correct) for part, order in uncnet.triple.items()}
    for part, name in (("u_aleatoric", "U_a"), ("u_total", "U_t"), ("u_epistemic", "U_e")):
        gain = bootstrap_means({"gain": kept[part] - uncnet.correct})["gain"]
        sentence = f"Leaving out the quarter of the faces with the highest {name} raises accuracy."
        yield _claim(sentence, "accuracy gained at 75 % coverage, % points", percent(gain))
    yield _claim(
        "U_a is a better reason to leave a face out than U_e.",
        "accuracy at 75 % coverage by U_a less that by U_e, % points",
        percent(bootstrap_means({"gain": kept["u_aleatoric"] - kept["u_epistemic"]})["gain"]),
    )


def kept_accuracy(order: np.ndarray, correct: np.ndarray, coverage: float = COVERAGE) -> np.ndarray:
    """(N,) values whose mean is the accuracy of the faces kept, and whose spread is that accuracy's.

    The influence of each face: on the accuracy among those kept, and, through the threshold, on which are kept. With
    values per face, two orders can be compared on the same resamples.
    """
    n = len(order)
    ranks = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    kept = ranks < kept_faces(coverage, n)
    at_threshold = correct[np.abs(ranks - kept.sum()) <= 0.025 * n].mean()  # accuracy of the faces about to go
    return at_threshold + kept / kept.mean() * (correct - at_threshold)
