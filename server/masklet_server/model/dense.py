"""Linear layers in the form that is fastest on each device. All forms compute the same.

On x86 processors PyTorch hands ``linear`` to MKL and keeps oneDNN's kernel, which also applies
the activation while a result is still in a register, for its compiler. The measured difference
is in decision 2.
"""

from __future__ import annotations

import platform
from typing import Final, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["none", "relu", "gelu"]

_ONEDNN: Final = platform.machine() in ("x86_64", "AMD64") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
# Inner layers of this many values stay in the cache of a core, and below the size from which
# the allocator asks the operating system for fresh pages every time.
_CHUNK_VALUES = 2_000_000


class Dense(nn.Linear):
    """A linear layer."""

    def forward(self, x: Tensor) -> Tensor:
        """``(..., in)`` to ``(..., out)``."""
        return dense(x, self.weight, self.bias)


def fuses(x: Tensor) -> bool:
    """Whether oneDNN's own kernel can be used: on x86, in float32, without gradients."""
    return (
        _ONEDNN
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def dense(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation = "none") -> Tensor:
    """``activation(x @ weight.T + bias)``, ``(..., in)`` to ``(..., out)``."""
    if fuses(x) and x.numel():
        # GELU exact, by the error function.
        fused: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], "none")
        return fused
    y = F.linear(x, weight, bias)
    if activation == "gelu":
        return F.gelu(y)
    return F.relu(y) if activation == "relu" else y


def feed_forward(x: Tensor, inner: nn.Linear, outer: nn.Linear, activation: Activation) -> Tensor:
    """Two layers with an activation between them, ``(..., in)`` to ``(..., out)``."""
    rows = x.numel() // x.shape[-1]
    chunks = -(-rows * inner.out_features // _CHUNK_VALUES)
    if chunks < 2 or not fuses(x):
        return dense(dense(x, inner.weight, inner.bias, activation), outer.weight, outer.bias)
    out = x.new_empty(*x.shape[:-1], outer.out_features)
    flat_out = out.view(rows, -1)
    step = -(-rows // chunks)
    for part, target in zip(torch.split(x.reshape(rows, -1), step), torch.split(flat_out, step), strict=True):
        hidden = dense(part, inner.weight, inner.bias, activation)
        target.copy_(dense(hidden, outer.weight, outer.bias))
    return out
