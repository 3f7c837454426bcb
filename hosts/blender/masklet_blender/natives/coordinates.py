"""From the plate's pixels and frame numbers to Blender's, and back.

The plate: origin top left, y downwards, pixel edges at integers (:mod:`masklet.types`). Blender's y grows
upwards everywhere, and everything is a share of the picture, so that proxies and render percentages do not
matter:

- markers of tracks count from 0 to 1 along each side;
- masks count in units of the longer side, with (0.5, 0.5) in the middle of the picture.

From 4.2 on Blender's compositor stretches a mask in height by the scene's pixel aspect, as the Movie Clip
Editor does by the clip's own; 3.4 does not. (Seen on renders of 3.4, 4.2, 4.5 and 5.2.)
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

    def marker_point(self, x_px: float, y_px: float) -> Point:
        """A position as markers, and Blender's viewers, count it."""
        return (x_px / self.width_px, 1.0 - y_px / self.height_px)

    def plate_point_of_marker(self, x: float, y: float) -> Point:
        """The plate's pixels of a marker's position."""
        return (x * self.width_px, (1.0 - y) * self.height_px)


@dataclass(frozen=True)
class MaskRaster:
    """What Blender does to a mask when it renders it.

    Attributes:
        pixel_aspect: By how much it is stretched in height.
        drop_px: By how much it comes to lie too low.
    """

    pixel_aspect: float = 1.0
    drop_px: float = 0.0


SQUARE_PIXELS = MaskRaster()
"""What is rendered as it is drawn."""


@dataclass(frozen=True)
class MaskSpace:
    """Where the points of a mask lie so that it is rendered over the plate.

    Lengths are those of square pixels: across, a stored pixel is pixel aspect of them. One unit of
    Blender's is :attr:`unit` of them.

    Attributes:
        width_px: Of the plate, in stored pixels.
        height_px: Of the plate.
        raster: Of the scene that renders the mask.
    """

    width_px: int
    height_px: int
    raster: MaskRaster = SQUARE_PIXELS

    @property
    def unit(self) -> float:
        """Square pixels in one unit of mask space."""
        return max(self.width_px, self.height_px) * self.raster.pixel_aspect

    @property
    def corner(self) -> Point:
        """The picture's top left corner in mask space."""
        longer_px = max(self.width_px, self.height_px)
        top_px = self.height_px / 2 + self.raster.drop_px
        return (0.5 - self.width_px / 2 / longer_px, 0.5 + top_px / self.unit)

    def point(self, x_px: float, y_px: float) -> Point:
        """The place in mask space of a position in the plate's stored pixels."""
        left, top = self.corner
        return (left + x_px * self.raster.pixel_aspect / self.unit, top - y_px / self.unit)


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
