"""Random changes to training images, as tensor operations on whole batches."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import TrainConfig


def augment(x: Tensor, config: TrainConfig) -> Tensor:
    """(N, 1, H, W) standardised images -> the same shape, each moved, mirrored, relit and partly erased."""
    return _erase(_relight(_move(x, config), config), config)


def _uniform(like: Tensor, half_width: float, *shape: int) -> Tensor:
    return (torch.rand(shape, device=like.device) * 2 - 1) * half_width


def _move(x: Tensor, config: TrainConfig) -> Tensor:
    n = len(x)
    angle = _uniform(x, config.rotation, n)
    scale = 1 + _uniform(x, config.scale, n)
    mirror = torch.where(torch.rand(n, device=x.device) < 0.5, -1.0, 1.0)
    shift = _uniform(x, config.shift, n, 2)
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = [torch.stack([cosine * mirror, -sine, shift[:, 0]], 1), torch.stack([sine * mirror, cosine, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _relight(x: Tensor, config: TrainConfig) -> Tensor:
    n = len(x)
    return x * (1 + _uniform(x, config.contrast, n, 1, 1, 1)) + _uniform(x, config.brightness, n, 1, 1, 1)


def _erase(x: Tensor, config: TrainConfig) -> Tensor:
    """Set one box of each image to its mean, so that no single part of the face is relied on."""
    n, _, height, width = x.shape
    side = torch.randint(4, config.erase + 1, (n, 2), device=x.device)
    corner = torch.stack([torch.randint(0, height, (n,)), torch.randint(0, width, (n,))], 1).to(x.device) - side // 2
    y = torch.arange(height, device=x.device)[None, :, None]
    z = torch.arange(width, device=x.device)[None, None, :]
    top, left, tall, wide = (
        corner[:, 0, None, None],
        corner[:, 1, None, None],
        side[:, 0, None, None],
        side[:, 1, None, None],
    )
    inside = (y >= top) & (y < top + tall) & (z >= left) & (z < left + wide)  # (N, H, W)
    return x.masked_fill(inside[:, None], 0.0)
