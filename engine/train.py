"""Train the compact model: members that differ only in their seed, each resumable, all exported to one file.

    python -m engine train compact --data ferplus:PATH --out engine/assets/compact.safetensors

Soft labels: the loss is the cross-entropy against the annotators' distribution. The last epoch is kept, whatever its
score: nothing is chosen on the validation split, and the test split is never read here.
"""

import json
import logging
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine import device as devices
from engine.augment import augment
from engine.backbones.compact import DEPTHS, WIDTHS, CompactTrunk, prepare, standardise
from engine.config import TrainConfig
from engine.estimators.head import Head
from engine.sources import open_source
from engine.sources.rows import ImageProblem, Item, SourceProblem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """Faces in memory, with the annotators' distribution of each."""

    pixels: np.ndarray  # (N, 48, 48) uint8
    targets: np.ndarray  # (N, C) float32, rows sum to 1


class Compact(nn.Module):
    """Trunk and head together, as they are trained."""

    def __init__(
        self, classes: int, dropout: float, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS
    ) -> None:
        super().__init__()
        self.trunk = CompactTrunk(widths, depths)
        self.head = Head(self.trunk.features, classes, dropout)


def load_examples(spec: str, split: str, only: frozenset[str] | None = None) -> Examples:
    """Every face of one split that has votes, in the source's order; with `only`, those of these names.

    Raises SourceProblem when there is none.
    """
    pixels, targets = [], []
    for entry in open_source(spec).entries():
        if not isinstance(entry, Item) or entry.split != split or entry.votes is None or not sum(entry.votes):
            continue
        if only is not None and entry.source not in only:
            continue
        try:
            pixels.append(prepare(entry.load()))
        except ImageProblem as problem:
            log.warning("left out: %s", problem)
            continue
        votes = np.asarray(entry.votes, dtype=np.float32)
        targets.append(votes / votes.sum())
    if not pixels:
        raise SourceProblem(f"{spec} has no face with votes in its {split} split, so nothing can be trained on it.")
    return Examples(np.stack(pixels), np.stack(targets))


def train_member(
    member: int, data: str, runs: Path, config: TrainConfig, device_name: str, threads: int,
    only: frozenset[str] | None = None,
) -> Path:  # fmt: skip
    """Train one member from where its checkpoint stands; returns the checkpoint's path.

    only: names of the training faces to learn from; None: all.
    """
    if threads:
        torch.set_num_threads(threads)
    device = devices.choose_device(device_name)
    precision = devices.choose_precision(device)
    parts = [load_examples(data, "train", only)]
    held_out = load_examples(data, "validation")
    classes = parts[0].targets.shape[1]
    seed = config.first_seed + member

    torch.manual_seed(seed)
    model = (
        Compact(classes, config.dropout, config.widths, config.depths).to(device).to(memory_format=torch.channels_last)
    )
    optimiser = _optimiser(model, config)
    path = runs / f"member-{member}.pt"
    done = _resume(path, model, optimiser, config)
    for epoch in range(done, config.epochs):
        started = time.monotonic()
        torch.manual_seed(seed * 100_003 + epoch)  # an epoch does not depend on how the one before was reached
        if epoch >= config.rendered_from * config.epochs and len(parts) == 1:
            parts.append(load_examples("probe:", "train"))
        loss = _epoch(model, optimiser, parts, epoch, config, device, precision)
        record = {
            "member": member, "seed": seed, "epoch": epoch + 1, "loss": loss,
            "seconds": round(time.monotonic() - started, 1), **_validate(model, held_out, device, precision),
        }  # fmt: skip
        _checkpoint(path, model, optimiser, config, epoch + 1)
        with (runs / f"member-{member}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)
    return path


def train_compact(data: str, out: Path, runs: Path, config: TrainConfig, device: str = "auto", jobs: int = 1) -> None:
    """Train every member and export them."""
    from engine.weights.compact import export_compact

    export_compact(train_members(data, runs, config, device, jobs), out, recipe=asdict(config))


def train_members(
    data: str, runs: Path, config: TrainConfig, device: str = "auto", jobs: int = 1, only: frozenset[str] | None = None
) -> list[dict[str, Tensor]]:
    """The state_dict of every member, `jobs` trained at a time. On CPUs, jobs of one thread each beat one of many."""
    runs.mkdir(parents=True, exist_ok=True)
    threads = 0 if jobs == 1 else 1
    calls = [(member, data, runs, config, device, threads, only) for member in range(config.members)]
    if jobs == 1:
        paths = [train_member(*call) for call in calls]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            paths = [future.result() for future in [pool.submit(train_member, *call) for call in calls]]
    return [torch.load(path, weights_only=True, map_location="cpu")["model"] for path in paths]


def learning_rate(step: int, steps: int, config: TrainConfig) -> float:
    """One cycle: cosine up to the peak over the warm-up, cosine down to nothing."""
    peak = max(1.0, config.warmup * steps)
    if step < peak:
        low = config.learning_rate / 25
        return low + (config.learning_rate - low) * (1 - math.cos(math.pi * step / peak)) / 2
    return config.learning_rate * (1 + math.cos(math.pi * (step - peak) / max(1.0, steps - peak))) / 2


def _optimiser(model: nn.Module, config: TrainConfig) -> torch.optim.SGD:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, config.learning_rate, momentum=config.momentum, nesterov=True)


def _epoch(
    model: Compact, optimiser: torch.optim.SGD, parts: list[Examples], epoch: int, config: TrainConfig,
    device: torch.device, precision: devices.Precision,
) -> float:  # fmt: skip
    """One pass over all examples; returns the mean loss."""
    pixels = torch.from_numpy(np.concatenate([part.pixels for part in parts])).to(device)
    targets = torch.from_numpy(np.concatenate([part.targets for part in parts])).to(device)
    model.train()
    total, batches = 0.0, _batches(len(pixels), config.batch)
    for index, rows in enumerate(batches):
        step = (epoch + index / len(batches)) / config.epochs  # share of the whole training
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(round(step * 1_000_000), 1_000_000, config)
        x = augment(standardise(pixels[rows]), config).to(memory_format=torch.channels_last)
        with devices.autocast(device, precision):
            features = model.trunk(x)
        log_probs = torch.log_softmax(model.head(features.float()), dim=1)
        loss = -(targets[rows] * log_probs).sum(1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        total += loss.item()
    return round(total / len(batches), 5)


def _batches(n: int, size: int) -> list[Tensor]:
    """A random order in batches of equal size; the remainder waits for another epoch."""
    order = torch.randperm(n)
    return list(order[: n - n % size].split(size)) if n >= size else [order]


@torch.inference_mode()
def _validate(
    model: Compact, held_out: Examples, device: torch.device, precision: devices.Precision
) -> dict[str, float]:
    """For the log only: accuracy on the annotators' first class, and soft cross-entropy."""
    model.eval()
    outputs = []
    for pixels in torch.from_numpy(held_out.pixels).split(512):
        x = standardise(pixels.to(device)).to(memory_format=torch.channels_last)
        with devices.autocast(device, precision):
            features = model.trunk(x)
        outputs.append(torch.log_softmax(model.head(features.float()), dim=1).cpu())
    log_probs, targets = torch.cat(outputs), torch.from_numpy(held_out.targets)
    return {
        "validation_accuracy": round((log_probs.argmax(1) == targets.argmax(1)).float().mean().item(), 4),
        "validation_nll": round(-(targets * log_probs).sum(1).mean().item(), 4),
    }


def _checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.SGD, config: TrainConfig, epoch: int) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(
        {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch, "recipe": _recipe(config)},
        temporary,
    )
    temporary.replace(path)


def _resume(path: Path, model: nn.Module, optimiser: torch.optim.SGD, config: TrainConfig) -> int:
    """Load a checkpoint if there is one; returns the epochs done. Raises ValueError if its recipe differs."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    if state["recipe"] != _recipe(config):
        raise ValueError(f"{path} was trained by another recipe. Choose another --runs folder, or delete it.")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["epoch"])


def _recipe(config: TrainConfig) -> str:
    return json.dumps({k: v for k, v in asdict(config).items() if k != "members"}, sort_keys=True)
