"""Composites clips with exact masks on the device that trains.

A clip is a photograph under a moving camera with up to ``layers`` cut-outs over it. Everything is drawn
for the whole batch at once; the only loops are over layers and over points in time within a frame.

Letters: B clips, T frames, L layers, O object slots, K points in time, N = B * T, C side of a cut-out,
P side of a photograph, S side of the output. Isotropic coordinates: see ``compositing_motion``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from masklet_server.training import compositing_layers as layers
from masklet_server.training import compositing_look as look
from masklet_server.training.cast import CastConfig
from masklet_server.training.clips import ClipBatch
from masklet_server.training.compositing_casting import plan_clips
from masklet_server.training.compositing_draws import Draws
from masklet_server.training.compositing_motion import inverse, project
from masklet_server.training.compositing_skins import dress

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_plan import ClipPlan, LayerPlan
    from masklet_server.training.material.atlas import Material


@dataclass(frozen=True)
class ComposerConfig:
    """How clips come about.

    Attributes:
        cast: Who appears and how it moves.
        samples_per_frame: Points in time averaged per frame, for motion blur and smooth edges; None is
            3 on a GPU and 1 elsewhere.
        retexture_share: Cut-outs filled with a piece of a photograph.
        smallest_area: Share of the frame an object must show on frame 0 to count as valid.
        piece_megapixels: More pixels than this are made in several pieces, to bound the memory.
        looks: False leaves out grain, exposure and compression, to look at the geometry alone.
    """

    cast: CastConfig = CastConfig()  # noqa: RUF009 - frozen, so sharing it is safe
    samples_per_frame: int | None = None
    retexture_share: float = 0.35
    smallest_area: float = 0.0008
    piece_megapixels: float = 16.0
    looks: bool = True


# For measuring presence: in every clip the first object leaves or is covered, and mostly comes back.
LEAVING = ComposerConfig(cast=CastConfig(scene_share=0.0, leave_share=1.0))

# The same as real footage has it: objects as large and as fast as those of DAVIS 2016, which take some
# frames to leave, in their own colours, without cuts, which a session finds in the picture:
# docs/decisions/0004-training.md.
LEAVING_AS_FILMED = ComposerConfig(
    cast=CastConfig(
        scene_share=0.0,
        leave_share=1.0,
        leaving_frames=(3.0, 8.0),
        cut_share=0.0,
        fastest=0.04,
        fastest_growth=0.02,
        camera=0.35,
    ),
    retexture_share=0.0,
    smallest_area=0.02,
)

# And where something fast runs across them, or they do themselves.
LEAVING_AT_ONCE = replace(LEAVING_AS_FILMED, cast=replace(LEAVING_AS_FILMED.cast, leaving_frames=None))


@dataclass
class _Canvas:
    """The clip while it is painted from back to front.

    Attributes:
        colour: (B, T, 3, S, S).
        coverage: (B, T, O, S, S), what is visible of each slot so far.
    """

    colour: Tensor
    coverage: Tensor


class ClipComposer:
    """An endless source of clips."""

    def __init__(
        self,
        material: Material,
        *,
        device: torch.device | str,
        seed: int,
        config: ComposerConfig | None = None,
    ) -> None:
        """Draw from ``material``; the same seed on the same device gives the same clips."""
        self._material = material
        self._config = config or ComposerConfig()
        self._draws = Draws(torch.Generator(device=device).manual_seed(seed))
        self._samples = self._config.samples_per_frame or (3 if self._draws.device.type == "cuda" else 1)

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """New clips: see :class:`masklet_server.training.clips.ClipSource`."""
        fitting = max(1, int(self._config.piece_megapixels * 1e6 / (frames * side_px**2)))
        sizes = [min(fitting, batch - first) for first in range(0, batch, fitting)]
        kind = self._draws.device.type
        # Half precision would shift edges by a pixel, so a caller's autocast does not apply here.
        with torch.no_grad(), torch.autocast(kind, enabled=False):
            pieces = [self._piece(size, frames, side_px, objects) for size in sizes]
        if len(pieces) == 1:
            return pieces[0]
        return ClipBatch(
            torch.cat([piece.images for piece in pieces]),
            torch.cat([piece.masks for piece in pieces]),
            torch.cat([piece.alphas for piece in pieces]),
            torch.cat([piece.valid for piece in pieces]),
        )

    def _piece(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        plan = plan_clips(self._draws, self._material, self._config.cast, batch, frames, objects)
        canvas = self._paint_background(plan, side_px)
        for layer in plan.layers:
            self._paint_layer(canvas, plan, layer)
        colour = self._finish(canvas.colour)
        alphas = (canvas.coverage * 255.0).round().to(torch.uint8)
        masks = alphas > 127
        area = masks[:, 0].flatten(2).float().mean(2)
        return ClipBatch(colour, masks, alphas, area >= self._config.smallest_area)

    def state(self) -> Tensor:
        """Where its random numbers stand, for an exact resume; a CPU uint8 tensor."""
        return self._draws.generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        self._draws.generator.set_state(state)

    def _moments(self) -> list[float]:
        """Offsets of the K points in time within a shutter of one frame, centred on zero."""
        count = self._samples
        return [(index + 0.5) / count - 0.5 for index in range(count)]

    def _points(self, plan: ClipPlan, side_px: int) -> tuple[Tensor, Tensor]:
        """Isotropic positions of the output's pixels, (N, S, S) each."""
        x, y = layers.output_points(side_px, plan.aspect.device)
        aspect = plan.aspect.repeat_interleave(plan.frames)[:, None, None]
        return x * aspect, y.expand(len(aspect), -1, -1)

    def _jitter(self, moment: int, side_px: int) -> tuple[float, float]:
        """Where inside a pixel the K-th sample lies, in units of [-1, 1] of the frame."""
        count = self._samples
        golden = (moment * 0.618034) % 1.0
        return ((moment + 0.5) / count - 0.5) * 2.0 / side_px, (golden - 0.5 * (count > 1)) * 2.0 / side_px

    def _paint_background(self, plan: ClipPlan, side_px: int) -> _Canvas:
        scene, frames = plan.scene, plan.frames
        photos = self._material.photos[scene.photo].float() / 255.0
        stack = torch.cat((photos, scene.objects), 1)
        # (B, 3 + O, P, P)
        beyond = self._material.photos[scene.beyond].float() / 255.0
        points = self._points(plan, side_px)
        total: Tensor | None = None
        for number, moment in enumerate(self._moments()):
            x, y = self._shifted(points, number, side_px)
            to_world = inverse(plan.camera.homography(moment * plan.shutter)).flatten(0, 1)
            x, y = project(to_world, (x, y))
            x, y = scene.onto_photo(
                x.reshape(-1, frames, side_px, side_px), y.reshape(-1, frames, side_px, side_px)
            )
            drawn = layers.sample_photos(stack, x, y)
            inside = ((x.abs() < 1.0) & (y.abs() < 1.0))[:, :, None]
            colour = torch.where(inside, drawn[:, :, :3], layers.sample_photos(beyond, x, y))
            drawn = torch.cat((colour, drawn[:, :, 3:] * inside), 2)
            total = drawn if total is None else total + drawn
        assert total is not None
        total = total / self._samples
        colour = layers.soften(total[:, :, :3], scene.blur)
        return _Canvas(colour, total[:, :, 3:])

    def _shifted(self, points: tuple[Tensor, Tensor], number: int, side_px: int) -> tuple[Tensor, Tensor]:
        x_shift, y_shift = self._jitter(number, side_px)
        return points[0] + x_shift, points[1] + y_shift

    def _paint_layer(self, canvas: _Canvas, plan: ClipPlan, layer: LayerPlan) -> None:
        frames = plan.frames
        side_px = canvas.colour.shape[-1]
        skins = dress(self._draws, self._material, layer, canvas.colour, self._config.retexture_share)
        halvings = layers.halve(skins.flatten(0, 1))
        level = layer.level(halvings.side_px, side_px, plan.aspect).flatten()
        points = self._points(plan, side_px)
        bend: tuple[Tensor, Tensor] | None = None
        total: Tensor | None = None
        for number, moment in enumerate(self._moments()):
            x, y = self._shifted(points, number, side_px)
            placed = layer.placement(plan, moment * plan.shutter)
            u, v = project(inverse(placed).flatten(0, 1), (x, y))
            if bend is None:
                bend = layers.elastic(layer.bend.flatten(0, 1), u, v)
            drawn = layers.sample(halvings, u + bend[0], v + bend[1], level)
            total = drawn if total is None else total + drawn
        assert total is not None
        drawn = (total / self._samples).reshape(-1, frames, 4, side_px, side_px)
        drawn = drawn * layer.present[:, None, None, None, None]
        colour, cover = drawn[:, :, :3], drawn[:, :, 3:]
        light = layers.soft_shadow(cover[:, :, 0], layer.shadow_shift, layer.shadow)[:, :, None]
        canvas.colour = canvas.colour * light * (1.0 - cover) + colour
        mine = layer.slot[:, None, :, None, None]
        # (B, 1, O, 1, 1), all zero for a layer that is no target
        canvas.coverage = canvas.coverage * (1.0 - cover) + mine * cover

    def _finish(self, colour: Tensor) -> Tensor:
        if not self._config.looks:
            return colour.clamp(0.0, 1.0)
        blur = self._draws.uniform(colour.shape[0]) * self._draws.chance(colour.shape[0], share=0.3)
        colour = look.expose(self._draws, layers.soften(colour, blur))
        colour = look.compress(self._draws, look.add_grain(self._draws, colour))
        return colour.clamp(0.0, 1.0)
