"""The image encoder: a trunk, and the neck that brings its maps to one width."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.config import ConvTrunkConfig, HieraConfig
from masklet_server.model.conv_trunk import ConvTrunk
from masklet_server.model.hiera import Hiera


class Lateral(nn.Module):
    """The 1x1 convolution of one level."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, rows, columns)`` to ``(B, width, rows, columns)``."""
        y: Tensor = self.conv(x)
        return y

    def followed_by(self, projection: nn.Conv2d, x: Tensor) -> Tensor:
        """What ``projection`` makes of this level, without computing the level at its full width.

        Two 1x1 convolutions in a row are one: multiplying their matrices costs nothing beside
        carrying ``width`` channels at the finest resolutions.
        """
        inner, outer = self.conv.weight.flatten(1), projection.weight.flatten(1)
        assert self.conv.bias is not None
        assert projection.bias is not None
        weight = (outer @ inner)[:, :, None, None]
        bias = outer @ self.conv.bias + projection.bias
        return F.conv2d(x, weight, bias)


class Neck(nn.Module):
    """A feature pyramid (Lin et al. 2017) whose top-down path stays at strides 32 and 16."""

    def __init__(self, channels: tuple[int, int, int, int], width: int) -> None:
        super().__init__()
        # Coarsest first, as the published weights number them.
        self.convs = nn.ModuleList(Lateral(count, width) for count in reversed(channels))

    def level(self, stride: int) -> Lateral:
        """The lateral of stride 4, 8, 16 or 32."""
        lateral = self.convs[{32: 0, 16: 1, 8: 2, 4: 3}[stride]]
        assert isinstance(lateral, Lateral)
        return lateral

    def forward(self, maps: list[Tensor]) -> Tensor:
        """The stride-16 embedding ``(B, C, h, w)`` from the trunk's four maps."""
        coarse = self.level(32)(maps[3])
        # Nearest, in float32, as trained.
        above = F.interpolate(coarse.float(), scale_factor=2.0, mode="nearest").to(coarse.dtype)
        result: Tensor = self.level(16)(maps[2]) + above
        return result


class ImageEncoder(nn.Module):
    """Trunk and neck."""

    def __init__(self, trunk: HieraConfig | ConvTrunkConfig, width: int) -> None:
        super().__init__()
        self.trunk = Hiera(trunk) if isinstance(trunk, HieraConfig) else ConvTrunk(trunk)
        self.neck = Neck(trunk.channels, width)
