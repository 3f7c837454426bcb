from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.types import ClipInfo, FramePrompts, FrameRange, Presence
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.second_look import LookProgress, SecondLooks
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

GRID = 120


def result(frame: int, *, left: int = 50, prompted: bool = False) -> ObjectFrame:
    logits = np.full((GRID, GRID), -9, np.float16)
    logits[50:62, left : left + 12] = 9
    return ObjectFrame(1, frame, logits, 5.0, 0.9, Presence.PRESENT, np.zeros(2, np.float16), prompted)


def wide(frame: int, *, top: int = 30, prompted: bool = False) -> ObjectFrame:
    logits = np.full((GRID, GRID), -9, np.float16)
    logits[top:90, 18:102] = 9
    return replace(result(frame, prompted=prompted), logits=logits)


class Plate:
    info = ClipInfo("plate", 960, 540, 1, 6)

    def __init__(self) -> None:
        self.reads: list[int] = []

    def read(self, frame: int) -> NDArray[np.uint8]:
        self.reads.append(frame)
        return np.full((540, 960, 3), 90, np.uint8)

    def close(self) -> None:
        """Nothing is open."""


class Window:
    """Gives the mask that it was prompted with, moved by so many cells on every tracked frame."""

    def __init__(self, source: FrameSource, log: list[str], drift: int) -> None:
        self.size_px = (source.info.width_px, source.info.height_px)
        self._log = log
        self._drift = drift
        self._mask = np.zeros((GRID, GRID), bool)

    def _result(self, frame: int) -> ObjectFrame:
        logits = np.where(self._mask, 9, -9).astype(np.float16)
        return ObjectFrame(1, frame, logits, 5.0, 0.9, Presence.PRESENT, np.zeros(2, np.float16))

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        assert prompts.mask is not None
        assert (prompts.mask.width_px, prompts.mask.height_px) == self.size_px
        self._log.append(f"prompt {prompts.frame}")
        rows = (np.arange(GRID) + 0.5) * self.size_px[1] / GRID
        columns = (np.arange(GRID) + 0.5) * self.size_px[0] / GRID
        self._mask = prompts.mask.as_array()[np.ix_(rows.astype(int), columns.astype(int))] > 127
        return self._result(prompts.frame)

    def track(self, frame: int, object_ids: Sequence[int], *, backward: bool) -> Sequence[ObjectFrame]:
        self._log.append(f"{'back' if backward else 'on'} {frame}")
        self._mask = np.roll(self._mask, self._drift, axis=1)
        return [self._result(frame)]

    def forget_prompts(self, object_id: int, frame: int) -> None:
        raise NotImplementedError

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        raise NotImplementedError

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        raise NotImplementedError

    def remove(self, object_id: int) -> None:
        raise NotImplementedError

    def park(self) -> None:
        self._log.append("park")

    @property
    def memory_bytes(self) -> int:
        return 0


def looked(
    results: ResultStore,
    *,
    drift: int = 0,
    looks: SecondLooks | None = None,
    progress: list[LookProgress] | None = None,
    leave_at: int | None = None,
    frames: FrameRange = FrameRange(1, 6),  # noqa: B008
    last: int = 6,
) -> tuple[SecondLooks, list[str]]:
    """Second looks at object 1 over the whole plate, unless told otherwise, and what the tracker was told.

    With ``leave_at`` nobody waits any more once so many frames are done.
    """
    log: list[str] = []
    looks = looks or SecondLooks(results, lambda object_id, frame: None)

    async def turn(call: Callable[[], int | None]) -> int | None:
        return call()

    def make(source: FrameSource, shelf: ResultReader) -> Window:
        return Window(source, log, drift)

    async def run() -> None:
        async with aclosing(looks.look([1], [range(1, last + 1)], frames, Plate(), make, turn)) as events:
            async for event in events:
                if progress is not None:
                    progress.append(event)
                if event.frames_done == leave_at:
                    break

    asyncio.run(run())
    return looks, log


def stored(*results: ObjectFrame) -> ResultStore:
    store = ResultStore()
    for each in results:
        store.put(each)
    return store


def test_a_second_look_starts_at_the_prompted_frame_and_goes_both_ways() -> None:
    results = stored(*(result(frame, prompted=frame == 3) for frame in range(1, 7)))

    looks, log = looked(results)

    assert log == ["prompt 3", "on 4", "on 5", "on 6", "back 2", "back 1", "park"]
    assert all(looks.find(result(frame, prompted=frame == 3)) for frame in range(1, 7))


def test_what_was_seen_is_not_looked_at_again_until_it_changes() -> None:
    results = stored(*(result(frame, prompted=frame == 1) for frame in range(1, 7)))
    looks, _ = looked(results)

    _, again = looked(results, looks=looks)
    results.put(result(4, left=51))
    _, changed = looked(results, looks=looks)

    assert again == []
    assert changed[0] == "prompt 1"


def seen(looks: SecondLooks, result: ObjectFrame) -> list[tuple[int, int, bytes]]:
    """The looks at a result, so that they can be compared."""
    return [(each.window.left_px, each.window.top_px, each.logits.tobytes()) for each in looks.find(result)]


@pytest.mark.parametrize("prompted_on", [(1,), (1, 5), (3, 6), (6,), ()])
@pytest.mark.parametrize("frame", range(1, 7))
def test_a_frame_is_seen_alone_as_it_is_in_the_whole(frame: int, prompted_on: tuple[int, ...]) -> None:
    known = [result(at, left=40 + 3 * at, prompted=at in prompted_on) for at in range(1, 7)]
    whole, _ = looked(stored(*known))
    part, _ = looked(stored(*known), frames=FrameRange(frame, frame))

    assert seen(part, known[frame - 1])
    assert seen(part, known[frame - 1]) == seen(whole, known[frame - 1])


def test_no_more_is_tracked_than_the_frames_asked_for_are_built_on() -> None:
    known = [replace(result(at, prompted=at in (1, 10)), frame=at) for at in range(1, 21)]
    _, log = looked(stored(*known), frames=FrameRange(15, 15), last=20)

    assert log == ["prompt 1", "prompt 10", *(f"on {at}" for at in range(11, 18)), "park"]


def test_a_part_is_looked_at_again_when_the_rest_of_its_run_changes() -> None:
    results = stored(*(result(frame, prompted=frame == 1) for frame in range(1, 7)))
    looks, _ = looked(results, frames=FrameRange(1, 2))
    results.put(wide(6))
    _, again = looked(results, looks=looks, frames=FrameRange(1, 2))

    assert again


def test_a_look_belongs_to_the_mask_that_it_was_made_for() -> None:
    results = stored(*(result(frame, prompted=frame == 1) for frame in range(1, 7)))

    looks, _ = looked(results)

    assert looks.find(result(2))
    assert not looks.find(result(2, left=53))
    assert not looks.find(replace(result(2), frame=9))


def test_a_look_that_goes_astray_is_dropped() -> None:
    results = stored(*(result(frame, prompted=frame == 1) for frame in range(1, 7)))

    looks, _ = looked(results, drift=9)

    assert looks.find(result(1, prompted=True))
    assert not looks.find(result(6))


def test_an_object_that_fills_most_of_the_plate_is_looked_at_in_tiles() -> None:
    results = stored(*(wide(frame, prompted=frame == 1) for frame in range(1, 7)))
    progress: list[LookProgress] = []

    looks, log = looked(results, progress=progress)
    _, again = looked(results, looks=looks)
    found = looks.find(wide(4))

    tiles = log.count("park")
    assert 2 <= tiles <= 6
    assert log == tiles * ["prompt 1", "on 2", "on 3", "on 4", "on 5", "on 6", "park"]
    assert len(found) == tiles
    assert len({look.window for look in found}) == tiles
    assert again == []
    # In frames, however many tiles there are.
    assert progress[-1] == LookProgress(1, 6, 6)
    assert [event.frames_done for event in progress] == sorted(event.frames_done for event in progress)
    assert not looks.find(wide(4, top=33))


def test_each_frame_of_a_look_is_told() -> None:
    results = stored(*(result(frame, prompted=frame == 3) for frame in range(1, 7)))
    progress: list[LookProgress] = []

    looked(results, progress=progress)

    assert progress == [LookProgress(1, done, 6) for done in range(7)]


def test_a_look_that_nobody_waits_for_ends_at_once_and_changes_nothing() -> None:
    results = stored(*(result(frame, prompted=frame == 1) for frame in range(1, 7)))

    looks, log = looked(results, leave_at=2)
    seen = looks.find(result(1, prompted=True))
    _, again = looked(results, looks=looks)

    assert log == ["prompt 1", "on 2", "park"]
    assert not seen
    assert again[0] == "prompt 1"
    assert looks.find(result(1, prompted=True))
