"""Train the first paper's heads on the features that a cache keeps.

    python -m engine train uncnet --data data/ferplus --out engine/assets/uncnet.safetensors
    python -m engine train layers --data data/ferplus --out engine/assets/layers.safetensors

Loss: soft-label cross-entropy + (1 - p) / (2 N) ||theta||^2, with dropout rate p and N faces (Ghandeharioun et al.
2019, with the sign of the first term mended). Everything is chosen on the validation split: the epoch of each run, and
the learning rate and dropout rate by the mean over seeds. The test split is never read here. What each run scored on
validation travels with the weights, as their record.
"""

import itertools
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.backbones.facenet import BACKBONES
from engine.config import HeadConfig
from engine.estimators import deterministic
from engine.estimators.head import Head
from engine.estimators.mc_dropout import ThinnedNetworks
from engine.features import Split, load_split
from engine.metrics.annotators import disagreement, majority
from engine.metrics.correlation import spearman
from engine.metrics.scores import nll
from engine.metrics.uncertainty import decompose
from engine.progress import steps_bar
from engine.weights.heads import export_layers, export_uncnet

log = logging.getLogger(__name__)
WATCH_SAMPLES, FINAL_SAMPLES = 10, 100  # masks for the validation loss of each epoch, and of the epoch that is kept
MASKS_SEED = 7


@dataclass(frozen=True)
class Run:
    """One training: what varies between them."""

    backbone: str
    dropout: float
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """A trained head and what it scored on the validation split."""

    run: Run
    state: dict[str, Tensor]  # of a Head
    scores: dict[str, float]

    @property
    def head(self) -> Head:
        classes, features = len(self.state["last.bias"]), self.state["first.weight"].shape[1]
        head = Head(features, classes, self.run.dropout)
        head.load_state_dict(self.state)
        return head.eval()

    @property
    def record(self) -> dict[str, Any]:
        return {**asdict(self.run), **self.scores}


def train_uncnet(cache: Path, out: Path, config: HeadConfig, jobs: int = 1) -> None:
    """Sweep both kinds of head, train the chosen ones from every seed, and write them with the record of the sweep."""
    grid = itertools.product((0.0, *config.dropouts), config.learning_rates, range(config.sweep_seeds))
    sweep = run_all([Run(config.backbone, p, rate, seed) for p, rate, seed in grid], cache, config, jobs)
    plain = best([o for o in sweep if o.run.dropout == 0.0])
    dropout = best([o for o in sweep if o.run.dropout > 0.0])
    seeds = range(config.seeds)
    chosen = [Run(config.backbone, *setting, seed) for setting in (plain, dropout) for seed in seeds]
    done = {o.run: o for o in sweep}
    done |= {o.run: o for o in run_all([run for run in chosen if run not in done], cache, config, jobs)}
    final = [done[run] for run in chosen]
    record = {
        "recipe": asdict(config), "dropout": dropout[0], "learning_rate": dropout[1],
        "baseline_learning_rate": plain[1], "sweep": [o.record for o in sweep], "final": [o.record for o in final],
    }  # fmt: skip
    baseline, uncnet = ([o.state for o in final if o.run.dropout == s[0]] for s in (plain, dropout))
    export_uncnet(out, config.backbone, baseline, uncnet, record)


def train_layers(cache: Path, out: Path, config: HeadConfig, jobs: int = 1) -> None:
    """One deterministic head per layer and pretraining, each at its best learning rate: table 1 of the first paper."""
    grid = [Run(b, 0.0, rate, 0) for b in BACKBONES for rate in config.learning_rates]
    sweep = run_all(grid, cache, config, jobs)
    by_layer = {b: min((o for o in sweep if o.run.backbone == b), key=lambda o: o.scores["nll"]) for b in BACKBONES}
    record = {"recipe": asdict(config), "sweep": [o.record for o in sweep]}
    export_layers(out, {backbone: outcome.state for backbone, outcome in by_layer.items()}, record)


def best(sweep: Sequence[Outcome]) -> tuple[float, float]:
    """The (dropout, learning rate) with the lowest validation NLL, mean over seeds."""
    settings = dict.fromkeys((o.run.dropout, o.run.learning_rate) for o in sweep)

    def mean(setting: tuple[float, float]) -> float:
        return float(np.mean([o.scores["nll"] for o in sweep if (o.run.dropout, o.run.learning_rate) == setting]))

    return min(settings, key=mean)


def run_all(runs: Sequence[Run], cache: Path, config: HeadConfig, jobs: int) -> list[Outcome]:
    """Every run, `jobs` at a time, one thread each; in the order given."""
    with (
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
        steps_bar("Training heads", len(runs)) as advance,
    ):
        futures = [pool.submit(train_head, run, cache, config) for run in runs]
        for future in as_completed(futures):
            log.warning("%s", future.result().record)
            advance()
    return [future.result() for future in futures]


def train_head(run: Run, cache: Path, config: HeadConfig) -> Outcome:
    """One run of a sweep, on one thread, in a process of its own."""
    torch.set_num_threads(1)
    train, held_out = (load_split(cache, run.backbone, split) for split in ("train", "validation"))
    return fit(run, train, held_out, config)


def fit(run: Run, train: Split, held_out: Split, config: HeadConfig) -> Outcome:
    """Train one head and keep the epoch with the lowest NLL on the held-out faces."""
    x, y = torch.from_numpy(train.features).float(), torch.from_numpy(train.targets).float()
    torch.manual_seed(run.seed)
    head = Head(x.shape[1], y.shape[1], run.dropout)
    decay = (1 - run.dropout) / len(x)
    optimiser = torch.optim.Adam(head.parameters(), run.learning_rate, weight_decay=decay, foreach=True)
    lowest, kept, since = float("inf"), head.state_dict(), 0
    for epoch in range(1, config.epochs + 1):
        head.train()
        for rows in torch.randperm(len(x)).split(config.batch):
            loss = -(y[rows] * torch.log_softmax(head(x[rows]), dim=1)).sum(1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        loss_now = float(nll(sample(head, held_out.features, WATCH_SAMPLES).mean(1), held_out.targets).mean())
        since += 1
        if loss_now < lowest:
            lowest, since = loss_now, 0
            kept = {name: value.half().float().clone() for name, value in head.state_dict().items()}  # as exported
            best_epoch = epoch
        if since >= config.patience:
            break
    head.load_state_dict(kept)
    probs = sample(head, held_out.features, FINAL_SAMPLES)
    return Outcome(run, kept, {"epoch": best_epoch, **validation_scores(probs, held_out.votes)})


@torch.inference_mode()
def sample(head: Head, features: np.ndarray, samples: int) -> np.ndarray:
    """(N, D) -> (N, S, C); S = 1 for a head without dropout."""
    x = torch.from_numpy(features).float()
    if head.dropout == 0.0:
        return deterministic.predict(head, x).numpy()
    return ThinnedNetworks(head, samples, MASKS_SEED)(x).numpy()


def validation_scores(probs: np.ndarray, votes: np.ndarray) -> dict[str, float]:
    """nll (nats); accuracy over the faces with one most frequent class; Spearman correlation of U_a with d."""
    targets = votes / votes.sum(1, keepdims=True)
    chosen = majority(votes)
    decided = chosen >= 0
    mean = probs.mean(1)
    return {
        "nll": round(float(nll(mean, targets).mean()), 5),
        "accuracy": round(float((mean.argmax(1) == chosen)[decided].mean()), 5),
        "spearman": round(spearman(decompose(probs).aleatoric, disagreement(targets), resamples=1).value, 5),
    }
