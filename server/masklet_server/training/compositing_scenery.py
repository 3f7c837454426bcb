"""Draws what is behind a clip: a photograph, its own objects, the camera that looks at it.

Letters as in ``composer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from masklet_server.training.compositing_motion import Pose, Track, walk
from masklet_server.training.compositing_plan import ScenePlan

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_draws import Draws
    from masklet_server.training.material.atlas import Material

_BEND_SIDE = 5


def draw_bends(draws: Draws, amplitude: Tensor, frames: int) -> Tensor:
    """Elastic displacements that swing over time; amplitude (...,) gives (..., T, 2, k, k)."""
    shape = (*amplitude.shape, 1, 2, _BEND_SIDE, _BEND_SIDE)
    clock = torch.arange(frames, device=draws.device)[:, None, None, None]
    phase = draws.uniform(*shape, high=6.3)
    pace = draws.uniform(*amplitude.shape, 1, 1, 1, 1, low=0.1, high=1.2)
    return torch.sin(phase + pace * clock) * draws.normal(*shape) * amplitude[..., None, None, None, None]


def draw_camera(draws: Draws, batch: int, frames: int, cut_share: float, pace: float = 1.0) -> Pose:
    """Pans, zooms and rolls, sometimes by hand, sometimes cut once; tracks of (B, T)."""
    moving = draws.chance(batch, share=0.75) * pace
    speed = draws.log_uniform(batch, low=0.004, high=0.2) * moving
    shake = draws.log_uniform(batch, low=0.002, high=0.04) * draws.chance(batch, share=0.35)
    when = draws.uniform(batch, 1, low=0.5, high=max(0.6, frames - 0.5))
    after = (torch.arange(frames, device=draws.device) >= when).float() * draws.chance(
        batch, 1, share=cut_share
    )

    def shaken(track: Track, strength: Tensor, jump: Tensor) -> Track:
        tremble = draws.normal(*track.value.shape) * strength[:, None]
        return Track(track.value + tremble + after * jump[:, None], track.rate + tremble)

    still = torch.zeros(batch, device=draws.device)
    turning = draws.normal(batch, deviation=0.15) * moving * draws.chance(batch, share=0.4)
    zoom = draws.log_uniform(batch, low=0.002, high=0.06) * moving
    return Pose(
        x=shaken(walk(draws, speed, frames), shake, draws.uniform(batch, low=-0.7, high=0.7)),
        y=shaken(walk(draws, speed * 0.5, frames), shake, draws.uniform(batch, low=-0.4, high=0.4)),
        angle=shaken(walk(draws, turning * 0.1, frames), shake * 0.3, still),
        log_size=shaken(walk(draws, zoom, frames), shake * 0.2, draws.uniform(batch, low=-0.3, high=0.5)),
        tilt_x=walk(draws, speed * 0.1, frames),
        tilt_y=walk(draws, speed * 0.1, frames),
        shape=torch.eye(2, device=draws.device).expand(batch, 2, 2),
    )


def draw_scene(
    draws: Draws, material: Material, is_scene: Tensor, aspect: Tensor, frames: int, objects: int
) -> ScenePlan:
    """A photograph for each clip; where ``is_scene`` (B,) is 1, one whose own objects are targets."""
    batch = len(is_scene)
    photo = draws.weighted(material.photo_weight.cumsum(0), batch)
    side = material.photos.shape[-1]
    own = torch.zeros(batch, objects, side, side, device=draws.device)
    if len(material.photo_labels):
        labelled = draws.below(torch.full((batch,), len(material.photo_labels), device=draws.device))
        photo = torch.where(is_scene > 0.5, labelled, photo)
        available = material.photo_objects[labelled]
        first = draws.below(available)
        labels = material.photo_labels[labelled]
        for slot in range(objects):
            # Numbers wrap around; what would come a second time is left out.
            number = (first + slot) % available + 1
            shown = is_scene * (available > slot).float()
            own[:, slot] = (labels == number[:, None, None]).float() * shown[:, None, None]
    photo_aspect = material.photo_aspect[photo]
    cover = torch.maximum(torch.ones_like(aspect), aspect / photo_aspect)
    closest = draws.log_uniform(batch, low=1.02, high=2.4)
    # A target may not fill the frame: scenes are seen nearly whole.
    cover = cover * torch.where(is_scene > 0.5, closest.clamp(max=1.5), closest)
    slack = torch.stack(((cover * photo_aspect - aspect), cover - 1.0), -1) / torch.stack(
        (cover * photo_aspect, cover), -1
    )
    reach = torch.stack((cover * photo_aspect * draws.sign(batch), cover), -1)
    centre, radius = _extent(own[:, 0])
    slack = slack.clamp(min=0.0)
    anywhere = draws.uniform(batch, 2, low=-0.9, high=0.9) * slack
    aimed = torch.where(is_scene[:, None] > 0.5, centre + draws.normal(batch, 2, deviation=0.2), anywhere)
    wander = walk(draws, (radius * 0.12)[:, None].expand(batch, 2), frames).value.transpose(1, 2)
    push = torch.tanh(wander / (0.4 * radius[:, None, None])) * 0.4 * radius[:, None, None]
    amplitude = draws.log_uniform(batch, low=0.005, high=0.05) * draws.chance(batch, share=0.5)
    others = len(material.photos) - 1
    another = 1 + draws.below(torch.full((batch,), max(others, 1), device=draws.device))
    beyond = torch.remainder(photo + another, len(material.photos))
    return ScenePlan(
        photo=photo,
        beyond=torch.where(is_scene > 0.5, beyond, photo),
        reach=reach,
        middle=torch.minimum(torch.maximum(aimed, -slack), slack),
        objects=own,
        bend=draw_bends(draws, amplitude, frames),
        push=push * is_scene[:, None, None],
        push_centre=centre,
        push_radius=radius,
        blur=draws.uniform(batch, high=2.0) * draws.chance(batch, share=0.3) * (1.0 - is_scene),
    )


def _extent(coverage: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (B, 2) and radius (B,) of (B, P, P) coverage, in [-1, 1]; the middle where it is empty."""
    side = coverage.shape[-1]
    line = (torch.arange(side, device=coverage.device) + 0.5) * (2.0 / side) - 1.0
    mass = coverage.sum((1, 2)).clamp(min=1.0)
    x = (coverage.sum(1) * line).sum(1) / mass
    y = (coverage.sum(2) * line).sum(1) / mass
    area = mass * (4.0 / side**2)
    return torch.stack((x, y), -1), (area.sqrt() * 0.8).clamp(0.05, 0.8)
