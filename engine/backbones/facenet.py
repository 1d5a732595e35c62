"""Image -> feature vectors. FaceNet's trunk, Inception-ResNet-v1, cut after any of six layers and average-pooled.

The network is facenet-pytorch's, pretrained on CASIA-WebFace or VGGFace2 to tell people apart, and found by
engine/weights/facenet.py. One pass gives the features of every layer asked for and stops after the deepest of them.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

INPUTS = "rgb-160"
SIDE = 160  # px
PRETRAININGS = ("casia-webface", "vggface2")
# Ghandeharioun et al. 2019, table 1: layer -> the modules that lead to it from the layer before, and its channels
LAYERS: dict[str, tuple[tuple[str, ...], int]] = {
    "mixed-5a": (
        ("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b", "repeat_1"),
        256,
    ),
    "mixed-6a": (("mixed_6a",), 896),
    "mixed-6b": (("repeat_2",), 896),
    "mixed-7a": (("mixed_7a",), 1792),
    "mixed-8a": (("repeat_3",), 1792),
    "mixed-8b": (("block8",), 1792),
}


def prepare(image: Image.Image) -> np.ndarray:
    """A face crop as FaceNet sees it: colour, central square, (160, 160, 3) uint8; a grey one has equal channels."""
    square = image if image.size == (SIDE, SIDE) else ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(square.convert("RGB"), dtype=np.uint8)


def backbone(pretraining: str, layer: str) -> str:
    """The name under which a cache keeps a layer's features."""
    return f"facenet-{pretraining}-{layer}"


BACKBONES = {backbone(pretraining, layer): (pretraining, layer) for pretraining in PRETRAININGS for layer in LAYERS}


def named(asked: Iterable[str]) -> tuple[str, ...]:
    """Names of backbones, where 'facenet-vggface2' stands for all six layers of that trunk."""
    whole = {f"facenet-{pretraining}": pretraining for pretraining in PRETRAININGS}
    names = (b for name in asked for b in ([*(backbone(whole[name], y) for y in LAYERS)] if name in whole else [name]))
    return tuple(dict.fromkeys(names))


class FaceNetTrunk(nn.Module):
    """(N, 160, 160, 3) uint8 -> {backbone: (N, D) pooled features}, for the layers asked for."""

    inputs = INPUTS
    cpu_batch = 16

    def __init__(self, pretraining: str, layers: tuple[str, ...] = tuple(LAYERS)) -> None:
        super().__init__()
        from facenet_pytorch import InceptionResnetV1

        unknown = [layer for layer in layers if layer not in LAYERS]
        if unknown or not layers:
            raise ValueError(f"FaceNet has no layer '{', '.join(unknown)}'. Choose from: {', '.join(LAYERS)}.")
        self.pretraining, self.layers = pretraining, tuple(layer for layer in LAYERS if layer in layers)
        whole = InceptionResnetV1(pretrained=None, classify=False)
        deepest = list(LAYERS).index(self.layers[-1])
        self.stages = nn.ModuleDict()
        for layer, (modules, _) in list(LAYERS.items())[: deepest + 1]:
            stage = nn.Sequential(*(_with_bias(getattr(whole, name)) for name in modules))
            self.stages[layer] = stage
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(backbone(self.pretraining, layer) for layer in self.layers)

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.pooled((pixels.permute(0, 3, 1, 2).float() - 127.5) / 128.0)

    def pooled(self, x: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) scaled pixels -> {backbone: (N, D)}."""
        features = {}
        for layer, stage in self.stages.items():
            x = stage(x)  # (N, D, h, w)
            if layer in self.layers:
                features[backbone(self.pretraining, layer)] = x.float().mean((2, 3))
        return features


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    """Every convolution, in the order in which the network was built."""
    return [m for m in module.modules() if isinstance(m, nn.Conv2d)]


def _with_bias(module: nn.Module) -> nn.Module:
    """The same architecture with every batch norm folded into its convolution, whose bias takes the offset."""
    for part in module.modules():
        if hasattr(part, "bn"):
            old: Any = part.conv
            part.conv = nn.Conv2d(
                old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=True
            )
            part.bn = nn.Identity()
    return module
