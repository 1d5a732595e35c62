"""The first paper's tables and figures, measured on a cache: every entry with its interval, beside the printed value.

Conventions are the paper's: all faces of the split count, a tie between classes goes to the one listed first, and
calibration is over <annotation, sample> pairs with ten bins. Test is PublicTest, validation PrivateTest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cache import manifest as manifests
from engine.backbones.facenet import BACKBONES, LAYERS, PRETRAININGS, backbone
from engine.estimators import deterministic
from engine.estimators.mc_dropout import ThinnedNetworks
from engine.features import Split, load_split
from engine.metrics.annotators import majority
from engine.metrics.bootstrap import Estimate, Resamples, bootstrap_means, percentile_interval, ratio
from engine.metrics.calibration import by_percentile, calibration_errors, reliability, top_label
from engine.metrics.ceiling import noise_ceiling, split_half_reliability
from engine.metrics.cells import mass_cells
from engine.metrics.correlation import correlations
from engine.metrics.paired import PairedT, paired_t
from engine.metrics.rejection import areas, risk_coverage
from engine.metrics.scores import nll
from engine.models import SEED, UNCNET, UNCNET_SAMPLES
from engine.paper import printed
from engine.scored import PARTS, Scored, load_scored
from engine.weights.heads import load_layers, load_uncnet

TEST, VALIDATION, TRAIN = "test", "validation", "train"
COVERAGE = 0.75
GROUPS = 10  # of uncertainty percentiles


@dataclass(frozen=True)
class Line:
    """One number of the paper and ours."""

    section: str  # 'Table 1'
    subject: str  # the model, layer or part of the triple
    quantity: str  # with its unit
    paper: float | None  # None: the paper has no such number
    ours: Estimate


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything that the report and the verdicts need."""

    models: Mapping[str, Scored]  # baseline, uncnet, uncnet-ensemble on test
    lines: tuple[Line, ...]
    jsd_test: PairedT  # of the distance, baseline against uncnet
    figures: Mapping[str, Mapping[str, list[float]]]  # data of the paper's figures, by name
    seeds: Mapping[str, np.ndarray]  # 'baseline', 'uncnet' -> (heads, N) correct or not on test
    layers: Mapping[str, tuple[np.ndarray, np.ndarray]]  # backbone -> (N,) correct, (N,) NLL on validation
    training: Mapping[str, Any]  # the record that travels with the heads: recipe, sweep, validation scores
    missing: tuple[str, ...]  # what could not be measured here, and the command that helps


def measure(folder: Path) -> Measured:
    """Raises CacheError when the cache lacks the paper's models or its test split."""
    models = {name: load_scored(folder, name, TEST) for name in UNCNET}
    layers, missing = _layers(folder)
    seeds = _seeds(folder)
    lines = [*table1(layers), *table2(models), *table3(models)]
    lines += [*correlation_lines(models), *jsd(models), *_ceiling(models)]
    distances = {name: np.sqrt(models[name].jsd) for name in models}
    figures = {
        **{f"figure 2 left, {name}": _reliability(models[name]) for name in models},
        **{f"figure 2 right, {part}": _deciles(models["uncnet"], part) for part in PARTS},
        **{f"calibration by tenths of {part}": _calibration_by_tenths(models["uncnet"], part) for part in PARTS},
        "figure 4": _disagreement_density(folder),
    }
    test = paired_t(distances["baseline"], distances["uncnet"])
    return Measured(models, tuple(lines), test, figures, seeds, layers, load_uncnet().record, missing)


# ---- tables


def table1(layers: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Iterator[Line]:
    """Validation accuracy and loss of a deterministic head on each layer of each pretrained trunk."""
    for pretraining in PRETRAININGS:
        for index, layer in enumerate(LAYERS):
            name = backbone(pretraining, layer)
            if name in layers:
                correct, loss = layers[name]
                found = bootstrap_means({"accuracy": correct, "loss": loss})
                accuracy = printed.VALIDATION_ACCURACY[pretraining][index]
                yield Line("Table 1", name, "accuracy, %", accuracy, percent(found["accuracy"]))
                yield Line("Table 1", name, "loss, nats", printed.VALIDATION_LOSS[pretraining][index], found["loss"])


def table2(models: Mapping[str, Scored]) -> Iterator[Line]:
    """Calibration errors and the Brier score over pairs."""
    for name, scored in models.items():
        paper = printed.CALIBRATION.get(name, {})
        for error, estimate in calibration_errors(scored.probs, scored.votes, "pairs").items():
            in_percent = error != "brier"
            quantity = f"{error.upper()}, %" if in_percent else "Brier score of pairs ('BCE')"
            yield Line("Table 2", name, quantity, paper.get(error), percent(estimate) if in_percent else estimate)


def table3(models: Mapping[str, Scored]) -> Iterator[Line]:
    """Accuracy of all faces, and of the 75 % with the lowest uncertainty."""
    for name, scored in models.items():
        whole = bootstrap_means({"correct": scored.correct})["correct"]
        yield Line("Table 3", name, "accuracy, %", printed.ACCURACY.get(name), percent(whole))
    for name, scored in _sampled(models):
        orders = {part: scored.triple[part] for part in PARTS} | {"1 - confidence": 1 - scored.probs.max(1)}
        for part, order in orders.items():
            paper = printed.ACCURACY_AT_75.get(part) if name == "uncnet" else None
            curve = risk_coverage(order, {"correct": scored.correct}, [COVERAGE])
            value, low, high = (float(curve[key][0]) for key in ("correct", "correct_low", "correct_high"))
            kept = percent(Estimate(value, low, high, int(curve["kept"][0])))
            yield Line("Table 3", f"{name}, lowest {part}", "accuracy at 75 % coverage, %", paper, kept)
        for part, area in areas(orders, 1 - scored.correct).items():
            yield Line("Beyond", f"{name}, {part}", "AURC of the errors", None, area.aurc)


def correlation_lines(models: Mapping[str, Scored]) -> Iterator[Line]:
    for name, scored in _sampled(models):
        same = name == "uncnet"
        for target, values, paper in (("d", scored.d, printed.PEARSON_D), ("JSD", scored.jsd, printed.PEARSON_JSD)):
            for part, estimate in correlations(scored.triple, values, "pearson").items():
                printed_value = paper.get(part) if same else None
                yield Line("Section 4", f"{name}, {part}", f"Pearson r with {target}", printed_value, estimate)
            for part, estimate in correlations(scored.triple, values, "spearman").items():
                yield Line("Beyond", f"{name}, {part}", f"Spearman rho with {target}", None, estimate)
        for part in PARTS:
            paper_value = printed.PERCENTILE_BRIER[part] if same else None
            estimate = percentile_correlation(scored.triple[part], scored.pair_brier)
            yield Line("Section 4", f"{name}, {part}", "Pearson r of tenth with pair Brier", paper_value, estimate)


def _sampled(models: Mapping[str, Scored]) -> Iterator[tuple[str, Scored]]:
    """The models that have an epistemic part."""
    yield from ((name, scored) for name, scored in models.items() if name != "baseline")


def jsd(models: Mapping[str, Scored]) -> Iterator[Line]:
    for name, scored in models.items():
        means = bootstrap_means({"distance": np.sqrt(scored.jsd), "divergence": scored.jsd, "nll": scored.nll})
        paper = printed.JSD[name][0] if name in printed.JSD else None
        yield Line("Section 4", name, "mean JSD, distance", paper, means["distance"])
        yield Line("Beyond", name, "mean JSD, divergence, nats", None, means["divergence"])
        yield Line("Beyond", name, "mean NLL, nats", None, means["nll"])


def _ceiling(models: Mapping[str, Scored]) -> Iterator[Line]:
    votes = models["uncnet"].votes
    for method, found in split_half_reliability(votes).items():
        yield Line("Beyond", "annotators", f"reliability of d, split halves, {method}", None, found)
    for method, ceiling in noise_ceiling(votes).items():
        yield Line("Beyond", "annotators", f"noise ceiling of d, {method}", None, ceiling)


def percentile_correlation(order: np.ndarray, values: np.ndarray, groups: int = GROUPS) -> Estimate:
    """Pearson correlation between the percentile of `order` (in tenths) and the mean of `values` there, (N,) each.

    The paper's "correlation of uncertainty percentile with BCE". It is a correlation of ten means, so it says that the
    error grows with uncertainty and nothing of how well single faces are told apart. Interval: bootstrap over faces.
    """
    cell, draws = mass_cells(order, groups), Resamples(len(order))
    counts = np.concatenate([np.ones((1, draws.size)), draws.counts])  # (1 + R, G); the first row is the data itself
    sums, faces = (counts @ draws.cell_sums(cell, v, groups) for v in (values, np.ones(len(order))))
    value, *replicates = (np.corrcoef(np.arange(groups), means)[0, 1] for means in ratio(sums, faces))
    return Estimate(float(value), *percentile_interval(replicates), len(order))


# ---- figures


def _reliability(scored: Scored) -> dict[str, list[float]]:
    return _lists(reliability(top_label(scored.probs, scored.votes, "pairs"), 10))


def _deciles(scored: Scored, part: str) -> dict[str, list[float]]:
    columns = {"pair_brier": scored.pair_brier, "model": scored.pair_brier - scored.d, "annotators": scored.d}
    return _lists(by_percentile(scored.triple[part], columns, GROUPS))


def _calibration_by_tenths(scored: Scored, part: str) -> dict[str, list[float]]:
    """ECE within each tenth of the faces by rising uncertainty; the paper found no conclusive pattern."""
    ranks = np.argsort(np.argsort(scored.triple[part], kind="stable"), kind="stable")
    tenth = ranks * GROUPS // len(ranks)
    errors = [calibration_errors(scored.probs[tenth == t], scored.votes[tenth == t])["ece"] for t in range(GROUPS)]
    return {
        "percentile": [100 * (t + 1) / GROUPS for t in range(GROUPS)],
        **{name: [getattr(e, name) for e in errors] for name in ("value", "low", "high", "n")},
    }


def _disagreement_density(folder: Path) -> dict[str, list[float]]:
    """Histogram of d on train, of area 1. Ten votes give d few values: between 0 and .18 there is none."""
    d = load_scored(folder, "baseline", TRAIN).d
    faces, edges = np.histogram(d, bins=18, range=(0.0, 0.9))
    density = faces / faces.sum() / np.diff(edges)
    return _lists({"low": edges[:-1], "high": edges[1:], "density": density, "faces": faces})


def _lists(table: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
    return {name: np.asarray(column, dtype=float).tolist() for name, column in table.items()}


# ---- heads on features


def _layers(folder: Path) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], tuple[str, ...]]:
    """What each layer's head scores on validation, for the layers whose features the cache keeps."""
    manifest = manifests.load(folder)
    heads = load_layers().heads
    found = {}
    for name in heads:
        if name in manifest.ready_features:
            split = load_split(folder, name, VALIDATION)
            probs = deterministic.predict(heads[name], torch.from_numpy(split.features)).numpy()[:, 0]
            found[name] = _correct(probs, split), nll(probs, split.targets)
    if len(found) == len(BACKBONES):
        return found, ()
    return found, (
        f"Table 1 lacks {len(BACKBONES) - len(found)} of {len(BACKBONES)} layers, whose features this cache does not "
        f"keep. Add them: python -m engine build {manifest.source.spec} --out {folder} "
        "--features facenet-casia-webface --features facenet-vggface2",
    )


@torch.inference_mode()
def _seeds(folder: Path) -> dict[str, np.ndarray]:
    """Correct or not on test, (heads, N), for every trained seed of both kinds of head."""
    weights = load_uncnet()
    split = load_split(folder, weights.backbone, TEST)
    x = torch.from_numpy(split.features).float()
    plain = [deterministic.predict(head, x).numpy()[:, 0] for head in weights.baseline]
    dropout = [ThinnedNetworks(head, UNCNET_SAMPLES, SEED)(x).mean(1).numpy() for head in weights.uncnet]
    return {
        "baseline": np.stack([_correct(probs, split) for probs in plain]),
        "uncnet": np.stack([_correct(probs, split) for probs in dropout]),
    }


def _correct(probs: np.ndarray, split: Split) -> np.ndarray:
    return (probs.argmax(1) == majority(split.votes, ties="first")).astype(np.float64)


def percent(estimate: Estimate) -> Estimate:
    return Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high, estimate.n)
