"""Material that needs no download: shapes and textures from noise.

Letters: G shapes, M textures, C side of a cut-out, P side of a texture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from masklet_server.training.material.atlas import Material

if TYPE_CHECKING:
    from torch import Tensor


def procedural_material(
    *,
    device: torch.device | str,
    seed: int,
    cutout_side_px: int = 128,
    photo_side_px: int = 256,
    shape_count: int = 40,
    texture_count: int = 16,
) -> Material:
    """Bare shapes and textures; enough for tests and a first look, not for a good model."""
    generator = torch.Generator().manual_seed(seed)
    alpha = shapes(generator, shape_count, cutout_side_px)
    shade = shapes_shading(generator, shape_count, cutout_side_px)
    cutouts = torch.cat((shade, alpha), 1)
    photos = textures(generator, texture_count, photo_side_px)
    count = len(cutouts)
    return Material(
        cutouts=as_bytes(cutouts).to(device),
        group_first=torch.arange(count, device=device),
        group_views=torch.ones(count, dtype=torch.int64, device=device),
        group_weight=torch.ones(count, device=device),
        group_bare=torch.ones(count, dtype=torch.bool, device=device),
        group_extent=extents(cutouts[:, 3]).to(device),
        photos=as_bytes(photos).to(device),
        photo_weight=torch.ones(len(photos), device=device),
        photo_aspect=torch.ones(len(photos), device=device),
        photo_labels=torch.zeros(0, photo_side_px, photo_side_px, dtype=torch.uint8, device=device),
        photo_objects=torch.zeros(0, dtype=torch.int64, device=device),
    )


def as_bytes(values: Tensor) -> Tensor:
    """0..1 as uint8."""
    return (values.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)


def extents(alpha: Tensor) -> Tensor:
    """Width and height of what is opaque in (G, C, C), as fractions of C: (G, 2)."""
    solid = alpha > 0.5
    return torch.stack((solid.any(1).float().mean(1), solid.any(2).float().mean(1)), -1)


def shapes(generator: torch.Generator, count: int, side_px: int) -> Tensor:
    """Coverage of blobs, stars, ellipses and slabs, (G, 1, C, C), soft by a pixel at the border."""
    line = (torch.arange(side_px) + 0.5) * (2.0 / side_px) - 1.0
    y, x = torch.meshgrid(line, line, indexing="ij")
    radius, angle = (x * x + y * y).sqrt(), torch.atan2(y, x)
    waves = torch.arange(2, 8)
    drawn: list[Tensor] = []
    for index in range(count):
        kind = index % 3
        if kind == 0:
            size = torch.rand(2, generator=generator) * 0.55 + 0.4
            power = float(torch.rand(1, generator=generator)) * 8.0 + 2.0
            distance = ((x / size[0]).abs() ** power + (y / size[1]).abs() ** power) ** (1.0 / power)
            field = (1.0 - distance) * float(size.min())
        else:
            strength = torch.randn(len(waves), generator=generator) / waves * (0.35 if kind == 1 else 0.7)
            phase = torch.rand(len(waves), generator=generator) * 6.3
            ripple = (strength * torch.cos(angle[..., None] * waves + phase)).sum(-1)
            field = 0.62 + 0.3 * ripple.clamp(-1.0, 1.0) - radius
        drawn.append((field * side_px * 0.5 + 0.5).clamp(0.0, 1.0))
    return torch.stack(drawn)[:, None]


def shapes_shading(generator: torch.Generator, count: int, side_px: int) -> Tensor:
    """Grey shading of a rounded surface under a light, (G, 3, C, C)."""
    line = torch.linspace(-1.0, 1.0, side_px)
    slope = torch.randn(count, 2, generator=generator) * 0.25
    ramp = slope[:, :1, None] * line + slope[:, 1:, None] * line[:, None]
    detail = noise(generator, count, 1, side_px, coarsest=2, octaves=3)[:, 0]
    return (0.35 + 0.5 * detail + ramp).clamp(0.05, 1.0)[:, None].expand(-1, 3, -1, -1)


def noise(
    generator: torch.Generator, count: int, channels: int, side_px: int, *, coarsest: int, octaves: int
) -> Tensor:
    """Fractal noise from 0 to 1, (count, channels, side, side)."""
    total = torch.zeros(count, channels, side_px, side_px)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        layer = torch.randn(count, channels, cells, cells, generator=generator)
        wide = F.interpolate(layer, size=(side_px, side_px), mode="bicubic", align_corners=False)
        total = total + wide * 0.6**octave
    return torch.sigmoid(total * 1.5)


def textures(generator: torch.Generator, count: int, side_px: int) -> Tensor:
    """Coloured noise, stripes and checks between two or three colours, (M, 3, P, P)."""
    line = torch.linspace(-1.0, 1.0, side_px)
    y, x = torch.meshgrid(line, line, indexing="ij")
    colours = torch.rand(count, 3, 3, generator=generator)
    fine = noise(generator, count, 3, side_px, coarsest=3, octaves=6)
    drawn: list[Tensor] = []
    for index in range(count):
        first, second, third = colours[index][:, :, None, None]
        weight = noise(generator, 1, 1, side_px, coarsest=2 + index % 5, octaves=5)[0]
        if index % 3 == 1:
            turn = float(torch.rand(1, generator=generator)) * 6.3
            pitch = float(torch.rand(1, generator=generator)) * 40.0 + 6.0
            wave = torch.sin((x * torch.cos(torch.tensor(turn)) + y * torch.sin(torch.tensor(turn))) * pitch)
            weight = torch.sigmoid((wave + weight[0] * 0.8 - 0.4) * 6.0)[None]
        elif index % 3 == 2:
            pitch = float(torch.rand(1, generator=generator)) * 20.0 + 4.0
            weight = torch.sigmoid(torch.sin(x * pitch) * torch.sin(y * pitch) * 12.0)[None]
        mixed = first * weight + second * (1 - weight)
        drawn.append(
            torch.lerp(mixed, third.expand_as(mixed), 0.4 * fine[index][:1]) * (0.6 + 0.6 * fine[index])
        )
    return torch.stack(drawn).clamp(0.0, 1.0)
