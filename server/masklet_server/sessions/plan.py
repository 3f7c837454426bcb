"""Which frames to visit, for which objects, in which order. Pure: no clip is read, nothing is tracked.

A plan has a forward sweep and then a backward sweep over the range. Within a sweep all objects that
need a frame share one step, so that the network sees them in one batch; each object still meets its
own frames in order, beginning next to one of its prompts. Locked frames on the way stay as they are and
are memories like others: so locking changes nothing around them. Nothing is planned across a cut.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from masklet.errors import BadInputError
from masklet.frame_runs import runs_joined
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
        runs: Steps in the order of travel; no run needs what another makes, so that any may go first. Steps
            outside ``frames`` lead from a prompt to the range.
        prompted: Frames of the range with prompts, and whose; their masks exist already.
        frames: The range that was asked for.
        missing_frames: Frames of the range that the clip does not have.
        earlier_steps: Steps that were made before the track was broken off and taken up again.
        earlier_updates: Masks that its client has had by then.
    """

    runs: tuple[tuple[Step, ...], ...]
    prompted: tuple[Step, ...]
    frames: FrameRange
    missing_frames: tuple[int, ...]
    earlier_steps: int = 0
    earlier_updates: int = 0

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps: those of the forward sweep, then those of the backward sweep."""
        return tuple(step for run in self.runs for step in run)

    @cached_property
    def updates(self) -> int:
        """How many masks inside the range the plan makes or finds."""
        inside = (step for step in (*self.prompted, *self.steps) if step.frame in self.frames)
        return sum(len(step.object_ids) for step in inside)


@dataclass(frozen=True)
class Ground:
    """What is already there, for each object to track.

    Attributes:
        prompted: Frames with prompts, in any order.
        forward: Frames with a result that tracking forwards would give again, to be built on.
        backward: Frames with one that tracking backwards would give again.
        held: Locked frames with a result, which stay as they are.
    """

    prompted: Collection[int]
    forward: Collection[int] = ()
    backward: Collection[int] = ()
    held: Collection[int] = ()


def plan_track(
    objects: Mapping[int, Ground],
    clip: ClipInfo,
    *,
    frames: FrameRange | None = None,
    direction: Direction = Direction.BOTH,
    order: TrackOrder = TrackOrder.NEAREST,
    cuts: Collection[int] = (),
    only: Mapping[int, Collection[int]] | None = None,
) -> Plan:
    """Plan the tracking of some objects over a range.

    Args:
        objects: The objects to track and what there is of them. A range that no prompt touches is
            reached from the prompt; frames on the way are left out where they are known.
        clip: Its missing frames are left out of the plan and reported.
        frames: What to cover; None is the whole clip.
        direction: Which way to go from each prompt; BOTH meets half-way between two prompts.
        order: See :class:`TrackOrder`.
        cuts: First frames of new shots; a frame is tracked from prompts of its own shot only.
        only: By object, the frames of the range that are wanted; None for all of them.

    Returns:
        The plan; without steps when nothing in the range lies in the direction of travel.

    Raises:
        BadInputError: The range leaves the clip.
    """
    wanted = range_in(clip, frames)
    # By direction, True for backward.
    visits: dict[bool, dict[int, list[tuple[int, ...]]]] = {False: {}, True: {}}
    spans: dict[bool, list[FrameRange]] = {False: [], True: []}
    prompted: dict[int, list[int]] = {}
    for object_id, ground in objects.items():
        for frame in sorted(ground.prompted) if only is None else ():
            if frame in wanted:
                prompted.setdefault(frame, []).append(object_id)
    for object_ids, ground, mine in _alike(objects, only):
        prompts, held = frozenset(ground.prompted), frozenset(ground.held)
        known = {True: held.union(ground.backward), False: held.union(ground.forward)}
        for leg in _legs(ground, wanted, direction, order, sorted(cuts)):
            reached = _reach(leg, clip, wanted, mine, known[leg.backward], prompts, held)
            if reached:
                spans[leg.backward].append(FrameRange(*sorted((reached[0], reached[-1]))))
            for frame in reached:
                visits[leg.backward].setdefault(frame, []).append(object_ids)
    order_of = {object_id: place for place, object_id in enumerate(objects)}
    runs = [
        run
        for backward in (False, True)
        for run in _runs(visits[backward], spans[backward], order_of, backward)
    ]
    if order is TrackOrder.FIRST_PROMPT:
        # There everything hangs on everything before it.
        runs = [tuple(step for run in runs for step in run)]
    return Plan(
        runs=tuple(runs),
        prompted=tuple(Step(frame, tuple(prompted[frame]), backward=False) for frame in sorted(prompted)),
        frames=wanted,
        missing_frames=tuple(frame for frame in clip.missing_frames if frame in wanted),
    )


def affected_frames(frame: int, prompted: Collection[int], clip: ClipInfo, order: TrackOrder) -> range:
    """Frames that a change of prompts on ``frame`` reaches: up to the next prompts on either side.

    In the order of the published predictor everything hangs on everything.
    """
    if order is TrackOrder.FIRST_PROMPT:
        return range(clip.first_frame, clip.last_frame + 1)
    first = max((other + 1 for other in prompted if other < frame), default=clip.first_frame)
    last = min((other - 1 for other in prompted if other > frame), default=clip.last_frame)
    return range(first, last + 1)


def range_in(clip: ClipInfo, frames: FrameRange | None) -> FrameRange:
    """The range that was asked for, the whole clip when that is None.

    Raises:
        BadInputError: The range leaves the clip.
    """
    if frames is None:
        return clip.frames
    if frames.first < clip.first_frame or frames.last > clip.last_frame:
        raise BadInputError(
            f"the clip, which has {clip.frames.shown}, does not hold {frames.worded}: "
            "choose a range inside it"
        )
    return frames


@dataclass(frozen=True)
class _Leg:
    """A way from next to a prompted frame to a last frame; one that would have to turn round is empty."""

    start: int
    last: int
    backward: bool


def _legs(
    ground: Ground, wanted: FrameRange, direction: Direction, order: TrackOrder, cuts: Sequence[int]
) -> list[_Leg]:
    """Legs that cover the range once, as far as the direction allows, and stay within their shots."""
    if not ground.prompted:
        return []
    first_only = order is TrackOrder.FIRST_PROMPT
    sources = [min(ground.prompted)] if first_only else sorted(set(ground.prompted))
    legs: list[_Leg] = []
    ends: list[int | None] = [None, *sources, None]
    for left, source, right in zip(ends, ends[1:], ends[2:], strict=False):
        if source is None:
            continue
        if direction is not Direction.BACKWARD:
            cut = next((cut for cut in cuts if cut > source), None)
            if right is None or (cut is not None and cut <= right):
                last = wanted.last
            else:
                last = _meeting(source, right, direction)
            legs.append(_Leg(source, last if cut is None else min(last, cut - 1), backward=False))
        if direction is not Direction.FORWARD:
            cut = next((cut for cut in reversed(cuts) if cut <= source), None)
            if left is None or (cut is not None and cut > left):
                last = wanted.first
            else:
                last = _meeting(left, source, direction) + 1
            legs.append(_Leg(source, last if cut is None else max(last, cut), backward=True))
    return legs


def _meeting(left: int, right: int, direction: Direction) -> int:
    """Last frame reached forwards from ``left`` before ``right`` takes over."""
    if direction is Direction.FORWARD:
        return right - 1
    if direction is Direction.BACKWARD:
        return left
    return (left + right) // 2


def _reach(
    leg: _Leg,
    clip: ClipInfo,
    wanted: FrameRange,
    only: frozenset[int] | None,
    known: Collection[int],
    prompted: Collection[int],
    held: Collection[int],
) -> list[int]:
    """Frames of a leg that are there and wanted, and all on the way to them that are not known yet.

    All of them, and not only those next to what is wanted: memory reaches back over many frames.
    """
    way = -1 if leg.backward else 1
    there = clip.missing.without(range(leg.start + way, leg.last + way, way))
    frames = [frame for frame in there if frame not in prompted]
    inside = frozenset(range(wanted.first, wanted.last + 1)).difference(held)
    asked = inside if only is None else inside & only
    last = next((at for at in range(len(frames) - 1, -1, -1) if frames[at] in asked), -1)
    return [frame for frame in frames[: last + 1] if frame in asked or frame not in known]


def _alike(
    objects: Mapping[int, Ground], only: Mapping[int, Collection[int]] | None
) -> list[tuple[tuple[int, ...], Ground, frozenset[int] | None]]:
    """Objects of which there is the same, and of which the same is wanted: as a rule all of them."""
    alike: dict[tuple[frozenset[int] | None, ...], list[int]] = {}
    for object_id, ground in objects.items():
        mine = None if only is None else frozenset(only.get(object_id, ()))
        there = (ground.prompted, ground.forward, ground.backward, ground.held)
        alike.setdefault((*map(frozenset, there), mine), []).append(object_id)
    return [(tuple(ids), objects[ids[0]], key[-1]) for key, ids in alike.items()]


def _runs(
    visits: Mapping[int, Sequence[tuple[int, ...]]],
    spans: Collection[FrameRange],
    order_of: Mapping[int, int],
    backward: bool,
) -> list[tuple[Step, ...]]:
    """The steps of a sweep, apart where no leg goes from one frame to the next."""
    together: dict[tuple[tuple[int, ...], ...], tuple[int, ...]] = {}

    def objects_on(frame: int) -> tuple[int, ...]:
        groups = tuple(visits[frame])
        if groups not in together:
            joined = (object_id for group in groups for object_id in group)
            together[groups] = tuple(sorted(joined, key=order_of.__getitem__))
        return together[groups]

    runs: list[tuple[Step, ...]] = []
    for span in runs_joined(spans)[:: -1 if backward else 1]:
        frames = range(span.first, span.last + 1)[:: -1 if backward else 1]
        steps = (Step(frame, objects_on(frame), backward) for frame in frames if frame in visits)
        runs.append(tuple(steps))
    return runs
