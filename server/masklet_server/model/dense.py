"""Linear layers in the form that is fastest on each device. All forms compute the same.

On x86 processors PyTorch hands ``linear`` to MKL and keeps oneDNN's kernel, which also applies
the activation while a result is still in a register, for its compiler. The measured difference
is in decision 2.
"""

from __future__ import annotations

import platform
import sys
from functools import cache
from pathlib import Path
from typing import Final, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["none", "relu", "gelu"]
_ACTIVATIONS: Final[tuple[Activation, ...]] = ("none", "relu", "gelu")

_X86: Final = platform.machine() in ("x86_64", "AMD64")
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
        _X86
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and is_kernel_known()
    )


@cache
def is_kernel_known() -> bool:
    """Whether this torch has oneDNN's kernel and it computes what is meant here; tried once.

    The kernel is torch's own affair: another release may drop it, or want other arguments. Layers
    are then computed by ``linear``, which is slower and gives the same.
    """
    with torch.no_grad():
        x, weight, bias = (
            torch.linspace(-2, 2, rows * columns, dtype=torch.float32, device="cpu").view(rows, columns)
            for rows, columns in ((3, 4), (5, 4), (1, 5))
        )
        try:
            return all(
                torch.allclose(
                    _fused(x, weight, shift, activation), _plain(x, weight, shift, activation), atol=1e-5
                )
                for activation in _ACTIVATIONS
                for shift in (bias[0], None)
            )
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            return False


@cache
def prefers_mkl() -> bool:
    """Whether large plain products are MKL's to compute: on Intel's processors.

    On AMD's, oneDNN's kernel was the faster one (decision 2), on Intel's MKL's is (decision 74).
    """
    has_mkl = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return _X86 and has_mkl and "GenuineIntel" in _maker()


def _maker() -> str:
    """Names the processor's maker, at least where it is Intel."""
    if sys.platform == "linux":
        try:
            return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    # Macs with such processors have Intel's only; Windows names the maker.
    return "GenuineIntel" if sys.platform == "darwin" else platform.processor()


def dense(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation = "none") -> Tensor:
    """``activation(x @ weight.T + bias)``, ``(..., in)`` to ``(..., out)``."""
    if fuses(x) and x.numel():
        return _fused(x, weight, bias, activation)
    return _plain(x, weight, bias, activation)


def _fused(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    # GELU exact, by the error function.
    fused: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], "none")
    return fused


def _plain(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    y = F.linear(x, weight, bias)
    if activation == "gelu":
        return F.gelu(y)
    return F.relu(y) if activation == "relu" else y


def feed_forward(x: Tensor, inner: nn.Linear, outer: nn.Linear, activation: Activation) -> Tensor:
    """Two layers with an activation between them, ``(..., in)`` to ``(..., out)``."""
    rows = x.numel() // x.shape[-1]
    chunks = -(-rows * inner.out_features // _CHUNK_VALUES)
    if not fuses(x) or chunks < 2:
        return dense(dense(x, inner.weight, inner.bias, activation), outer.weight, outer.bias)
    out = x.new_empty(*x.shape[:-1], outer.out_features)
    flat_out = out.view(rows, -1)
    step = -(-rows // chunks)
    for part, target in zip(torch.split(x.reshape(rows, -1), step), torch.split(flat_out, step), strict=True):
        hidden = dense(part, inner.weight, inner.bias, activation)
        target.copy_(dense(hidden, outer.weight, outer.bias))
    return out
