"""Where things are: sine tables, random Fourier features, and rotary codes.

All tables are functions of the grid alone. They are built once per grid and device and kept,
outside the state dict, by the module that needs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from masklet_server.model.dense import fuses

_TEMPERATURE = 10_000.0


class TableCache:
    """Keeps constant tensors by key, so that each is built once per grid and device."""

    def __init__(self) -> None:
        self._tables: dict[tuple[object, ...], Tensor] = {}

    def get(self, key: tuple[object, ...], build: Callable[[], Tensor]) -> Tensor:
        """The table of ``key``, built now if it is not there yet."""
        table = self._tables.get(key)
        if table is None:
            if torch.compiler.is_compiling():
                return build()
            # A table made in inference mode could never be used for training later.
            with torch.inference_mode(False), torch.no_grad():
                table = build()
            self._tables[key] = table
        return table

    def clear(self) -> None:
        """Forget all tables."""
        self._tables.clear()


def sine_grid(height: int, width: int, channels: int, *, device: torch.device) -> Tensor:
    """The sine code of "Attention is all you need" in two dimensions.

    Returns:
        ``(channels, height, width)`` float32: the first half of the channels codes the row, the
        second the column, sine and cosine interleaved; positions span one period of 2 pi.
    """
    half = channels // 2
    steps = torch.arange(half, device=device)
    scale = _TEMPERATURE ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)

    def code(count: int) -> Tensor:
        position = torch.arange(1, count + 1, dtype=torch.float32, device=device)
        position = position / (count + 1e-6) * (2 * math.pi)
        angle = position[:, None] / scale  # (count, half)
        return torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=-1).flatten(-2)

    rows = code(height).T[:, :, None].expand(half, height, width)
    columns = code(width).T[:, None, :].expand(half, height, width)
    return torch.cat((rows, columns)).contiguous()  # (channels, height, width)


def sine_of_distance(distance: Tensor, channels: int) -> Tensor:
    """The sine code of numbers, ``(...)`` to ``(..., channels)``: all sines, then all cosines."""
    half = channels // 2
    steps = torch.arange(half, dtype=torch.float32, device=distance.device)
    scale = _TEMPERATURE ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
    angle = distance[..., None].float() / scale
    return torch.cat((angle.sin(), angle.cos()), dim=-1)


class FourierPosition(nn.Module):
    """Random Fourier features of positions in the unit square (Tancik et al. 2020).

    Args:
        channels: Of the code: half sines, half cosines.
    """

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, channels // 2))
        self._grids = TableCache()

    def forward(self, position: Tensor) -> Tensor:
        """Code ``(..., 2)`` positions x, y between 0 and 1 as ``(..., channels)`` float32."""
        # In float32 whatever the network runs in: bfloat16 would move a click by pixels.
        with torch.autocast(position.device.type, enabled=False):
            matrix = self.positional_encoding_gaussian_matrix.float()
            angle = (2 * math.pi) * ((2 * position.float() - 1) @ matrix)
            return torch.cat((angle.sin(), angle.cos()), dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """The codes of all pixel centres of a grid, ``(1, channels, height, width)``."""
        matrix = self.positional_encoding_gaussian_matrix

        def build() -> Tensor:
            y = (torch.arange(height, device=matrix.device) + 0.5) / height
            x = (torch.arange(width, device=matrix.device) + 0.5) / width
            rows, columns = torch.meshgrid(y, x, indexing="ij")
            code: Tensor = self(torch.stack((columns, rows), dim=-1))  # (height, width, channels)
            return code.permute(2, 0, 1)[None].contiguous()

        return self._grids.get((height, width, matrix.device), build)

    def _load_from_state_dict(self, *args: Any) -> None:
        self._grids.clear()  # they hold what the old matrix made
        super()._load_from_state_dict(*args)


def rotary_grid(height: int, width: int, channels: int, *, device: torch.device) -> Tensor:
    """Rotations of axial RoPE (Su et al. 2021; Heo et al. 2024) for every token of a grid.

    Returns:
        ``(2, height * width, channels / 2)`` float32: cosines and sines. The first half of the
        pairs turns with the column, the second with the row.
    """
    frequency = 1.0 / _TEMPERATURE ** (torch.arange(0, channels, 4, device=device).float() / channels)
    token = torch.arange(height * width, device=device)
    columns = torch.outer((token % width).float(), frequency)
    rows = torch.outer(torch.div(token, width, rounding_mode="floor").float(), frequency)
    angle = torch.cat((columns, rows), dim=-1)  # (N, channels / 2)
    return torch.stack((angle.cos(), angle.sin()))


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn neighbouring channel pairs of ``(..., N, D)`` by ``rotation`` ``(2, N, D / 2)``.

    In inference on a processor the result may take the place of ``x``.
    """
    if fuses(x):
        pairs = torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))
        pairs.mul_(torch.complex(rotation[0], rotation[1]))
        return x
    # Real arithmetic: complex tensors know no bfloat16 and stop the compiler.
    cos, sin = rotation.to(x.dtype).unbind(0)
    even, odd = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)  # (..., N, D / 2) each
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
