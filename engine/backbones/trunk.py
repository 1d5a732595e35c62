"""What every trunk offers: prepared pixels in, named feature vectors out."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from engine.backbones import compact, facenet

PREPARE: dict[str, Callable[[Image.Image], np.ndarray]] = {  # input of a trunk -> how a face crop becomes it
    compact.INPUTS: compact.prepare,
    facenet.INPUTS: facenet.prepare,
}


class Trunk(Protocol):
    """A network of which each pass gives the features of one or more backbones."""

    inputs: str  # which preparation of the crop it reads
    cpu_batch: int  # faces per pass on a CPU core, so that the activations stay in its cache

    @property
    def outputs(self) -> tuple[str, ...]:
        """The backbones, by name."""
        ...

    def __call__(self, pixels: Tensor) -> dict[str, Tensor]:
        """Prepared crops, uint8, on the trunk's device -> {backbone: (N, D)}."""
        ...

    def to(self, device: Any) -> Any: ...
