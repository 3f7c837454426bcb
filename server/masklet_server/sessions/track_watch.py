"""What is noticed on the way of one track: legs that ended early, at a cut.

A leg of an object is a run of consecutive frames in one direction. Objects share steps, so each is
watched by itself; a frame that does not follow the one before begins a new leg.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class TrackWatch:
    """The state of all legs of one track.

    Attributes:
        cuts: First frames of new shots that were met.
        done: By object, frames that were tracked.
    """

    cuts: set[int] = field(default_factory=set)
    done: dict[int, set[int]] = field(default_factory=dict)
    # By object, direction and the frame that was come to last: whether the leg has ended there. An object may
    # have several legs in one direction, which take turns.
    _blocked: dict[tuple[int, bool, int], bool] = field(default_factory=dict)

    def enter(self, object_id: int, frame: int, *, before: int, backward: bool) -> bool:
        """Come to a frame from the one ``before`` it on the way; True where the leg goes on there."""
        blocked = self._blocked.pop((object_id, backward, before), False)
        self._blocked[object_id, backward, frame] = blocked
        return not blocked

    def block(self, object_id: int, frame: int, *, backward: bool) -> None:
        """End a leg at a frame that was entered: the rest of it is not tracked."""
        self._blocked[object_id, backward, frame] = True

    def note(self, object_id: int, frame: int) -> None:
        """A frame is done."""
        self.done.setdefault(object_id, set()).add(frame)
