"""What a prediction costs."""

from __future__ import annotations

import pytest
import torch

from masklet_server.training.config import LossConfig
from masklet_server.training.losses import Target, frame_loss, mask_losses, target_of

CONFIG = LossConfig()


def _square(entries: int = 1) -> torch.Tensor:
    coverage = torch.zeros(entries, 16, 16)
    coverage[:, 4:12, 4:12] = 1.0
    return coverage


def _target(coverage: torch.Tensor, *, present: float = 1.0, certain: float = 1.0) -> Target:
    entries = len(coverage)
    return Target(
        coverage, torch.full((entries,), present), torch.full((entries,), certain), torch.ones(entries)
    )


def test_a_perfect_mask_costs_nothing_and_its_iou_is_one() -> None:
    coverage = _square()

    focal, dice, iou = mask_losses(40 * coverage[:, None] - 20, coverage, CONFIG)

    assert float(focal) == pytest.approx(0.0, abs=1e-6)
    assert float(dice) == pytest.approx(0.0, abs=1e-3)
    assert float(iou) == 1.0


def test_focal_and_dice_agree_with_their_formulas() -> None:
    torch.manual_seed(0)
    logits, coverage = torch.randn(2, 3, 16, 16), _square(2)

    focal, dice, _ = mask_losses(logits, coverage, CONFIG)

    p, t = torch.sigmoid(logits.double()), coverage[:, None].double()
    agreed = torch.where(t > 0, p, 1 - p)
    alpha = torch.where(t > 0, 0.25, 0.75)
    expected_focal = (-alpha * (1 - agreed) ** 2 * agreed.log()).mean(dim=(2, 3))
    overlap = (p * t).sum(dim=(2, 3))
    expected_dice = 1 - (2 * overlap + 1) / (p.sum(dim=(2, 3)) + t.sum(dim=(2, 3)) + 1)
    torch.testing.assert_close(focal.double(), expected_focal, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(dice.double(), expected_dice, rtol=1e-4, atol=1e-6)


def test_only_the_best_of_three_masks_is_taught_its_shape() -> None:
    coverage = _square()
    good = 6 * coverage - 3
    logits = torch.stack((-good, good, torch.zeros_like(good)), dim=1).requires_grad_()

    loss = frame_loss(logits, torch.full((1, 3), 0.5), torch.ones(1, 1), _target(coverage), CONFIG)
    (gradient,) = torch.autograd.grad(loss.total, logits)

    assert float(gradient[0, 1].abs().sum()) > 0
    assert float(gradient[0, 0].abs().sum()) == 0
    assert float(gradient[0, 2].abs().sum()) == 0


def test_all_masks_are_taught_their_iou() -> None:
    coverage = _square()
    ious = torch.tensor([[0.5, 0.6, 0.7]], requires_grad=True)
    logits = (6 * coverage - 3)[:, None].repeat(1, 3, 1, 1)

    loss = frame_loss(logits, ious, torch.ones(1, 1), _target(coverage), CONFIG)
    (gradient,) = torch.autograd.grad(loss.total, ious)

    assert loss.iou.item() == pytest.approx((0.5 + 0.4 + 0.3) / 3)
    assert (gradient < 0).all()


def test_where_the_object_is_absent_only_presence_counts() -> None:
    logits = torch.randn(1, 3, 16, 16, requires_grad=True)
    presence = torch.tensor([[2.0]], requires_grad=True)
    target = _target(torch.zeros(1, 16, 16), present=0.0)

    loss = frame_loss(logits, torch.full((1, 3), 0.9), presence, target, CONFIG)
    mask_gradient, presence_gradient = torch.autograd.grad(loss.total, (logits, presence))

    assert float(mask_gradient.abs().sum()) == 0
    assert float(presence_gradient) > 0


def test_a_speck_counts_neither_as_present_nor_as_absent() -> None:
    coverage = torch.zeros(3, 32, 32, dtype=torch.uint8)
    coverage[1, 5:7, 5:7] = 255
    coverage[2, 5:15, 5:15] = 255

    target = target_of(coverage, torch.ones(3, dtype=torch.bool), CONFIG)

    assert target.present.tolist() == [0.0, 0.0, 1.0]
    assert target.certain.tolist() == [1.0, 0.0, 1.0]


def test_entries_that_are_no_object_cost_nothing() -> None:
    coverage = _square(2)
    target = Target(coverage, torch.ones(2), torch.ones(2), torch.tensor([1.0, 0.0]))
    logits = torch.randn(2, 1, 16, 16)
    ious, presence = torch.rand(2, 1), torch.randn(2, 1)

    both = frame_loss(logits, ious, presence, target, CONFIG)
    first = frame_loss(logits[:1], ious[:1], presence[:1], _target(coverage[:1]), CONFIG)

    torch.testing.assert_close(both.total, first.total)


def test_boundary_weight_raises_the_cost_of_pixels_near_the_outline() -> None:
    coverage = torch.zeros(1, 32, 32)
    coverage[:, 8:24, 8:24] = 1.0
    right = 20 * coverage[:, None] - 10
    wrong_at_edge, wrong_far = right.clone(), right.clone()
    wrong_at_edge[..., 7, 8:12] = 10.0
    wrong_far[..., 1, 8:12] = 10.0
    weighted = LossConfig(boundary=2.0)

    plain_edge, _, _ = mask_losses(wrong_at_edge, coverage, CONFIG)
    edge, _, _ = mask_losses(wrong_at_edge, coverage, weighted)
    far, _, _ = mask_losses(wrong_far, coverage, weighted)

    assert float(edge) == pytest.approx(3 * float(plain_edge), rel=1e-3)
    assert float(far) == pytest.approx(float(plain_edge), rel=1e-3)
