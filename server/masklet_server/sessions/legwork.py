"""What is noticed on the way of one track: legs that ended early, at a cut or because nothing changes.

A leg of an object is a run of consecutive frames in one direction. Objects share steps, so each is
watched by itself; a frame that does not follow the one before begins a new leg.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from masklet.types import Presence
from masklet_server.sessions.tracking import ObjectFrame

AGREEING_IOU = 0.999
AGREEING_POINTER_COSINE = 0.999
AGREEING_FRAMES = 6
"""As many as the network's memory of tracked frames holds: what follows reads the same memory as before."""


@dataclass(eq=False)
class _Leg:
    last_frame: int
    blocked: bool = False
    settled: bool = False
    agreeing: int = 0


@dataclass(eq=False)
class LegWatch:
    """The state of all legs of one track.

    Attributes:
        settles: Legs end where new results agree with the ones they replace.
        cuts: First frames of new shots that were met.
        done: By object, frames that were tracked or found to agree.
    """

    settles: bool = False
    cuts: set[int] = field(default_factory=set)
    done: dict[int, set[int]] = field(default_factory=dict)
    _legs: dict[tuple[int, bool], _Leg] = field(default_factory=dict)

    def enter(self, object_id: int, frame: int, *, before: int, backward: bool) -> bool:
        """Come to a frame from the one ``before`` it on the way; True where the leg goes on there."""
        key = (object_id, backward)
        leg = self._legs.get(key)
        if leg is None or leg.last_frame != before:
            leg = self._legs[key] = _Leg(frame)
        leg.last_frame = frame
        return not leg.blocked

    def block(self, object_id: int, *, backward: bool) -> None:
        """End a leg here: the rest of it is not tracked."""
        self._legs[object_id, backward].blocked = True

    def is_settled(self, object_id: int, *, backward: bool) -> bool:
        """True when the leg has ended because its results had stopped to change."""
        return self._legs[object_id, backward].settled

    def compare(self, new: ObjectFrame, old: ObjectFrame | None, *, backward: bool) -> None:
        """Take note of a new result and of the one that it replaces."""
        leg = self._legs[new.object_id, backward]
        agrees = self.settles and old is not None and agree(new, old)
        leg.agreeing = leg.agreeing + 1 if agrees else 0
        leg.settled = leg.agreeing >= AGREEING_FRAMES

    def note(self, object_id: int, frame: int) -> None:
        """A frame is done."""
        self.done.setdefault(object_id, set()).add(frame)


def agree(new: ObjectFrame, old: ObjectFrame) -> bool:
    """True when two results are the same to the eye and to the memory that is made of them."""
    if new.logits.shape != old.logits.shape or new.pointer.shape != old.pointer.shape:
        return False
    if (new.presence is Presence.ABSENT) != (old.presence is Presence.ABSENT):
        return False
    ours, theirs = new.logits > 0, old.logits > 0
    union = int(np.count_nonzero(ours | theirs))
    if union and np.count_nonzero(ours & theirs) < AGREEING_IOU * union:
        return False
    one, other = new.pointer.astype(np.float32), old.pointer.astype(np.float32)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0.0:
        return not one.any() and not other.any()
    return float(one @ other) >= AGREEING_POINTER_COSINE * lengths
