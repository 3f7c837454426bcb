"""What cut-outs are covered with: their own colours, textures from photographs, the scene's light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_draws import Draws
    from masklet_server.training.compositing_plan import LayerPlan
    from masklet_server.training.material.atlas import Material


def dress(
    draws: Draws, material: Material, layer: LayerPlan, behind: Tensor, retexture_share: float
) -> Tensor:
    """The pictures of one layer, one for each frame, ready to be sampled.

    Args:
        draws: Random numbers.
        material: Where the pictures come from.
        layer: Which pictures.
        behind: (B, T, 3, S, S), what the layer will be painted on.
        retexture_share: How many layers take a texture, besides those without colours of their own.

    Returns:
        (B, T, 4, C, C), premultiplied by alpha.
    """
    cutouts = material.cutouts[layer.picture].float() / 255.0
    # (B, T, 4, C, C)
    alpha = cutouts[:, :, 3:]
    colour = _retextured(draws, material, layer, cutouts, retexture_share)
    colour = _harmonised(draws, layer, colour, alpha, behind)
    return torch.cat((colour * alpha, alpha), 2)


def _retextured(draws: Draws, material: Material, layer: LayerPlan, cutouts: Tensor, share: float) -> Tensor:
    """Fill some cut-outs with a patch of a photograph that moves along; keep some of the shading."""
    batch, _, _, side, _ = cutouts.shape
    device = cutouts.device
    photos = material.photos[layer.texture]
    zoom = draws.log_uniform(batch, low=0.15, high=0.9)
    angle = draws.uniform(batch, low=-3.2, high=3.2)
    turn = torch.stack(
        (
            torch.stack((angle.cos() * zoom, -angle.sin() * zoom), -1),
            torch.stack((angle.sin() * zoom, angle.cos() * zoom), -1),
        ),
        -2,
    )
    shift = draws.uniform(batch, 2, 1, low=-0.5, high=0.5)
    grid = F.affine_grid(torch.cat((turn, shift), -1), [batch, 3, side, side], align_corners=False)
    texture = F.grid_sample(
        photos.float() / 255.0, grid.to(device), padding_mode="reflection", align_corners=False
    )
    colour = cutouts[:, :, :3]
    shade = colour.mean(2, keepdim=True)
    shaded = texture[:, None] * (0.35 + 0.9 * shade)
    keep = draws.uniform(batch)[:, None, None, None, None]
    textured = torch.lerp(texture[:, None].expand_as(shaded), shaded, keep)
    chosen = (layer.texture_draw < share).float()[:, None, None, None, None]
    chosen = torch.maximum(chosen, layer.bare[:, None, None, None, None])
    return torch.lerp(colour, textured, chosen)


def _harmonised(draws: Draws, layer: LayerPlan, colour: Tensor, alpha: Tensor, behind: Tensor) -> Tensor:
    """Move colours towards those of the scene, vary them, and light them from one side."""
    batch, _frames, _, side, _ = colour.shape
    weight = alpha.sum((1, 3, 4)).clamp(min=1.0)
    mean = (colour * alpha).sum((1, 3, 4)) / weight
    # (B, 3)
    scene = behind[:, :, :, ::8, ::8].mean((1, 3, 4))
    pull = (draws.uniform(batch, 1, high=0.7) * draws.chance(batch, 1, share=0.7)) * (1 - layer.bare[:, None])
    target = torch.lerp(mean, scene, pull)
    contrast = draws.normal(batch, deviation=0.2).exp()[:, None, None, None, None] * 0.95
    moved = (colour - mean[:, None, :, None, None]) * contrast + target[:, None, :, None, None]
    gain = draws.normal(batch, 1, deviation=0.2) + draws.normal(batch, 3, deviation=0.08) + layer.tint
    moved = moved * gain.exp()[:, None, :, None, None]
    line = torch.linspace(-1.0, 1.0, side, device=colour.device)
    slope = draws.normal(batch, 2, deviation=0.2)
    ramp = slope[:, :1, None] * line + slope[:, 1:, None] * line[:, None]
    return (moved * (1.0 + ramp[:, None, None])).clamp(0.0, 1.0)
