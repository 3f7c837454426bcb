"""Random numbers on the device, from one seeded generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Distributions over a generator; nothing here waits for the device."""

    generator: torch.Generator

    @property
    def device(self) -> torch.device:
        """Where the numbers are drawn."""
        return self.generator.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Even between ``low`` and ``high``."""
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def log_uniform(self, *shape: int, low: float, high: float) -> Tensor:
        """Even in the logarithm."""
        return self.uniform(*shape, low=math.log(low), high=math.log(high)).exp()

    def normal(self, *shape: int, deviation: float = 1.0) -> Tensor:
        """Around zero."""
        return torch.randn(shape, generator=self.generator, device=self.device) * deviation

    def chance(self, *shape: int, share: float) -> Tensor:
        """1.0 with probability ``share``, else 0.0."""
        return (self.uniform(*shape) < share).float()

    def sign(self, *shape: int) -> Tensor:
        """Minus one or one."""
        return self.chance(*shape, share=0.5) * 2.0 - 1.0

    def below(self, limit: Tensor) -> Tensor:
        """A whole number from 0 to ``limit`` - 1, int64, one for each entry."""
        drawn = (self.uniform(*limit.shape) * limit).long()
        return torch.minimum(drawn, (limit - 1).clamp(min=0))

    def weighted(self, cumulative: Tensor, *shape: int) -> Tensor:
        """Indices drawn by weight, from the cumulative sum of the weights; int64."""
        points = self.uniform(*shape) * cumulative[-1]
        return torch.searchsorted(cumulative, points).clamp(max=cumulative.shape[0] - 1)
