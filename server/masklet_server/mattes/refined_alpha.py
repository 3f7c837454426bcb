"""Coverage as exports and shapes have it: calm in time, with edges from the plate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet.matte_settings import CALM_SPAN
from masklet_server.mattes.alpha import EdgeSettings, render_alpha
from masklet_server.mattes.calm import (
    Motion,
    Neighbour,
    calm_logits,
    flow_size,
    is_one_shot,
    measure_motion,
    motion_window,
)
from masklet_server.mattes.refine import RefineSettings, as_codes, refine_alpha
from masklet_server.mattes.windows import Look, Window, look_into

if TYPE_CHECKING:
    from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

Plane = NDArray[np.float32]
Grey = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Calming:
    """What is to be calmed, and with what.

    Attributes:
        results: Where the frames around are found.
        strength: How much a result is calmed, 0 for not at all to 1.
        cuts: First frames of new shots; nothing is asked across them.
    """

    results: ResultReader
    strength: Callable[[ObjectFrame], float]
    cuts: Collection[int] = ()


@dataclass(frozen=True, eq=False)
class Approved:
    """What a result is delivered with, whatever has become of the frames around since.

    Attributes:
        looks: Second looks at it.
        around: What calms it, ascending, with second looks at each.
    """

    looks: Sequence[Look]
    around: Sequence[tuple[ObjectFrame, Sequence[Look]]]


class RefinedAlpha:
    """Coverage from logits, with edges from the plate: an ``export.AlphaSource``.

    Meant to be asked frame after frame, for all objects of a frame one after another: then each picture
    is read once, and a handful of them are kept.

    Args:
        source: The plate.
        edge: How the edge looks before it is refined.
        refine: How far and how hard it is refined.
        look: The second looks that belong to a result, if there are any.
        calming: How results are calmed in time; not at all when None.
        approved: Of results that were approved, what they were approved with; None for others.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        edge: EdgeSettings | None = None,
        refine: RefineSettings | None = None,
        look: Callable[[ObjectFrame], Sequence[Look]] | None = None,
        calming: Calming | None = None,
        approved: Callable[[ObjectFrame], Approved | None] = lambda _: None,
    ) -> None:
        self._clip = source.info
        self._edge = edge
        self._refine = refine
        self._looks = look or (lambda _: ())
        self._calming = calming
        self._approved = approved
        self._pictures = _Pictures(source)

    def __call__(self, result: ObjectFrame) -> Plane:
        """Coverage ``(H, W)`` at the size of the plate, 0 to 1.

        Where the plate's picture cannot be read any more, its edges are the network's own.
        """
        clip = self._clip
        approved = self._approved(result)
        closer = list(self._looks(result) if approved is None else approved.looks)
        first = self._whole(result)
        if (first.logits > 0).any():
            first, closer = self._calmed(result, first, closer, approved)
        alpha = render_alpha(first.logits, clip.width_px, clip.height_px, edge=self._edge)
        if not alpha.any():
            return alpha
        if closer:
            alpha = look_into(alpha, *closer, edge=self._edge)
        # The first look's cells with closer looks as well: what these show of hair is no more than the plate
        # tells, and a band of their finer cells would leave it out.
        rows, columns = result.logits.shape
        cell_px = max(clip.width_px / columns, clip.height_px / rows)
        try:
            picture = self._pictures.colour(result.frame)
        except ClipError:
            # It could be read when the frame was tracked: the mask is the artist's, the edge is a rough one.
            return alpha
        return refine_alpha(alpha, picture, cell_px=cell_px, settings=self._refine)

    def _whole(self, result: ObjectFrame) -> Look:
        return Look(Window(0, 0, self._clip.width_px, self._clip.height_px), result.logits)

    def _calmed(
        self, result: ObjectFrame, first: Look, closer: list[Look], approved: Approved | None
    ) -> tuple[Look, list[Look]]:
        """All looks of a result, calmed."""
        strength = 0.0 if self._calming is None else self._calming.strength(result)
        if strength <= 0:
            return first, closer
        if approved is None:
            around = self._around(result)
            near = {each.frame: self._looks(each) for each in around} if closer else {}
        else:
            around = [each for each, _ in approved.around]
            near = {each.frame: looks for each, looks in approved.around}
        if not around:
            return first, closer
        whole = {each.frame: self._whole(each) for each in around}
        window = motion_window([first, *whole.values()], self._clip.width_px, self._clip.height_px)
        if window is None:
            return first, closer
        motions = self._motions(result.frame, list(whole), window)
        if not motions:
            return first, closer

        def calmed(own: Look, others: Mapping[int, Look | None]) -> Look:
            neighbours = [
                Neighbour(other, motion)
                for frame, motion in motions.items()
                if (other := others[frame]) is not None
            ]
            return replace(own, logits=calm_logits(own, neighbours, strength=strength))

        return calmed(first, whole), [
            calmed(own, {frame: _nearest(own, looks) for frame, looks in near.items()}) for own in closer
        ]

    def _around(self, result: ObjectFrame) -> list[ObjectFrame]:
        """Results of the same object and shot on the frames around, where it is to be seen."""
        assert self._calming is not None
        frames = range(result.frame - CALM_SPAN, result.frame + CALM_SPAN + 1)
        near = [
            frame
            for frame in frames
            if frame != result.frame and is_one_shot(frame, result.frame, self._calming.cuts)
        ]
        found = (self._calming.results.find(result.object_id, frame) for frame in near)
        return [each for each in found if each is not None and (each.logits > 0).any()]

    def _motions(self, frame: int, others: list[int], window: Window) -> dict[int, Motion]:
        """Motion to the other frames, as far as their pictures can be read."""
        greys: dict[int, Grey] = {}
        # In the order in which films are read.
        for each in sorted((frame, *others)):
            try:
                grey = self._pictures.grey(each, around=frame)
            except ClipError:
                # What is broken next to a frame is no reason to refuse the frame.
                if each == frame:
                    return {}
                continue
            part = np.ascontiguousarray(grey[window.slices])
            greys[each] = np.asarray(
                cv2.resize(part, flow_size(window), interpolation=cv2.INTER_AREA), np.uint8
            )
        return {each: measure_motion(greys[frame], greys[each], window) for each in others if each in greys}


def _nearest(own: Look, looks: Sequence[Look]) -> Look | None:
    """Of the looks on another frame, the one whose window has moved least."""

    def distance_px(other: Look) -> int:
        across, down = other.window.left_px - own.window.left_px, other.window.top_px - own.window.top_px
        return abs(across) + abs(down)

    return min(looks, key=distance_px, default=None)


class _Pictures:
    """The plate's pictures around the frame in hand, each read once where frames are asked for in order."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._colours: dict[int, NDArray[np.uint8]] = {}
        self._greys: dict[int, Grey] = {}

    def colour(self, frame: int) -> NDArray[np.uint8]:
        """``(H, W, 3)``; only this frame and those ahead of it are kept."""
        if frame not in self._colours:
            self._colours[frame] = as_codes(self._source.read(frame))
        kept = range(frame, frame + CALM_SPAN + 1)
        self._colours = {each: picture for each, picture in self._colours.items() if each in kept}
        return self._colours[frame]

    def grey(self, frame: int, *, around: int) -> Grey:
        """``(H, W)``; only what is close enough to ``around`` is kept."""
        near = range(around - CALM_SPAN, around + CALM_SPAN + 1)
        self._greys = {each: grey for each, grey in self._greys.items() if each in near}
        if frame not in self._greys:
            picture = self._colours.get(frame)
            if picture is None:
                picture = as_codes(self._source.read(frame))
                if frame >= around:
                    self._colours[frame] = picture
            self._greys[frame] = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        return self._greys[frame]
