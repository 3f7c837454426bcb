"""What a prediction on one frame costs: focal and dice of the best mask, IoU, presence.

The recipe of SAM 2 (Ravi et al., 2024, appendix D): of several masks only the one with the
lowest focal and dice loss is taught its shape, all are taught to know their IoU, and where the
object is absent only the presence score counts.

Shape letters: N entries, K masks each, h side of the mask logits, m side of the loss grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.config import LossConfig


@dataclass(frozen=True, eq=False)
class Target:
    """The truth on one frame.

    Attributes:
        coverage: ``(N, m, m)`` float32, 0 to 1, on the loss grid.
        present: ``(N,)`` float32, 1 where the object shows, else 0.
        certain: ``(N,)`` float32, 0 where the object is too small to be called either.
        counts: ``(N,)`` float32, 0 for entries that are no object at all.
    """

    coverage: Tensor
    present: Tensor
    certain: Tensor
    counts: Tensor


@dataclass(frozen=True, eq=False)
class FrameLoss:
    """Losses of one frame, each a scalar, unweighted but for ``total``.

    Attributes:
        total: The weighted sum.
        focal: Of the best mask.
        dice: Of the best mask.
        iou: Error of the predicted IoUs.
        presence: Cross entropy.
        j: No loss: the true IoU of the mask whose predicted IoU is highest.
        presence_right: No loss: share of entries whose presence is right.
    """

    total: Tensor
    focal: Tensor
    dice: Tensor
    iou: Tensor
    presence: Tensor
    j: Tensor
    presence_right: Tensor


def target_of(coverage: Tensor, counts: Tensor, config: LossConfig) -> Target:
    """The truth from soft masks.

    Args:
        coverage: ``(N, S, S)`` uint8, 255 fully inside.
        counts: ``(N,)`` bool.
        config: Grid and least area.
    """
    soft = coverage[:, None].float() / 255.0
    area_px = (coverage > 127).flatten(1).sum(dim=1)
    on_grid = F.avg_pool2d(soft, config.stride_px)[:, 0]  # (N, m, m)
    present = area_px >= config.least_area_px
    certain = present | (area_px == 0)
    return Target(on_grid, present.float(), certain.float(), counts.float())


def mask_losses(logits: Tensor, coverage: Tensor, config: LossConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Focal loss, dice loss and true IoU of every mask, each ``(N, K)`` float32.

    Args:
        logits: ``(N, K, h, h)``.
        coverage: ``(N, m, m)``, 0 to 1.
        config: Shape of the focal loss.
    """
    # float32 whatever autocast says: sums over a whole mask lose half their digits in bfloat16.
    logits = F.interpolate(logits.float(), size=coverage.shape[-2:], mode="bilinear", align_corners=False)
    truth = coverage[:, None].expand_as(logits)  # (N, K, m, m)
    probability = logits.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    agreement = probability * truth + (1 - probability) * (1 - truth)
    share = config.focal_alpha * truth + (1 - config.focal_alpha) * (1 - truth)
    focal = share * (1 - agreement) ** config.focal_gamma * cross_entropy
    if config.boundary > 0:
        focal = focal * (1 + config.boundary * _outline(coverage)[:, None])
    overlap = (probability * truth).sum(dim=(2, 3))
    dice = 1 - (2 * overlap + 1) / (probability.sum(dim=(2, 3)) + truth.sum(dim=(2, 3)) + 1)
    with torch.no_grad():
        inside, true_inside = logits > 0, truth > 0.5
        both = (inside & true_inside).sum(dim=(2, 3)).float()
        either = (inside | true_inside).sum(dim=(2, 3)).float()
        iou = both / either.clamp(min=1.0)
    return focal.mean(dim=(2, 3)), dice, iou


def _outline(coverage: Tensor) -> Tensor:
    """``(N, m, m)``, 1 within three cells of the outline and 0 elsewhere."""
    inside = (coverage[:, None] > 0.5).float()
    highest = F.max_pool2d(inside, 7, stride=1, padding=3)
    lowest = -F.max_pool2d(-inside, 7, stride=1, padding=3)
    return (highest - lowest)[:, 0]


def frame_loss(
    logits: Tensor, ious: Tensor, presence_logit: Tensor, target: Target, config: LossConfig
) -> FrameLoss:
    """What one prediction costs, averaged over the entries that count.

    Args:
        logits: ``(N, K, h, h)``.
        ious: ``(N, K)`` predicted.
        presence_logit: ``(N, 1)``.
        target: The truth.
        config: Weights.
    """
    focal, dice, true_iou = mask_losses(logits, target.coverage, config)
    best = (config.focal * focal + config.dice * dice).detach().argmin(dim=1, keepdim=True)  # (N, 1)
    shown = target.present * target.counts
    focal = _mean(focal.gather(1, best)[:, 0], shown)
    dice = _mean(dice.gather(1, best)[:, 0], shown)
    iou = _mean((ious.float() - true_iou).abs().mean(dim=1), shown)
    presence = F.binary_cross_entropy_with_logits(
        presence_logit.float()[:, 0], target.present, reduction="none"
    )
    presence = _mean(presence, target.certain * target.counts)
    total = config.focal * focal + config.dice * dice + config.iou * iou + config.presence * presence
    with torch.no_grad():
        chosen = ious.argmax(dim=1, keepdim=True)
        j = _mean(true_iou.gather(1, chosen)[:, 0], shown)
        right = ((presence_logit[:, 0] > 0) == (target.present > 0)).float()
        presence_right = _mean(right, target.certain * target.counts)
    return FrameLoss(total, focal, dice, iou, presence, j, presence_right)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean; 0 where nothing counts."""
    return (values * weights).sum() / weights.sum().clamp(min=1.0)
