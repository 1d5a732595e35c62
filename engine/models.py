"""The models offered by name, and what each needs: trunk features in, (N, S, C) class probabilities out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cache.manifest import BackboneInfo
from engine import device as devices
from engine.backbones import facenet
from engine.backbones.compact import CompactBackbone
from engine.backbones.trunk import Trunk
from engine.estimators import deterministic, ensemble
from engine.estimators.head import Head
from engine.estimators.mc_dropout import ThinnedNetworks
from engine.estimators.model import Model
from engine.sources.rows import FER_CLASSES
from engine.weights.compact import load_compact, load_skew
from engine.weights.facenet import load_trunk
from engine.weights.heads import load_uncnet

SEED = 20  # of the dropout masks; recorded in every manifest
COMPACT_SAMPLES, COMPACT_MASKS = 50, 10  # S of compact-dropout; masks per member of compact-ensemble
UNCNET_SAMPLES, UNCNET_MASKS = 100, 20  # S of uncnet; masks per head of uncnet-ensemble

COMPACT = ("compact", "compact-dropout", "compact-ensemble")
SKEW = ("compact-balanced", "compact-skewed")  # of the skew experiment: docs/models/skew.md
UNCNET = ("baseline", "uncnet", "uncnet-ensemble")
NAMES = COMPACT + SKEW + UNCNET


@dataclass(frozen=True)
class Engine:
    """Loaded weights on a device: trunks, and models by name."""

    classes: tuple[str, ...]
    models: dict[str, Model]
    trunks: tuple[Trunk, ...]
    backbones: dict[str, BackboneInfo]  # every feature that the trunks give
    device: torch.device
    precision: devices.Precision

    @property
    def inputs(self) -> tuple[str, ...]:
        """How face crops must be prepared for these trunks."""
        return tuple(dict.fromkeys(trunk.inputs for trunk in self.trunks))

    @property
    def batch(self) -> int:
        """Faces per pass: on CPUs as the heaviest trunk likes it, on CUDA enough to fill the device."""
        if self.device.type == "cuda":
            return devices.CUDA_BATCH
        return min((trunk.cpu_batch for trunk in self.trunks), default=devices.CPU_BATCH)

    @torch.inference_mode()
    def features(self, pixels: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """{input: (N, ...) uint8 crops} -> {backbone: (N, D) float32 on the device}.

        Rounded to half precision, as the cache keeps them: a head gives the same answer for a face whose features
        were just computed and for one whose features were read back.
        """
        wanted, found = set(names), dict[str, Tensor]()
        with devices.autocast(self.device, self.precision):
            for trunk in self.trunks:
                if wanted & set(trunk.outputs):
                    found |= trunk(pixels[trunk.inputs].to(self.device, non_blocking=True))
        return {name: found[name].half().float() for name in names}


def load(
    names: tuple[str, ...], device: str = "auto", precision: str = "auto", *, features: tuple[str, ...] = (),
    weights: Path | None = None,
) -> Engine:  # fmt: skip
    """Load what the named models and features need.

    Raises ValueError for an unknown name, WeightsProblem for missing weights.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ValueError(f"There is no model '{unknown[0]}'. Choose from: {', '.join(NAMES)}.")
    unknown = [name for name in features if name not in facenet.BACKBONES]
    if unknown:
        raise ValueError(f"There are no features '{unknown[0]}'. Choose from: {', '.join(facenet.BACKBONES)}.")
    target = devices.choose_device(device)
    chosen = devices.choose_precision(target, precision)
    models: dict[str, Model] = {}
    trunks: dict[Trunk, str] = {}  # with the hash of its weights
    if set(names) & set(COMPACT):
        models |= _compact(names, trunks, target, weights)
    if set(names) & set(SKEW):
        models |= _skew(names, trunks, target)
    if set(names) & set(UNCNET):
        models |= _uncnet(names, target)
    wanted = [*features, *(b for name in names if name in UNCNET for b in models[name].backbones)]
    for pretraining in facenet.PRETRAININGS:
        layers = tuple(facenet.BACKBONES[b][1] for b in wanted if facenet.BACKBONES[b][0] == pretraining)
        if layers:
            trunk, sha256 = load_trunk(pretraining, layers)
            trunks[trunk.to(target)] = sha256
    infos = {
        backbone: BackboneInfo(sha256, chosen, target.type)
        for trunk, sha256 in trunks.items()
        for backbone in trunk.outputs
    }
    return Engine(FER_CLASSES, {name: models[name] for name in names}, tuple(trunks), infos, target, chosen)


def _compact(
    names: tuple[str, ...], trunks: dict[Trunk, str], target: torch.device, weights: Path | None
) -> dict[str, Model]:
    """The compact network alone, with dropout, and as an ensemble; adds the trunks that they read."""
    compact = load_compact(weights)
    heads = {f"compact-{index}": member.head.to(target) for index, member in enumerate(compact.members)}
    first = next(iter(heads))
    made: dict[str, Model] = {}

    def add(name: str, title: str, samples: int, seed: int | None, reads: tuple[str, ...], predict: Predict) -> None:
        made[name] = Model(name, title, samples, seed, reads, compact.sha256, predict)

    if "compact" in names:
        title = "Compact network, one member, no dropout at test time"
        add("compact", title, 1, None, (first,), lambda features: deterministic.predict(heads[first], features[first]))
    if "compact-dropout" in names:
        thinned = ThinnedNetworks(heads[first], COMPACT_SAMPLES, SEED)
        title = f"Compact network, Monte Carlo dropout with {COMPACT_SAMPLES} masks"
        add("compact-dropout", title, COMPACT_SAMPLES, SEED, (first,), lambda features: thinned(features[first]))
    if "compact-ensemble" in names:
        title = f"Ensemble of {len(heads)} compact networks x {COMPACT_MASKS} dropout masks"
        made["compact-ensemble"] = _ensemble("compact-ensemble", title, heads, compact.sha256)
    read = {backbone for model in made.values() for backbone in model.backbones}
    for (name, _), member in zip(heads.items(), compact.members, strict=True):
        if name in read:
            trunks[CompactBackbone(name, member.trunk).to(target)] = compact.sha256
    return made


def _skew(names: tuple[str, ...], trunks: dict[Trunk, str], target: torch.device) -> dict[str, Model]:
    """The two ensembles of the skew experiment; adds the trunks that they read."""
    titles = {
        "balanced": "rendered faces of every tone and turn",
        "skewed": "rendered faces without dark tones and profiles",
    }
    made: dict[str, Model] = {}
    for arm, weights in load_skew().items():
        name = f"compact-{arm}"
        if name not in names:
            continue
        heads = {f"{name}-{i}": member.head.to(target) for i, member in enumerate(weights.members)}
        title = f"{len(heads)} small networks x {COMPACT_MASKS} dropout masks, trained on {titles[arm]}"
        made[name] = _ensemble(name, title, heads, weights.sha256)
        for backbone, member in zip(heads, weights.members, strict=True):
            trunks[CompactBackbone(backbone, member.trunk).to(target)] = weights.sha256
    return made


def _ensemble(name: str, title: str, heads: Mapping[str, Head], sha256: str) -> Model:
    """Every head with dropout masks of its own, each on the features of its own trunk. heads: by backbone."""
    networks = {b: ThinnedNetworks(head, COMPACT_MASKS, SEED + i) for i, (b, head) in enumerate(heads.items())}

    def predict(features: Mapping[str, Tensor]) -> Tensor:
        return ensemble.predict([networks[b](features[b]) for b in networks])

    return Model(name, title, len(heads) * COMPACT_MASKS, SEED, tuple(heads), sha256, predict)


def _uncnet(names: tuple[str, ...], target: torch.device) -> dict[str, Model]:
    """The first paper's heads on FaceNet features: deterministic, with dropout, and five of the latter."""
    heads = load_uncnet()
    backbone = heads.backbone
    made: dict[str, Model] = {}

    def add(name: str, title: str, samples: int, seed: int | None, predict: Predict) -> None:
        made[name] = Model(name, title, samples, seed, (backbone,), heads.sha256, predict)

    if "baseline" in names:
        head = heads.baseline[0].to(target)
        title = "FaceNet features, deterministic head 128-128"
        add("baseline", title, 1, None, lambda features: deterministic.predict(head, features[backbone]))
    if "uncnet" in names:
        thinned = ThinnedNetworks(heads.uncnet[0].to(target), UNCNET_SAMPLES, SEED)
        title = f"UncNet: FaceNet features, head 128-128, Monte Carlo dropout with {UNCNET_SAMPLES} masks"
        add("uncnet", title, UNCNET_SAMPLES, SEED, lambda features: thinned(features[backbone]))
    if "uncnet-ensemble" in names:
        networks = [ThinnedNetworks(h.to(target), UNCNET_MASKS, SEED + i) for i, h in enumerate(heads.uncnet)]
        title = f"{len(networks)} UncNet heads x {UNCNET_MASKS} dropout masks, on FaceNet features"
        add(
            "uncnet-ensemble", title, len(networks) * UNCNET_MASKS, SEED,
            lambda features: ensemble.predict([network(features[backbone]) for network in networks]),
        )  # fmt: skip
    return made


Predict = Callable[[Mapping[str, Tensor]], Tensor]
