"""Draws who appears in a clip: pictures, sizes, motion, disappearances.

Letters as in ``composer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from masklet_server.training.compositing_motion import Pose, Track, fold, leave_curve, walk
from masklet_server.training.compositing_plan import ClipPlan, LayerPlan
from masklet_server.training.compositing_scenery import draw_bends, draw_camera, draw_scene

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.cast import CastConfig
    from masklet_server.training.compositing_draws import Draws
    from masklet_server.training.material.atlas import Material


def plan_clips(
    draws: Draws, material: Material, config: CastConfig, batch: int, frames: int, objects: int
) -> ClipPlan:
    """Draw everything that decides a batch, except its colours."""
    aspect = draws.log_uniform(batch, low=1.0, high=1.9)
    camera = draw_camera(draws, batch, frames, config.cut_share, config.camera)
    is_scene = draws.chance(batch, share=config.scene_share if len(material.photo_labels) else 0.0)
    scene = draw_scene(draws, material, is_scene, aspect, frames, objects)
    count = max(config.layers, objects)
    cast = _Cast(draws, material, config, aspect, is_scene, frames, objects, count)
    shutter = draws.uniform(batch, 1, low=0.1, high=0.6) * draws.chance(batch, 1, share=0.5)
    return ClipPlan(frames, aspect, camera, shutter, scene, cast.layers())


def _offset(track: Track, start: Tensor) -> Track:
    return Track(track.value + start[..., None], track.rate)


class _Cast:
    """The layers of a batch, drawn together: tracks are (B, L, T)."""

    def __init__(
        self,
        draws: Draws,
        material: Material,
        config: CastConfig,
        aspect: Tensor,
        is_scene: Tensor,
        frames: int,
        objects: int,
        count: int,
    ) -> None:
        self._draws = draws
        self._material = material
        self._config = config
        self._aspect = aspect
        self._is_scene = is_scene
        self._frames = frames
        self._objects = objects
        self._count = count
        self._batch = len(aspect)
        self._clone = draws.chance(self._batch, share=config.lookalike_share) * float(count > 1)
        self._leaves = draws.chance(self._batch, share=config.leave_share) * float(frames > 2)
        self._covers = self._leaves * draws.chance(self._batch, share=0.5) * float(count > 1)

    def layers(self) -> tuple[LayerPlan, ...]:
        draws, batch, count = self._draws, self._batch, self._count
        group = self._like_first(draws.weighted(self._material.group_weight.cumsum(0), batch, count))
        bare = self._material.group_bare[group].float()
        texture = draws.below(torch.full((batch, count), len(self._material.photos), device=draws.device))
        draw = self._like_first(draws.uniform(batch, count))
        pose = self._pose(group)
        flexible = draws.log_uniform(batch, count, low=0.01, high=0.12) * draws.chance(
            batch, count, share=0.5
        )
        order = self._depth_order()
        present = self._presence()
        slots = torch.eye(count, self._objects, device=draws.device).expand(batch, -1, -1)
        parts = (
            self._pictures(group),
            present,
            slots * present[..., None],
            draw_bends(draws, flexible, self._frames),
            draws.chance(batch, count, share=0.5),
            self._like_first(texture),
            draw,
            bare,
            self._like_first(draws.normal(batch, count, 3, deviation=0.05)),
            draws.uniform(batch, count, low=0.6, high=2.4) * draws.chance(batch, count, share=0.12),
            draws.uniform(batch, count, high=0.6) * draws.chance(batch, count, share=0.4),
            draws.normal(batch, count, 2, deviation=0.06),
        )
        return tuple(self._layer(order[:, depth], parts, pose) for depth in range(count))

    def _layer(self, index: Tensor, parts: tuple[Tensor, ...], pose: Pose) -> LayerPlan:
        rows = torch.arange(self._batch, device=index.device)

        def pick(values: Tensor) -> Tensor:
            return values[rows, index]

        def track(values: Track) -> Track:
            return Track(pick(values.value), pick(values.rate))

        picture, present, slot, bend, follows, texture, draw, bare, tint, blur, shadow, shift = map(
            pick, parts
        )
        own = Pose(
            track(pose.x),
            track(pose.y),
            track(pose.angle),
            track(pose.log_size),
            track(pose.tilt_x),
            track(pose.tilt_y),
            pick(pose.shape),
        )
        return LayerPlan(
            picture, present, slot, own, bend, follows, texture, draw, bare, tint, blur, shadow, shift
        )

    def _like_first(self, values: Tensor) -> Tensor:
        """Layer 1 takes the value of layer 0 where it is its clone; (B, L, ...)."""
        if self._count < 2:
            return values
        clone = self._clone.reshape(-1, *([1] * (values.dim() - 2))) > 0.5
        second = torch.where(clone, values[:, 0], values[:, 1])
        return torch.cat((values[:, :1], second[:, None], values[:, 2:]), 1)

    def _presence(self) -> Tensor:
        """Which layers appear: a scene's own objects take the place of the first ones."""
        share = torch.tensor([1.0, 0.65, *([0.45] * (self._count - 2))], device=self._draws.device)[
            : self._count
        ]
        present = (self._draws.uniform(self._batch, self._count) < share).float()
        present[:, 0] = 1.0
        if self._count > 1:
            present[:, 1] = torch.maximum(present[:, 1], self._clone)
            present[:, -1] = torch.maximum(present[:, -1], self._covers)
        targets = torch.arange(self._count, device=self._draws.device) < self._objects
        return present * (1.0 - self._is_scene[:, None] * targets.float())

    def _depth_order(self) -> Tensor:
        """From back to front, (B, L); what covers the first target comes last."""
        key = self._draws.uniform(self._batch, self._count)
        key[:, -1] = key[:, -1] + 2.0 * self._covers
        return key.argsort(1)

    def _pictures(self, group: Tensor) -> Tensor:
        """The view of each layer on each frame, (B, L, T): back and forth through a group's views."""
        draws, frames = self._draws, self._frames
        views = self._material.group_views[group][..., None]
        pace = draws.uniform(*group.shape, 1, low=0.2, high=1.3) * draws.sign(*group.shape, 1)
        start = draws.uniform(*group.shape, 1) * views
        clock = torch.arange(frames, device=draws.device)
        period = (2 * views - 2).clamp(min=1)
        step = torch.remainder((start + pace * clock).floor().long(), period)
        view = torch.where(step < views, step, period - step)
        return self._material.group_first[group][..., None] + view

    def _pose(self, group: Tensor) -> Pose:
        draws, frames = self._draws, self._frames
        shape = group.shape
        extent = self._material.group_extent[group]
        size = self._sizes(extent)
        fast = draws.log_uniform(*shape, low=0.004, high=2.0 * self._config.fastest)
        speed = fast * draws.chance(*shape, share=0.9)
        room = self._aspect[:, None].expand(shape) * 0.95
        x = fold(_offset(walk(draws, speed, frames), draws.uniform(*shape, low=-0.9, high=0.9) * room), room)
        y = fold(
            _offset(walk(draws, speed * 0.7, frames), draws.uniform(*shape, low=-0.85, high=0.85)),
            torch.full_like(room, 0.95),
        )
        x, y = self._with_absence(x, y, size)
        upright = draws.normal(*shape, deviation=0.25)
        angle = torch.where(draws.uniform(*shape) < 0.2, draws.uniform(*shape, low=-3.1, high=3.1), upright)
        spin = draws.log_uniform(*shape, low=0.005, high=0.25) * draws.chance(*shape, share=0.7)
        grow = draws.log_uniform(*shape, low=0.004, high=self._config.fastest_growth) * draws.chance(
            *shape, share=0.7
        )
        tilt = draws.log_uniform(*shape, low=0.005, high=0.08) * draws.chance(*shape, share=0.5)

        def tilted() -> Track:
            track = _offset(walk(draws, tilt, frames), draws.normal(*shape, deviation=0.1))
            return fold(track, torch.full_like(tilt, 0.3))

        log_size = _offset(walk(draws, grow, frames), size.log())
        limited = Track(log_size.value.clamp(-3.5, 1.2), log_size.rate.clamp(-0.3, 0.3))
        return Pose(
            x=x,
            y=y,
            angle=_offset(walk(draws, spin, frames), angle),
            log_size=limited,
            tilt_x=tilted(),
            tilt_y=tilted(),
            shape=self._shapes(shape),
        )

    def _sizes(self, extent: Tensor) -> Tensor:
        """Half sides, so that a layer covers one to 40 per cent of the frame; (B, L)."""
        area = self._draws.log_uniform(*extent.shape[:2], low=0.009, high=0.4)
        opaque = (extent[..., 0] * extent[..., 1]).clamp(min=0.05) * 0.65
        size = (area * self._aspect[:, None] / opaque).sqrt()
        if self._count > 1:
            ratio = self._draws.log_uniform(self._batch, low=0.6, high=1.6)
            size[:, 1] = torch.where(self._clone > 0.5, size[:, 0] * ratio, size[:, 1])
            wide = self._draws.log_uniform(self._batch, low=1.3, high=2.2)
            size[:, -1] = torch.where(self._covers > 0.5, size[:, 0] * wide, size[:, -1])
        return size.clamp(0.06, 3.0)

    def _shapes(self, shape: torch.Size) -> Tensor:
        """Flip, stretch and shear, (B, L, 2, 2)."""
        draws = self._draws
        stretch = draws.normal(*shape, deviation=0.12).exp()
        flip = draws.sign(*shape)
        shear = draws.normal(*shape, deviation=0.12)
        upper = torch.stack((flip * stretch, shear), -1)
        lower = torch.stack((torch.zeros_like(stretch), 1.0 / stretch), -1)
        return torch.stack((upper, lower), -2)

    def _with_absence(self, x: Track, y: Track, size: Tensor) -> tuple[Track, Track]:
        """Take the first target out of the frame for a while, or run the last layer across it."""
        draws, batch, frames = self._draws, self._batch, self._frames
        if self._config.leave_share <= 0.0 or frames < 3:
            return x, y
        gone = leave_curve(draws, batch, frames, within=self._config.leaving_frames)
        exits = (self._leaves * (1.0 - self._covers))[:, None]
        sideways = draws.chance(batch, 1, share=0.75)
        way = draws.sign(batch, 1)
        far = 1.1 * size[:, :1]
        x_out = way * (self._aspect[:, None] + far) - x.value[:, 0]
        y_out = way * (1.0 + far) - y.value[:, 0]
        x_value, y_value = x.value.clone(), y.value.clone()
        x_value[:, 0] = x_value[:, 0] + gone * exits * sideways * x_out
        y_value[:, 0] = y_value[:, 0] + gone * exits * (1.0 - sideways) * y_out
        if self._count > 1:
            covers = self._covers[:, None]
            clear = (1.0 - gone) * (size[:, :1] + size[:, -1:]) * way
            x_value[:, -1] = torch.where(covers > 0.5, x_value[:, 0] + clear, x_value[:, -1])
            y_value[:, -1] = torch.where(covers > 0.5, y_value[:, 0], y_value[:, -1])
        return Track(x_value, x.rate), Track(y_value, y.rate)
