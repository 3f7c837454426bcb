"""From mattes and plate to an anchor track."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack
from masklet.errors import BadInputError, CancelledError, ClipError
from masklet_server.anchors.alignment import Motion
from masklet_server.anchors.geometry import Array
from masklet_server.anchors.keys import Measured, make_keys
from masklet_server.anchors.outline import FEW_PIXELS, Matte, Outline, coverage, read_outline
from masklet_server.anchors.points import PointTracker
from masklet_server.anchors.poses import PoseSpace
from masklet_server.anchors.surface import SurfaceTracker
from masklet_server.anchors.view import WORKING_SIDE_PX, View

if TYPE_CHECKING:
    from masklet_server.tracking import FrameSource

Mattes = Callable[[int], Matte | None] | Mapping[int, Matte | None]

_MOTIONS = {
    AnchorKind.SIMILARITY: Motion.SIMILARITY,
    AnchorKind.AFFINE: Motion.AFFINE,
    AnchorKind.PLANAR: Motion.HOMOGRAPHY,
}
# What a position is worth where there is too little of the object to follow its surface.
_SPECK_CONFIDENCE = 0.1
# Side of the corners' box where nothing is known but the artist's position.
_UNSEEN_SIDE_PX = 100.0


def track_anchor(
    source: FrameSource,
    mattes: Mattes,
    *,
    kind: AnchorKind,
    frames: Sequence[int] | None = None,
    reference_frame: int | None = None,
    point_px: tuple[float, float] | None = None,
    absence: Absence = Absence.HOLD,
    smoothing_frames: float = 0.0,
    manual_keys: Sequence[AnchorKey] = (),
    object_name: str = "object",
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> AnchorTrack:
    """An anchor that follows one object, with a key on every frame that has a picture.

    Args:
        source: The plate. Only kinds that follow the surface read its pictures.
        mattes: Coverage by frame: ``(h, w)`` uint8 to 255, floating point to 1, or bool, the whole
            plate stretched to it; None (or no entry) where the object is not seen. Asked for once or
            twice a frame.
        kind: What the anchor follows.
        frames: Frame numbers in any order; None for the whole clip.
        reference_frame: Where rotation is 0 and scale is 1; None for the frame on which most of the object
            shows. Where the object is not seen there, the nearest frame on which it is takes its place.
        point_px: On the reference frame, in stored pixels. The point to stick to for ``point`` (required);
            the place to pin for the other kinds that follow the surface, whose default is the centroid.
        absence: What to do while the object is not seen.
        smoothing_frames: Width (standard deviation) of the smoothing; 0 for none.
        manual_keys: Put by the artist; each wins on its frame, and neighbours move along.
        object_name: Of the object.
        name: Of the track; None for object and kind.
        progress: Called with frames done and frames in all.
        is_cancelled: Asked before each frame.

    Returns:
        A track whose ``reference_frame`` is the one that was used. It has no keys where the object is
        seen on no frame and no manual key says where it is.

    Raises:
        BadInputError: A parameter cannot be used, or a matte has a wrong shape or type.
        CancelledError: ``is_cancelled`` said yes.
    """
    wanted = _usable_frames(source, frames)
    _check(kind, point_px, smoothing_frames)
    look = mattes.get if isinstance(mattes, Mapping) else mattes
    job = _Job(source, look, kind, wanted, progress or _ignore, is_cancelled or _never)
    title = name or f"{object_name}_{kind.value}"
    corrections = {key.frame: key for key in manual_keys if key.frame in set(wanted)}
    pixel_aspect = source.info.pixel_aspect
    outlines = job.outlines()
    if not outlines and not corrections:
        start = _start(wanted, reference_frame)
        return AnchorTrack(title, object_name, kind, start, (), pixel_aspect, absence)
    reference = _reference(outlines, corrections, reference_frame)
    space = _space(kind, outlines.get(reference), corrections.get(reference), point_px, pixel_aspect)
    measured = job.measure(outlines, reference, space, point_px)
    keys = make_keys(wanted, measured, reference, space, corrections, absence, smoothing_frames)
    return AnchorTrack(title, object_name, kind, reference, keys, pixel_aspect, absence)


@dataclass(frozen=True, eq=False)
class _Job:
    """The reading side of one call."""

    source: FrameSource
    look: Callable[[int], Matte | None]
    kind: AnchorKind
    frames: Sequence[int]
    progress: Callable[[int, int], None]
    is_cancelled: Callable[[], bool]

    @property
    def _total(self) -> int:
        return len(self.frames) * (2 if self.kind.follows_surface else 1)

    def outlines(self) -> dict[int, Outline]:
        """What the mattes say, by frame, without frames on which the object is not seen."""
        outlines = {}
        for done, frame in enumerate(self.frames):
            self._pause(done)
            codes = self._codes(frame)
            outline = read_outline(codes) if codes is not None else None
            if outline is not None:
                outlines[frame] = outline
        self._pause(len(self.frames))
        return outlines

    def measure(
        self,
        outlines: Mapping[int, Outline],
        reference: int,
        space: PoseSpace,
        point_px: tuple[float, float] | None,
    ) -> dict[int, Measured]:
        """Vectors by frame, where there is something to measure."""
        if not self.kind.follows_surface:
            return {frame: _of_outline(outline, space) for frame, outline in outlines.items()}
        if reference not in outlines:
            return {}
        if outlines[reference].area_px < FEW_PIXELS:
            return _of_specks(outlines, reference, space)
        return self._follow(outlines, reference, space, point_px)

    def _follow(
        self,
        outlines: Mapping[int, Outline],
        reference: int,
        space: PoseSpace,
        point_px: tuple[float, float] | None,
    ) -> dict[int, Measured]:
        corners = outlines[reference].corners()
        side_px = float((corners[2] - corners[0]).max())
        working_scale = min(1.0, WORKING_SIDE_PX / max(side_px, 1.0))
        start = self._view(reference, working_scale)
        if start is None:
            return _of_specks(outlines, reference, space)
        position = self.frames.index(reference)
        measured = {reference: Measured(space.vector(np.eye(3)), 1.0)}
        done = len(self.frames) + 1
        for direction in (self.frames[position + 1 :], self.frames[:position][::-1]):
            tracker = self._tracker(start, space.pivot)
            for frame in direction:
                self._pause(done)
                done += 1
                view = self._view(frame, working_scale) if frame in outlines else None
                sighting = tracker.step(view) if view is not None else None
                if view is None:
                    tracker.pass_by()
                if sighting is not None:
                    vector = space.vector(sighting.pose)
                    measured[frame] = Measured(vector, sighting.confidence, sighting.relocked)
        self._pause(done)
        return measured

    def _tracker(self, start: View, pivot: Array) -> SurfaceTracker | PointTracker:
        if self.kind is AnchorKind.POINT:
            return PointTracker(start, pivot)
        return SurfaceTracker(start, start.solid() > 0.5, _MOTIONS[self.kind], pivot)

    def _view(self, frame: int, working_scale: float) -> View | None:
        """The frame's picture and matte, or None where the picture cannot be read."""
        codes = self._codes(frame)
        if codes is None:
            return None
        try:
            picture = self.source.read(frame)
        except ClipError:
            return None
        return View.of(
            frame,
            picture,
            codes,
            working_scale=working_scale,
            pixel_aspect=self.source.info.pixel_aspect,
        )

    def _codes(self, frame: int) -> NDArray[np.uint8] | None:
        matte = self.look(frame)
        if matte is None:
            return None
        return coverage(matte, self.source.info.width_px, self.source.info.height_px)

    def _pause(self, done: int) -> None:
        if self.is_cancelled():
            raise CancelledError("the anchor was cancelled")
        self.progress(min(done, self._total), self._total)


def _of_outline(outline: Outline, space: PoseSpace) -> Measured:
    """An outline anchor's measurement."""
    squared = np.array([space.pixel_aspect, 1.0])
    vector = np.array(outline.place(space.kind)) * squared
    if space.kind is AnchorKind.BOX:
        own, reference = outline.corners(), space.corners / squared
        sides = np.maximum(own[2] - own[0], 0.25) / np.maximum(reference[2] - reference[0], 0.25)
        vector = np.append(vector, np.log(sides))
    return Measured(vector, outline.confidence(space.kind))


def _of_specks(outlines: Mapping[int, Outline], reference: int, space: PoseSpace) -> dict[int, Measured]:
    """Positions only, with little faith, of an object that has no surface to speak of."""
    squared = np.array([space.pixel_aspect, 1.0])
    start = np.array(outlines[reference].centroid)
    measured = {}
    for frame, outline in outlines.items():
        shift = np.eye(3)
        shift[:2, 2] = (np.array(outline.centroid) - start) * squared
        measured[frame] = Measured(space.vector(shift), _SPECK_CONFIDENCE)
    return measured


def _space(
    kind: AnchorKind,
    outline: Outline | None,
    correction: AnchorKey | None,
    point_px: tuple[float, float] | None,
    pixel_aspect: float,
) -> PoseSpace:
    """How this anchor's poses are written, from the object (or the artist's key) on the reference frame."""
    squared = np.array([pixel_aspect, 1.0])
    if outline is not None:
        place = point_px if point_px is not None and kind.follows_surface else outline.place(kind)
        corners = outline.corners()
    else:
        if correction is None:
            raise ValueError("an anchor needs an outline or a correction on its reference frame")
        place = (correction.x_px, correction.y_px)
        half = _UNSEEN_SIDE_PX / 2.0
        corners = np.array(place) + np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    return PoseSpace(kind, np.array(place) * squared, corners * squared, pixel_aspect)


def _reference(
    outlines: Mapping[int, Outline], corrections: Mapping[int, AnchorKey], wished: int | None
) -> int:
    """The frame from which rotation and scale count."""
    candidates = sorted(outlines) or sorted(corrections)
    if wished is not None:
        return min(candidates, key=lambda frame: abs(frame - wished))
    if not outlines:
        return candidates[0]
    return max(candidates, key=lambda frame: (not outlines[frame].cut_edges, outlines[frame].area_px))


def _usable_frames(source: FrameSource, frames: Sequence[int] | None) -> list[int]:
    """Frame numbers that have a picture, ascending."""
    info = source.info
    missing = set(info.missing_frames)
    wanted = range(info.first_frame, info.last_frame + 1) if frames is None else sorted(set(frames))
    usable = [frame for frame in wanted if frame in info.frames and frame not in missing]
    if not usable:
        raise BadInputError(
            f"none of the frames asked for has a picture: the clip goes from {info.first_frame} "
            f"to {info.last_frame}"
        )
    return usable


def _check(kind: AnchorKind, point_px: tuple[float, float] | None, smoothing_frames: float) -> None:
    if kind is AnchorKind.POINT and point_px is None:
        raise BadInputError(
            "an anchor that sticks to a point needs the point: click it on the reference frame"
        )
    if point_px is not None and not np.isfinite(point_px).all():
        raise BadInputError(
            f"the point to stick to must have finite coordinates, got {point_px}: click it again"
        )
    if not (np.isfinite(smoothing_frames) and smoothing_frames >= 0.0):
        raise BadInputError(f"smoothing is a number of frames from 0 on, got {smoothing_frames}")


def _start(frames: Sequence[int], wished: int | None) -> int:
    return frames[0] if wished is None else min(frames, key=lambda frame: abs(frame - wished))


def _ignore(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def _never() -> bool:
    return False
