"""From an embedding and prompts to masks, their expected quality, and whether the object is there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.normalisation import ChannelNorm
from masklet_server.model.perceptron import Perceptron
from masklet_server.model.two_way import TwoWayTransformer

_MASKS = 4  # one for a clear prompt, three for an ambiguous one


@dataclass(frozen=True, eq=False)
class MaskPredictions:
    """Everything the decoder says.

    Attributes:
        logits: ``(B, 4, 4h, 4w)``; the first mask is for clear prompts.
        ious: ``(B, 4)`` expected IoU of each, 0 to 1.
        tokens: ``(B, 4, C)`` the masks' tokens, from which pointers are made.
        presence_logit: ``(B, 1)``.
    """

    logits: Tensor
    ious: Tensor
    tokens: Tensor
    presence_logit: Tensor


class MaskDecoder(nn.Module):
    """The decoder of SAM (Kirillov et al. 2023) with skips and a presence head.

    Args:
        width: C.
        heads: Of its attention.
        feed_forward: Inner width of its perceptrons.
    """

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer(width, heads, feed_forward)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(_MASKS, width)
        self.obj_score_token = nn.Embedding(1, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, stride=2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, stride=2),
            nn.GELU(),
        )
        self.conv_s0 = nn.Conv2d(width, width // 8, 1)
        self.conv_s1 = nn.Conv2d(width, width // 4, 1)
        self.output_hypernetworks_mlps = nn.ModuleList(
            Perceptron(width, width, width, width // 8) for _ in range(_MASKS)
        )
        self.iou_prediction_head = Perceptron(width, width, width, _MASKS)
        self.pred_obj_score_head = Perceptron(width, width, width, 1)

    def forward(
        self, image: Tensor, image_code: Tensor, prompts: Tensor, skip8: Tensor, skip4: Tensor
    ) -> MaskPredictions:
        """Decode all masks.

        Args:
            image: ``(B, C, h, w)`` embedding, prompt mask added.
            image_code: ``(1, C, h, w)`` positions.
            prompts: ``(B, N, C)`` tokens.
            skip8: ``(B or 1, C/4, 2h, 2w)``.
            skip4: ``(B or 1, C/8, 4h, 4w)``.
        """
        grid = image.shape[-2:]
        batch = prompts.shape[0]
        own = torch.cat((self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight))
        tokens = torch.cat((own.expand(batch, -1, -1), prompts), dim=1)  # (B, 6 + N, C)

        tokens, image = self.transformer(
            image.flatten(2).transpose(1, 2), image_code.flatten(2).transpose(1, 2), tokens
        )
        mask_tokens = tokens[:, 2 : 2 + _MASKS]  # (B, 4, C)

        image = image.transpose(1, 2).reshape(batch, -1, *grid)  # (B, C, h, w)
        logits = self.masks(image, self.filters(mask_tokens), skip8, skip4)  # (B, 4, 4h, 4w)

        ious = torch.sigmoid(self.iou_prediction_head(tokens[:, 1]))
        presence_logit = self.pred_obj_score_head(tokens[:, 0])
        return MaskPredictions(logits, ious, mask_tokens, presence_logit)

    def filters(self, mask_tokens: Tensor) -> Tensor:
        """``(B, 4, C/8)``: what each mask looks for in the detail, from its token ``(B, 4, C)``."""
        heads = enumerate(self.output_hypernetworks_mlps)
        return torch.stack([head(mask_tokens[:, index]) for index, head in heads], dim=1)

    def masks(self, image: Tensor, filters: Tensor, skip8: Tensor, skip4: Tensor) -> Tensor:
        """``(B, K, 4h, 4w)`` logits of K filters ``(B, K, C/8)`` on ``(B, C, h, w)``, prompts seen."""
        up8, norm8, _, up4, _ = self.output_upscaling
        detail = F.gelu(norm8(up8(image) + skip8))  # (B, C/4, 2h, 2w)
        detail = F.gelu(up4(detail) + skip4)  # (B, C/8, 4h, 4w)
        logits: Tensor = (filters @ detail.flatten(2)).view(*filters.shape[:2], *detail.shape[-2:])
        return logits


def stability(logits: Tensor, *, margin: float) -> Tensor:
    """How little a mask changes when its threshold moves by ``margin`` either way.

    Args:
        logits: ``(B, h, w)``.
        margin: In logits.

    Returns:
        ``(B,)``: area above the higher threshold over area above the lower one; 1 where both are 0.
    """
    logits = logits.flatten(1)
    inner = (logits > margin).sum(-1).float()
    outer = (logits > -margin).sum(-1).float()
    return torch.where(outer > 0, inner / outer.clamp(min=1), 1.0)
