"""Clicks, box corners and a previous mask, as tokens and a map."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from masklet_server.model.normalisation import ChannelNorm
from masklet_server.model.position import FourierPosition

PADDING: Final = -1
"""The label of a point that says nothing."""

_KINDS = 4  # negative, positive, top-left corner, bottom-right corner


class PromptEncoder(nn.Module):
    """Brings prompts to the decoder's width.

    Args:
        width: C.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.pe_layer = FourierPosition(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(_KINDS))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, stride=2),
            ChannelNorm(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, stride=2),
            ChannelNorm(16),
            nn.GELU(),
            nn.Conv2d(16, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def points(self, points: Tensor, labels: Tensor, *, side_px: int) -> Tensor:
        """Tokens of points, and of one padding point that always follows them.

        Args:
            points: ``(B, N, 2)`` x, y in pixels of the square, without the half pixel to the centre.
            labels: ``(B, N)``: 1 on the object, 0 off it, 2 and 3 the first and last corner of a
                box, -1 padding.
            side_px: S.

        Returns:
            ``(B, N + 1, C)``.
        """
        batch = points.shape[0]
        points = torch.cat((points, points.new_zeros(batch, 1, 2)), dim=1)
        labels = torch.cat((labels, labels.new_full((batch, 1), PADDING)), dim=1)

        kinds = [self.not_a_point_embed.weight, *(kind.weight for kind in self._kinds())]
        table = torch.cat(kinds)  # (1 + 4, C)
        where = self.pe_layer((points.float() + 0.5) / side_px).to(table.dtype)  # (B, N + 1, C)
        where = where * (labels != PADDING)[..., None]
        result: Tensor = where + table[labels.long() + 1]
        return result

    def mask(self, mask_logits: Tensor) -> Tensor:
        """``(B, 1, 4h, 4w)`` mask logits as a map ``(B, C, h, w)``."""
        y: Tensor = self.mask_downscaling(mask_logits.to(self.no_mask_embed.weight.dtype))
        return y

    def no_mask(self) -> Tensor:
        """What stands in for a mask, ``(1, C, 1, 1)``."""
        return self.no_mask_embed.weight[:, :, None, None]

    def _kinds(self) -> list[nn.Embedding]:
        return [kind for kind in self.point_embeddings if isinstance(kind, nn.Embedding)]
