"""A clip and a tracker that cost nothing, and a clock that stands still until it is set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError, NotPromptedError
from masklet.pictures import Grade
from masklet.plate_marks import PlateMarks
from masklet.types import ClipInfo, FramePrompts, FrameRange, Presence
from masklet_server.sightings import ObjectLook, Part, Sighting
from masklet_server.tracking import FrameSource, Holdings, ObjectFrame, Proposal, Relief, ResultReader

SIDE = 8
FAKE_INFO = ClipInfo("fake.####.png", 64, 48, 1, 10)


@dataclass
class FakeClock:
    """Tells the time that the test sets."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class FakeClip:
    """Grey pictures."""

    info: ClipInfo = FAKE_INFO
    closed: bool = False

    def read(self, frame: int) -> NDArray[np.uint8]:
        if frame not in self.info.frames or frame in self.info.missing_frames:
            raise FrameMissingError(f"no frame {frame}")
        return np.full((self.info.height_px, self.info.width_px, 3), 128, np.uint8)

    def read_shown(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        return np.minimum(self.read(frame) * 2.0**grade.exposure_stops, 255.0).astype(np.uint8)

    def marks(self, frame: int) -> PlateMarks:
        return PlateMarks((0x01000000 + frame, 0), "A001", "the studio")

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeTracker:
    """Answers every call with a mask that says where it came from, and remembers the calls.

    The mask of a prompted frame is the sum of its clicks' x; a tracked mask is its neighbour's plus
    one, found through the results. So a wrong order, or a lost result, shows in the values.
    """

    source: FrameSource
    results: ResultReader
    frame_s: float = 0.0
    presence: Callable[[int], Presence] = lambda frame: Presence.PRESENT
    fail: Callable[[str, int], Exception | None] = lambda call, frame: None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    prompts: dict[tuple[int, int], FramePrompts] = field(default_factory=dict)
    drafts: dict[tuple[int, int], int] = field(default_factory=dict)
    features_bytes: int = 0
    memories_bytes: int = 0
    host_bytes: int = 0
    threads: set[int] = field(default_factory=set)

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        self._work("prompt", prompts.frame, prompts.object_id)
        self.prompts[prompts.object_id, prompts.frame] = prompts
        self.drafts.pop((prompts.object_id, prompts.frame), None)
        value = sum(click.x_px for click in prompts.clicks)
        return self._result(prompts.object_id, prompts.frame, value, prompted=True)

    def restore(self, prompts: FramePrompts, result: ObjectFrame) -> None:
        """Costs nothing, but may fail: profiles that remember more than results have to segment anew."""
        self.calls.append(("restore", prompts.frame, prompts.object_id))
        error = self.fail("restore", prompts.frame)
        if error is not None:
            raise error
        self.prompts[prompts.object_id, prompts.frame] = prompts

    def forget_prompts(self, object_id: int, frame: int) -> None:
        self.calls.append(("forget", frame, object_id))
        self.prompts.pop((object_id, frame), None)

    def draft(self, prompts: FramePrompts) -> bool:
        """Costs a click, as in :mod:`masklet_server.engine.tracker`, of which the prompt is the last."""
        key = prompts.object_id, prompts.frame
        done = self.drafts.get(key, 0) + 1
        if done >= len(prompts.clicks):
            return False
        self._work("draft", prompts.frame, prompts.object_id)
        self.drafts[key] = done
        return done + 1 < len(prompts.clicks)

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        self._work("preview", prompts.frame, prompts.object_id)
        value = sum(click.x_px for click in prompts.clicks)
        return self._result(prompts.object_id, prompts.frame, value, prompted=True)

    def check_policy(self, policy: str) -> None:
        self._work("check_policy", 0, 0)

    def set_policy(self, object_id: int, policy: str) -> None:
        self._work("set_policy", 0, object_id)

    @property
    def seeker(self) -> FakeTracker:
        return self

    def sight(
        self,
        frame: int,
        part: Part,
        places_px: Sequence[tuple[float, float]],
        like: ObjectLook | None = None,
    ) -> list[Sighting]:
        """A square of a quarter of the grid's side around every place of the left half of the plate."""
        self._work("sight", frame, len(places_px))
        found = []
        for x_px, y_px in places_px:
            row = int(16 * (y_px - part.top_px) / part.height_px)
            column = int(16 * (x_px - part.left_px) / part.width_px)
            if column >= 8:
                continue
            logits = np.full((16, 16), -8, np.float16)
            logits[row // 4 * 4 : row // 4 * 4 + 4, column // 4 * 4 : column // 4 * 4 + 4] = 8
            found.append(Sighting(x_px, y_px, part, logits, 0.9, 0.95, 0.0 if like is None else 0.9))
        return found

    def alike(self, frame: int, look: ObjectLook) -> NDArray[np.float32]:
        self._work("alike", frame, look.model)
        cells = np.zeros((4, 4), np.float32)
        cells[1, 1] = 1.0
        return cells

    def look_of(self, object_id: int, frame: int | None = None) -> ObjectLook:
        if not any(known == object_id for known, _ in self.prompts):
            raise NotPromptedError("the object has no prompts")
        self._work("look_of", frame or 1, object_id)
        return ObjectLook("fake", np.full((2, 4), 0.5, np.float32), 0.25)

    def propose(self, object_id: int, frame: int, limit: int) -> list[Proposal]:
        self._work("propose", frame, object_id)
        return [Proposal(10.0 * place + 5.0, 4.0, 0.9 - 0.1 * place) for place in range(limit)]

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        self._work("look", frame, object_id)
        return self._result(object_id, frame, 7.0)

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        if since is None:
            self._work("track", frame, tuple(object_ids), backward)
        else:
            self._work("track", frame, tuple(object_ids), backward, since)
        found = []
        for object_id in object_ids:
            before = self.results.find(object_id, frame + 1 if backward else frame - 1)
            value = -1000.0 if before is None else float(before.logits[0, 0]) + 1
            found.append(self._result(object_id, frame, value))
        return found

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        self.calls.append(("forget tracked", frames.first, frames.last, object_id))

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        self.calls.append(("let go", frames.first, frames.last, object_id))

    def remove(self, object_id: int) -> None:
        self.calls.append(("remove", object_id))
        self.prompts = {key: said for key, said in self.prompts.items() if key[0] != object_id}

    def park(self) -> None:
        self.calls.append(("park",))
        self.features_bytes = self.memories_bytes = self.host_bytes = 0

    def relieve(self, relief: Relief) -> None:
        """As the engine on a GPU does."""
        self.calls.append(("relieve", relief))
        if relief is Relief.MEMORIES:
            self.host_bytes, self.memories_bytes = self.host_bytes + self.memories_bytes, 0
        else:
            self.features_bytes = 0
        if relief is Relief.ALL:
            self.memories_bytes = self.host_bytes = 0

    @property
    def memory_bytes(self) -> int:
        return self.holdings.held_bytes

    @property
    def holdings(self) -> Holdings:
        return Holdings(0, self.features_bytes, self.memories_bytes, 0, self.host_bytes)

    def _work(self, call: str, frame: int, *rest: object) -> None:
        self.calls.append((call, frame, *rest))
        self.threads.add(threading.get_ident())
        time.sleep(self.frame_s)
        self.source.read(frame)
        self.features_bytes, self.memories_bytes, self.host_bytes = 600, 400, 0
        error = self.fail(call, frame)
        if error is not None:
            raise error

    def _result(self, object_id: int, frame: int, value: float, *, prompted: bool = False) -> ObjectFrame:
        return ObjectFrame(
            object_id=object_id,
            frame=frame,
            logits=np.full((SIDE, SIDE), value, np.float16),
            presence_logit=2.0,
            predicted_iou=0.9,
            presence=self.presence(frame),
            pointer=np.zeros(4, np.float16),
            prompted=prompted,
        )


@dataclass
class FakeEngine:
    """Makes trackers and keeps them for the test to look at; what is set here holds for all of them."""

    frame_s: float = 0.0
    presence: Callable[[int], Presence] = lambda frame: Presence.PRESENT
    fail: Callable[[str, int], Exception | None] = lambda call, frame: None
    trackers: list[FakeTracker] = field(default_factory=list)

    def __call__(self, source: FrameSource, results: ResultReader) -> FakeTracker:
        tracker = FakeTracker(
            source,
            results,
            frame_s=self.frame_s,
            presence=self.presence,
            fail=lambda call, frame: self.fail(call, frame),
        )
        self.trackers.append(tracker)
        return tracker

    @property
    def calls(self) -> list[tuple[object, ...]]:
        """Of all trackers, in the order in which these were made."""
        return [call for tracker in self.trackers for call in tracker.calls]
