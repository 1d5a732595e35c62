"""Weights of compact networks: the model that ships, and the two ensembles of the skew experiment."""

import json
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.backbones.compact import CompactTrunk, fold_batch_norm
from engine.estimators.head import Head
from engine.sources.rows import FER_CLASSES
from engine.weights.files import WeightsProblem, part, read_tensors, sha256_of, write_tensors


@dataclass(frozen=True)
class Member:
    """One trained network, ready for inference."""

    trunk: CompactTrunk
    head: Head


@dataclass(frozen=True)
class CompactWeights:
    """All members of the compact model, and what they were made from."""

    members: tuple[Member, ...]
    classes: tuple[str, ...]
    recipe: dict[str, Any]
    sha256: str


def shipped_compact() -> Path:
    return Path(str(resources.files("engine") / "assets" / "compact.safetensors"))


def shipped_skew() -> Path:
    return Path(str(resources.files("engine") / "assets" / "skew.safetensors"))


def export_compact(states: list[dict[str, Tensor]], out: Path, recipe: dict[str, Any]) -> None:
    """Write all members to one safetensors file in half precision. states: state_dicts of engine.train.Compact."""
    tensors = {
        f"members.{member}.{name}": value.half()
        for member, state in enumerate(states)
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    metadata = {"recipe": json.dumps(recipe), "classes": json.dumps(FER_CLASSES), "members": str(len(states))}
    write_tensors(out, tensors, metadata)


def load_compact(path: Path | None = None) -> CompactWeights:
    """Read the compact model (default: the one that ships). Raises WeightsProblem."""
    path = path or shipped_compact()
    return _load(path, "the compact model", f"python -m engine train compact --data ferplus:PATH --out {path}")


def load_skew(path: Path | None = None) -> dict[str, CompactWeights]:
    """Read the arms of the skew experiment, 'balanced' and 'skewed'. Raises WeightsProblem."""
    path = path or shipped_skew()
    what, command = "the models of the skew experiment", f"python -m engine train skew --data probe: --out {path}"
    both = _load(path, what, command)
    arms = both.recipe.get("arms", ())
    if not arms or len(both.members) % len(arms):
        raise WeightsProblem(f"{path} does not hold {what} (no arms in its recipe). Train them: {command}")
    size = len(both.members) // len(arms)
    return {arm: replace(both, members=both.members[i * size : (i + 1) * size]) for i, arm in enumerate(arms)}


def _load(path: Path, what: str, command: str) -> CompactWeights:
    retrain = f"Install the package again, or train: {command}"
    if not path.exists():
        raise WeightsProblem(f"The weights of {what} are not at {path}. {retrain}")
    try:
        tensors, facts = read_tensors(path)
        recipe, classes = json.loads(facts["recipe"]), tuple(json.loads(facts["classes"]))
        members = tuple(_member(tensors, index, recipe, classes) for index in range(int(facts["members"])))
    except Exception as problem:  # safetensors raises its own, unnamed kind; a wrong file also fails in torch or json
        raise WeightsProblem(f"{path} does not hold {what} ({problem}). {retrain}") from None
    return CompactWeights(members, classes, recipe, sha256_of(path))


def _member(tensors: dict[str, Tensor], index: int, recipe: dict[str, Any], classes: tuple[str, ...]) -> Member:
    trunk = CompactTrunk(recipe["widths"], recipe["depths"])
    head = Head(trunk.features, len(classes), recipe["dropout"])
    counters = {k: v for k, v in trunk.state_dict().items() if k.endswith("num_batches_tracked")}
    trunk.load_state_dict({**part(tensors, f"members.{index}.trunk."), **counters})
    head.load_state_dict(part(tensors, f"members.{index}.head."))
    trunk = fold_batch_norm(trunk).to(memory_format=torch.channels_last)
    return Member(trunk.requires_grad_(False), head.eval().requires_grad_(False))
