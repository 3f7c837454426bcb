"""What a session waits for: turns of the device, threads that read files, and its journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from masklet.errors import OutputError
from masklet_server.sessions.durability import SessionJournal
from masklet_server.sessions.editor import Editor
from masklet_server.sessions.facts import SessionFacts
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session_tracker import ClosingSource, SessionTracker
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.worker_threads import WorkerThreads

ResultT = TypeVar("ResultT")


class SessionTurns(SessionFacts):
    """The part of a session that waits. To be used from one event loop.

    Args:
        session_id: Given by the store.
        user: Whom the device's time is charged to.
        open_source: Opens the clip once more, for whoever reads pictures beside the tracker.
        source: The clip.
        book: What is said.
        tracker: Tracker, stale frames and cuts.
        results: Masks.
        editor: Knows the masks of locked frames.
        scheduler: The door to the device.
        workers: Threads that read files.
        journal: Where changes go.
    """

    def __init__(
        self,
        session_id: str,
        user: str,
        open_source: Callable[[], ClosingSource],
        source: ClosingSource,
        book: PromptBook,
        tracker: SessionTracker,
        results: ResultStore,
        editor: Editor,
        scheduler: Scheduler,
        workers: WorkerThreads,
        journal: SessionJournal,
    ) -> None:
        super().__init__(session_id, source, book, tracker, results, editor)
        self.user = user
        self.open_source = open_source
        self._scheduler = scheduler
        self._workers = workers
        self._journal = journal
        self._calls = 0

    @asynccontextmanager
    async def clip_beside(self) -> AsyncIterator[ClosingSource]:
        """The clip once more, for whoever reads pictures while a track may run."""
        source = await self.at_disk(self.open_source, unwanted=lambda late: late.close())
        try:
            yield source
        finally:
            self._workers.start(source.close)

    async def at_disk(
        self,
        work: Callable[..., ResultT],
        *args: Any,
        unwanted: Callable[[ResultT], None] = lambda value: None,
    ) -> ResultT:
        """Do something with the plate's files in a thread; raises ClipError when their disk hangs."""
        return await self._workers.run(work, *args, whose=self.user, at_disk=True, unwanted=unwanted)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count as busy for as long as something outside, an export say, reads the results."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    async def settle(self) -> None:
        """See that all changes are kept; nobody is told of masks before that.

        Errors are those of :meth:`SessionJournal.settle`.
        """
        await self._journal.settle()
        await self.at_results(self.results.pack)

    async def make_room(self) -> None:
        """See that a frame's results can be kept before they are made; see :meth:`ResultStore.make_room`."""
        if self.results.is_full:
            await self.at_results(self.results.make_room)

    async def at_results(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something with stored masks in a thread.

        Raises:
            OutputError: The disk for temporary files hangs.
        """
        refusal = OutputError(
            f"the server's disk for temporary files has not answered for {self._workers.disk_s:.0f} seconds: "
            "have it looked at, then track on. All finished masks are kept"
        )
        return await self._workers.run(work, whose=self.user, refusal=refusal)

    async def turn(
        self,
        call: Callable[[], ResultT],
        *,
        urgent: bool = False,
        turn_class: TurnClass = TurnClass.SHOT,
        commits: bool = True,
    ) -> ResultT:
        """Make a call in a turn of the device; see :meth:`Scheduler.run`."""
        with self.in_use():
            return await self._scheduler.run(
                call,
                user=self.user,
                turn_class=TurnClass.PROMPT if urgent else turn_class,
                owner=self,
                commits=commits,
                on_hang=self._tracker.abandon,
            )
