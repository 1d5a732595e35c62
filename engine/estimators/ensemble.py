"""A deep ensemble: the members' samples side by side (Lakshminarayanan et al. 2017)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def predict(members: Mapping[str, Callable[[Tensor], Tensor]], features: Mapping[str, Tensor]) -> Tensor:
    """members: {backbone: (N, D) -> (N, S_m, C)} -> (N, sum of S_m, C), members in order."""
    return torch.cat([member(features[backbone]) for backbone, member in members.items()], dim=1)
