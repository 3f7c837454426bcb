"""The tracks of one session: one at a time, each over a plan."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import MappingProxyType
from typing import Protocol, TypeVar

from masklet.errors import BusyError, NotPromptedError
from masklet.events import Waiting
from masklet.types import ClipInfo, CutPolicy, Direction, FrameRange
from masklet_server.aside import working_beside
from masklet_server.sessions.admission import Admission, TrackNeeds
from masklet_server.sessions.durability import Restored, TrackNumber
from masklet_server.sessions.editor import Editor
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.plan import Plan, Step, TrackOrder, range_in
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.recorder import Recorder
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import SessionTracker
from masklet_server.sessions.track import TrackItem, TrackRun
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.work import Planner, TrackWork
from masklet_server.tracking import ObjectFrame

ResultT = TypeVar("ResultT")
PlanT = TypeVar("PlanT", Plan, Plan | None)

LOOK_COUNTS_S = 60.0
"""For so long a track goes where the artist looked last."""


class Turns(Protocol):
    """What tracks need of their session."""

    @property
    def session_id(self) -> str:
        """Given by the store."""
        ...

    @property
    def clip(self) -> ClipInfo:
        """As far as it is known to be usable."""
        ...

    @property
    def results(self) -> ResultStore:
        """Masks."""
        ...

    async def refresh(self) -> None:
        """Use frames again whose files were mended since they could not be used."""
        ...

    async def settle(self) -> None:
        """See that all changes are kept."""
        ...

    async def at_results(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something with stored masks in a thread."""
        ...

    async def make_room(self) -> None:
        """See that a frame's results can be kept before they are made."""
        ...

    async def turn(
        self,
        call: Callable[[], ResultT],
        *,
        urgent: bool = False,
        turn_class: TurnClass = TurnClass.SHOT,
        commits: bool = True,
    ) -> ResultT:
        """Make a call in a turn of the device."""
        ...


class Tracks:
    """Makes tracks. To be used from one event loop.

    Args:
        session: Has the device and the masks.
        book: What is said.
        tracker: Tracks a frame.
        editor: Knows what tracking may build on.
        order: From which prompt frames are tracked.
        recorder: Told which track results come from.

    Attributes:
        number: Of the last track.
    """

    def __init__(
        self,
        session: Turns,
        book: PromptBook,
        tracker: SessionTracker,
        editor: Editor,
        order: TrackOrder,
        recorder: Recorder | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.number = TrackNumber()
        self._recorder = recorder
        # By object, frames that the last track has made.
        self._done: dict[int, set[int]] = {}
        self._session = session
        self._book = book
        self._tracker = tracker
        self._editor = editor
        self._order = order
        self._admission = admission or Admission(Ledger(0))
        self._running: TrackRun | None = None
        self._needs: dict[TrackRun, TrackNeeds] = {}
        self._looked_at: tuple[int | None, float] = (None, 0.0)

    @property
    def is_running(self) -> bool:
        """True while somebody reads a track."""
        return self._running is not None

    @property
    def steps_left(self) -> int:
        """How many frames the track that runs has still to visit; 0 where none runs."""
        return 0 if self._running is None else self._running.steps_left

    @property
    def looked_at(self) -> int | None:
        """The frame that the artist looks at; None where nobody has said so lately."""
        frame, told_s = self._looked_at
        return None if time.monotonic() - told_s > LOOK_COUNTS_S else frame

    def look_at(self, frame: int) -> None:
        """Hear which frame the artist looks at: a track that runs goes there first."""
        self._looked_at = frame, time.monotonic()

    def restore(self, restored: Restored) -> None:
        """Know again how far the last track came."""
        self.number, self._done = restored.standing.track, restored.tracked()

    def pause(self) -> None:
        """Stop tracking after the frame in hand and tell the reader to come back: the server stops."""
        if self._running is not None:
            self._running.pause()

    def cancel(self) -> bool:
        """Stop tracking after the frame in hand; False when nothing runs."""
        if self._running is None:
            return False
        self._running.stop()
        return True

    async def track(
        self,
        *,
        frames: FrameRange | None = None,
        object_ids: Sequence[int] = (),
        direction: Direction = Direction.BOTH,
        stale_only: bool = False,
        at_cuts: CutPolicy = CutPolicy.STOP,
        farm: bool = False,
        request_id: str = "",
        received: Mapping[int, Collection[int]] = MappingProxyType({}),
    ) -> AsyncGenerator[TrackItem, None]:
        """Track objects over a range: a start, results as they come, those of a step together, an end.

        Args:
            frames: None for the whole clip.
            object_ids: Empty for all objects with prompts.
            direction: Which way from the prompts.
            stale_only: Only what prompts have overtaken, and no further than results change.
            at_cuts: What to do where one shot ends and another begins.
            farm: Nobody waits for it: it takes what others leave of the device.
            request_id: A second track with the same id takes the place of the first and goes on where that
                stopped, in this process or an earlier one.
            received: By object, frames whose masks the client has had of it.

        Raises:
            NotPromptedError: An object has no prompts, or none has.
            ObjectNotFoundError: The session has no such object.
            BadInputError: The range leaves the clip.
            BusyError: Another track runs.
        """
        await self._session.refresh()
        if self._book.contents.locks:
            await self._session.turn(partial(self._editor.settle, self._book))
        running = self._running
        if running is not None and (not request_id or running.request_id != request_id):
            raise BusyError("this session is tracking already: wait until it is done, or cancel it")
        work = TrackWork(
            objects=self._chosen(object_ids),
            frames=frames,
            direction=direction,
            stale_only=stale_only,
            at_cuts=at_cuts,
            farm=farm,
        )
        if not request_id or request_id != self.number.request_id:
            self.number = TrackNumber(self.number.number + 1, request_id)
            self._done = {}
            if received:
                # It broke off before its first frame was tracked; masks of prompted frames have arrived.
                work.go_on(self._done, received)
        else:
            work.go_on(self._done, received)
        self._done = work.watch.done
        range_in(self._session.clip, frames)
        if running is not None:
            running.stop()
        run = TrackRun(
            partial(self._let_in, work),
            partial(self._planned, work.begin),
            fetch=self._fetch,
            visit=partial(self._visit, work, self.number.number),
            settle=self._session.settle,
            extend=partial(self._planned, work.extend),
            looked_at=lambda: self.looked_at,
            cuts=lambda: work.watch.cuts.union(work.planned_cuts),
            unreadable=lambda: self._session.clip.unreadable,
            request_id=request_id,
        )
        self._running = run
        try:
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event
        finally:
            if self._running is run:
                self._running = None
            if run in self._needs:
                self._admission.leave(self._needs.pop(run))

    async def _let_in(self, work: TrackWork, run: TrackRun) -> AsyncGenerator[Waiting, None]:
        needs = TrackNeeds(
            self._tracker,
            len(work.objects),
            work.farm,
            lambda: run.steps_left,
            session_id=self._session.session_id,
        )
        self._needs[run] = needs
        async with aclosing(self._admission.let_in(needs)) as places:
            async for waiting in places:
                yield waiting

    @property
    def _planner(self) -> Planner:
        book, tracker = self._book, self._tracker
        return Planner(
            self._session.clip,
            self._order,
            ground=lambda object_id, at_cuts: self._editor.ground(book.contents, object_id, at_cuts),
            stale=tracker.stale.of,
            exists=lambda object_id: object_id in book.contents.names,
            cuts=lambda: tracker.shots.cuts,
        )

    def _chosen(self, object_ids: Sequence[int]) -> tuple[int, ...]:
        chosen = [self._book.object(object_id) for object_id in dict.fromkeys(object_ids)]
        if not chosen:
            chosen = [info for info in self._book.objects() if info.prompted_frames]
            if not chosen:
                raise NotPromptedError("no object has a prompt yet: click one first, then track")
        for info in chosen:
            if not info.prompted_frames:
                raise NotPromptedError(f"{info.name} has no prompt yet: click it on some frame, then track")
        return tuple(info.object_id for info in chosen)

    async def _fetch(self, step: Step) -> list[ObjectFrame]:
        results = self._session.results

        def find() -> list[ObjectFrame]:
            found = (results.find(object_id, step.frame) for object_id in step.object_ids)
            return [result for result in found if result is not None]

        return await self._session.at_results(find)

    async def _planned(self, plan: Callable[[Planner], PlanT]) -> PlanT:
        """A plan made of what there is now, beside the device: it may take longer than a frame.

        The session's other turns wait, so that what is planned with stands still.
        """

        def make() -> PlanT:
            with working_beside():
                made = plan(self._planner)
                if made is not None:
                    # Here as well: a long plan takes the loop tens of milliseconds to count.
                    _ = made.steps, made.updates
                return made

        return await self._session.turn(make, urgent=True, commits=False)

    async def _visit(
        self, work: TrackWork, number: int, step: Step, is_watched: bool
    ) -> Sequence[ObjectFrame]:
        await self._session.make_room()
        turn_class = TurnClass.WATCHED if is_watched else TurnClass.SHOT

        def track() -> Sequence[ObjectFrame]:
            # The plan may be older than the book: objects go, and frames get prompts of their own.
            if self._recorder is None:
                return self._tracker.track(step, self._book.contents, work.watch, work.at_cuts)
            with self._recorder.of_track(number):
                return self._tracker.track(step, self._book.contents, work.watch, work.at_cuts)

        return await self._session.turn(track, turn_class=TurnClass.FARM if work.farm else turn_class)
