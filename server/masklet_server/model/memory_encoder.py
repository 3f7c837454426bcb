"""What is remembered of a frame: its features fused with an object's mask."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from masklet_server.model.dense import Dense, feed_forward
from masklet_server.model.normalisation import ChannelNorm

_FUSER_BLOCKS = 2


class MaskDownsampler(nn.Module):
    """Brings a mask to the embedding's grid, halving it four times.

    Args:
        channels: Of the mask and after each halving.
        width: C.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in itertools.pairwise(channels):
            layers += [nn.Conv2d(inner, outer, 3, stride=2, padding=1), ChannelNorm(outer), nn.GELU()]
        layers.append(nn.Conv2d(channels[-1], width, 1))
        self.encoder = nn.Sequential(*layers)

    def forward(self, mask: Tensor) -> Tensor:
        """``(B, 1, S, S)`` to ``(B, C, h, w)``."""
        y: Tensor = self.encoder(mask)
        return y


class FuserBlock(nn.Module):
    """A ConvNeXt block (Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = ChannelNorm(width)
        self.pwconv1 = Dense(width, 4 * width)
        self.pwconv2 = Dense(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same."""
        inner = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)  # (B, h, w, C)
        inner = self.gamma * feed_forward(inner, self.pwconv1, self.pwconv2, "gelu")
        result: Tensor = x + inner.permute(0, 3, 1, 2)
        return result  # (B, C, h, w)


class Fuser(nn.Module):
    """Fuser blocks in a row."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FuserBlock(width) for _ in range(_FUSER_BLOCKS))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same."""
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Fuses image features with a mask and squeezes both into memory channels.

    Args:
        width: C of the image encoder's embedding.
        memory_width: M. Smaller, since every frame kept costs ``h * w * M`` values.
        mask_channels: See :class:`MaskDownsampler`.
    """

    def __init__(self, width: int, memory_width: int, mask_channels: tuple[int, ...]) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(mask_channels, width)
        self.pix_feat_proj = nn.Conv2d(width, width, 1)
        self.fuser = Fuser(width)
        self.out_proj = nn.Conv2d(width, memory_width, 1)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        """Encode one frame for every object at once.

        Args:
            embedding: ``(B or 1, C, h, w)``, raw: nothing of the memory in it.
            mask: ``(B, 1, S, S)``, scaled as trained.

        Returns:
            ``(B, M, h, w)``.
        """
        fused = self.fuser(self.pix_feat_proj(embedding) + self.mask_downsampler(mask))
        y: Tensor = self.out_proj(fused)
        return y
