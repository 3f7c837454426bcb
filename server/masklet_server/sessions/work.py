"""What one track was asked to do, planned at its start and once more for what a cut left over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from masklet.types import ClipInfo, CutPolicy, Direction, FrameRange
from masklet_server.sessions.plan import Ground, Plan, Step, TrackOrder, plan_track, range_in
from masklet_server.sessions.track_watch import TrackWatch


@dataclass(frozen=True, eq=False)
class Planner:
    """What planning needs to know of a session, as it is when it is asked.

    Attributes:
        clip: The session's.
        order: From which prompt frames are tracked.
        ground: What there is of an object, for a track with this policy at cuts.
        stale: Frames of an object that prompts have overtaken.
        exists: False for an object that has gone meanwhile.
        cuts: First frames of new shots, as far as they are known.
    """

    clip: ClipInfo
    order: TrackOrder
    ground: Callable[[int, CutPolicy], Ground]
    stale: Callable[[int], Collection[int]]
    exists: Callable[[int], bool]
    cuts: Callable[[], Sequence[int]]


@dataclass(eq=False)
class TrackWork:
    """One track: what was asked, and what was noticed on the way.

    Attributes:
        farm: Nobody waits for it.
        planned_cuts: Cuts that the latest plan went around.
    """

    objects: tuple[int, ...]
    frames: FrameRange | None
    direction: Direction
    stale_only: bool
    at_cuts: CutPolicy
    farm: bool = False
    watch: TrackWatch = field(default_factory=TrackWatch)
    planned_cuts: tuple[int, ...] = ()
    _received: Mapping[int, Collection[int]] | None = None

    def go_on(self, done: dict[int, set[int]], received: Mapping[int, Collection[int]]) -> None:
        """Take up where another stopped.

        Args:
            done: By object, frames that it made; more may come to this while its last frame is in hand.
            received: By object, frames of them that need not be told again.
        """
        self.watch.done = done
        self._received = received

    def begin(self, planner: Planner) -> Plan:
        """The plan at the start.

        Raises:
            BadInputError: The range leaves the clip.
        """
        only: dict[int, Collection[int]] | None = None
        if self.stale_only:
            only = {object_id: frozenset(planner.stale(object_id)) for object_id in self.objects}
        if self._received is None:
            return self._plan(planner, only)
        return self._rest(planner, self._received)

    def _rest(self, planner: Planner, received: Mapping[int, Collection[int]]) -> Plan:
        """What is left of a track that was broken off: masks to tell again, and frames to make."""
        wanted = range_in(planner.clip, self.frames)
        inside = frozenset(planner.clip.missing.without(range(wanted.first, wanted.last + 1)))
        only: dict[int, Collection[int]] = {}
        told: dict[int, list[int]] = {}
        for object_id in filter(planner.exists, self.objects):
            stale = frozenset(planner.stale(object_id))
            done = self.watch.done.get(object_id, set()) - stale
            only[object_id] = stale if self.stale_only else inside - done
            prompted = () if self.stale_only else planner.ground(object_id, self.at_cuts).prompted
            for frame in inside.intersection({*done, *prompted}) - set(received.get(object_id, ())):
                told.setdefault(frame, []).append(object_id)
        plan = self._plan(planner, only)
        return replace(
            plan,
            prompted=tuple(Step(frame, tuple(told[frame]), backward=False) for frame in sorted(told)),
            earlier_steps=len(inside.intersection(set().union(*self.watch.done.values()))),
            earlier_updates=sum(len(inside.intersection(frames)) for frames in received.values()),
        )

    def extend(self, planner: Planner) -> Plan | None:
        """A plan for frames behind cuts that nobody knew of, from prompts on their side; None without any."""
        if self.at_cuts is not CutPolicy.STOP or set(planner.cuts()) <= set(self.planned_cuts):
            return None
        wanted = range_in(planner.clip, self.frames)
        only: dict[int, Collection[int]] = {}
        for object_id in filter(planner.exists, self.objects):
            left = frozenset(planner.clip.missing.without(range(wanted.first, wanted.last + 1)))
            if self.stale_only:
                left = frozenset(planner.stale(object_id))
            only[object_id] = left - self.watch.done.get(object_id, set())
        plan = self._plan(planner, only)
        return plan if plan.steps else None

    def _plan(self, planner: Planner, only: dict[int, Collection[int]] | None) -> Plan:
        self.planned_cuts = tuple(planner.cuts()) if self.at_cuts is CutPolicy.STOP else ()
        return plan_track(
            {
                object_id: planner.ground(object_id, self.at_cuts)
                for object_id in self.objects
                if planner.exists(object_id)
            },
            planner.clip,
            frames=self.frames,
            direction=self.direction,
            order=planner.order,
            cuts=self.planned_cuts,
            only=only,
        )
