"""A second look: the object tracked once more, in a window that follows it, with finer cells.

The first look decides what the object is, the second where its edge runs. It starts from mattes of the
first look at frames that the artist prompted, so nothing is asked twice; and where it disagrees with
the first look about more than the edge, the first look stands.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from masklet.types import FramePrompts, Mask
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.refine import as_codes, refine_alpha
from masklet_server.mattes.windows import Look, Window, WindowSource, agreement, plan_windows
from masklet_server.sessions.desk import ClosingSource, TrackerFactory
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.tracking import ObjectFrame, ResultReader

# Of the object as the first look has it: below this the second look has gone astray.
_LEAST_AGREEMENT = 0.7
# The logits' grid has a quarter of the side of the picture that the network looks at.
_CELL_PX = 4


@dataclass(frozen=True)
class _Kept:
    """What a stored look was made from and where."""

    window: Window
    made_from: int


@dataclass(eq=False)
class SecondLooks:
    """Looks of one session, kept until what they were made from changes. Safe to read from any thread.

    Attributes:
        results: The first look's.
        prompts_on: What the artist said of an object on a frame.
    """

    results: ResultReader
    prompts_on: Callable[[int, int], FramePrompts | None]
    _looks: ResultStore = field(default_factory=ResultStore)
    _kept: dict[tuple[int, int], _Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, result: ObjectFrame) -> Look | None:
        """The look that belongs to a result of the first look, None where there is none."""
        key = (result.object_id, result.frame)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.made_from != _print(result):
            return None
        found = self._looks.find(*key)
        return None if found is None else Look(kept.window, found.logits)

    async def look(
        self,
        object_ids: Sequence[int],
        shots: Sequence[range],
        source: ClosingSource,
        make_tracker: TrackerFactory,
        turn: Callable[[Callable[[], bool]], Awaitable[bool]],
    ) -> None:
        """Look at objects that are small in a large plate, unless all has been seen before.

        Args:
            object_ids: Whose.
            shots: Frames, each run of one shot.
            source: The clip, for this alone while it lasts.
            make_tracker: Makes trackers that look through windows.
            turn: Does a piece of work, about a frame, in a turn of the device.
        """
        for object_id in object_ids:
            for shot in shots:
                steps = self._steps(object_id, shot, source, make_tracker)
                try:
                    while await turn(partial(next, steps, False)):
                        pass
                finally:
                    # In a turn too, after the piece in hand: the tracker may be reading ahead.
                    await turn(partial(_close, steps))

    def _steps(
        self, object_id: int, frames: range, source: ClosingSource, make_tracker: TrackerFactory
    ) -> Generator[bool, None, None]:
        run: list[ObjectFrame] = []
        for result in (*(self.results.find(object_id, frame) for frame in frames), None):
            if result is not None:
                run.append(result)
            elif run:
                yield from self._run_steps(run, source, make_tracker)
                run = []

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
        self._looks.close()

    def _run_steps(
        self, run: Sequence[ObjectFrame], source: ClosingSource, make_tracker: TrackerFactory
    ) -> Generator[bool, None, None]:
        prints = {result.frame: _print(result) for result in run}
        with self._lock:
            kept = {result.frame: self._kept.get((result.object_id, result.frame)) for result in run}
        if all(each is not None and each.made_from == prints[frame] for frame, each in kept.items()):
            return
        windows = plan_windows(
            source.info,
            {result.frame: result.logits for result in run},
            image_side_px=_CELL_PX * max(run[0].logits.shape),
        )
        seeds = _seeds(run)
        if not windows or not seeds:
            return
        object_id = run[0].object_id
        first = {result.frame: result for result in run}
        shelf = ResultStore()
        through = WindowSource(source, windows)
        tracker = make_tracker(through, shelf)

        def keep(result: ObjectFrame) -> None:
            shelf.put(result)
            look = Look(windows[result.frame], result.logits)
            key = (result.object_id, result.frame)
            with self._lock:
                self._kept[key] = _Kept(look.window, prints[result.frame])
            if agreement(first[result.frame].logits, look, source.info) >= _LEAST_AGREEMENT:
                self._looks.put(result)
                self._looks.pack()
            else:
                self._looks.remove(*key)

        try:
            for frame in seeds:
                mask = self._seed(first[frame], source, windows[frame])
                keep(tracker.prompt(FramePrompts(object_id, frame, mask=mask)))
                yield True
            onward = [(frame, False) for frame in range(seeds[0], run[-1].frame + 1) if frame not in seeds]
            back = [(frame, True) for frame in range(seeds[0] - 1, run[0].frame - 1, -1)]
            for frame, backward in (*onward, *back):
                for result in tracker.track(frame, [object_id], backward=backward):
                    keep(result)
                yield True
        finally:
            tracker.park()
            shelf.close()

    def _seed(self, result: ObjectFrame, source: ClosingSource, window: Window) -> Mask:
        """The object in the window on one frame, as the first look and the plate have it."""
        said = self.prompts_on(result.object_id, result.frame)
        drawn = None if said is None else said.mask
        clip = source.info
        if drawn is not None and (drawn.width_px, drawn.height_px) == (clip.width_px, clip.height_px):
            return Mask.from_array(np.ascontiguousarray(drawn.as_array()[window.slices]))
        alpha = render_alpha(result.logits, clip.width_px, clip.height_px)
        rows, columns = result.logits.shape
        cell_px = max(clip.width_px / columns, clip.height_px / rows)
        alpha = refine_alpha(alpha, as_codes(source.read(result.frame)), cell_px=cell_px)
        return Mask.from_array(np.rint(alpha[window.slices] * 255.0).astype(np.uint8))


def _seeds(run: Sequence[ObjectFrame]) -> list[int]:
    """Frames to start from: those that were prompted, or else the one that the network is surest of."""
    visible = [result for result in run if (result.logits > 0).any()]
    prompted = [result.frame for result in visible if result.prompted]
    if prompted or not visible:
        return prompted
    return [max(visible, key=lambda result: (result.presence_logit > 0, result.predicted_iou)).frame]


def _print(result: ObjectFrame) -> int:
    return zlib.crc32(np.ascontiguousarray(result.logits).tobytes(), int(result.prompted))


def _close(steps: Generator[bool, None, None]) -> bool:
    steps.close()
    return False
