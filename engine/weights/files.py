"""Weight files: hashed, and read as safetensors only, so that opening one never runs code from it."""

import hashlib
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor


class WeightsProblem(ValueError):
    """Weights are missing or not what they should be; the message says what to do."""


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a safetensors file as float32, and its metadata. Raises whatever safetensors raises."""
    with safe_open(path, "pt") as file:
        facts = file.metadata() or {}
        return {name: file.get_tensor(name).float() for name in file.keys()}, facts  # noqa: SIM118 - not a dict


def write_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all, readable by everybody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, facts)
    temporary.chmod(0o644)  # safetensors writes files that only their owner can read
    temporary.replace(path)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors below a prefix, without it: a state_dict."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
