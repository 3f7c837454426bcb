"""An exponential moving average of weights: steadier than any single step's (Polyak averaging)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


class WeightAverage:
    """The average of a network's floating-point state, statistics of norms included.

    Args:
        network: Where averaging starts.
        decay: Share of the old average kept per step, once enough steps are made.
    """

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        self._decay = decay
        self._source = dict(network.state_dict(keep_vars=True))
        self._average = {name: tensor.detach().clone() for name, tensor in self._source.items()}
        self._moving = [name for name, tensor in self._source.items() if tensor.is_floating_point()]

    @torch.no_grad()
    def update(self, *, step: int) -> None:
        """Take in the network as it is after ``step`` steps."""
        # A young average must forget the random start sooner than an old one.
        decay = min(self._decay, (1 + step) / (10 + step))
        average = [self._average[name] for name in self._moving]
        source = [self._source[name].detach() for name in self._moving]
        torch._foreach_lerp_(average, source, 1 - decay)
        for name, tensor in self._average.items():
            if not tensor.is_floating_point():
                tensor.copy_(self._source[name])

    def state(self) -> dict[str, Tensor]:
        """The averaged weights under their own names."""
        return dict(self._average)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a :meth:`state`, in any floating-point type."""
        for name, tensor in self._average.items():
            tensor.copy_(state[name])
