"""How the tracking of a shot is cut into tasks that need nothing of each other. Pure.

A frame is tracked from the nearest prompted frame (``masklet_server.sessions.plan``), and what lies between
two prompted frames meets half-way. So a way from a prompted frame to the half-way is the same whatever
happens elsewhere, and ways may be tracked on different machines. Objects are tracked together where they are
prompted on the same frames. A way itself is never cut between machines: its frames need those before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.types import Direction, FrameRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.types import PromptDocument


@dataclass(frozen=True)
class Way:
    """Frames that are tracked one after the other, away from a prompted frame.

    Attributes:
        frames: The prompted frame itself belongs to the way forwards.
        backward: From the last to the first.
    """

    frames: FrameRange
    backward: bool


@dataclass(frozen=True)
class Piece:
    """One task: ways of objects that are tracked together.

    Attributes:
        number: Counts from 1 in its shot.
        objects: Names.
        ways: In the order in which they are tracked.
    """

    number: int
    objects: tuple[str, ...]
    ways: tuple[Way, ...]

    @property
    def frames(self) -> int:
        """How many, all ways together."""
        return sum(len(way.frames) for way in self.ways)


def cut_into_pieces(
    document: PromptDocument,
    frames: FrameRange,
    direction: Direction,
    *,
    objects_per_task: int,
    steps_per_task: float,
) -> tuple[Piece, ...]:
    """The tasks of a shot.

    Args:
        document: What was said.
        frames: To make.
        direction: Which way to track.
        objects_per_task: Objects of a piece at most.
        steps_per_task: Frames times objects of a piece, about: ways are joined up to that.
    """
    prompted: dict[tuple[int, ...], list[str]] = {}
    for info in document.objects:
        said = sorted({item.frame for item in document.prompts if item.object_id == info.object_id})
        if said:
            prompted.setdefault(tuple(said), []).append(info.name)
    pieces: list[Piece] = []
    for said_frames, names in prompted.items():
        for first in range(0, len(names), objects_per_task):
            own = tuple(names[first : first + objects_per_task])
            for ways in _joined(_ways(said_frames, frames, direction), steps_per_task / len(own)):
                pieces.append(Piece(len(pieces) + 1, own, ways))
    return tuple(pieces)


def _ways(prompted: Sequence[int], frames: FrameRange, direction: Direction) -> list[Way]:
    """All ways that have frames in the range, ascending: each frame is in one of them."""
    found: list[Way] = []
    for place, source in enumerate(prompted):
        left = prompted[place - 1] if place else None
        right = prompted[place + 1] if place + 1 < len(prompted) else None
        first = source if left is None else _meeting(left, source, direction) + 1
        if left is None and direction is not Direction.FORWARD:
            first = frames.first
        last = source if right is None else _meeting(source, right, direction)
        if right is None and direction is not Direction.BACKWARD:
            last = frames.last
        for low, high, backward in ((first, source - 1, True), (source, last, False)):
            low, high = max(low, frames.first), min(high, frames.last)
            if low <= high:
                found.append(Way(FrameRange(low, high), backward))
    return found


def _meeting(left: int, right: int, direction: Direction) -> int:
    """Last frame that is reached forwards from ``left``, as the server plans it."""
    if direction is Direction.FORWARD:
        return right - 1
    if direction is Direction.BACKWARD:
        return left
    return (left + right) // 2


def _joined(ways: Sequence[Way], most_frames: float) -> list[tuple[Way, ...]]:
    """Neighbouring ways together, up to so many frames; a longer one alone."""
    groups: list[list[Way]] = []
    filled = 0
    for way in ways:
        if groups and filled + len(way.frames) <= most_frames:
            groups[-1].append(way)
            filled += len(way.frames)
        else:
            groups.append([way])
            filled = len(way.frames)
    return [tuple(group) for group in groups]
