"""All sessions of a server: who may see which, and who has to give memory back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from masklet.errors import MaskletError
from masklet.events import Waiting
from masklet.scopes import Scope
from masklet.types import SessionSummary, Share
from masklet_server.sessions.admission import Admission
from masklet_server.sessions.callers import begin, current_scope
from masklet_server.sessions.clip_reference import ClipOpening, ClipReference
from masklet_server.sessions.departures import Departures
from masklet_server.sessions.durability import Journals, Restored, SessionHead, SessionJournal
from masklet_server.sessions.held import Held, restarting, summary_of
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.opening_line import OpeningLine
from masklet_server.sessions.opening_room import OpeningRoom
from masklet_server.sessions.overview import Overview
from masklet_server.sessions.plan import TrackOrder
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.returns import Returns
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_tracker import ClosingSource, TrackerFactory
from masklet_server.sessions.sharing import Access, not_found
from masklet_server.sessions.store_limits import NO_OTHER_LIMITS
from masklet_server.sessions.store_limits import StoreLimits as StoreLimits
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.unfinished import Unfinished
from masklet_server.sessions.worker_threads import WorkerThreads

FILES_AT_ONCE = 8
SESSION_ID_BYTES = 16
"""128 random bits: nobody finds a session by trying."""


class SessionStore:
    """Opens, finds, parks and closes sessions.

    Args:
        open_clip: Opens clips, in threads.
        make_tracker: The engine's door.
        scheduler: The device's door.
        limits: See :class:`StoreLimits`.
        order: From which prompt frames are tracked.
        workers: Threads that read files.
        journals: Where sessions outlive the process; None keeps them in memory alone.
        model_sha256: Of the weights in force.
        clock_s: An argument for tests.

    Attributes:
        overview: All sessions, for whoever keeps the server.
        takes_no_more: Set by whoever drains the server: sessions that are there go on.
    """

    def __init__(
        self,
        open_clip: ClipOpening,
        make_tracker: TrackerFactory,
        scheduler: Scheduler,
        *,
        limits: StoreLimits = NO_OTHER_LIMITS,
        order: TrackOrder = TrackOrder.NEAREST,
        workers: WorkerThreads | None = None,
        journals: Journals | None = None,
        model_sha256: str = "",
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._workers = workers or WorkerThreads("files", at_once=FILES_AT_ONCE)
        self._open_clip = open_clip
        self._make_tracker = make_tracker
        self._scheduler = scheduler
        self._order = order
        self._journals = journals
        self._model_sha256 = model_sha256
        self._clock_s = clock_s
        self.ledger = Ledger(limits.memory_bytes)
        self.admission = Admission(
            self.ledger, step_s=lambda: scheduler.step_s, make_room=lambda wanted: self.fit_memory(wanted)
        )
        self.line = OpeningLine(clock_s)
        self._held: dict[str, Held] = {}
        going = self._departures = Departures(
            self._held, journals, self.line, limits=lambda: self.limits, clock_s=clock_s
        )
        self._room = OpeningRoom(
            self._held,
            self.line,
            most=lambda: self.limits.max_sessions,
            leave=going.leave,
            clock_s=clock_s,
        )
        self._returns = Returns(
            self._held,
            journals,
            self._workers,
            model_sha256,
            make_room=self._room.make,
            open_clip=self._source,
            hold=self._hold,
            came_back=going.came_back,
        )
        self.overview = Overview(self._held, clock_s, park=going.park, close=going.close, leave=going.leave)
        self._replies: dict[str, ReplyLog] = {}
        self._stopping = False
        self.takes_no_more = False

    def __len__(self) -> int:
        return len(self._held)

    def set_limits(self, limits: StoreLimits) -> None:
        """Hold to other limits from now on; sessions that are open keep their own."""
        self.limits = limits
        self.ledger.budget_bytes = limits.memory_bytes

    def replies(self, user: str) -> ReplyLog:
        """Answers that belong to no session, by user."""
        return self._replies.setdefault(user, ReplyLog(capacity=64))

    def new_id(self) -> str:
        """An id for a session that is about to be opened."""
        return secrets.token_hex(SESSION_ID_BYTES)

    def folder_for(self, session_id: str) -> Path | None:
        """Where files of a session may lie while it lives; None where nothing outlives the process."""
        return None if self._journals is None else self._journals.folder_of(session_id)

    async def open(
        self,
        user: str,
        clip: ClipReference,
        *,
        session_id: str = "",
        request_id: str = "",
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> Session:
        """A fresh session on a clip, which it closes in the end.

        Args:
            user: Only this user finds it again.
            clip: What it is about.
            session_id: From :meth:`new_id`; empty for a fresh one.
            request_id: Of the call that opens it: see :meth:`opened_by`.
            on_close: Called after the session has gone for good.

        Raises:
            LimitError: The server is full.
            RestartingError: It takes no more.
            OutputError: The session cannot be kept.
            MaskletError: The clip cannot be opened.
        """
        try:
            if self.takes_no_more:
                raise restarting()
            await self._room.make(user, request_id)
            source = await self._source(user, clip)
            try:
                # Others may have opened sessions meanwhile.
                await self._room.make(user, request_id)
                session_id = session_id or self.new_id()
                journal: SessionJournal | None = None
                if self._journals is not None:
                    begin()
                    head = SessionHead(session_id, user, clip, source.info, self._model_sha256, request_id)
                    journal = await self._journals.create(head)
            except MaskletError:
                self._workers.start(source.close)
                raise
            return self._hold(session_id, user, clip, source, journal, on_close=on_close)
        finally:
            self.line.done(user, request_id)

    async def opened_by(self, user: str, request_id: str) -> Session | None:
        """The session that a call opened before this process was started; None where there is none."""
        if self._journals is None or not request_id:
            return None
        session_id = await self._journals.opened_by(user, request_id)
        return None if session_id is None else await self.get(session_id, user)

    async def get(self, session_id: str, user: str) -> Session:
        """The session, which counts as used now; from its journal where it is not in memory.

        Raises:
            SessionNotFoundError: It was closed, never existed, or is another user's who does not share it.
            NotPermittedError: It is shared with this user, and not for what the call in hand belongs to.
            MaskletError: Its clip cannot be opened any more, or its journal is damaged.
        """
        held = self._held.get(session_id)
        if self._stopping or (held is not None and held.is_leaving and held.access.rights_of(user)):
            raise restarting()
        if held is None or held.access.rights_of(user) is None:
            # Somebody else's takes as long as one that is not there: nobody learns from the time.
            await self._returns.bring(session_id, user)
            held = self._held.get(session_id)
        if held is None:
            raise not_found()
        held.access.check(user, current_scope.get())
        held.used_s = self._clock_s()
        held.parked, held.found = False, True
        if self._journals is not None:
            self._journals.touch(session_id)
        return held.session

    def check_still(self, session_id: str, user: str) -> None:
        """See that a call that is under way in a session may go on; fine where that is not in memory.

        Raises:
            NotPermittedError: The session is no longer shared with this user, or not for this.
        """
        held = self._held.get(session_id)
        if held is not None:
            held.access.check_still(user, current_scope.get())

    async def close(self, session_id: str, user: str) -> None:
        """Close a session for good; fine when it has gone already, or is another user's."""
        held = self._held.get(session_id)
        if held is not None and held.access.owner == user:
            await self._departures.close(held)
        elif self._journals is not None:
            access = await self._journals.access_of(session_id, asked_by=user)
            if access is not None and access.owner == user and session_id not in self._held:
                await self._departures.forget(session_id)

    async def shares(self, session_id: str, user: str) -> tuple[Share, ...]:
        """With whom a session is shared; errors as in :meth:`share`."""
        return (await self._owned(session_id, user)).access.told()

    async def share(
        self, session_id: str, user: str, account: str, rights: frozenset[Scope] | None
    ) -> tuple[Share, ...]:
        """Let somebody else into a session, or take that back; with whom it is shared then.

        Args:
            session_id: Which.
            user: Its owner.
            account: Who gets in.
            rights: For what; None for nothing any more.

        Raises:
            SessionNotFoundError: There is none that this user knows of.
            NotPermittedError: It is somebody else's.
            BadInputError: It is one's own already, or shared with too many.
            OutputError: The disk takes nothing: it stays as it was.
        """
        held = await self._owned(session_id, user)
        async with held.sharing:
            before = held.access
            after = before.kept_from(account) if rights is None else before.shared_with(account, rights)
            if after.shares != before.shares:
                begin()
                if held.journal is not None:
                    await held.journal.share(after.shares)
                held.access = after
            return after.told()

    async def close_unfound(self, session_id: str) -> None:
        """Close a session that whoever opened it never heard of; fine when it was used since."""
        held = self._held.get(session_id)
        if held is not None and not held.found:
            await self._departures.close(held)

    async def of(self, user: str) -> tuple[SessionSummary, ...]:
        """All sessions that a user gets into, the one used last first."""
        now_s = self._clock_s()
        mine = [
            held.summary(user, now_s)
            for held in self._held.values()
            if held.access.rights_of(user) is not None
        ]
        if self._journals is not None:
            here = set(self._held)
            kept = await self._journals.summaries(user)
            mine += [summary_of(each, user) for each in kept if each.session_id not in here]
        return tuple(sorted(mine, key=lambda summary: summary.idle_s))

    def drain(self) -> None:
        """Stop every track after its frame in hand: the server stops, and gives no more sessions out.

        Tracks of sessions with a journal tell their clients to come back.
        """
        self._stopping = True
        for held in self._held.values():
            held.unfinished.is_stopping = True
            if held.journal is None:
                held.session.tracks.cancel()
            else:
                held.session.tracks.pause()

    async def leave_all(self) -> None:
        """Give every session back: the server stops. Those with a journal can be taken up again."""
        self._stopping = True
        await asyncio.gather(*map(self._departures.leave, list(self._held.values())))

    async def tidy(self) -> None:
        """Park what is idle, park more while memory is short, close what was forgotten.

        What has been idle for long is left to its journal. To be called every few seconds.
        """
        await self._departures.tidy()
        await self.fit_memory()
        await self._departures.sweep()

    async def fit_memory(self, wanted_bytes: int = 0) -> None:
        """Have sessions give memory back until trackers fit the budget, with so much more to come."""
        if self.ledger.held_bytes + wanted_bytes > self.ledger.budget_bytes:
            fit = partial(self.ledger.fit, wanted_bytes)
            await self._scheduler.run(fit, user="", turn_class=TurnClass.PROMPT)

    async def wait_for_room(self, user: str, ticket: str) -> Waiting | None:
        """A place in line, after some seconds; None as soon as a session may be opened with this ticket."""
        return await self._room.wait(user, ticket)

    async def _source(self, user: str, clip: ClipReference) -> ClosingSource:
        return await self._workers.run(
            self._open_clip, clip, whose=user, at_disk=True, unwanted=lambda source: source.close()
        )

    def _hold(
        self,
        session_id: str,
        user: str,
        clip: ClipReference,
        source: ClosingSource,
        journal: SessionJournal | None,
        *,
        access: Access | None = None,
        restored: Restored | None = None,
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> Session:
        session = Session(
            session_id,
            user,
            partial(self._open_clip, clip),
            source,
            self._make_tracker,
            self._scheduler,
            limits=self.limits.session,
            order=self._order,
            workers=self._workers,
            ledger=self.ledger,
            admission=self.admission,
            journal=journal,
            restored=restored,
        )
        unfinished = Unfinished(self.folder_for(session_id), self._workers, user)
        self._held[session_id] = Held(
            session, access or Access(user), self._clock_s(), unfinished, on_close=on_close, journal=journal
        )
        return session

    def unfinished(self, session_id: str) -> Unfinished:
        """Notes of a session in memory about files that it is writing."""
        held = self._held.get(session_id)
        return Unfinished(None, self._workers, "") if held is None else held.unfinished

    async def _owned(self, session_id: str, user: str) -> Held:
        """A session of the caller's own."""
        await self.get(session_id, user)
        held = self._held.get(session_id)
        if held is None:
            raise not_found()
        held.access.check(user, None)
        return held
