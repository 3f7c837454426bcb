"""A lane of a timeline: what became of one object on every frame, and where the artist said something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from masklet.types import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from masklet.hosting.shown.frame_book import Strip
    from masklet.said.documents import SaidObject
    from masklet.types import FramePrompts, FrameRange


class LaneState(Enum):
    """What a run of frames is drawn as."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    """Look here."""
    RIVAL = "rival"
    """Something that looks like the object is near."""
    ABSENT = "absent"
    STALE = "stale"
    """Prompts have overtaken it: track again."""
    LOST = "lost"
    """There was a mask once, and the server has it no more."""

    @property
    def is_bad(self) -> bool:
        """True for what an artist is led to."""
        return self in (LaneState.UNCERTAIN, LaneState.RIVAL, LaneState.STALE)


@dataclass(frozen=True)
class Block:
    """A run of frames in one state; locked frames are good whatever their state."""

    first: int
    last: int
    state: LaneState
    locked: bool = False


class MarkKind(Enum):
    """What was said on a frame."""

    PROMPT = "prompt"
    """Where the object is, before anything was tracked there."""
    CORRECTION = "correction"
    """Where tracking was wrong."""
    DRAWN = "drawn"
    """A mask by hand."""


@dataclass(frozen=True)
class Mark:
    """A frame on which something was said."""

    frame: int
    kind: MarkKind


@dataclass(frozen=True)
class Lane:
    """One object's lane.

    Attributes:
        uid: Of the object.
        name: Of the object.
        blocks: Ascending, apart from each other; frames without a mask are in none.
        locks: Ascending; frames without a mask may be locked too.
        marks: Ascending.
    """

    uid: str
    name: str
    blocks: tuple[Block, ...] = ()
    locks: tuple[FrameRange, ...] = ()
    marks: tuple[Mark, ...] = ()

    def at(self, frame: int) -> Block | None:
        """The run that holds a frame; None where the object has no mask."""
        return next((block for block in self.blocks if block.first <= frame <= block.last), None)

    def mark_at(self, frame: int) -> Mark | None:
        """What was said on a frame; None for nothing."""
        return next((mark for mark in self.marks if mark.frame == frame), None)

    def is_locked(self, frame: int) -> bool:
        """True where tracking leaves the frame alone."""
        return any(frame in frames for frames in self.locks)


_BY_PRESENCE: Mapping[Presence, LaneState] = {
    Presence.PRESENT: LaneState.PRESENT,
    Presence.UNCERTAIN: LaneState.UNCERTAIN,
    Presence.ABSENT: LaneState.ABSENT,
}


def lane_of(said: SaidObject, strips: Iterable[Strip]) -> Lane:
    """The lane of an object.

    Args:
        said: What is said about it: marks and locks are the document's, whether or not a server knows them.
        strips: What is known of its frames.
    """
    blocks: list[Block] = []
    for strip in strips:
        block = Block(strip.first, strip.last, state_of(strip), strip.locked)
        before = blocks[-1] if blocks else None
        # Runs differ in more than is drawn: a prompted frame is a mark, no block of its own.
        if (
            before is not None
            and before.last + 1 == block.first
            and (before.state, before.locked) == (block.state, block.locked)
        ):
            blocks[-1] = Block(before.first, block.last, block.state, block.locked)
        else:
            blocks.append(block)
    marks = tuple(Mark(prompts.frame, _kind(prompts)) for prompts in said.frames)
    return Lane(said.uid, said.name, tuple(blocks), said.locks, marks)


def state_of(strip: Strip) -> LaneState:
    """What a run is drawn as: what needs an artist most comes first."""
    if not strip.held:
        return LaneState.LOST
    if strip.stale:
        return LaneState.STALE
    if strip.rival and strip.presence is Presence.PRESENT:
        return LaneState.RIVAL
    return _BY_PRESENCE[strip.presence]


def _kind(prompts: FramePrompts) -> MarkKind:
    if prompts.mask is not None:
        return MarkKind.DRAWN
    return MarkKind.PROMPT if prompts.base is None else MarkKind.CORRECTION
