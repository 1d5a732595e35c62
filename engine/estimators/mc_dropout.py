"""Monte Carlo dropout as one batched product over S thinned networks.

The S dropout masks are drawn once, from a recorded seed, and every face goes through the same S thinned networks. For
each face the estimate follows the law of ordinary MC dropout (Gal & Ghahramani 2016); across faces the noise is shared,
so that a face scored alone equals the same face scored in a batch. A hidden unit that a mask drops contributes nothing,
so its row and column are left out of that network's matrices instead of being multiplied by zero.
"""

import torch
from torch import Tensor

from engine.estimators.head import Head

BLOCK = 512  # faces per product: the activations of all S networks stay in the processor's cache


class ThinnedNetworks:
    """S fixed thinned copies of a head. Call it with (N, D) features; it returns (N, S, C) probabilities."""

    def __init__(self, head: Head, samples: int, seed: int) -> None:
        if samples < 1:
            raise ValueError(f"Monte Carlo dropout needs at least one sample, got {samples}.")
        if head.dropout == 0.0:
            raise ValueError(
                "This head has dropout rate 0: all its samples would be equal. Use the deterministic model."
            )
        self.samples = samples
        layers = first, second, last = head.first, head.second, head.last
        device = first.weight.device
        inputs, hidden1, hidden2 = (
            _masks(samples, layer.in_features, head.dropout, seed, index).to(device)
            for index, layer in enumerate(layers)
        )
        kept1, kept2 = _kept(hidden1), _kept(hidden2)  # (S, K): indices of kept units, padded with dropped ones
        with torch.no_grad():
            scale1, scale2 = hidden1.gather(1, kept1), hidden2.gather(1, kept2)  # (S, K); 0 on padding
            w1 = first.weight[kept1] * inputs[:, None, :]  # (S, K1, D)
            w2 = torch.stack([second.weight[k2][:, k1] for k1, k2 in zip(kept1, kept2, strict=True)])  # (S, K2, K1)
            w3 = last.weight[:, kept2].transpose(0, 1)  # (S, C, K2)
            # The kept units' 1 / (1 - rate) goes into the next layer's weights.
            self.w1 = w1.reshape(-1, w1.shape[-1]).T.contiguous()  # (D, S K1)
            self.b1 = first.bias[kept1].reshape(-1)  # (S K1,)
            self.w2 = (w2 * scale1[:, None, :]).transpose(1, 2).contiguous()  # (S, K1, K2)
            self.b2 = second.bias[kept2][:, None, :]  # (S, 1, K2)
            self.w3 = (w3 * scale2[:, None, :]).transpose(1, 2).contiguous()  # (S, K2, C)
            self.b3 = last.bias[None, None, :]  # (1, 1, C)

    @torch.inference_mode()
    def __call__(self, features: Tensor) -> Tensor:
        if not len(features):
            return features.new_zeros((0, self.samples, self.b3.shape[-1]))
        return torch.cat([self._block(block) for block in features.float().split(BLOCK)])

    def _block(self, x: Tensor) -> Tensor:
        n = len(x)
        h = torch.addmm(self.b1, x, self.w1).relu_()  # (n, S K1): one product for all S networks
        h = h.view(n, self.samples, -1).transpose(0, 1)  # (S, n, K1)
        h = torch.baddbmm(self.b2, h, self.w2).relu_()  # (S, n, K2)
        z = torch.baddbmm(self.b3, h, self.w3)  # (S, n, C)
        return torch.softmax(z, dim=-1).transpose(0, 1).contiguous()  # (n, S, C)


def _masks(samples: int, units: int, rate: float, seed: int, layer: int) -> Tensor:
    """(S, units): 0 where dropped, 1 / (1 - rate) where kept. Drawn on the CPU, so that every device gets the same."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer)
    kept = torch.rand((samples, units), generator=generator) >= rate
    return kept.float() / (1.0 - rate)


def _kept(masks: Tensor) -> Tensor:
    """(S, K) indices of the kept units of each mask; K is the largest count, shorter rows end in dropped units."""
    order = torch.argsort((masks == 0).to(torch.uint8), dim=1, stable=True)  # kept ones first
    return order[:, : max(1, int((masks > 0).sum(1).max()))]
