"""From the plate's pixels and frame numbers to Blender's, and back.

The plate: origin top left, y downwards, pixel edges at integers (:mod:`masklet.types`). Blender's y grows
upwards everywhere, and everything is a share of the picture, so that proxies and render percentages do not
matter:

- markers of tracks count from 0 to 1 along each side;
- masks count in units of the longer side, with (0.5, 0.5) in the middle of the picture. Blender
  rasterises them in the pixels of the picture, so they know nothing of the shape of a pixel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

Point = tuple[float, float]

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True)
class PlateSpace:
    """The size of the plate in stored pixels, whatever size Blender reads or shows it at.

    Attributes:
        width_px: Display window.
        height_px: Display window.
        pixel_aspect: Width of a pixel divided by its height; matters only where pictures stand in a 3D scene.
    """

    width_px: int
    height_px: int
    pixel_aspect: float = 1.0

    @property
    def longer_side_px(self) -> int:
        """What masks call 1."""
        return max(self.width_px, self.height_px)

    def mask_point(self, x_px: float, y_px: float) -> Point:
        """A position in mask space."""
        unit = self.longer_side_px
        return ((x_px - self.width_px / 2) / unit + 0.5, (self.height_px / 2 - y_px) / unit + 0.5)

    def mask_length(self, length_px: float) -> float:
        """A length in mask space, feather for instance."""
        return length_px / self.longer_side_px

    def plate_point_of_mask(self, x: float, y: float) -> Point:
        """The plate's pixels of a position in mask space."""
        unit = self.longer_side_px
        return ((x - 0.5) * unit + self.width_px / 2, self.height_px / 2 - (y - 0.5) * unit)

    def marker_point(self, x_px: float, y_px: float) -> Point:
        """A position as markers, and Blender's viewers, count it."""
        return (x_px / self.width_px, 1.0 - y_px / self.height_px)

    def plate_point_of_marker(self, x: float, y: float) -> Point:
        """The plate's pixels of a marker's position."""
        return (x * self.width_px, (1.0 - y) * self.height_px)


@dataclass(frozen=True)
class FrameMap:
    """Which frame of the scene shows which frame of the plate.

    Attributes:
        plate_frame_at_start: The plate's own number that is shown at ``scene_start``.
        scene_start: The scene's frame; for a movie clip its ``frame_start``.
    """

    plate_frame_at_start: int
    scene_start: int

    def scene_frame(self, plate_frame: int) -> int:
        """Where the scene shows a frame of the plate."""
        return plate_frame - self.plate_frame_at_start + self.scene_start

    def plate_frame(self, scene_frame: int) -> int:
        """The plate's own number of what the scene shows."""
        return scene_frame - self.scene_start + self.plate_frame_at_start

    def marker_frame(self, plate_frame: int) -> int:
        """The number under which a movie clip's tracks know a frame: 1 at the clip's start."""
        return plate_frame - self.plate_frame_at_start + 1


def frames_of_clip(clip: bpy.types.MovieClip) -> FrameMap:
    """How a movie clip lies in the scene, with its start and its offset.

    Masklet numbers the pictures of a movie from 0, and those of a sequence as their files are.
    """
    first = number_in(clip.filepath) if clip.source == "SEQUENCE" else 0
    return FrameMap(first + clip.frame_offset, clip.frame_start)


def frames_of_image(image: bpy.types.Image, user: bpy.types.ImageUser) -> FrameMap:
    """How an image lies in the scene, as the editor or the node ``user`` shows it.

    Blender numbers the pictures of a movie from 1 here, and those of a sequence as their files are.
    """
    first_shown = 1 + user.frame_offset
    return FrameMap(first_shown if image.source == "SEQUENCE" else first_shown - 1, user.frame_start)


def number_in(file_path: str) -> int:
    """The frame number in a file name as Blender reads it: the last digits before the extension; else 0."""
    name = re.split(r"[/\\]", file_path)[-1]
    stem, dot, _ = name.rpartition(".")
    match = _LAST_NUMBER.search(stem if dot else name)
    return int(match.group(1)) if match else 0
