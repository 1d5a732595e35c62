"""The classifier on top of a trunk: three weight layers, with dropout before each of them."""

import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN = 128


class Head(nn.Module):
    """(N, D) features -> (N, C) logits; 128-128 hidden units (Ghandeharioun et al. 2019, section 3.1)."""

    def __init__(self, features: int, classes: int, dropout: float) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"Dropout rate must be in [0, 1), got {dropout}.")
        self.dropout = dropout
        self.first = nn.Linear(features, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.last = nn.Linear(HIDDEN, classes)

    @property
    def widths(self) -> tuple[int, int, int]:
        """Inputs of each weight layer: what each dropout mask covers."""
        return self.first.in_features, self.second.in_features, self.last.in_features

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(F.dropout(x, self.dropout, self.training)))
        x = F.relu(self.second(F.dropout(x, self.dropout, self.training)))
        return self.last(F.dropout(x, self.dropout, self.training))
