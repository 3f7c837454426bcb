"""A convolutional trunk for processors without a GPU.

Blocks after ConvNeXt (Liu et al. 2022) with batch norm, which inference folds into the
convolution before it, and a few attention blocks at stride 32, where tokens are few.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.config import ConvTrunkConfig
from masklet_server.model.dense import Dense, dense, fuses
from masklet_server.model.devices import convolvable
from masklet_server.model.perceptron import Perceptron

_HEAD_CHANNELS = 32


class NormedConv(nn.Module):
    """A convolution without bias and the batch norm behind it."""

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels_in, channels, kernel, stride=stride, padding=padding, groups=groups, bias=False
        )
        self.norm: nn.Module = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels_in, rows, columns)`` to ``(B, channels, rows', columns')``."""
        result: Tensor = self.norm(self.conv(x))
        return result

    def fold(self) -> None:
        """Move the batch norm into the convolution: the same function, one pass less, no more training."""
        norm = self.norm
        if not isinstance(norm, nn.BatchNorm2d):
            return
        assert norm.running_mean is not None
        assert norm.running_var is not None
        with torch.no_grad():
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            self.conv.weight.mul_(scale[:, None, None, None])
            self.conv.bias = nn.Parameter(norm.bias - norm.running_mean * scale, requires_grad=False)
        self.norm = nn.Identity()


class ConvBlock(nn.Module):
    """Depthwise convolution, then two 1x1 layers, added to its input by a learned share."""

    def __init__(self, channels: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = NormedConv(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.expand = nn.Conv2d(channels, expansion * channels, 1)
        self.reduce = nn.Conv2d(expansion * channels, channels, 1)
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, rows, columns)`` to the same."""
        placed = self.depthwise(x)
        if fuses(placed):
            return x + self._mix(placed)
        result: Tensor = x + self.scale * self.reduce(F.gelu(self.expand(placed)))
        return result

    def _mix(self, x: Tensor) -> Tensor:
        """The 1x1 layers as the matrix products they are, the learned share inside the second."""
        assert self.expand.bias is not None
        assert self.reduce.bias is not None
        tokens = x.permute(0, 2, 3, 1)  # (B, rows, columns, channels)
        inner = dense(tokens, self.expand.weight.flatten(1), self.expand.bias, "gelu")
        weight = self.reduce.weight.flatten(1) * self.scale[:, :, 0]
        outer = dense(inner, weight, self.reduce.bias * self.scale[:, 0, 0])
        return outer.permute(0, 3, 1, 2)  # (B, channels, rows, columns)


class AttentionBlock(nn.Module):
    """A transformer block over all tokens; a depthwise convolution tells them where they are."""

    def __init__(self, channels: int, expansion: int) -> None:
        super().__init__()
        self.heads = max(1, channels // _HEAD_CHANNELS)
        self.position = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = Dense(channels, 3 * channels)
        self.project = Dense(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.feed_forward = Perceptron(channels, expansion * channels, channels, activation="gelu")

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, rows, columns)`` to the same."""
        x = x + self.position(x)
        rows, columns = x.shape[-2:]
        tokens = x.flatten(2).transpose(1, 2)  # (B, N, channels)
        qkv = self.qkv(self.norm1(tokens)).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (B, H, N, D) each
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        tokens = tokens + self.project(attended)
        tokens = tokens + self.feed_forward(self.norm2(tokens))
        result: Tensor = tokens.transpose(1, 2).unflatten(-1, (rows, columns))
        return result  # (B, channels, rows, columns)


class ConvTrunk(nn.Module):
    """The trunk: a stride-4 stem, then four stages of blocks with half the grid each.

    Args:
        config: Sizes.
    """

    def __init__(self, config: ConvTrunkConfig) -> None:
        super().__init__()
        self.channels = config.channels
        self.stem = NormedConv(3, config.channels[0], 7, stride=4, padding=3)
        self.downsample = nn.ModuleList(
            NormedConv(wide, narrow, 2, stride=2)
            for wide, narrow in zip(config.channels[:-1], config.channels[1:], strict=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvBlock(channels, config.kernel, config.expansion) for _ in range(count)))
            for channels, count in zip(config.channels, config.stages, strict=True)
        )
        self.attention = nn.Sequential(
            *(AttentionBlock(config.channels[-1], config.expansion) for _ in range(config.attention_blocks))
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps ``(B, channels[i], S/2^(i+2), S/2^(i+2))`` at strides 4, 8, 16 and 32."""
        # Channels last is what the processors' convolutions are fast in.
        x = self.stem(convolvable(images))
        maps = [self.stages[0](x)]
        for downsample, stage in zip(self.downsample, list(self.stages)[1:], strict=True):
            maps.append(stage(downsample(maps[-1])))
        maps[-1] = self.attention(maps[-1])
        return maps


def fold_batch_norms(module: nn.Module) -> None:
    """Fold every batch norm of a trained network into its convolution, in place.

    The network computes the same afterwards, faster, and can neither be trained nor take
    unfolded weights any more.
    """
    for part in module.modules():
        if isinstance(part, NormedConv):
            part.fold()
