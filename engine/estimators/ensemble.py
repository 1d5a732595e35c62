"""A deep ensemble: the members' samples side by side (Lakshminarayanan et al. 2017)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def predict(members: Sequence[Tensor]) -> Tensor:
    """(N, S_m, C) of each member -> (N, sum of S_m, C), members in order."""
    return torch.cat(list(members), dim=1)
