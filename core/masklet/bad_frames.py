"""Where to look next: one rule for the server, the command line and all hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from masklet.types import ClipInfo, FrameRange, FrameState, Presence, StateRange

WORTH_A_LOOK = frozenset({FrameState.UNCERTAIN, FrameState.RIVAL, FrameState.STALE, FrameState.UNTRACKED})
"""What an artist means by a bad frame, unless told otherwise."""


@dataclass(frozen=True)
class Place:
    """A frame of an object, and the run of frames in the same state around it."""

    frame: int
    state: StateRange


def is_worth_a_look(state: StateRange, states: Collection[FrameState] = WORTH_A_LOOK) -> bool:
    """True for frames in one of the states that nobody has looked at: neither locked nor corrected.

    Locked and corrected ones count where these are asked for.
    """
    wanted = frozenset(states)
    looked_at = state.states & {FrameState.LOCKED, FrameState.CORRECTED}
    return bool(state.states & wanted) and (not looked_at or bool(looked_at & wanted))


def next_place(
    ranges: Iterable[StateRange],
    *,
    after: int,
    states: Collection[FrameState] = WORTH_A_LOOK,
    backward: bool = False,
) -> Place | None:
    """Where the nearest run behind ``after`` begins that is in one of the states, None where there is none.

    A run is one place, however long it is: what is mended where it begins is mostly mended.

    Args:
        ranges: Of one or more objects, in any order; of equally near ones that of the smaller id wins.
        after: A frame; a run that it lies in is behind already.
        states: Any of these; see :func:`is_worth_a_look`.
        backward: Search before ``after`` instead, for the last frames of runs.
    """
    best: Place | None = None
    for state in ranges:
        if not is_worth_a_look(state, states):
            continue
        frame = state.frames.last if backward else state.frames.first
        if not (frame < after if backward else frame > after):
            continue
        if best is None or _rank(frame, state, after) < _rank(best.frame, best.state, after):
            best = Place(frame, state)
    return best


def _rank(frame: int, state: StateRange, after: int) -> tuple[int, int]:
    return abs(frame - after), state.object_id


def untracked(object_id: int, clip: ClipInfo, known: Collection[int]) -> tuple[StateRange, ...]:
    """Runs of frames with a picture and without a mask; of ``known`` frames it has one."""
    given = {*known, *clip.missing_frames}
    runs: list[FrameRange] = []
    for frame in range(clip.first_frame, clip.last_frame + 1):
        if frame in given:
            continue
        if runs and runs[-1].last == frame - 1:
            runs[-1] = FrameRange(runs[-1].first, frame)
        else:
            runs.append(FrameRange(frame, frame))
    return tuple(StateRange(object_id, run, Presence.ABSENT, prompted=False, tracked=False) for run in runs)


def is_begun(known: Collection[int], prompted: Collection[int]) -> bool:
    """True for an object that was tracked: frames without a mask are only then worth a look."""
    return bool(prompted) and not set(known) <= set(prompted)
