"""Monte Carlo dropout with S thinned networks, each multiplied out at its own size.

The S dropout masks are drawn once, from a recorded seed, and every face goes through the same S thinned networks. For
each face the estimate follows the law of ordinary MC dropout (Gal & Ghahramani 2016); across faces the noise is shared,
so that a face scored alone equals the same face scored in a batch.

A unit that a mask drops contributes nothing, so it is left out of that network's matrices instead of being multiplied
by zero. Faces go through in blocks, transposed, so that picking the kept inputs copies whole rows and everything stays
in the processor's cache (`make bench` measures it against the plain loop).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.estimators.head import Head

BLOCK_CPU = 384  # faces; larger blocks leave the cache
BLOCK_CUDA = 16_384  # faces; smaller blocks leave the device idle between launches


@dataclass(frozen=True)
class _Thinned:
    """One network without its dropped units; the kept ones carry dropout's 1 / (1 - rate)."""

    inputs: Tensor  # (K0,) indices of the kept features
    w1: Tensor  # (K1, K0)
    b1: Tensor  # (K1, 1)
    w2: Tensor  # (K2, K1)
    b2: Tensor  # (K2, 1)
    w3: Tensor  # (C, K2)


class ThinnedNetworks:
    """S fixed thinned copies of a head. Call it with (N, D) features; it returns (N, S, C) probabilities."""

    def __init__(self, head: Head, samples: int, seed: int) -> None:
        if samples < 1:
            raise ValueError(f"Monte Carlo dropout needs at least one sample, got {samples}.")
        if head.dropout == 0.0:
            raise ValueError(
                "This head has dropout rate 0: all its samples would be equal. Use the deterministic model."
            )
        masks = [draw_masks(samples, width, head.dropout, seed, layer) for layer, width in enumerate(head.widths)]
        with torch.no_grad():
            self._networks = [_thin(head, *(mask[s] for mask in masks)) for s in range(samples)]
            self._b3 = head.last.bias.detach()[:, None]  # (C, 1)

    @torch.inference_mode()
    def __call__(self, features: Tensor) -> Tensor:
        if not len(features):
            return features.new_zeros((0, len(self._networks), len(self._b3)))
        block = BLOCK_CUDA if features.is_cuda else BLOCK_CPU
        return torch.cat([self._block(x) for x in features.float().split(block)])

    def _block(self, features: Tensor) -> Tensor:
        x = features.T.contiguous()  # (D, n)
        logits = x.new_empty((len(self._networks), len(self._b3), len(features)))  # (S, C, n)
        for network, out in zip(self._networks, logits, strict=True):
            h = torch.addmm(network.b1, network.w1, x.index_select(0, network.inputs)).relu_()  # (K1, n)
            h = torch.addmm(network.b2, network.w2, h).relu_()  # (K2, n)
            torch.addmm(self._b3, network.w3, h, out=out)
        return torch.softmax(logits, dim=1).permute(2, 0, 1).contiguous()  # (n, S, C)


def draw_masks(samples: int, units: int, rate: float, seed: int, layer: int) -> Tensor:
    """(S, units) bool, True where kept. Drawn on the CPU, so that every device gets the same."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer)
    return torch.rand((samples, units), generator=generator) >= rate


def _thin(head: Head, features: Tensor, hidden1: Tensor, hidden2: Tensor) -> _Thinned:
    """The head without the units whose masks (each (units,) bool) are False."""
    device = head.first.weight.device
    k0, k1, k2 = (mask.nonzero()[:, 0].to(device) for mask in (features, hidden1, hidden2))
    scale = 1.0 / (1.0 - head.dropout)
    return _Thinned(
        inputs=k0,
        w1=(head.first.weight[k1][:, k0] * scale).contiguous(),
        b1=head.first.bias[k1][:, None],
        w2=(head.second.weight[k2][:, k1] * scale).contiguous(),
        b2=head.second.bias[k2][:, None],
        w3=(head.last.weight[:, k2] * scale).contiguous(),
    )
