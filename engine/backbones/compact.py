"""Image -> feature vector. The compact trunk: a small residual network for 48 x 48 grey face crops."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor, nn

INPUTS = "grey-48"
SIDE = 48  # px; what FER+ has, so nothing is invented by upscaling
WIDTHS = (32, 96, 160, 224)  # channels of the four stages, at 24, 12, 6 and 3 px
DEPTHS = (1, 2, 2, 1)  # residual blocks of each stage


def prepare(image: Image.Image) -> np.ndarray:
    """A face crop as the compact trunk sees it: grey, central square, (48, 48) uint8."""
    grey = image if image.mode == "L" else image.convert("L")
    if grey.size != (SIDE, SIDE):
        grey = ImageOps.fit(
            grey, (SIDE, SIDE), Image.Resampling.BOX if min(grey.size) > 4 * SIDE else Image.Resampling.BICUBIC
        )
    return np.asarray(grey, dtype=np.uint8)


def standardise(pixels: Tensor) -> Tensor:
    """(N, 48, 48) uint8 -> (N, 1, 48, 48) float, each image to mean 0 and deviation about 1.

    The 8 grey levels added to the deviation keep a flat image from becoming amplified noise.
    """
    x = pixels.unsqueeze(1).float()
    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
    return (x - mean) / (deviation + 8.0)


class Block(nn.Module):
    """Two 3 x 3 convolutions with batch norm around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1: nn.Module = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2: nn.Module = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class CompactTrunk(nn.Module):
    """(N, 1, 48, 48) standardised images -> (N, D) features, D the width of the last stage."""

    def __init__(self, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS) -> None:
        super().__init__()
        self.features = widths[-1]
        layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
        inputs = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for index in range(depth):
                layers.append(Block(inputs, width, 2 if index == 0 and stage > 0 else 1))
                inputs = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean((2, 3))  # (N, D)


class CompactBackbone(nn.Module):
    """A trained member's trunk as the pipeline runs it: (N, 48, 48) uint8 -> {name: (N, D)}."""

    inputs = INPUTS
    cpu_batch = 64

    def __init__(self, name: str, trunk: CompactTrunk) -> None:
        super().__init__()
        self.outputs, self.trunk = (name,), trunk

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return {self.outputs[0]: self.trunk(standardise(pixels).to(memory_format=torch.channels_last))}


def fold_batch_norm(trunk: CompactTrunk) -> CompactTrunk:
    """The same function with every batch norm folded into the convolution before it; for inference only."""
    trunk.eval()
    stem, norm, *blocks = trunk.layers
    for block in blocks[1:]:
        assert isinstance(block, Block)
        block.conv1, block.norm1 = _fused(block.conv1, block.norm1), nn.Identity()
        block.conv2, block.norm2 = _fused(block.conv2, block.norm2), nn.Identity()
        if isinstance(block.shortcut, nn.Sequential):
            block.shortcut = _fused(block.shortcut[0], block.shortcut[1])
    trunk.layers = nn.Sequential(_fused(stem, norm), *blocks)
    return trunk


def _fused(convolution: nn.Module, norm: nn.Module) -> nn.Conv2d:
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    return torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
