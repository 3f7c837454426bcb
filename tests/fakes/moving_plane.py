"""A textured plane over a moving background, with its true pose: for measuring anchors.

Rendered at twice the resolution and averaged over the shutter, so that edges and motion blur are
those of a camera. Poses are in square coordinates; a plate with other pixels is squeezed in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet.types import ClipInfo

Array = NDArray[np.float64]
_SS = 2
_TEXTURE_PX = 512


@dataclass(frozen=True)
class Plane:
    """How a clip is made; times are frames since the first, fractions included.

    Attributes:
        pose: The 3 x 3 pose of the plane at a time: from the unit square around (0, 0), a side of 2, to
            the picture in square pixels.
        shutter: Share of a frame for which the shutter is open, around the frame's own time.
        samples: Pictures averaged over the shutter.
        occluder: Left and right edge of an upright bar in front, by time; None for no bar.
        hidden: Frames on which the plane is not drawn.
        gain: Brightness of the plane, by time.
        noise: Standard deviation of the sensor's noise, of 255.
        matte_grow_px: Mattes grown (or shrunk) by so much, as a network's are.
        matte_wobble_px: Standard deviation of the matte's displacement.
    """

    width_px: int = 480
    height_px: int = 360
    frames: int = 24
    first_frame: int = 1001
    pixel_aspect: float = 1.0
    pose: Callable[[float], Array] = field(default=lambda _: np.diag([60.0, 60.0, 1.0]))
    shutter: float = 0.0
    samples: int = 1
    occluder: Callable[[float], tuple[float, float]] | None = None
    hidden: frozenset[int] = frozenset()
    gain: Callable[[float], float] = field(default=lambda _: 1.0)
    noise: float = 1.0
    matte_grow_px: int = 0
    matte_wobble_px: float = 0.0
    seed: int = 0


class MovingPlane:
    """A clip of a :class:`Plane`; a frame source with mattes and truth."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self._texture = _texture(plane.seed, _TEXTURE_PX, detail=6.0)
        self._shape = _shape()
        self._background = _texture(plane.seed + 100, 1400, detail=9.0)
        self._rendered: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}

    @property
    def info(self) -> ClipInfo:
        plane = self.plane
        width_px = round(plane.width_px / plane.pixel_aspect)
        last = plane.first_frame + plane.frames - 1
        return ClipInfo(
            "plane", width_px, plane.height_px, plane.first_frame, last, pixel_aspect=plane.pixel_aspect
        )

    @property
    def frames(self) -> list[int]:
        return list(range(self.plane.first_frame, self.plane.first_frame + self.plane.frames))

    def read(self, frame: int) -> NDArray[np.uint8]:
        return self._frame(frame)[0]

    def matte(self, frame: int) -> NDArray[np.uint8] | None:
        matte = self._frame(frame)[1]
        return matte if matte.max() >= 128 else None

    def pose(self, frame: int, reference: int) -> Array:
        """The true pose from one frame to another, in square coordinates."""
        pose = self.plane.pose(frame - self.plane.first_frame) @ np.linalg.inv(
            self.plane.pose(reference - self.plane.first_frame)
        )
        return pose / pose[2, 2]

    def _frame(self, frame: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if frame not in self.frames:
            raise FrameMissingError(f"there is no frame {frame}")
        if frame not in self._rendered:
            self._rendered[frame] = self._render(frame)
        return self._rendered[frame]

    def _render(self, frame: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        plane = self.plane
        time = float(frame - plane.first_frame)
        rng = np.random.default_rng(plane.seed * 1000 + frame)
        offsets = (np.arange(plane.samples) + 0.5) / plane.samples - 0.5
        layers = [self._instant(time + plane.shutter * offset, frame) for offset in offsets]
        picture = np.mean([layer[0] for layer in layers], axis=0)
        matte = np.mean([layer[1] for layer in layers], axis=0)
        size = (self.info.width_px, plane.height_px)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        matte = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
        picture = picture + rng.normal(0.0, plane.noise, picture.shape)
        if plane.matte_grow_px:
            kernel = np.ones((2 * abs(plane.matte_grow_px) + 1,) * 2, np.uint8)
            matte = (cv2.dilate if plane.matte_grow_px > 0 else cv2.erode)(matte, kernel)
        if plane.matte_wobble_px:
            dx, dy = rng.normal(0.0, plane.matte_wobble_px, 2)
            matte = cv2.warpAffine(matte, np.array([[1, 0, dx], [0, 1, dy]], np.float64), size)
        grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), np.clip(np.rint(255 * matte), 0, 255).astype(np.uint8)

    def _instant(self, time: float, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        plane = self.plane
        size = (plane.width_px * _SS, plane.height_px * _SS)
        drift = np.array([[1.0, 0.0, -300.0 + 1.7 * time], [0.0, 1.0, -300.0 - 0.9 * time]])
        picture = cv2.warpAffine(self._background, drift, size, borderMode=cv2.BORDER_REFLECT)
        alpha = np.zeros(size[::-1], np.float32)
        if frame not in plane.hidden:
            to_unit = np.array([[2.0 / _TEXTURE_PX, 0.0, -1.0], [0.0, 2.0 / _TEXTURE_PX, -1.0], [0, 0, 1.0]])
            # Pixel centres: OpenCV has them at integers, the convention at half-integers.
            centre = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
            warp = np.linalg.inv(centre) @ np.diag([_SS, _SS, 1.0]) @ plane.pose(time) @ to_unit @ centre
            skin = cv2.warpPerspective(
                self._texture, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
            )
            alpha = cv2.warpPerspective(self._shape, warp, size, flags=cv2.INTER_LINEAR)
            picture = picture * (1 - alpha) + plane.gain(time) * skin * alpha
        if plane.occluder is not None:
            left, right = (edge * _SS for edge in plane.occluder(time))
            columns = np.arange(size[0], dtype=np.float32) + 0.5
            bar = np.clip(columns - left + 0.5, 0, 1) * np.clip(right - columns + 0.5, 0, 1)
            stripes = np.roll(self._background[: size[1], : size[0]], int(left), axis=1)
            picture = picture * (1 - bar) + (0.5 * stripes + 90.0) * bar
            alpha = alpha * (1 - bar)
        return picture.astype(np.float32), alpha.astype(np.float32)


def turning(
    x: Callable[[float], float],
    y: Callable[[float], float],
    degrees: Callable[[float], float],
    size: Callable[[float], float],
    *,
    tilt_deg: Callable[[float], float] | None = None,
) -> Callable[[float], Array]:
    """A pose from place, turn and half the side in pixels; with a tilt, the plane is seen in perspective."""

    def pose(time: float) -> Array:
        angle = np.radians(degrees(time))
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
        tilt = np.radians(tilt_deg(time)) if tilt_deg else 0.0
        # Turned about the upright axis, seen from four half sides away.
        lean = np.array([[np.cos(tilt), 0, 0], [0, 1.0, 0], [np.sin(tilt) / 4.0, 0, 1.0]])
        half = size(time)
        place = np.array([[half, 0, x(time)], [0, half, y(time)], [0, 0, 1.0]])
        matrix: Array = place @ lean @ turn
        return matrix

    return pose


def squeezed(plane: Plane, pixel_aspect: float) -> Plane:
    """The same plane on a plate with other pixels."""
    return replace(plane, pixel_aspect=pixel_aspect)


def _texture(seed: int, side_px: int, detail: float) -> NDArray[np.float32]:
    """Grey noise of several sizes, with edges."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side_px, side_px), np.float32)
    for octave in range(4):
        sigma = detail * 2.0**octave / 2.0
        layer = cv2.GaussianBlur(rng.normal(size=(side_px, side_px)).astype(np.float32), (0, 0), sigma)
        layer /= layer.std()
        total += layer if octave % 2 else np.tanh(4.0 * layer)
    total = (total - total.mean()) / total.std()
    return np.clip(125.0 + 45.0 * total, 5.0, 250.0).astype(np.float32)


def _shape() -> NDArray[np.float32]:
    """The plane's outline: a square with round corners and a bite, inset from the texture's border."""
    shape = np.zeros((_TEXTURE_PX, _TEXTURE_PX), np.float32)
    cv2.rectangle(shape, (60, 60), (451, 451), 1.0, -1)
    cv2.circle(shape, (451, 200), 60, 0.0, -1)
    return cv2.GaussianBlur(shape, (0, 0), 1.0)
