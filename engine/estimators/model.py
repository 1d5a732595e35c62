"""What every method of estimating uncertainty comes to: features in, samples of class probabilities out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Model:
    """A named way from features to class probabilities."""

    name: str
    title: str
    samples: int  # S
    seed: int | None
    backbones: tuple[str, ...]  # features it reads, by name; the first one's are kept in the cache
    weights_sha256: str
    predict: Callable[[Mapping[str, Tensor]], Tensor]  # {backbone: (N, D)} -> (N, S, C)
