"""Layer norm over the channels of a map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Normalises each pixel of a ``(B, C, h, w)`` map over its channels, then scales and shifts it.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """The normalised map, ``(B, C, h, w)``."""
        x = x.permute(0, 2, 3, 1)  # (B, h, w, C)
        x = F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-6)
        return x.permute(0, 3, 1, 2)  # (B, C, h, w)
