"""A generated clip: actors over a ground under a moving camera, each frame painted when it is asked for.

Places are in heights of the picture, from its centre, x to the right and y down. Nothing is kept but the
last frame painted, so a clip may be as long as it likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet.types import ClipInfo
from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth

WIDTH_PX = 384
HEIGHT_PX = 288
TARGET = 0
"""Object id of the actor that is tracked; the others follow it in the order of their list."""

_GROUND_HEIGHTS = 4.0


@dataclass(frozen=True, eq=False)
class Actor:
    """One thing that moves.

    Attributes:
        picture: ``(s, s, 4)`` RGBA.
        places: ``(T, 2)``, where its centre is in the world.
        sizes: ``(T,)``, side of its square in heights.
        turns: ``(T,)`` radians.
        shown: ``(T,)`` bool, False where it is not in the picture at all.
        is_rival: It may be taken for the target.
    """

    picture: NDArray[np.uint8]
    places: NDArray[np.float64]
    sizes: NDArray[np.float64]
    turns: NDArray[np.float64]
    shown: NDArray[np.bool_]
    is_rival: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a clip shows.

    Attributes:
        target: The actor to track, shown on frame 0.
        grounds: ``(S, S, 3)`` RGB each.
        behind: Actors behind it, the farthest first.
        before: Actors before it, the nearest last.
        ground_at: ``(T,)`` which ground is there; None for the first.
        camera: ``(T, 3)``: where it looks, and how near it is (1 as it is, 2 twice as large); None for still.
        moments: Points in time averaged a frame: more than one for what is fast.
        name: Unique in a suite.
        weakness: What it is hard for.
        seed: Of the grain.
    """

    target: Actor
    grounds: tuple[NDArray[np.uint8], ...]
    behind: tuple[Actor, ...] = ()
    before: tuple[Actor, ...] = ()
    ground_at: NDArray[np.int64] | None = None
    camera: NDArray[np.float64] | None = None
    moments: int = 1
    name: str = ""
    weakness: str = ""
    seed: int = 0

    @property
    def frames(self) -> int:
        """T."""
        return len(self.target.places)

    @property
    def rivals(self) -> tuple[Actor, ...]:
        """Actors that may be taken for the target, the farthest first."""
        return tuple(actor for actor in (*self.behind, *self.before) if actor.is_rival)


class GeneratedFrames:
    """A scene as a frame source with its truth. Frames are numbered from 0."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._actors = (*scene.behind, scene.target, *scene.before)
        self._at: tuple[int, NDArray[np.uint8], tuple[NDArray[np.bool_], ...]] | None = None
        self.info = ClipInfo(scene.name, WIDTH_PX, HEIGHT_PX, 0, scene.frames - 1)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The ``(h, w, 3)`` picture of ``frame``, sRGB."""
        return self._painted(frame)[0]

    def visible(self, frame: int) -> NDArray[np.bool_]:
        """``(h, w)``: what is visible of the target."""
        return self._painted(frame)[1][len(self._scene.behind)]

    def rivals(self, frame: int) -> list[NDArray[np.bool_]]:
        """``(h, w)``: what is visible of each rival."""
        masks = self._painted(frame)[1]
        return [mask for actor, mask in zip(self._actors, masks, strict=True) if actor.is_rival]

    def all_visible(self, frame: int) -> list[NDArray[np.bool_]]:
        """``(h, w)``: what is visible of each actor, the farthest first."""
        return list(self._painted(frame)[1])

    def _painted(self, frame: int) -> tuple[NDArray[np.uint8], tuple[NDArray[np.bool_], ...]]:
        if frame not in self.info.frames:
            raise FrameMissingError(f"{self.info.name} has no frame {frame}.")
        # Two threads may paint: each takes what it made, and the clip keeps either.
        held = self._at
        if held is None or held[0] != frame:
            held = (frame, *self._paint(frame))
            self._at = held
        return held[1], held[2]

    def _paint(self, frame: int) -> tuple[NDArray[np.uint8], tuple[NDArray[np.bool_], ...]]:
        count = self._scene.moments
        colour = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.float32)
        visible = np.zeros((len(self._actors), HEIGHT_PX, WIDTH_PX), np.float32)
        # Each actor's coverage, less what is drawn over it.
        for moment in range(count):
            # A shutter that is open for half a frame, centred on it.
            self._add_moment(frame, 0.5 * ((moment + 0.5) / count - 0.5), colour, visible)
        colour /= count
        grain = np.random.default_rng((self._scene.seed, frame)).normal(0.0, 2.0, (HEIGHT_PX, WIDTH_PX, 1))
        picture = np.clip(colour + grain.astype(np.float32) + 0.5, 0.0, 255.0).astype(np.uint8)
        return picture, tuple(visible / count > 0.5)

    def _add_moment(
        self, frame: int, offset: float, colour: NDArray[np.float32], visible: NDArray[np.float32]
    ) -> None:
        scene = self._scene
        camera = scene.camera
        look_x, look_y, near = (0.0, 0.0, 1.0) if camera is None else _at(camera, frame, offset)
        canvas = self._ground(frame, look_x, look_y, near)
        seen = np.zeros_like(visible)
        for number, actor in enumerate(self._actors):
            if not actor.shown[frame]:
                continue
            x, y = _at(actor.places, frame, offset)
            size = float(_at(actor.sizes, frame, offset)) * near * HEIGHT_PX
            turn = float(_at(actor.turns, frame, offset))
            centre = ((x - look_x) * near * HEIGHT_PX, (y - look_y) * near * HEIGHT_PX)
            found = _placed(actor.picture, centre, size, turn)
            if found is None:
                continue
            window, drawn = found
            cover = drawn[..., 3:] / 255.0
            canvas[window] = canvas[window] * (1.0 - cover) + drawn[..., :3] * cover
            part = seen[(slice(None), *window)]
            part *= 1.0 - cover[..., 0]
            part[number] = cover[..., 0]
        colour += canvas
        visible += seen

    def _ground(self, frame: int, look_x: float, look_y: float, near: float) -> NDArray[np.float32]:
        at = self._scene.ground_at
        ground = self._scene.grounds[0 if at is None else at[frame]]
        side_px = ground.shape[0]
        scale = side_px / _GROUND_HEIGHTS / (HEIGHT_PX * near)
        matrix = np.array(
            [
                [scale, 0.0, side_px / 2 + look_x * side_px / _GROUND_HEIGHTS - scale * WIDTH_PX / 2],
                [0.0, scale, side_px / 2 + look_y * side_px / _GROUND_HEIGHTS - scale * HEIGHT_PX / 2],
            ]
        )
        drawn = cv2.warpAffine(
            ground,
            matrix,
            (WIDTH_PX, HEIGHT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return drawn.astype(np.float32)


class GeneratedTruth:
    """The target's mask as truth, frame by frame."""

    def __init__(self, frames: GeneratedFrames) -> None:
        self._frames = frames

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The target's."""
        return (TARGET,)

    @property
    def frames(self) -> tuple[int, ...]:
        """All frames."""
        return tuple(range(self._frames.info.last_frame + 1))

    def read(self, frame: int) -> FrameTruth:
        """The target's mask on a frame."""
        return FrameTruth({TARGET: self._frames.visible(frame)})

    def files(self) -> Sequence[Path]:
        """None: it was never on disc."""
        return ()


def annotated(frames: GeneratedFrames) -> AnnotatedClip:
    """A generated clip as others are."""
    return AnnotatedClip(frames.info.name, frames, GeneratedTruth(frames))


def _at(track: NDArray[np.float64], frame: int, offset: float) -> NDArray[np.float64]:
    """A track's value between frames; the frame itself where the next one is elsewhere by a jump."""
    if not offset:
        return np.asarray(track[frame])
    other = min(max(frame + (1 if offset > 0 else -1), 0), len(track) - 1)
    return np.asarray(track[frame] + abs(offset) * (track[other] - track[frame]))


def _placed(
    picture: NDArray[np.uint8], centre_px: tuple[float, float], size_px: float, turn: float
) -> tuple[tuple[slice, slice], NDArray[np.float32]] | None:
    """Where a picture falls into the frame, and what it shows there ``(h, w, 4)``; None for nowhere."""
    reach = size_px * 0.75 + 2.0
    middle_x, middle_y = WIDTH_PX / 2 + centre_px[0], HEIGHT_PX / 2 + centre_px[1]
    left, right = max(0, int(middle_x - reach)), min(WIDTH_PX, int(middle_x + reach) + 1)
    top, bottom = max(0, int(middle_y - reach)), min(HEIGHT_PX, int(middle_y + reach) + 1)
    if left >= right or top >= bottom or size_px < 1.0:
        return None
    side_px = picture.shape[0]
    # Smaller pictures first: sampling every fifth pixel of a large one would sparkle.
    while side_px > 2.5 * size_px and side_px > 8:
        picture = cv2.resize(picture, (side_px // 2, side_px // 2), interpolation=cv2.INTER_AREA).astype(
            np.uint8
        )
        side_px = picture.shape[0]
    scale = side_px / size_px
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    origin_x, origin_y = left - middle_x + 0.5, top - middle_y + 0.5
    matrix = np.array(
        [
            [cosine, sine, side_px / 2 - 0.5 + cosine * origin_x + sine * origin_y],
            [-sine, cosine, side_px / 2 - 0.5 - sine * origin_x + cosine * origin_y],
        ]
    )
    drawn = cv2.warpAffine(
        picture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return (slice(top, bottom), slice(left, right)), drawn.astype(np.float32)
