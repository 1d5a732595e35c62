"""Every knob of every command, its default, and why."""

from dataclasses import dataclass
from pathlib import Path

from engine.backbones import DEPTHS, WIDTHS


@dataclass(frozen=True)
class BuildConfig:
    """`python -m engine build`."""

    source: str
    out: Path
    models: tuple[str, ...] = ()  # none: a cache of faces alone
    labels: Path | None = None
    faces: str = "crop"  # 'crop': the image is a face; 'detect': find the faces in it
    limit: int | None = None  # entries of the source; for a quick look
    device: str = "auto"
    precision: str = "auto"  # of the trunks
    batch: int | None = None  # faces per forward pass; None: what suits the device
    chunk: int = 2048  # source entries per part: what a kill costs at most
    workers: int = 2  # threads that decode images
    samples: bool = True  # keep all S samples, for the spread in the face's detail


@dataclass(frozen=True)
class TrainConfig:
    """`python -m engine train compact`. Ranges are symmetric and uniform unless stated."""

    members: int = 5
    first_seed: int = 0
    epochs: int = 30
    batch: int = 128
    learning_rate: float = 0.1  # peak of the one-cycle schedule
    warmup: float = 0.2  # share of the steps before the peak
    momentum: float = 0.9
    weight_decay: float = 5e-4  # of weight matrices and kernels; not of biases and norms
    dropout: float = 0.2  # head; .5 costs accuracy at 128 hidden units
    rendered_from: float = 0.6  # share of the epochs after which the probe's rendered faces join
    rotation: float = 0.2  # radians
    scale: float = 0.12
    shift: float = 0.1  # of half the side
    contrast: float = 0.3
    brightness: float = 0.3  # standard deviations of the image
    erase: int = 16  # px, longest side of the erased box; 4 at least
    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS
