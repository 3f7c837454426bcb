"""What state frames are in, told as runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from masklet.types import FrameRange, StateRange
from masklet_server.sessions.result_places import ResultEntry
from masklet_server.tracking import RIVAL_FROM


def runs_of(
    entries: Mapping[int, ResultEntry],
    object_id: int,
    prompted_frames: Collection[int],
    *,
    is_locked: Callable[[int], bool],
    stale: Collection[int],
) -> tuple[StateRange, ...]:
    """Runs of consecutive frames in the same state, in order; frames without a result are in none.

    Args:
        entries: By frame, what is known of its result.
        object_id: Whose.
        prompted_frames: Frames with prompts of its own.
        is_locked: Tells whether tracking leaves a frame as it is.
        stale: Frames whose masks prompts have overtaken.
    """
    ranges: list[StateRange] = []
    for frame in sorted(entries):
        state = StateRange(
            object_id,
            FrameRange(frame, frame),
            entries[frame].presence,
            prompted=frame in prompted_frames,
            locked=is_locked(frame),
            stale=frame in stale and not is_locked(frame),
            rival=entries[frame].rival >= RIVAL_FROM,
        )
        last = ranges[-1] if ranges else None
        if last is not None and last.frames.last == frame - 1 and replace(last, frames=state.frames) == state:
            ranges[-1] = replace(last, frames=FrameRange(last.frames.first, frame))
        else:
            ranges.append(state)
    return tuple(ranges)
