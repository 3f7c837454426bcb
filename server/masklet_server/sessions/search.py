"""What is there to be found in a session's pictures: everything, all that is like an object, an object again.

Each step is a turn of the device, so others come in between; leaving the stream ends the search with the turn
in hand. Nothing changes in the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.found import FindRequest
from masklet.types import Box, Click, ClipInfo, FramePrompts, Mask, Presence
from masklet_server.mattes.alpha import render_preview
from masklet_server.sessions import finding
from masklet_server.sessions.finding import FoundAgain, iou
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.sighted import (
    CANVAS,
    Thing,
    Things,
    grid_of,
    on_canvas,
    parts_of,
    per_side_in,
    plate_box,
    plate_logits,
)
from masklet_server.sessions.turns import TurnClass
from masklet_server.sightings import ObjectLook, Part, Sighting
from masklet_server.tracking import ObjectFrame, Proposal, ResultReader, Seeker

ValueT = TypeVar("ValueT")

CLICKS_A_TURN = 32
_PER_SIDE = 24
_LEAST_SHARE = 2e-4
_SAID_FROM_IOU = 0.6
"""A click and a box whose mask is so near to what was found are shown in its place, mostly better; else it is
drawn."""
_TWICE_FROM_IOU = 0.8
LEAST_LIKENESS = 0.75
"""What is less alike is of another kind."""
_ALIKE_CLICKS = 256
_ALIKE_CELL_FROM = 0.6
_SURE_LOGIT = 10.0


class Seeking(Protocol):
    """Has the engine: a session's tracker."""

    def seek(self, call: Callable[[Seeker], ValueT]) -> ValueT:
        """Have the engine look for something, inside a turn of the device."""
        ...


class Searched(Protocol):
    """What a search needs of its session."""

    @property
    def clip(self) -> ClipInfo:
        """As far as it is known to be usable."""
        ...

    @property
    def results(self) -> ResultReader:
        """Masks."""
        ...

    async def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What prompts would give."""
        ...

    async def turn(
        self,
        call: Callable[[], ValueT],
        *,
        urgent: bool = False,
        turn_class: TurnClass = TurnClass.SHOT,
        commits: bool = True,
    ) -> ValueT:
        """Make a call in a turn of the device."""
        ...


@dataclass(frozen=True, eq=False)
class FoundThing:
    """Something on a frame.

    Attributes:
        prompts: Saying these of an object makes it this; object 0.
        result: What they give.
        score: How sure the network is, 0 to 1.
        likeness: To what was asked for, up to 1; 0 where nothing was.
    """

    prompts: FramePrompts
    result: ObjectFrame
    score: float
    likeness: float


@dataclass(frozen=True)
class FindStep:
    """So many steps of so many are done, and what the last one found."""

    done: int
    total: int
    found: FoundThing | None = None


class Search:
    """Looks for things in a session's pictures. To be used from one event loop.

    Args:
        session: Has the device and the masks.
        book: What is said.
        tracker: Has the engine.
    """

    def __init__(self, session: Searched, book: PromptBook, tracker: Seeking) -> None:
        self._session = session
        self._book = book
        self._tracker = tracker

    async def find_again(self, object_id: int, frame: int, limit: int) -> tuple[FoundAgain, ...]:
        """Where an object may be on a frame, the likeliest place first; nothing changes.

        Raises:
            BadInputError: It has prompts on this frame, or none anywhere.
            ObjectNotFoundError: The session has no such object.
        """
        info = self._book.object(object_id)
        if frame in info.prompted_frames:
            raise BadInputError(
                f"{info.name} has prompts on frame {frame}: it is there; look on a frame without any"
            )
        self._book.check(FramePrompts(object_id, frame, (Click(0.5, 0.5),)))

        async def propose(count: int) -> Sequence[Proposal]:
            return await self._seek(lambda seeker: seeker.propose(object_id, frame, count), watched=True)

        return await finding.find_again(object_id, frame, limit, propose, self._session.preview)

    async def look_of(self, object_id: int, frame: int) -> ObjectLook:
        """What an object looks like on its prompted frame nearest to a frame.

        Raises:
            NotPromptedError: It has no prompts, or shows nothing where it has.
            ObjectNotFoundError: The session has no such object.
        """
        self._book.object(object_id)
        return await self._seek(lambda seeker: seeker.look_of(object_id, frame), watched=True)

    async def find(self, request: FindRequest, like: ObjectLook | None) -> AsyncGenerator[FindStep, None]:
        """Things on a frame: how far the search is, then each thing, the best first.

        Args:
            request: Its words are not for us.
            like: What things are to look like; None for everything, or for the object of the request.

        Raises:
            BadInputError: The look is another network's.
            ClipError: The picture cannot be read.
            NotPromptedError: The object has no prompts.
            ObjectNotFoundError: The session has no such object.
        """
        frame, clip = request.frame, self._session.clip
        if request.object_id:
            like = await self.look_of(request.object_id, frame)
        asked = await self._places(request, like)
        things = Things(clip, least_share=request.least_share or _LEAST_SHARE, drop_parts=like is not None)
        total, done = sum(len(places) for _, places in asked) + request.limit, 0
        yield FindStep(done, total)
        for part, places in asked:
            for start in range(0, len(places), CLICKS_A_TURN):
                chunk = places[start : start + CLICKS_A_TURN]
                seen = await self._seek(partial(_sight, frame, part, chunk, like), watched=False)
                await asyncio.to_thread(things.add, [each for each in seen if _is_alike(each, like)])
                done += len(chunk)
                yield FindStep(done, total)
        own = self._own(request)
        best = [each for each in things.best if not _is_own(each, own, clip)][: request.limit]
        told: list[NDArray[np.bool_]] = []
        for number, thing in enumerate(best, start=1):
            found, mask = await self._said(thing, frame)
            is_new = not any(iou(mask, other) >= _TWICE_FROM_IOU for other in told)
            told.append(mask)
            yield FindStep(done + number, done + len(best), found if is_new else None)

    async def boxed(
        self, frame: int, boxes: Sequence[tuple[Box, float]], source: str
    ) -> AsyncGenerator[FindStep, None]:
        """What our network makes of boxes that a model of the studio proposed, in their order.

        Args:
            frame: The plate's own number.
            boxes: As shares of the picture's sides, and how sure the model is.
            source: Which model; prompts that are accepted say so, and the record of mattes names it.
        """
        clip = self._session.clip
        across, down = float(clip.width_px), float(clip.height_px)
        for done, (box, score) in enumerate(boxes, start=1):
            around = Box(box.left_px * across, box.top_px * down, box.right_px * across, box.bottom_px * down)
            said = FramePrompts(0, frame, box=around, source=source)
            result = await self._session.preview(said)
            yield FindStep(done, len(boxes), FoundThing(said, result, score, 0.0))

    async def _places(
        self, request: FindRequest, like: ObjectLook | None
    ) -> list[tuple[Part, Sequence[tuple[float, float]]]]:
        """What to look at, and where to click in it."""
        clip = self._session.clip
        per_side = request.per_side or _PER_SIDE
        parts = parts_of(clip, request.layers)
        if like is None:
            return [(part, grid_of(part, per_side_in(part, clip, per_side))) for part in parts]
        alike = await self._seek(lambda seeker: seeker.alike(request.frame, like), watched=True)
        return [(part, alike_places(alike, part, clip)) for part in parts]

    async def _said(self, thing: Thing, frame: int) -> tuple[FoundThing, NDArray[np.bool_]]:
        """How a thing is said, what comes of it, and that on the canvas."""
        sighting, clip = thing.sighting, self._session.clip
        mask = await asyncio.to_thread(on_canvas, sighting, clip)
        said = FramePrompts(0, frame, (Click(sighting.x_px, sighting.y_px),), box=plate_box(mask, clip))
        result = await self._session.preview(said)
        given = _on_canvas(result)
        if iou(mask, given) < _SAID_FROM_IOU:
            said, result = await asyncio.to_thread(_drawn, sighting, frame, clip)
            given = mask
        return FoundThing(said, result, sighting.predicted_iou, sighting.likeness), given

    def _own(self, request: FindRequest) -> NDArray[np.bool_] | None:
        """The mask that the object itself has on the frame, on the canvas."""
        result = self._session.results.find(request.object_id, request.frame) if request.object_id else None
        return None if result is None else _on_canvas(result)

    async def _seek(self, call: Callable[[Seeker], ValueT], *, watched: bool) -> ValueT:
        turn_class = TurnClass.WATCHED if watched else TurnClass.SHOT
        return await self._session.turn(
            lambda: self._tracker.seek(call), turn_class=turn_class, commits=False
        )


def alike_places(alike: NDArray[np.float32], part: Part, clip: ClipInfo) -> list[tuple[float, float]]:
    """Where to click in a part for things that look like something: on the cells that do, the best first."""
    rows, columns = np.nonzero(alike >= _ALIKE_CELL_FROM)
    places = [
        (
            float((column + 0.5) * clip.width_px / alike.shape[1]),
            float((row + 0.5) * clip.height_px / alike.shape[0]),
        )
        for row, column in sorted(zip(rows, columns, strict=True), key=lambda cell: -alike[cell])
    ]
    right, bottom = part.left_px + part.width_px, part.top_px + part.height_px
    inside = [(x, y) for x, y in places if part.left_px <= x < right and part.top_px <= y < bottom]
    return inside[:_ALIKE_CLICKS]


def _on_canvas(result: ObjectFrame) -> NDArray[np.bool_]:
    logits = result.logits.astype(np.float32)
    return np.asarray(cv2.resize(logits, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR) > 0)


def _sight(
    frame: int, part: Part, places: Sequence[tuple[float, float]], like: ObjectLook | None, seeker: Seeker
) -> Sequence[Sighting]:
    return seeker.sight(frame, part, places, like)


def _is_alike(sighting: Sighting, like: ObjectLook | None) -> bool:
    return like is None or sighting.likeness >= LEAST_LIKENESS


def _is_own(thing: Thing, own: NDArray[np.bool_] | None, clip: ClipInfo) -> bool:
    """Whether a thing is the object itself, or most of one lies in the other."""
    if own is None or not own.any():
        return False
    both = np.count_nonzero(on_canvas(thing.sighting, clip) & own)
    return int(both) >= 0.5 * min(thing.area, int(np.count_nonzero(own)))


def _drawn(sighting: Sighting, frame: int, clip: ClipInfo) -> tuple[FramePrompts, ObjectFrame]:
    """A mask as one that was drawn, and the result that shows it."""
    side = max(CANVAS, sighting.logits.shape[0])
    logits = plate_logits(sighting, clip, side)
    codes = render_preview(logits, clip.width_px, clip.height_px)
    said = FramePrompts(0, frame, mask=Mask.from_array(codes))
    pointer = np.zeros(0, np.float16)
    return said, ObjectFrame(
        0,
        frame,
        logits.astype(np.float16),
        _SURE_LOGIT,
        sighting.predicted_iou,
        Presence.PRESENT,
        pointer,
        True,
    )
