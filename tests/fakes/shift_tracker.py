"""A tracker without a network, for tests of what drives trackers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fakes.annotated_sets import square
from masklet.errors import WeightsError
from masklet.types import FramePrompts, FrameRange, Presence
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

SIDE = 64


class ShiftTracker:
    """Answers from the truth, worse with the distance from the nearest prompted frame.

    The answer on a frame is the true mask shifted to the right by ``drift_px`` columns of the
    logit grid for each frame since the last prompt; after ``needed_clicks`` clicks on a frame
    it is exact there, with fewer it misses the lower half.
    """

    def __init__(
        self,
        source: FrameSource,
        results: ResultReader,
        *,
        truth: Callable[[int, int], NDArray[np.bool_]],
        drift: int = 0,
        needed_clicks: int = 1,
    ) -> None:
        self.source = source
        self.results = results
        self.calls: list[tuple[str, int]] = []
        self.prompts: dict[tuple[int, int], FramePrompts] = {}
        self._truth = truth
        self._drift = drift
        self._needed_clicks = needed_clicks

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        self.calls.append(("prompt", prompts.frame))
        self.prompts[prompts.object_id, prompts.frame] = prompts
        self.source.read(prompts.frame)
        mask = self._grid(prompts.object_id, prompts.frame)
        if prompts.clicks and len(prompts.clicks) < self._needed_clicks:
            rows = np.flatnonzero(mask.any(axis=1))
            mask = mask.copy()
            mask[int(rows.mean()) :] = False
        return self._result(prompts.object_id, prompts.frame, mask, prompted=True)

    def forget_prompts(self, object_id: int, frame: int) -> None:
        del self.prompts[object_id, frame]

    def restore(self, prompts: FramePrompts, result: ObjectFrame) -> None:
        self.prompts[prompts.object_id, prompts.frame] = prompts

    def draft(self, prompts: FramePrompts) -> bool:
        return False

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        return self._result(
            prompts.object_id, prompts.frame, self._grid(prompts.object_id, prompts.frame), prompted=True
        )

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        return self._result(object_id, frame, self._grid(object_id, frame))

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        self.calls.append(("track", frame))
        self.source.read(frame)
        results = []
        for object_id in object_ids:
            prompted = [at for one, at in self.prompts if one == object_id and at <= frame]
            shift = self._drift * (frame - max(prompted))
            results.append(
                self._result(object_id, frame, np.roll(self._grid(object_id, frame), shift, axis=1))
            )
        return results

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        self.calls.append(("forget tracked", frames.first))

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        self.calls.append(("let go", frames.first))

    def remove(self, object_id: int) -> None:
        self.prompts = {key: value for key, value in self.prompts.items() if key[0] != object_id}

    def park(self) -> None:
        pass

    @property
    def memory_bytes(self) -> int:
        return 0

    def _grid(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        mask = self._truth(object_id, frame)
        rows = (np.arange(SIDE) + 0.5) * mask.shape[0] / SIDE
        columns = (np.arange(SIDE) + 0.5) * mask.shape[1] / SIDE
        return mask[np.ix_(rows.astype(int), columns.astype(int))]

    def _result(
        self, object_id: int, frame: int, mask: NDArray[np.bool_], *, prompted: bool = False
    ) -> ObjectFrame:
        logits = np.where(mask, 8, -8).astype(np.float16)
        presence = Presence.PRESENT if mask.any() else Presence.ABSENT
        return ObjectFrame(object_id, frame, logits, 5.0, 0.9, presence, np.zeros(4, np.float16), prompted)


def load_drifting() -> Callable[[FrameSource, ResultReader], ShiftTracker]:
    """A maker of trackers for the made-up data sets; each drifts by one column a frame."""
    return partial(ShiftTracker, truth=square, drift=1)


def load_nothing() -> Callable[[FrameSource, ResultReader], ShiftTracker]:
    """Fails as a loader does that finds no weights."""
    raise WeightsError("there are no such weights")
