"""The multi-layer perceptron that trunk, decoder and pointer heads share."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from masklet_server.model.dense import Activation, Dense, dense, feed_forward


class Perceptron(nn.Module):
    """Linear layers with an activation between them.

    Args:
        widths: Channels in, of each inner layer, and out.
        activation: Applied after every layer but the last.
    """

    def __init__(self, *widths: int, activation: Activation = "relu") -> None:
        super().__init__()
        layers = [Dense(inner, outer) for inner, outer in itertools.pairwise(widths)]
        self.layers = nn.ModuleList(layers)
        self.activation: Activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """``(..., widths[0])`` to ``(..., widths[-1])``."""
        *before, inner, outer = (layer for layer in self.layers if isinstance(layer, Dense))
        for layer in before:
            x = dense(x, layer.weight, layer.bias, self.activation)
        return feed_forward(x, inner, outer, self.activation)
