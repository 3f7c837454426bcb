"""A second look: the object tracked once more, in windows that go with it, with finer cells.

The first look decides what the object is, the second where its edge runs. It starts from mattes of the
first look at frames that the artist prompted, so nothing is asked twice; and where it disagrees with
the first look about more than the edge, the first look stands.

What a look gives on a frame depends on the whole run that the object is known on, never on the frames
that were asked for: windows and starting frames are the run's, and only as much of it is tracked as the
frames in question are built on. So a part exported alone is the same as in the whole.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from masklet.errors import FrameMissingError
from masklet.matte_settings import CALM_SPAN
from masklet.types import ClipInfo, CloseLook, FramePrompts, FrameRange, Mask
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.refine import as_codes, refine_alpha
from masklet_server.mattes.tiles import plan_views
from masklet_server.mattes.windows import (
    Look,
    Window,
    WindowSource,
    seen_through,
    trusted,
)
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import ClosingSource, TrackerFactory
from masklet_server.tracking import ObjectFrame, ResultReader

# The logits' grid has a quarter of the side of the picture that the network looks at.
_CELL_PX = 4
# Of each window's packed logits; more goes to a temporary file.
_MEMORY_BYTES = 16 << 20


@dataclass(frozen=True)
class LookProgress:
    """How far the second look at an object is."""

    object_id: int
    frames_done: int
    frames_total: int


@dataclass(frozen=True, eq=False)
class _View:
    """What is seen of an object through one window that goes with it.

    Attributes:
        windows: By frame.
        seeds: Frames to start from, ascending.
        results: What the tracker made, for itself to read as well.
    """

    windows: Mapping[int, Window]
    seeds: Sequence[int]
    results: ResultStore


@dataclass(frozen=True, eq=False)
class _Run:
    """A second look at an object on consecutive frames of one shot.

    Attributes:
        clip: What is looked at.
        prints: Of the first look's results that it is made from, by frame.
        asked: The frames of it that are looked at.
        views: One window that holds the object, or several along its outline.
    """

    clip: ClipInfo
    prints: Mapping[int, int]
    asked: range
    views: Sequence[_View]


@dataclass(eq=False)
class SecondLooks:
    """Looks of one session, kept until what they were made from changes. Safe to read from any thread.

    Attributes:
        results: The first look's.
        prompts_on: What the artist said of an object on a frame.
        spill_folder: Where temporary files are made; None for the system's place.
    """

    results: ResultReader
    prompts_on: Callable[[int, int], FramePrompts | None]
    spill_folder: Path | None = None
    _runs: dict[tuple[int, int], _Run] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, result: ObjectFrame) -> Sequence[Look]:
        """The looks that belong to a result of the first look; empty where there is none."""
        with self._lock:
            run = self._runs.get((result.object_id, result.frame))
        if run is None or run.prints[result.frame] != _print(result):
            return ()
        looks = []
        for view in run.views:
            found = view.results.find(result.object_id, result.frame)
            if found is not None:
                look = Look(view.windows[result.frame], found.logits)
                looks.append(trusted(result.logits, look, run.clip))
        return [look for look in looks if look is not None]

    def packed(self, result: ObjectFrame) -> tuple[CloseLook, ...] | None:
        """The same as a prompt document keeps them, trusted or not; None where nobody has looked."""
        with self._lock:
            run = self._runs.get((result.object_id, result.frame))
        if run is None or run.prints[result.frame] != _print(result):
            return None
        looks = []
        for view in run.views:
            mask = view.results.packed(result.object_id, result.frame)
            if mask is not None:
                at = view.windows[result.frame]
                place = (at.left_px, at.top_px, at.width_px, at.height_px)
                looks.append(CloseLook(*place, mask.columns, mask.rows, mask.logits))
        return tuple(looks)

    async def look(
        self,
        object_ids: Sequence[int],
        shots: Sequence[range],
        frames: FrameRange,
        source: ClosingSource,
        make_tracker: TrackerFactory,
        turn: Callable[[Callable[[], int | None]], Awaitable[int | None]],
    ) -> AsyncGenerator[LookProgress, None]:
        """Look at objects in a large plate, unless all has been seen before; tells how far it is.

        Closing the generator ends the look after the frame in hand; what was seen before is kept then.

        Args:
            object_ids: Whose.
            shots: Frames, each run of one shot; of the whole clip.
            frames: Those that looks are wanted of. Those close enough to calm them are looked at as well.
            source: The clip, for this alone while it lasts.
            make_tracker: Makes trackers that look through windows.
            turn: Does a piece of work, about a frame, in a turn of the device.
        """
        for object_id in object_ids:
            # Not in a turn: the network has no part in it.
            runs = await asyncio.get_running_loop().run_in_executor(
                None, self._plan, object_id, shots, frames, source.info
            )
            total = sum(len(run.asked) for run in runs)
            done = 0
            for run in runs:
                yield LookProgress(object_id, done, total)
                steps = self._steps(object_id, run, source, make_tracker)
                try:
                    while (seen := await turn(partial(next, steps, None))) is not None:
                        yield LookProgress(object_id, done + seen, total)
                finally:
                    # In a turn too, after the piece in hand: the tracker may be reading ahead.
                    await turn(partial(_close, steps))
                done += len(run.asked)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            runs = {id(run): run for run in self._runs.values()}
            self._runs.clear()
        for run in runs.values():
            for view in run.views:
                view.results.close()

    def _plan(self, object_id: int, shots: Sequence[range], frames: FrameRange, clip: ClipInfo) -> list[_Run]:
        """Runs of frames that have to be looked at, as something in each is new."""
        found: list[_Run] = []
        for shot in shots:
            if shot.stop <= frames.first or frames.last < shot.start:
                continue
            run: list[ObjectFrame] = []
            for result in (*(self.results.find(object_id, frame) for frame in shot), None):
                if result is not None:
                    run.append(result)
                elif run:
                    planned = self._plan_run(run, frames, clip)
                    found += [planned] if planned is not None else []
                    run = []
        return found

    def _plan_run(self, run: Sequence[ObjectFrame], frames: FrameRange, clip: ClipInfo) -> _Run | None:
        asked = range(
            max(run[0].frame, frames.first - CALM_SPAN), min(run[-1].frame, frames.last + CALM_SPAN) + 1
        )
        if not asked:
            return None
        prints = {result.frame: _print(result) for result in run}
        with self._lock:
            found = [self._runs.get((run[0].object_id, frame)) for frame in asked]
        known = {id(each): each for each in found if each is not None}
        if None not in found and all(each.prints == prints for each in known.values()):
            return None
        logits = {result.frame: result.logits for result in run}
        image_side_px = _CELL_PX * max(run[0].logits.shape)
        views = [
            _View(windows, seeds, ResultStore(memory_bytes=_MEMORY_BYTES, spill_folder=self.spill_folder))
            for windows in plan_views(clip, logits, image_side_px=image_side_px)
            if (seeds := _seeds(run, windows, clip))
        ]
        return _Run(clip, prints, asked, views) if views else None

    def _steps(
        self, object_id: int, run: _Run, source: ClosingSource, make_tracker: TrackerFactory
    ) -> Generator[int, None, None]:
        """One frame in one window at a time; yields how many frames' worth of the run is done."""
        for place, view in enumerate(run.views):
            for share in self._view_steps(object_id, run, view, source, make_tracker):
                yield int((place + share) * len(run.asked) / len(run.views) + 1e-6)
        with self._lock:
            # Only now, all at once: a look that was stopped leaves what there was.
            for frame in run.asked:
                self._runs[object_id, frame] = run

    def _view_steps(
        self, object_id: int, run: _Run, view: _View, source: ClosingSource, make_tracker: TrackerFactory
    ) -> Generator[float, None, None]:
        """One frame at a time; yields the share of all of them that is done."""
        tracker = make_tracker(WindowSource(source, view.windows), view.results)

        def keep(result: ObjectFrame) -> None:
            view.results.put(result)
            view.results.make_room()

        seeds: list[int] = []
        plan = _legs(view.seeds, run.asked)
        total = len(view.seeds) + len(plan)
        try:
            for done, frame in enumerate(view.seeds, 1):
                with suppress(FrameMissingError):
                    mask = self._seed(object_id, frame, source, view.windows[frame])
                    if mask is None:
                        # Removed meanwhile, and what is seen of it will not be asked for.
                        return
                    keep(tracker.prompt(FramePrompts(object_id, frame, mask=mask)))
                    seeds.append(frame)
                yield done / total
            if not seeds:
                return
            # Of a seed that cannot be read, legs begin at the one before it.
            plan = _legs(seeds, run.asked)
            for done, (frame, backward) in enumerate(plan, 1):
                # Of a frame that cannot be read any more there is the first look.
                with suppress(FrameMissingError):
                    for result in tracker.track(frame, [object_id], backward=backward):
                        keep(result)
                yield (len(view.seeds) + done) / (len(view.seeds) + len(plan))
        finally:
            tracker.park()

    def _seed(self, object_id: int, frame: int, source: ClosingSource, window: Window) -> Mask | None:
        """The object in the window on one frame, as the first look and the plate have it."""
        said = self.prompts_on(object_id, frame)
        drawn = None if said is None else said.mask
        clip = source.info
        if drawn is not None and (drawn.width_px, drawn.height_px) == (clip.width_px, clip.height_px):
            return Mask.from_array(np.ascontiguousarray(drawn.coverage()[window.slices]))
        result = self.results.find(object_id, frame)
        if result is None:
            return None
        alpha = render_alpha(result.logits, clip.width_px, clip.height_px)
        rows, columns = result.logits.shape
        cell_px = max(clip.width_px / columns, clip.height_px / rows)
        alpha = refine_alpha(alpha, as_codes(source.read(frame)), cell_px=cell_px)
        return Mask.from_array(np.rint(alpha[window.slices] * 255.0).astype(np.uint8))


def _seeds(run: Sequence[ObjectFrame], windows: Mapping[int, Window], clip: ClipInfo) -> list[int]:
    """Frames to start from: those that were prompted, or else the one that the network is surest of.

    Only such on which the first look sees the object in the window.
    """
    visible = [
        result
        for result in run
        if seen_through(result.logits, windows[result.frame], clip, result.logits.shape).any()
    ]
    prompted = [result.frame for result in visible if result.prompted]
    if prompted or not visible:
        return prompted
    return [max(visible, key=lambda result: (result.presence_logit > 0, result.predicted_iou)).frame]


def _legs(seeds: Sequence[int], asked: range) -> list[tuple[int, bool]]:
    """Frames to track for looks at those asked for, from the nearest seed behind on; whether backward."""
    start = max((seed for seed in seeds if seed <= asked[0]), default=seeds[0])
    onward = [(frame, False) for frame in range(start + 1, asked[-1] + 1) if frame not in seeds]
    back = [(frame, True) for frame in range(seeds[0] - 1, asked[0] - 1, -1)]
    return onward + back


def _print(result: ObjectFrame) -> int:
    return zlib.crc32(np.ascontiguousarray(result.logits).tobytes(), int(result.prompted))


def _close(steps: Generator[int, None, None]) -> None:
    steps.close()
