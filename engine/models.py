"""The models offered by name, and what each needs: trunk features in, (N, S, C) class probabilities out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine import device as devices
from engine.backbones import CompactTrunk, standardise
from engine.estimators import deterministic, ensemble
from engine.estimators.mc_dropout import ThinnedNetworks
from engine.weights import CompactWeights, load_compact

SEED = 20  # of the dropout masks; recorded in every manifest


@dataclass(frozen=True)
class Model:
    """A named way from features to class probabilities."""

    name: str
    title: str
    samples: int  # S
    seed: int | None
    backbones: tuple[str, ...]  # features it reads, by name; the first one's are kept in the cache
    predict: Callable[[Mapping[str, Tensor]], Tensor]  # {backbone: (N, D)} -> (N, S, C)


@dataclass(frozen=True)
class Engine:
    """Loaded weights on a device: trunks by name, models by name."""

    classes: tuple[str, ...]
    models: dict[str, Model]
    trunks: dict[str, CompactTrunk]
    device: torch.device
    precision: devices.Precision
    weights_sha256: str

    @torch.inference_mode()
    def features(self, pixels: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        """(N, 48, 48) uint8 crops -> {backbone: (N, D) float32 on the device}."""
        x = standardise(pixels.to(self.device, non_blocking=True)).to(memory_format=torch.channels_last)
        with devices.autocast(self.device, self.precision):
            return {name: self.trunks[name](x).float() for name in names}


NAMES = ("compact", "compact-dropout", "compact-ensemble")
DROPOUT_SAMPLES = 50
MASKS_PER_MEMBER = 10


def load(names: tuple[str, ...], device: str = "auto", precision: str = "auto", weights: Path | None = None) -> Engine:
    """Load what the named models need. Raises ValueError for an unknown name, WeightsProblem for missing weights."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ValueError(f"There is no model '{unknown[0]}'. Choose from: {', '.join(NAMES)}.")
    target = devices.choose_device(device)
    compact = load_compact(weights)
    for member in compact.members:
        member.trunk.to(target)
        member.head.to(target)
    models = {name: _model(name, compact) for name in names}
    used = {backbone for model in models.values() for backbone in model.backbones}
    trunks = {f"compact-{i}": m.trunk for i, m in enumerate(compact.members) if f"compact-{i}" in used}
    return Engine(compact.classes, models, trunks, target, devices.choose_precision(target, precision), compact.sha256)


def _model(name: str, compact: CompactWeights) -> Model:
    first = compact.members[0].head
    if name == "compact":
        return Model(
            name, "Compact network, one member, no dropout at test time", 1, None, ("compact-0",),
            lambda features: deterministic.predict(first, features["compact-0"]),
        )  # fmt: skip
    if name == "compact-dropout":
        thinned = ThinnedNetworks(first, DROPOUT_SAMPLES, SEED)
        return Model(
            name, f"Compact network, Monte Carlo dropout with {DROPOUT_SAMPLES} masks", DROPOUT_SAMPLES, SEED,
            ("compact-0",), lambda features: thinned(features["compact-0"]),
        )  # fmt: skip
    backbones = tuple(f"compact-{i}" for i in range(len(compact.members)))
    networks = {
        backbone: ThinnedNetworks(member.head, MASKS_PER_MEMBER, SEED + index)
        for index, (backbone, member) in enumerate(zip(backbones, compact.members, strict=True))
    }
    return Model(
        name, f"Ensemble of {len(backbones)} compact networks x {MASKS_PER_MEMBER} dropout masks",
        len(backbones) * MASKS_PER_MEMBER, SEED, backbones,
        lambda features: ensemble.predict(networks, features),
    )  # fmt: skip
