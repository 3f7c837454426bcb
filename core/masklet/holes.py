"""Frames that were asked for and have no matte: of which object, and why.

One place decides why, for exports, the command line and reviews alike: :func:`find_holes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from masklet.frame_runs import runs_without, shown
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from masklet.types import ObjectInfo, SessionInfo


class HoleReason(Enum):
    """Why an object has no matte on a frame."""

    BEHIND_CUT = "behind-cut"
    """It is prompted in other shots only, and tracking stopped at the cut."""
    NOT_TRACKED = "not-tracked"
    """Its shot has a prompt, and no track has reached the frame."""
    NOT_PROMPTED = "not-prompted"
    """Nothing was ever said about it."""
    NO_PICTURE = "no-picture"
    """The plate has no such frame."""
    UNREADABLE = "unreadable"
    """The plate's file of this frame cannot be read."""
    REMOVED = "removed"
    """It was removed while files were written."""


@dataclass(frozen=True)
class Hole:
    """Consecutive frames on which an object has no matte for one reason.

    Attributes:
        object_id: Whose.
        object_name: As it was when this was found.
        frames: Which.
        reason: Why.
        cut: First frame of the new shot, for BEHIND_CUT; at it or behind it lie the frames, or before it
            where the object is prompted in later shots only.
    """

    object_id: int
    object_name: str
    frames: FrameRange
    reason: HoleReason
    cut: int | None = None

    @property
    def words(self) -> str:
        """The reason for people: ``behind the cut at 1047: not tracked``."""
        if self.reason is HoleReason.BEHIND_CUT and self.cut is not None:
            side = "behind" if self.frames.first >= self.cut else "before"
            return f"{side} the cut at {self.cut}: not tracked"
        return _WORDS[self.reason]

    def as_json(self) -> dict[str, Any]:
        """For scripts: object, first and last frame, reason and cut."""
        return {
            "object": self.object_name,
            "first_frame": self.frames.first,
            "last_frame": self.frames.last,
            "reason": self.reason.value,
            "cut": self.cut,
        }


_WORDS = {
    HoleReason.BEHIND_CUT: "behind a cut: not tracked",
    HoleReason.NOT_TRACKED: "not tracked",
    HoleReason.NOT_PROMPTED: "nothing says where the object is: not tracked",
    HoleReason.NO_PICTURE: "the plate has no picture",
    HoleReason.UNREADABLE: "the plate's picture cannot be read",
    HoleReason.REMOVED: "the object was removed meanwhile",
}
_REPAIRS = {
    HoleReason.BEHIND_CUT: "click the object there",
    HoleReason.NOT_TRACKED: "track there",
    HoleReason.NOT_PROMPTED: "click the object, then track",
    HoleReason.NO_PICTURE: "render the frame, or leave it out of the range",
    HoleReason.UNREADABLE: "copy or render the frame again",
    HoleReason.REMOVED: "",
}


def find_holes(
    session: SessionInfo,
    frames: FrameRange | None = None,
    object_ids: Collection[int] = (),
) -> tuple[Hole, ...]:
    """Every frame without a matte, by object in the session's order, then by frame.

    Args:
        session: As the server tells it now.
        frames: What was asked for; None for the whole clip.
        object_ids: Whose; empty for all.
    """
    asked = frames or session.clip.frames
    unreadable = frozenset(one.frame for one in session.clip.unreadable)
    missing = frozenset(session.clip.missing_frames) - unreadable
    found: list[Hole] = []
    for item in session.objects:
        if object_ids and item.object_id not in object_ids:
            continue
        masked = {
            frame
            for state in session.states
            if state.object_id == item.object_id and state.tracked
            for frame in range(state.frames.first, state.frames.last + 1)
        }
        for run in runs_without(asked, masked):
            for frame in range(run.first, run.last + 1):
                reason, cut = _reason(frame, item, session.cuts, missing, unreadable)
                _grow(found, Hole(item.object_id, item.name, FrameRange(frame, frame), reason, cut))
    return tuple(found)


def hole_sentences(holes: Iterable[Hole]) -> tuple[str, ...]:
    """One sentence for each reason and object, runs together: cause, frames, repair."""
    grouped: dict[tuple[str, str, HoleReason], list[FrameRange]] = {}
    for hole in holes:
        grouped.setdefault((hole.object_name, hole.words, hole.reason), []).append(hole.frames)
    # Objects that lack the same frames for the same reason are told together.
    together: dict[tuple[str, HoleReason, tuple[FrameRange, ...]], list[str]] = {}
    for (name, words, reason), runs in grouped.items():
        together.setdefault((words, reason, tuple(runs)), []).append(name)
    sentences = []
    for (words, reason, spans), names in together.items():
        repair = f"; {_REPAIRS[reason]}" if _REPAIRS[reason] else ""
        sentences.append(f"no matte of {', '.join(names)} on {shown(spans)}, {words}{repair}")
    return tuple(sentences)


def removed_holes(
    objects: Iterable[ObjectInfo], since: Mapping[int, int], frames: FrameRange
) -> tuple[Hole, ...]:
    """Holes of objects that were removed while files were written.

    Args:
        objects: What was to be written.
        since: First frame without the object, by its id.
        frames: The range that was asked for.
    """
    return tuple(
        Hole(
            item.object_id,
            item.name,
            FrameRange(since[item.object_id], frames.last),
            HoleReason.REMOVED,
        )
        for item in objects
        if item.object_id in since
    )


def _reason(
    frame: int,
    item: ObjectInfo,
    cuts: Sequence[int],
    missing: Collection[int],
    unreadable: Collection[int],
) -> tuple[HoleReason, int | None]:
    if frame in unreadable:
        return HoleReason.UNREADABLE, None
    if frame in missing:
        return HoleReason.NO_PICTURE, None
    if not item.prompted_frames:
        return HoleReason.NOT_PROMPTED, None
    before = max((cut for cut in cuts if cut <= frame), default=None)
    after = min((cut for cut in cuts if cut > frame), default=None)
    if any(
        (before is None or prompted >= before) and (after is None or prompted < after)
        for prompted in item.prompted_frames
    ):
        return HoleReason.NOT_TRACKED, None
    earlier = max((prompted for prompted in item.prompted_frames if prompted < frame), default=None)
    if earlier is not None:
        # The first cut on the way is where tracking stopped.
        return HoleReason.BEHIND_CUT, min(cut for cut in cuts if earlier < cut <= frame)
    later = min(prompted for prompted in item.prompted_frames if prompted > frame)
    return HoleReason.BEHIND_CUT, max(cut for cut in cuts if frame < cut <= later)


def _grow(holes: list[Hole], one: Hole) -> None:
    """Add a hole of one frame to the last one where it goes on with it, else as one of its own."""
    last = holes[-1] if holes else None
    if (
        last is not None
        and (last.object_id, last.reason, last.cut) == (one.object_id, one.reason, one.cut)
        and last.frames.last == one.frames.first - 1
    ):
        holes[-1] = Hole(
            last.object_id,
            last.object_name,
            FrameRange(last.frames.first, one.frames.last),
            last.reason,
            last.cut,
        )
    else:
        holes.append(one)
