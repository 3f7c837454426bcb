"""Hiera, the hierarchical transformer trunk (Ryali et al. 2023; Bolya et al. 2023 for its positions)."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.config import HieraConfig
from masklet_server.model.dense import Dense
from masklet_server.model.devices import Operation, perform
from masklet_server.model.perceptron import Perceptron
from masklet_server.model.position import TableCache


class PatchEmbedding(nn.Module):
    """Cuts the picture into overlapping patches, one token every four pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, 7, stride=4, padding=3)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` to ``(B, S/4, S/4, channels)``."""
        patches: Tensor = self.proj(images)
        return patches.permute(0, 2, 3, 1)


class MultiScaleAttention(nn.Module):
    """Self-attention over the tokens of each window; may halve the grid by pooling its queries."""

    def __init__(self, channels_in: int, channels: int, heads: int, *, pools: bool) -> None:
        super().__init__()
        self.heads = heads
        self.pools = pools
        self.qkv = Dense(channels_in, 3 * channels)
        self.proj = Dense(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, rows, columns, channels_in)`` to ``(B, rows', columns', channels)``."""
        batch, rows, columns, _ = x.shape
        qkv = self.qkv(x).view(batch, rows * columns, 3, self.heads, -1)
        q, k, v = qkv.unbind(2)  # (B, N, H, D) each
        if self.pools:
            q = _pool(q.reshape(batch, rows, columns, -1))
            rows, columns = q.shape[1:3]
            q = q.reshape(batch, rows * columns, self.heads, -1)
        x = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        x = x.transpose(1, 2).reshape(batch, rows, columns, -1)
        result: Tensor = self.proj(x)
        return result


class Block(nn.Module):
    """One transformer block, within windows of ``window`` tokens a side or, at 0, globally."""

    def __init__(self, channels_in: int, channels: int, heads: int, *, window: int, pools: bool) -> None:
        super().__init__()
        self.window = window
        self.pools = pools
        self.norm1 = nn.LayerNorm(channels_in, eps=1e-6)
        self.attn = MultiScaleAttention(channels_in, channels, heads, pools=pools)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Perceptron(channels, 4 * channels, channels, activation="gelu")
        self.proj = Dense(channels_in, channels) if channels_in != channels else None

    def forward(self, x: Tensor) -> Tensor:
        """``(B, rows, columns, channels_in)`` to ``(B, rows', columns', channels)``."""
        normed = self.norm1(x)
        if self.proj is not None:
            x = self.proj(normed)
            if self.pools:
                x = _pool(x)

        if self.window:
            rows, columns = normed.shape[1:3]
            attended = self.attn(_cut_windows(normed, self.window))
            window = self.window // 2 if self.pools else self.window
            attended = _join_windows(attended, window, *_whole_windows(rows, columns, self.window))
            if self.pools:
                rows, columns = rows // 2, columns // 2
            attended = attended[:, :rows, :columns]
        else:
            attended = self.attn(normed)
        x = x + attended
        result: Tensor = x + self.mlp(self.norm2(x))
        return result


class Hiera(nn.Module):
    """The trunk: tokens at stride 4, three times pooled to half the grid and twice the channels.

    Args:
        config: Sizes.
    """

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        self.channels = config.channels
        self.patch_embed = PatchEmbedding(config.width)
        self.pos_embed = nn.Parameter(
            torch.zeros(1, config.width, config.background_side, config.background_side)
        )
        self.pos_embed_window = nn.Parameter(
            torch.zeros(1, config.width, config.windows[0], config.windows[0])
        )
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.pos_embed_window, std=0.02)

        blocks: list[Block] = []
        self._last_of_stage: list[int] = []
        channels_in, window = config.width, config.windows[0]
        for stage, count in enumerate(config.stages):
            channels, heads = config.width << stage, config.heads << stage
            for position in range(count):
                # The first block of a stage pools, and still works in the windows of the stage
                # before it.
                if position == 1:
                    window = config.windows[stage]
                is_global = len(blocks) in config.global_blocks
                blocks.append(
                    Block(
                        channels_in,
                        channels,
                        heads,
                        window=0 if is_global else window,
                        pools=stage > 0 and position == 0,
                    )
                )
                channels_in = channels
            window = config.windows[stage]
            self._last_of_stage.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        # For inference only: a kept position knows nothing of later changes to the weights.
        self.keeps_positions = False
        self._positions = TableCache()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps ``(B, channels[i], S/2^(i+2), S/2^(i+2))`` at strides 4, 8, 16 and 32."""
        x = self.patch_embed(images)  # (B, S/4, S/4, C0)
        x = x + self._position(x.shape[1], x.shape[2]).to(x.dtype)
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._last_of_stage:
                maps.append(x.permute(0, 3, 1, 2))  # (B, Ci, rows, columns)
        return maps

    def _position(self, rows: int, columns: int) -> Tensor:
        """Positions of all tokens, ``(1, rows, columns, C0)``."""
        if not self.keeps_positions:
            return self._build_position(rows, columns)
        key = (rows, columns, self.pos_embed.device, self.pos_embed.dtype)
        return self._positions.get(key, lambda: self._build_position(rows, columns))

    def _build_position(self, rows: int, columns: int) -> Tensor:
        cubic = partial(F.interpolate, size=(rows, columns), mode="bicubic")
        background = perform(Operation.CUBIC_RESIZE, cubic, self.pos_embed)
        side = self.pos_embed_window.shape[-1]
        tiled = self.pos_embed_window.tile(1, 1, rows // side, columns // side)
        return (background + tiled).permute(0, 2, 3, 1)  # (1, rows, columns, C0)


def _pool(x: Tensor) -> Tensor:
    """The maximum of every 2 x 2 tokens of ``(B, rows, columns, C)``."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def _whole_windows(rows: int, columns: int, window: int) -> tuple[int, int]:
    """How many windows cover the grid, down and across."""
    return -(-rows // window), -(-columns // window)


def _cut_windows(x: Tensor, window: int) -> Tensor:
    """``(B, rows, columns, C)`` to ``(B * windows, window, window, C)``, zeros filling the last ones."""
    batch, rows, columns, channels = x.shape
    down, across = _whole_windows(rows, columns, window)
    # Zeros take part in the attention as tokens: the trained weights expect them.
    x = F.pad(x, (0, 0, 0, across * window - columns, 0, down * window - rows))
    x = x.view(batch, down, window, across, window, channels).transpose(2, 3)
    return x.reshape(-1, window, window, channels)


def _join_windows(x: Tensor, window: int, down: int, across: int) -> Tensor:
    """``(B * windows, window, window, C)`` to ``(B, down * window, across * window, C)``."""
    channels = x.shape[-1]
    x = x.view(-1, down, across, window, window, channels).transpose(2, 3)
    return x.reshape(-1, down * window, across * window, channels)
