"""Who appears in a clip, where and when: drawn for a whole batch before anything is painted.

Letters as in ``composer``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from masklet_server.training.compositing_layers import LEVELS, elastic
from masklet_server.training.compositing_motion import product

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_motion import Pose


@dataclass(frozen=True)
class LayerPlan:
    """One layer of every clip.

    Attributes:
        picture: (B, T) int64 into the material's cut-outs.
        present: (B,), 0 or 1.
        slot: (B, O), one-hot, or zeros for what is no target.
        pose: Where it is.
        bend: (B, T, 2, k, k), elastic displacement in the picture's coordinates.
        follows_camera: (B,), 1 where the camera's motion moves it.
        texture: (B,) int64 into the material's photographs.
        texture_draw: (B,), compared with the share of re-textured layers.
        bare: (B,), 1 for a shape without colours of its own.
        tint: (B, 3), logarithm of a gain per channel.
        blur: (B,), out of focus, in halvings.
        shadow: (B,), strength of its shadow.
        shadow_shift: (B, 2).
    """

    picture: Tensor
    present: Tensor
    slot: Tensor
    pose: Pose
    bend: Tensor
    follows_camera: Tensor
    texture: Tensor
    texture_draw: Tensor
    bare: Tensor
    tint: Tensor
    blur: Tensor
    shadow: Tensor
    shadow_shift: Tensor

    def placement(self, plan: ClipPlan, offset: Tensor) -> Tensor:
        """From the picture's square to the frame's isotropic coordinates, (B, T, 3, 3)."""
        own = self.pose.homography(offset)
        seen = product(plan.camera.homography(offset), own)
        return torch.where(self.follows_camera[:, None, None, None] > 0.5, seen, own)

    def level(self, cutout_side_px: int, side_px: int, aspect: Tensor) -> Tensor:
        """Which halving to sample, (B, T): by the size on the frame, coarser where out of focus."""
        texels_per_px = (cutout_side_px / side_px) * aspect[:, None].sqrt() / self.pose.log_size.value.exp()
        sharp = texels_per_px.clamp(min=1.0).log2()
        return (sharp + self.blur[:, None]).round().clamp(max=LEVELS - 1.0)


@dataclass(frozen=True)
class ScenePlan:
    """The photograph behind everything.

    Attributes:
        photo: (B,) int64 into the material's photographs.
        beyond: (B,) int64, the photograph that goes on where this one ends; itself, mirrored, unless its
            own objects are targets: a target's mirror image would be the target, and have no mask.
        reach: (B, 2), half of its width and height in isotropic coordinates; a negative width mirrors it.
        middle: (B, 2), which of its points is in the middle of the world, in [-1, 1].
        objects: (B, O, P, P), coverage of its own objects that are targets, 0 or 1.
        bend: (B, T, 2, k, k), elastic displacement in the photograph's coordinates.
        push: (B, T, 2), displacement of the first own object against its surroundings.
        push_centre: (B, 2), where that object is in the photograph.
        push_radius: (B,).
        blur: (B,), out of focus.
    """

    photo: Tensor
    beyond: Tensor
    reach: Tensor
    middle: Tensor
    objects: Tensor
    bend: Tensor
    push: Tensor
    push_centre: Tensor
    push_radius: Tensor
    blur: Tensor

    def onto_photo(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """From the world's isotropic coordinates to the photograph's [-1, 1]; all (B, T, S, S)."""
        u = x / self.reach[:, 0, None, None, None] + self.middle[:, 0, None, None, None]
        v = y / self.reach[:, 1, None, None, None] + self.middle[:, 1, None, None, None]
        bend_u, bend_v = elastic(self.bend.flatten(0, 1), u.flatten(0, 1), v.flatten(0, 1))
        centre_u, centre_v = (self.push_centre[:, axis, None, None, None] for axis in (0, 1))
        radius = self.push_radius[:, None, None, None]
        distance = ((u - centre_u) ** 2 + (v - centre_v) ** 2) / (2.0 * radius**2)
        near = torch.exp(-distance)
        push_u, push_v = (self.push[:, :, axis, None, None] for axis in (0, 1))
        return (
            u + bend_u.reshape(x.shape) - push_u * near,
            v + bend_v.reshape(x.shape) - push_v * near,
        )


@dataclass(frozen=True)
class ClipPlan:
    """A batch of clips before it is painted.

    Attributes:
        frames: T.
        aspect: (B,), width over height before the clip is stretched to the square.
        camera: From the world's isotropic coordinates to the frame's, tracks of (B, T).
        shutter: (B, 1), how long the shutter is open, in frames.
        scene: What is behind.
        layers: From back to front.
    """

    frames: int
    aspect: Tensor
    camera: Pose
    shutter: Tensor
    scene: ScenePlan
    layers: tuple[LayerPlan, ...]
