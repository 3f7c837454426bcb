"""Where to look next."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from masklet.types import FrameState, StateRange

WORTH_A_LOOK = frozenset({FrameState.UNCERTAIN, FrameState.STALE})
"""What an artist means by a bad frame, unless told otherwise."""


@dataclass(frozen=True)
class Place:
    """A frame of an object, and the run of frames in the same state around it."""

    frame: int
    state: StateRange


def next_place(
    ranges: Iterable[StateRange],
    *,
    after: int,
    states: Collection[FrameState] = WORTH_A_LOOK,
    backward: bool = False,
) -> Place | None:
    """The nearest frame behind ``after`` in one of the states, None where there is no more.

    Args:
        ranges: Of one or more objects, in any order; of equally near ones the first wins.
        after: A frame, which does not count itself.
        states: Any of these; locked frames are left out unless asked for: nobody needs to look there.
        backward: Search before ``after`` instead.
    """
    wanted = frozenset(states)
    best: Place | None = None
    for state in ranges:
        if not state.states & wanted or (state.locked and FrameState.LOCKED not in wanted):
            continue
        first, last = state.frames.first, state.frames.last
        frame = min(last, after - 1) if backward else max(first, after + 1)
        if not first <= frame <= last:
            continue
        if best is None or abs(frame - after) < abs(best.frame - after):
            best = Place(frame, state)
    return best
