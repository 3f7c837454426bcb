"""What may be true of an object on a frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from masklet.frame_range import FrameRange


class Presence(Enum):
    """What the tracker believes of one object on one frame."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"


class FrameState(Enum):
    """What may be true of one object on one frame; several can be at a time."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"
    CORRECTED = "corrected"
    """The artist prompted the object here."""
    LOCKED = "locked"
    """Tracking leaves it as it is."""
    STALE = "stale"
    """Prompts have changed since, in a way that reaches here: track again."""
    UNTRACKED = "untracked"
    """It has no mask yet, though others of the object were tracked."""
    RIVAL = "rival"
    """Something that looks like the object is near, and the tracker nearly took it."""


@dataclass(frozen=True)
class StateRange:
    """Consecutive frames of one object that are in the same state."""

    object_id: int
    frames: FrameRange
    presence: Presence
    prompted: bool
    locked: bool = False
    stale: bool = False
    tracked: bool = True
    rival: bool = False

    @property
    def states(self) -> frozenset[FrameState]:
        """All that is true of these frames; nothing else is of those without a mask."""
        if not self.tracked:
            return frozenset((FrameState.UNTRACKED,))
        found = {FrameState(self.presence.value)}
        if self.prompted:
            found.add(FrameState.CORRECTED)
        if self.locked:
            found.add(FrameState.LOCKED)
        if self.stale:
            found.add(FrameState.STALE)
        if self.rival:
            found.add(FrameState.RIVAL)
        return frozenset(found)
