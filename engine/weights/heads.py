"""Heads trained on FaceNet's features: small files that ship, each with the record of its own training."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from engine.estimators.head import Head
from engine.sources.rows import FER_CLASSES
from engine.weights.files import WeightsProblem, part, read_tensors, sha256_of, write_tensors

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class UncNetWeights:
    """The first paper's two kinds of head on one backbone, several seeds of each."""

    backbone: str
    baseline: tuple[Head, ...]  # without dropout
    uncnet: tuple[Head, ...]  # with dropout before each weight layer
    record: dict[str, Any]  # recipe, sweep and validation scores, as training wrote them
    sha256: str


@dataclass(frozen=True)
class LayerWeights:
    """One deterministic head per layer of each pretrained trunk (table 1 of the first paper)."""

    heads: dict[str, Head]  # by backbone
    record: dict[str, Any]


def shipped(name: str) -> Path:
    """'uncnet' or 'layers' -> the file in the package."""
    return Path(str(resources.files("engine") / "assets" / f"{name}.safetensors"))


def export_uncnet(
    out: Path, backbone: str, baseline: list[dict[str, Tensor]], uncnet: list[dict[str, Tensor]], record: dict[str, Any]
) -> None:
    """Write all heads in half precision. baseline, uncnet: state_dicts of Head; record needs 'dropout'."""
    states = {
        f"{kind}.{i}": s for kind, heads in (("baseline", baseline), ("uncnet", uncnet)) for i, s in enumerate(heads)
    }
    _write(out, states, {"backbone": backbone, "record": json.dumps(record)})


def export_layers(out: Path, heads: Mapping[str, dict[str, Tensor]], record: dict[str, Any]) -> None:
    """Write the heads of table 1 in half precision. heads: {backbone: state_dict of Head}."""
    _write(out, heads, {"record": json.dumps(record)})


def load_uncnet(path: Path | None = None) -> UncNetWeights:
    """Read the heads (default: those that ship). Raises WeightsProblem."""
    path = path or shipped("uncnet")

    def read(tensors: dict[str, Tensor], facts: dict[str, str]) -> UncNetWeights:
        record = json.loads(facts["record"])
        kinds = {
            kind: _numbered(tensors, kind, rate) for kind, rate in (("baseline", 0.0), ("uncnet", record["dropout"]))
        }
        return UncNetWeights(facts["backbone"], kinds["baseline"], kinds["uncnet"], record, sha256_of(path))

    return _read(path, "uncnet", read)


def load_layers(path: Path | None = None) -> LayerWeights:
    """Read the heads of table 1 (default: those that ship). Raises WeightsProblem."""

    def read(tensors: dict[str, Tensor], facts: dict[str, str]) -> LayerWeights:
        names = dict.fromkeys(name.partition(".")[0] for name in sorted(tensors))
        return LayerWeights(
            {name: _head(part(tensors, f"{name}."), 0.0) for name in names}, json.loads(facts["record"])
        )

    return _read(path or shipped("layers"), "layers", read)


def _write(out: Path, states: Mapping[str, dict[str, Tensor]], facts: dict[str, str]) -> None:
    tensors = {f"{head}.{name}": value.half() for head, state in states.items() for name, value in state.items()}
    write_tensors(out, tensors, {**facts, "classes": json.dumps(FER_CLASSES)})


def _read(path: Path, recipe: str, read: Callable[[dict[str, Tensor], dict[str, str]], Loaded]) -> Loaded:
    again = f"Install the package again, or train them: python -m engine train {recipe} --data CACHE --out {path}"
    if not path.exists():
        raise WeightsProblem(f"The trained heads are not at {path}. {again}")
    try:
        return read(*read_tensors(path))
    except Exception as problem:  # safetensors raises its own, unnamed kind; a wrong file also fails in torch or json
        raise WeightsProblem(f"{path} does not hold the heads '{recipe}' ({problem}). {again}") from None


def _numbered(tensors: dict[str, Tensor], kind: str, rate: float) -> tuple[Head, ...]:
    count = len({name.split(".")[1] for name in tensors if name.startswith(f"{kind}.")})
    if not count:
        raise ValueError(f"no head of the kind '{kind}'")
    return tuple(_head(part(tensors, f"{kind}.{i}."), rate) for i in range(count))


def _head(state: dict[str, Tensor], rate: float) -> Head:
    classes, features = len(state["last.bias"]), state["first.weight"].shape[1]
    head = Head(features, classes, rate)
    head.load_state_dict(state)
    return head.eval().requires_grad_(False)
