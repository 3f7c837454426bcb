"""What is noticed on the way of one track: legs that ended early, at a cut.

A leg of an object is a run of consecutive frames in one direction. Objects share steps, so each is
watched by itself; a frame that does not follow the one before begins a new leg.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class _Leg:
    last_frame: int
    blocked: bool = False


@dataclass(eq=False)
class LegWatch:
    """The state of all legs of one track.

    Attributes:
        cuts: First frames of new shots that were met.
        done: By object, frames that were tracked.
    """

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

    def note(self, object_id: int, frame: int) -> None:
        """A frame is done."""
        self.done.setdefault(object_id, set()).add(frame)
