"""Policies that may help an object, by what was seen of it. Nothing is switched by it: a person chooses.

How often which policy helped is in ``docs/hard-shots.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Optional

from masklet.frame_runs import runs_joined
from masklet.types import FrameRange, FrameState, MemoryPolicy, ObjectPolicy, Presence, StateRange

LONG_FRAMES = 20
"""An absence is long from so many frames on."""
_CROWD_FRAMES = 12
_CROWD_SHARE = 0.5


class Sign(Enum):
    """What was seen."""

    LOOK_ALIKE = "look-alike"
    """Something that looks like the object came near."""
    CROWD = "crowd"
    """Such things were near on half of its frames or more."""
    LONG_ABSENCE = "long-absence"
    """The object was gone for long."""


MAY_HELP = MappingProxyType(
    {
        Sign.LOOK_ALIKE: MemoryPolicy.GUARDED,
        Sign.CROWD: MemoryPolicy.DISTRACTOR,
        Sign.LONG_ABSENCE: MemoryPolicy.GATED,
    }
)
"""The policy to try, by sign."""


@dataclass(frozen=True)
class Suggestion:
    """What was seen of an object, and what may help.

    Attributes:
        object_id: Whose.
        sign: What was seen.
        frames: Where, ascending.
        policy: To be tried where it went wrong; None for an object that somebody has chosen one for.
    """

    object_id: int
    sign: Sign
    frames: tuple[FrameRange, ...]
    policy: Optional[MemoryPolicy]


def suggestions(
    states: Iterable[StateRange], policies: Iterable[ObjectPolicy] = ()
) -> tuple[Suggestion, ...]:
    """What is seen in the states of a session's objects, by object, then as in :class:`Sign`.

    Args:
        states: As the session tells them. Locked and corrected frames count as looked at.
        policies: Of the session's objects.
    """
    chosen = {own.object_id for own in policies}
    by_object: dict[int, list[StateRange]] = {}
    for state in states:
        by_object.setdefault(state.object_id, []).append(state)
    found: list[Suggestion] = []
    for object_id, own in sorted(by_object.items()):
        for sign, frames in _signs(own):
            found.append(Suggestion(object_id, sign, frames, None if object_id in chosen else MAY_HELP[sign]))
    return tuple(found)


def _signs(states: Iterable[StateRange]) -> Iterable[tuple[Sign, tuple[FrameRange, ...]]]:
    seen = [state for state in states if state.tracked]
    beside = runs_joined(state.frames for state in seen if state.rival and not _looked_at(state))
    if beside:
        visible = [state for state in seen if state.presence is not Presence.ABSENT]
        all_frames = sum(_length(state.frames) for state in visible)
        rival_frames = sum(_length(state.frames) for state in visible if state.rival)
        is_crowd = rival_frames >= max(_CROWD_FRAMES, _CROWD_SHARE * all_frames)
        yield Sign.CROWD if is_crowd else Sign.LOOK_ALIKE, tuple(beside)
    gone = runs_joined(state.frames for state in seen if state.presence is Presence.ABSENT)
    away = tuple(run for run in gone if _length(run) >= LONG_FRAMES)
    if away:
        yield Sign.LONG_ABSENCE, away


def _looked_at(state: StateRange) -> bool:
    return bool(state.states & {FrameState.LOCKED, FrameState.CORRECTED})


def _length(run: FrameRange) -> int:
    return run.last - run.first + 1
