"""Which frames to visit, for which objects, in which order. Pure: no clip is read, nothing is tracked.

A plan has a forward sweep and then a backward sweep over the range. Within a sweep all objects that
need a frame share one step, so that the network sees them in one batch; each object still meets its
own frames in order, beginning next to one of its prompts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from masklet.errors import BadInputError
from masklet.types import ClipInfo, Direction, FrameRange


class TrackOrder(Enum):
    """From which prompt a frame is tracked when an object has several."""

    NEAREST = "nearest"
    """From the nearest prompted frame in the directions asked for: corrections win around themselves."""
    FIRST_PROMPT = "first-prompt"
    """From the first prompted frame to the end, then back to the start, as the paper's predictor does."""


@dataclass(frozen=True)
class Step:
    """One frame to visit, and the objects that need it."""

    frame: int
    object_ids: tuple[int, ...]
    backward: bool


@dataclass(frozen=True)
class Plan:
    """All that a track will do.

    Attributes:
        steps: In the order of travel. Steps outside ``frames`` lead from a prompt to the range.
        prompted: Frames of the range with prompts, and whose; their masks exist already.
        frames: The range that was asked for.
        missing_frames: Frames of the range that the clip does not have.
    """

    steps: tuple[Step, ...]
    prompted: tuple[Step, ...]
    frames: FrameRange
    missing_frames: tuple[int, ...]

    @property
    def updates(self) -> int:
        """How many masks inside the range the plan makes or finds."""
        inside = (step for step in (*self.prompted, *self.steps) if step.frame in self.frames)
        return sum(len(step.object_ids) for step in inside)


def plan_track(
    prompted_frames: Mapping[int, Sequence[int]],
    clip: ClipInfo,
    *,
    frames: FrameRange | None = None,
    direction: Direction = Direction.BOTH,
    order: TrackOrder = TrackOrder.NEAREST,
    known_frames: Mapping[int, Collection[int]] | None = None,
) -> Plan:
    """Plan the tracking of some objects over a range.

    Args:
        prompted_frames: For each object to track, the frames with prompts, in any order.
        clip: Its missing frames are left out of the plan and reported.
        frames: What to cover; None is the whole clip.
        direction: Which way to go from each prompt; BOTH meets half-way between two prompts.
        order: See :class:`TrackOrder`.
        known_frames: Frames with a result, by object. A range that no prompt touches is reached
            from the last known frame on the way to it, or else from the prompt itself.

    Returns:
        The plan; without steps when nothing in the range lies in the direction of travel.

    Raises:
        BadInputError: The range leaves the clip.
    """
    wanted = range_in(clip, frames)
    missing = frozenset(clip.missing_frames)
    known = known_frames or {}
    ahead: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    prompted: dict[int, list[int]] = {}
    for object_id, own_frames in prompted_frames.items():
        own = sorted(own_frames)
        for frame in own:
            if frame in wanted:
                prompted.setdefault(frame, []).append(object_id)
        for leg in _legs(own, wanted, direction, order):
            for frame in _reach(leg, wanted, known.get(object_id, ()), frozenset(own)):
                (behind if leg.backward else ahead).setdefault(frame, []).append(object_id)
    forward = (Step(frame, tuple(ahead[frame]), backward=False) for frame in sorted(ahead))
    backward = (Step(frame, tuple(behind[frame]), backward=True) for frame in sorted(behind, reverse=True))
    return Plan(
        steps=tuple(step for step in (*forward, *backward) if step.frame not in missing),
        prompted=tuple(Step(frame, tuple(prompted[frame]), backward=False) for frame in sorted(prompted)),
        frames=wanted,
        missing_frames=tuple(sorted(frame for frame in missing if frame in wanted)),
    )


def range_in(clip: ClipInfo, frames: FrameRange | None) -> FrameRange:
    """The range that was asked for, the whole clip when that is None.

    Raises:
        BadInputError: The range leaves the clip.
    """
    if frames is None:
        return clip.frames
    if frames.first < clip.first_frame or frames.last > clip.last_frame:
        raise BadInputError(
            f"frames {frames.first}-{frames.last} are not all in the clip, which has "
            f"{clip.first_frame}-{clip.last_frame}: choose a range inside it"
        )
    return frames


@dataclass(frozen=True)
class _Leg:
    """A way from next to a prompted frame to a last frame; one that would have to turn round is empty."""

    start: int
    last: int
    backward: bool


def _legs(own: Sequence[int], wanted: FrameRange, direction: Direction, order: TrackOrder) -> list[_Leg]:
    """Legs that cover the range once, as far as the direction allows."""
    if not own:
        return []
    legs: list[_Leg] = []
    first_prompt = order is TrackOrder.FIRST_PROMPT
    starts = [None, own[0], None] if first_prompt else [None, *own, None]
    for left, start, right in zip(starts, starts[1:], starts[2:], strict=False):
        if start is None:
            continue
        if direction is not Direction.BACKWARD:
            last = wanted.last if right is None else _meeting(start, right, direction)
            legs.append(_Leg(start, last, backward=False))
        if direction is not Direction.FORWARD:
            last = wanted.first if left is None else _meeting(left, start, direction) + 1
            legs.append(_Leg(start, last, backward=True))
    return legs


def _meeting(left: int, right: int, direction: Direction) -> int:
    """Last frame reached forwards from ``left`` before ``right`` takes over."""
    if direction is Direction.FORWARD:
        return right - 1
    if direction is Direction.BACKWARD:
        return left
    return (left + right) // 2


def _reach(leg: _Leg, wanted: FrameRange, known: Collection[int], own: frozenset[int]) -> list[int]:
    """Frames of a leg up to its last one in the range, without those before it that are not needed."""
    way = -1 if leg.backward else 1
    frames = [frame for frame in range(leg.start + way, leg.last + way, way) if frame not in own]
    inside = [index for index, frame in enumerate(frames) if frame in wanted]
    if not inside:
        return []
    entry = inside[0]
    while entry > 0 and frames[entry - 1] not in known:
        entry -= 1
    return frames[entry : inside[-1] + 1]
