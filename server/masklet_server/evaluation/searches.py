"""How much of what is there is found: everything in a picture, and all of a kind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.found import FindRequest
from masklet.types import ClipInfo, FramePrompts, Mask
from masklet_server.evaluation.runs import TrackerFactory
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.search import FoundThing, Search
from masklet_server.sessions.turns import TurnClass
from masklet_server.tracking import FrameSource, ObjectFrame, Seeker, Tracker

ValueT = TypeVar("ValueT")
Plane = NDArray[np.bool_]

LIMITS = (0.5, 0.75)
"""From these IoUs on a true thing counts as found."""
_SHAPE = 512


@dataclass
class Kept:
    """Results of one object on one frame: a :class:`masklet_server.tracking.ResultReader`."""

    held: dict[tuple[int, int], ObjectFrame] = field(default_factory=dict)

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The result, if there is one."""
        return self.held.get((object_id, frame))

    def has(self, object_id: int, frame: int) -> bool:
        """Whether there is one."""
        return (object_id, frame) in self.held

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Where the object has one."""
        return sorted(frame for known, frame in self.held if known == object_id)


class LoneSession:
    """One picture and the engine, without a server: what :class:`Search` needs.

    Args:
        source: The picture.
        make_tracker: The engine.
    """

    def __init__(self, source: FrameSource, make_tracker: TrackerFactory) -> None:
        self.clip: ClipInfo = source.info
        self.results = Kept()
        self._tracker: Tracker = make_tracker(source, self.results)
        self._book = PromptBook(source.info, max_objects=8, undo_bytes=1 << 20)
        self._search = Search(self, self._book, self)
        self.turns = 0

    def say(self, frame: int, mask: Plane) -> int:
        """Have an object with this mask; its id."""
        object_id = self._book.add_object("it").object_id
        said = FramePrompts(object_id, frame, mask=Mask.from_array(mask.astype(np.uint8) * 255))
        self.results.held[object_id, frame] = self._tracker.prompt(said)
        return object_id

    def find(self, request: FindRequest) -> tuple[list[FoundThing], float]:
        """What is found, the best first, and how long that took in seconds."""

        async def work() -> list[FoundThing]:
            return [step.found async for step in self._search.find(request, None) if step.found is not None]

        started_s = time.perf_counter()
        return asyncio.run(work()), time.perf_counter() - started_s

    async def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What prompts would give."""
        self.turns += 1
        return self._tracker.preview(prompts)

    async def turn(
        self,
        call: Callable[[], ValueT],
        *,
        urgent: bool = False,
        turn_class: TurnClass = TurnClass.SHOT,
        commits: bool = True,
    ) -> ValueT:
        """Make a call at once."""
        self.turns += 1
        return call()

    def seek(self, call: Callable[[Seeker], ValueT]) -> ValueT:
        """Have the engine look."""
        return call(self._tracker.seeker)


@dataclass
class Tally:
    """Counts over pictures.

    Attributes:
        pictures: So many.
        true: Things that are there.
        found: By limit, those of them that were found.
        proposed: Things that were proposed.
        right: Those of them that are of the kind that was asked for, at the first limit.
        seconds: All searches together.
    """

    pictures: int = 0
    true: int = 0
    found: dict[float, int] = field(default_factory=lambda: dict.fromkeys(LIMITS, 0))
    proposed: int = 0
    right: int = 0
    seconds: float = 0.0

    def add(self, truths: Sequence[Plane], things: Sequence[FoundThing], seconds: float) -> None:
        """Judge one picture: a true thing by its best proposal, a proposal by the thing nearest to it."""
        masks = [_shown(thing) for thing in things]
        ious = np.array([[_iou(_resized(truth), mask) for mask in masks] for truth in truths])
        ious = ious.reshape(len(truths), len(masks))
        self.pictures += 1
        self.true += len(truths)
        self.proposed += len(masks)
        self.seconds += seconds
        for limit in LIMITS:
            self.found[limit] += int((ious.max(1, initial=0.0) >= limit).sum())
        self.right += int((ious.max(0, initial=0.0) >= LIMITS[0]).sum())

    def as_json(self) -> dict[str, float]:
        """Figures in percent, and seconds a picture."""
        figures: dict[str, float] = {"pictures": self.pictures, "true": self.true, "proposed": self.proposed}
        for limit in LIMITS:
            figures[f"recall_{limit}"] = round(100 * self.found[limit] / max(self.true, 1), 1)
        figures["precision_0.5"] = round(100 * self.right / max(self.proposed, 1), 1)
        figures["seconds_a_picture"] = round(self.seconds / max(self.pictures, 1), 2)
        return figures


def _shown(thing: FoundThing) -> Plane:
    logits = thing.result.logits.astype(np.float32)
    return np.asarray(cv2.resize(logits, (_SHAPE, _SHAPE), interpolation=cv2.INTER_LINEAR) > 0)


def _resized(mask: Plane) -> Plane:
    scaled = cv2.resize(mask.astype(np.float32), (_SHAPE, _SHAPE), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled > 0.5)


def _iou(one: Plane, other: Plane) -> float:
    either = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / either if either else 0.0
