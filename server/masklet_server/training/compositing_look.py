"""What a camera and a codec do to a picture: exposure, colour, grain, block compression."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_draws import Draws

# ITU-T T.81, table K.1: how coarsely a frequency of brightness may be stored, at quality 50.
_BRIGHTNESS_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def expose(draws: Draws, pictures: Tensor) -> Tensor:
    """Change exposure, contrast, colour balance and gamma per clip, with flicker and ramps per frame.

    Takes and returns (B, T, 3, S, S) from 0 to 1.
    """
    batch, frames = pictures.shape[:2]
    clock = torch.linspace(-0.5, 0.5, frames, device=pictures.device)
    ramp = draws.normal(batch, 1, deviation=0.25) * draws.chance(batch, 1, share=0.2) * clock
    flicker = draws.normal(batch, frames, deviation=0.03) * draws.chance(batch, 1, share=0.4)
    gain = (draws.normal(batch, 1, deviation=0.18) + ramp + flicker).exp()
    balance = (
        draws.normal(batch, 1, 3, deviation=0.06) + draws.normal(batch, frames, 3, deviation=0.01)
    ).exp()
    gamma = draws.normal(batch, deviation=0.15).exp()[:, None, None, None, None]
    contrast = draws.normal(batch, deviation=0.12).exp()[:, None, None, None, None]
    grey = draws.chance(batch, share=0.05)[:, None, None, None, None]
    lit = pictures.clamp(1e-4, 1.0) ** gamma
    lit = lit * gain[:, :, None, None, None] * balance[..., None, None]
    lit = (lit - 0.45) * contrast + 0.45
    lit = torch.lerp(lit, lit.mean(2, keepdim=True).expand_as(lit), grey)
    return lit.clamp(0.0, 1.0)


def add_grain(draws: Draws, pictures: Tensor) -> Tensor:
    """Noise that is new on every frame; (B, T, 3, S, S)."""
    batch, frames, channels, side, _ = pictures.shape
    strength = draws.log_uniform(batch, low=0.002, high=0.05) * draws.chance(batch, share=0.6)
    noise = draws.normal(batch * frames, channels, side, side)
    noise = torch.lerp(noise, noise.mean(1, keepdim=True).expand_as(noise), 0.5).reshape(pictures.shape)
    return pictures + noise * strength[:, None, None, None, None]


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal 8-point cosine transform, (8, 8)."""
    position = torch.arange(8, device=device) + 0.5
    frequency = torch.arange(8, device=device)
    basis = torch.cos(frequency[:, None] * position[None] * (math.pi / 8)) * 0.5
    basis[0] = basis[0] * math.sqrt(0.5)
    return basis


def _quantise(planes: Tensor, steps: Tensor) -> Tensor:
    """Round 8x8 blocks of (N, H, W) in the frequency domain; steps (N, 8, 8) in units of 1/255."""
    basis = _cosines(planes.device)
    count, height, width = planes.shape
    blocks = planes.reshape(count, height // 8, 8, width // 8, 8).transpose(2, 3)
    # (N, H/8, W/8, 8, 8); each product takes the last axis, so one big product does all blocks
    spectrum = (blocks @ basis.T).transpose(3, 4) @ basis.T
    step = steps.transpose(1, 2)[:, None, None] / 255.0
    rounded = (spectrum / step).round() * step
    restored: Tensor = (rounded @ basis).transpose(3, 4) @ basis
    return restored.transpose(2, 3).reshape(planes.shape)


def compress(draws: Draws, pictures: Tensor, *, share: float = 0.5) -> Tensor:
    """Block artefacts as of JPEG, quality 25 to 95, colour at half size; (B, T, 3, S, S).

    Follows the forward and inverse steps of ITU-T T.81 without the entropy coding, which loses nothing.
    """
    batch, frames, _, side, _ = pictures.shape
    quality = draws.uniform(batch, low=25.0, high=95.0)
    scale = torch.where(quality < 50.0, 50.0 / quality, 2.0 - quality / 50.0)
    applied = draws.chance(batch, share=share)
    table = torch.tensor(_BRIGHTNESS_STEPS, dtype=torch.float32, device=pictures.device)
    steps = (table * scale[:, None, None]).clamp(min=1.0).repeat_interleave(frames, 0)
    flat = pictures.flatten(0, 1)
    spare = -side % 16
    flat = F.pad(flat, (0, spare, 0, spare), mode="replicate")
    red, green, blue = flat.unbind(1)
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    colour = torch.stack((red - bright, blue - bright), 1)
    colour = F.avg_pool2d(colour, 2)
    bright = _quantise(bright, steps)
    colour = _quantise(colour.flatten(0, 1), (steps * 1.3).repeat_interleave(2, 0)).reshape(colour.shape)
    colour = F.interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False)
    red, blue = colour[:, 0] + bright, colour[:, 1] + bright
    green = (bright - 0.299 * red - 0.114 * blue) / 0.587
    stored = torch.stack((red, green, blue), 1)[..., :side, :side].reshape(pictures.shape)
    return torch.lerp(pictures, stored, applied[:, None, None, None, None])
