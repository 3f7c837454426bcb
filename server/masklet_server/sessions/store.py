"""All sessions of a server: who may see which, and who has to give memory back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from masklet.errors import (
    ClipError,
    LimitError,
    MaskletError,
    OutputError,
)
from masklet.events import Waiting
from masklet.scopes import Scope
from masklet.types import SessionSummary, Share
from masklet_server.sessions.admission import Admission
from masklet_server.sessions.callers import begin, current_scope
from masklet_server.sessions.clip_reference import ClipOpening, ClipReference
from masklet_server.sessions.durability import Journals, Restored, SessionHead, SessionJournal
from masklet_server.sessions.held import Held, check_same_clip, restarting, summary_of
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.opening_line import OpeningLine
from masklet_server.sessions.overview import Overview
from masklet_server.sessions.plan import TrackOrder
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_tracker import ClosingSource, TrackerFactory
from masklet_server.sessions.sharing import Access, not_found
from masklet_server.sessions.store_limits import NO_OTHER_LIMITS
from masklet_server.sessions.store_limits import StoreLimits as StoreLimits
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.unfinished import Unfinished, take_notes
from masklet_server.sessions.worker_threads import WorkerThreads

FILES_AT_ONCE = 8
SWEEP_EVERY_S = 600.0
LEFT_AFTER = 3
"""A session that has been idle for so many times as long as it takes to park is left to its journal."""
JUST_USED_S = 1.0
LINE_ANSWERS_S = 4.0
LINE_LOOKS_S = 0.2
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
        self.overview = Overview(self._held, clock_s, park=self._park, close=self._close, leave=self._leave)
        self._replies: dict[str, ReplyLog] = {}
        self._returning: dict[str, asyncio.Task[None]] = {}
        # Of sessions that are in their journals alone.
        self._on_close: dict[str, Callable[[], Awaitable[None]] | None] = {}
        self._swept_s = -SWEEP_EVERY_S
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
            await self._make_room(user, request_id)
            source = await self._source(user, clip)
            try:
                # Others may have opened sessions meanwhile.
                await self._make_room(user, request_id)
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
            await self._return(session_id, user)
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
            await self._close(held)
        elif self._journals is not None:
            access = await self._journals.access_of(session_id, asked_by=user)
            if access is not None and access.owner == user and session_id not in self._held:
                await self._forget(session_id)

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
            await self._close(held)

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
        await asyncio.gather(*map(self._leave, list(self._held.values())))

    async def tidy(self) -> None:
        """Park what is idle, park more while memory is short, close what was forgotten.

        What has been idle for long is left to its journal.

        To be called every few seconds.
        """
        now_s = self._clock_s()
        for held in list(self._held.values()):
            idle_s = now_s - held.used_s
            if held.session.is_busy:
                # A track that runs for an hour without another call is not idle.
                held.used_s = now_s
            elif idle_s >= self.limits.forgotten_s or (
                held.session.is_untouched and idle_s >= self.limits.untouched_s
            ):
                await self._close(held)
            elif held.journal is not None and idle_s >= LEFT_AFTER * self.limits.idle_s:
                await self._leave(held)
            elif not held.parked and idle_s >= self.limits.idle_s:
                await self._park(held)
        await self.fit_memory()
        if self._journals is not None and now_s - self._swept_s >= SWEEP_EVERY_S:
            self._swept_s = now_s
            await self._journals.sweep(self.limits.forgotten_s, but=frozenset(self._held))

    async def fit_memory(self, wanted_bytes: int = 0) -> None:
        """Have sessions give memory back until trackers fit the budget, with so much more to come."""
        if self.ledger.held_bytes + wanted_bytes > self.ledger.budget_bytes:
            fit = partial(self.ledger.fit, wanted_bytes)
            await self._scheduler.run(fit, user="", turn_class=TurnClass.PROMPT)

    async def wait_for_room(self, user: str, ticket: str) -> Waiting | None:
        """A place in line, after some seconds; None as soon as a session may be opened with this ticket."""
        until_s = self._clock_s() + LINE_ANSWERS_S
        while (waiting := self.line.ask(user, ticket, self._free)) is not None:
            if self._clock_s() >= until_s:
                return waiting
            await asyncio.sleep(LINE_LOOKS_S)
        return None

    @property
    def _free(self) -> int:
        """How many sessions may be opened that nobody was promised."""
        room = self.limits.max_sessions - len(self._held) + len(self._leavable())
        return room - self.line.promised

    def _leavable(self) -> list[Held]:
        """Sessions that can be left to their journals."""
        now_s = self._clock_s()
        return [
            held
            for held in self._held.values()
            # Whoever has just asked for a session is about to use it.
            if held.journal and not held.session.is_busy and now_s - held.used_s >= JUST_USED_S
        ]

    async def _make_room(self, user: str, ticket: str = "") -> None:
        """See that there is room for one more session: the one used longest ago is left to its journal.

        Raises:
            LimitError: There is none, or it was promised to those who wait in line.
        """
        while True:
            idle = self._leavable()
            if not self.line.may_open(user, ticket) and self._free - self.line.waiting <= 0:
                idle = []
            elif len(self._held) < self.limits.max_sessions:
                return
            if not idle:
                raise LimitError(
                    f"the server holds {self.limits.max_sessions} sessions already, its limit: "
                    "close one and try again"
                )
            await self._leave(min(idle, key=lambda held: held.used_s))

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

    async def _return(self, session_id: str, user: str) -> None:
        """Bring a session back from its journal, once for all who ask.

        Raises:
            SessionNotFoundError: There is none that this user may know of.
        """
        if self._journals is None:
            raise not_found()
        access = await self._journals.access_of(session_id, asked_by=user)
        if access is None or access.rights_of(user) is None:
            raise not_found()
        if session_id in self._held:
            return
        returning = self._returning.get(session_id)
        if returning is None:
            returning = asyncio.get_running_loop().create_task(self._brought_back(session_id, access))
            self._returning[session_id] = returning
            returning.add_done_callback(lambda _: self._returning.pop(session_id, None))
        await asyncio.shield(returning)

    async def _brought_back(self, session_id: str, access: Access) -> None:
        assert self._journals is not None
        user = access.owner
        found = await self._journals.open(session_id, user)
        if found is None:
            raise not_found()
        head, restored, journal = found
        try:
            await self._make_room(user)
            if (folder := self.folder_for(session_id)) is not None:
                left = await self._workers.run(take_notes, folder, whose=user, at_disk=True)
                restored = replace(restored, notices=(*restored.notices, *left))
            source = await self._source(user, head.clip)
            try:
                check_same_clip(head.clip_info, source.info)
            except ClipError:
                self._workers.start(source.close)
                raise
        except MaskletError:
            await journal.rest()
            raise
        if head.model_sha256 != self._model_sha256:
            # Its masks stay; what other weights have tracked is nothing to build on.
            restored = replace(restored, ways={})
        on_close = self._on_close.pop(session_id, None)
        self._hold(
            session_id,
            user,
            head.clip,
            source,
            journal,
            access=access,
            restored=restored,
            on_close=on_close,
        )

    async def _park(self, held: Held) -> None:
        held.parked = True
        # A disk that hangs keeps this one's memory, and must not keep others from being parked.
        with suppress(ClipError, OutputError):
            await held.session.park()

    async def _leave(self, held: Held) -> None:
        """Give a session's memory and files back; without a journal it is gone."""
        session_id = held.session.session_id
        if held.journal is None:
            await self._close(held)
            return
        begin()
        if self._held.pop(session_id, None) is None:
            return
        self._on_close[session_id] = held.on_close
        self.line.closed()
        try:
            await held.session.close()
        finally:
            with suppress(MaskletError):
                await held.journal.settle()
            with suppress(MaskletError):
                await held.journal.rest()

    async def _close(self, held: Held) -> None:
        # Carried to its end, whether or not anybody waits for it.
        begin()
        session_id = held.session.session_id
        if self._held.pop(session_id, None) is None:
            return
        self.line.closed()
        self._on_close[session_id] = held.on_close
        try:
            await held.session.close()
        finally:
            if held.journal is not None:
                with suppress(MaskletError):
                    await held.journal.rest()
            await self._forget(session_id)

    async def _forget(self, session_id: str) -> None:
        """A session that is not in memory goes for good."""
        if self._journals is not None:
            await self._journals.remove(session_id)
        on_close = self._on_close.pop(session_id, None)
        if on_close is not None:
            await on_close()
