"""One frame as the surface tracker sees it: grey, at a size at which the object is not larger than needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.anchors.geometry import Array

Grey = NDArray[np.float32]

# The object's longer side on the working picture: enough texture for a hundredth of its pixels, and
# 4K costs no more than HD.
WORKING_SIDE_PX = 512
# Pixels of the working picture next to the matte's edge that mix object and background.
_EDGE_PX = 2
# A matte so much longer than wide has an axis that turns with it, from frame to frame by less than this.
_LONG, _LEAP_RAD = 1.3, 0.5
# OpenCV's remap counts columns in 16 bits; points are laid out in rows of this many.
_SAMPLE_ROW = 512


@dataclass(eq=False)
class View:
    """A grey picture with its matte.

    Attributes:
        frame: The plate's own number.
        grey: ``(h, w)`` uint8.
        matte: ``(h, w)`` uint8.
        scale: Working pixels for a square coordinate, x and y.
        region: Left, top, right, bottom in the working picture: the object with surroundings.
    """

    frame: int
    grey: NDArray[np.uint8]
    matte: NDArray[np.uint8]
    scale: Array
    region: tuple[int, int, int, int]
    _blurred: dict[float, Grey] = field(default_factory=dict)
    _solid: Grey | None = None

    @staticmethod
    def of(
        frame: int,
        picture: NDArray[np.uint8] | NDArray[np.float32],
        codes: NDArray[np.uint8],
        *,
        working_scale: float,
        pixel_aspect: float,
    ) -> View:
        """The view of a picture ``(H, W, 3)`` whose matte ``(H, W)`` covers something."""
        height_px, width_px = codes.shape
        if picture.dtype != np.uint8:
            picture = np.rint(np.clip(np.nan_to_num(picture), 0.0, 1.0) * 255.0).astype(np.uint8)
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)  # (H, W)
        size = (max(1, round(width_px * working_scale)), max(1, round(height_px * working_scale)))
        if size != (width_px, height_px):
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)  # (h, w)
            codes = np.asarray(cv2.resize(codes, size, interpolation=cv2.INTER_AREA), np.uint8)  # (h, w)
        scale = np.array([size[0] / width_px / pixel_aspect, size[1] / height_px])
        left, top, width, height = cv2.boundingRect(codes)
        margin = 32 + max(width, height) // 4
        region = (
            max(0, left - margin),
            max(0, top - margin),
            min(size[0], left + width + margin),
            min(size[1], top + height + margin),
        )
        return View(frame, grey, codes, scale, region)

    @cached_property
    def centre(self) -> Array:
        """Centre of gravity of the matte ``(2,)``, square coordinates."""
        moments = cv2.moments(self.matte)
        weight = max(moments["m00"], 1e-6)
        centre: Array = self.square(np.array([[moments["m10"] / weight, moments["m01"] / weight]]))[0]
        return centre

    @cached_property
    def area(self) -> float:
        """Covered area in square coordinates."""
        return float(self.matte.sum(dtype=np.float64)) / 255.0 / float(self.scale.prod())

    @cached_property
    def axis(self) -> tuple[float, float]:
        """The matte's long axis: its angle in radians, and how much longer it is than the short one."""
        moments = cv2.moments(self.matte)
        x, y = self.scale
        across, down = moments["mu20"] / (x * x), moments["mu02"] / (y * y)
        both = moments["mu11"] / (x * y)
        middle, spread = 0.5 * (across + down), np.hypot(0.5 * (across - down), both)
        longer = float(np.sqrt((middle + spread) / max(middle - spread, 1e-6 * middle, 1e-9)))
        return 0.5 * float(np.arctan2(2 * both, across - down)), longer

    def turned_since_rad(self, before: View) -> float:
        """By how much the long axis turned since a frame before; 0 where there is none, or it leaps."""
        (start, long_before), (end, long_now) = before.axis, self.axis
        turn_rad = float((end - start + np.pi / 2) % np.pi - np.pi / 2)
        if min(long_before, long_now) < _LONG or abs(turn_rad) > _LEAP_RAD:
            return 0.0
        return turn_rad

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the matte in square coordinates."""
        left, top, width, height = cv2.boundingRect(self.matte)
        (x0, y0), (x1, y1) = (np.array([[left, top], [left + width, top + height]]) / self.scale).tolist()
        return x0, y0, x1, y1

    def index(self, points: Array) -> NDArray[np.float32]:
        """Square coordinates ``(N, 2)`` as OpenCV's: pixel centres of the working picture at integers."""
        return (points * self.scale - 0.5).astype(np.float32)

    def square(self, indices: NDArray[np.floating]) -> Array:
        """OpenCV's coordinates ``(N, 2)`` as square ones."""
        return (indices.astype(np.float64) + 0.5) / self.scale

    def crop(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The region of a picture ``(h, w)``."""
        left, top, right, bottom = self.region
        return picture[top:bottom, left:right]

    def blurred(self, sigma_px: float) -> Grey:
        """The region's grey values, smoothed; kept for the next call."""
        # Quarters of a pixel: nearby widths share a picture.
        sigma_px = max(0.5, round(sigma_px * 4.0) / 4.0)
        if sigma_px not in self._blurred:
            crop = self.crop(self.grey).astype(np.float32)
            self._blurred[sigma_px] = np.asarray(
                cv2.GaussianBlur(crop, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32
            )
        return self._blurred[sigma_px]

    def solid(self) -> Grey:
        """Where in the region the object hides the background for certain: 1, else 0.

        The edge is left out, unless hardly anything would remain.
        """
        if self._solid is None:
            covered = self.crop(self.matte)
            # Half-covered pixels are half background: wide bands of them under motion blur.
            inside = (covered >= 242).astype(np.uint8)
            if np.count_nonzero(inside) < 0.4 * np.count_nonzero(covered >= 128):
                inside = (covered >= 128).astype(np.uint8)
            kernel = np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)
            # The plate's border is no edge of the object.
            core = np.asarray(cv2.erode(inside, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)
            kept = core if np.count_nonzero(core) >= 0.4 * np.count_nonzero(inside) else inside
            self._solid = kept.astype(np.float32)
        return self._solid

    def sample(self, region_picture: Grey, points: Array) -> Array:
        """Values ``(N,)`` of a picture of the region at square coordinates ``(N, 2)``; NaN outside it."""
        return self.sample_at(region_picture, self.grid(points), len(points))

    def grid(self, points: Array) -> NDArray[np.float32]:
        """Where square coordinates ``(N, 2)`` lie in pictures of the region, for :meth:`sample_at`."""
        positions = self.index(points) - np.array(self.region[:2], np.float32)
        count = len(positions)
        rows = -(-count // _SAMPLE_ROW)
        padded = np.zeros((rows * _SAMPLE_ROW, 2), np.float32)
        np.clip(positions, -1e4, 1e4, out=padded[:count])
        return padded.reshape(rows, _SAMPLE_ROW, 2)

    def sample_at(self, region_picture: Grey, grid: NDArray[np.float32], count: int) -> Array:
        """What :meth:`sample` gives, for the first so many places of a grid."""
        values = np.asarray(
            cv2.remap(
                region_picture,
                grid[..., 0],
                grid[..., 1],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=-1e6,
            ),
            np.float64,
        ).reshape(-1)[:count]
        values[values < -1.0] = np.nan
        return values


def smeared(picture: Grey, way_px: Array) -> Grey:
    """A picture averaged along a straight way ``(2,)`` in pixels, its middle on the pixel."""
    length_px = float(np.hypot(*way_px))
    if length_px < 0.5:
        return picture
    reach = int(np.ceil(length_px / 2.0)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    steps = max(8, int(4 * length_px))
    for share in (np.arange(steps) + 0.5) / steps - 0.5:
        x, y = reach + share * way_px[0], reach + share * way_px[1]
        column, row = int(np.floor(x)), int(np.floor(y))
        right, low = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1.0 - low, low], [1.0 - right, right])
    kernel /= kernel.sum()
    return np.asarray(cv2.filter2D(picture, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
