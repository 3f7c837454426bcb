"""All sessions of a server: who may see which, and who has to give memory back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from masklet.errors import ClipError, LimitError, SessionNotFoundError
from masklet.types import SessionSummary
from masklet_server.sessions.callers import begin
from masklet_server.sessions.clip_reference import ClipOpening, ClipReference
from masklet_server.sessions.desk import TrackerFactory
from masklet_server.sessions.errands import Errands
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.plan import TrackOrder
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session, SessionLimits
from masklet_server.sessions.turns import TurnClass

FILES_AT_ONCE = 8
SESSION_ID_BYTES = 16
"""128 random bits: nobody finds a session by trying."""


@dataclass(frozen=True)
class StoreLimits:
    """What all sessions together may hold.

    Attributes:
        max_sessions: Open sessions, parked ones included.
        memory_bytes: Of the trackers together; beyond it the session that was used longest ago parks.
        idle_s: A session without a call for so long parks.
        forgotten_s: A session without a call for so long is closed for good.
        untouched_s: The same for a session in which nothing was ever said.
        session: What each one may hold.
    """

    max_sessions: int = 32
    memory_bytes: int = 4 << 30
    idle_s: float = 600.0
    forgotten_s: float = 3 * 86400.0
    untouched_s: float = 1800.0
    session: SessionLimits = field(default_factory=SessionLimits)


@dataclass(eq=False)
class _Held:
    session: Session
    used_s: float
    parked: bool = False
    # By anybody, since it was opened.
    found: bool = False
    # Called when the session goes, with whatever the clip came from: an upload's files.
    on_close: Callable[[], Awaitable[None]] | None = None


class SessionStore:
    """Opens, finds, parks and closes sessions.

    Args:
        open_clip: Opens clips, in threads.
        make_tracker: The engine's door.
        scheduler: The device's door.
        limits: See :class:`StoreLimits`.
        order: From which prompt frames are tracked.
        errands: Threads that read files.
        clock_s: An argument for tests.
    """

    def __init__(
        self,
        open_clip: ClipOpening,
        make_tracker: TrackerFactory,
        scheduler: Scheduler,
        *,
        limits: StoreLimits = StoreLimits(),
        order: TrackOrder = TrackOrder.NEAREST,
        errands: Errands | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._errands = errands or Errands("files", at_once=FILES_AT_ONCE)
        self._open_clip = open_clip
        self._make_tracker = make_tracker
        self._scheduler = scheduler
        self._order = order
        self._clock_s = clock_s
        self.ledger = Ledger(limits.memory_bytes)
        self._held: dict[str, _Held] = {}
        self._replies: dict[str, ReplyLog] = {}

    def __len__(self) -> int:
        return len(self._held)

    def replies(self, user: str) -> ReplyLog:
        """Answers that belong to no session, by user."""
        return self._replies.setdefault(user, ReplyLog(capacity=64))

    async def open(
        self,
        user: str,
        clip: ClipReference,
        *,
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> Session:
        """A fresh session on a clip, which it closes in the end.

        Args:
            user: Only this user finds it again.
            clip: What it is about.
            on_close: Called after the session has gone.

        Raises:
            LimitError: The server is full.
            MaskletError: The clip cannot be opened.
        """
        self._check_room()
        source = await self._errands.run(
            self._open_clip, clip, whose=user, at_disk=True, unwanted=lambda source: source.close()
        )
        try:
            # Others may have opened sessions meanwhile.
            self._check_room()
        except LimitError:
            self._errands.start(source.close)
            raise
        session = Session(
            secrets.token_hex(SESSION_ID_BYTES),
            user,
            partial(self._open_clip, clip),
            source,
            self._make_tracker,
            self._scheduler,
            limits=self.limits.session,
            order=self._order,
            errands=self._errands,
            ledger=self.ledger,
        )
        self._held[session.session_id] = _Held(session, self._clock_s(), on_close=on_close)
        return session

    async def get(self, session_id: str, user: str) -> Session:
        """The session, which counts as used now.

        Raises:
            SessionNotFoundError: It was closed, never existed, or is another user's.
        """
        held = self._held.get(session_id)
        if held is None or held.session.user != user:
            # The same sentence in all cases: whether somebody else's session exists is theirs to know.
            raise SessionNotFoundError(
                "the server holds no such session: it was closed or the server was restarted. "
                "Open the clip again; your prompts are all it takes"
            )
        held.used_s = self._clock_s()
        held.parked, held.found = False, True
        return held.session

    async def close(self, session_id: str, user: str) -> None:
        """Close a session; fine when it has gone already, or is another user's."""
        held = self._held.get(session_id)
        if held is not None and held.session.user == user:
            await self._close(held)

    async def close_unfound(self, session_id: str) -> None:
        """Close a session that whoever opened it never heard of; fine when it was used since."""
        held = self._held.get(session_id)
        if held is not None and not held.found:
            await self._close(held)

    def of(self, user: str) -> tuple[SessionSummary, ...]:
        """All sessions of a user, the one used last first."""
        now_s = self._clock_s()
        mine = sorted(
            (held for held in self._held.values() if held.session.user == user),
            key=lambda held: held.used_s,
            reverse=True,
        )
        return tuple(
            SessionSummary(
                held.session.session_id,
                held.session.clip.name,
                len(held.session.objects()),
                0.0 if held.session.is_busy else now_s - held.used_s,
                is_busy=held.session.is_busy,
            )
            for held in mine
        )

    def cancel_all(self) -> None:
        """Stop every track after its frame in hand."""
        for held in self._held.values():
            held.session.tracks.cancel()

    async def close_all(self) -> None:
        """Close every session: the server stops."""
        await asyncio.gather(*map(self._close, list(self._held.values())))

    async def tidy(self) -> None:
        """Park what is idle, park more while memory is short, close what was forgotten.

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
            elif not held.parked and idle_s >= self.limits.idle_s:
                await self._park(held)
        await self.fit_memory()

    async def fit_memory(self) -> None:
        """Have sessions give memory back until the trackers fit the budget; see :meth:`Ledger.fit`."""
        if self.ledger.held_bytes > self.ledger.budget_bytes:
            await self._scheduler.run(self.ledger.fit, user="", turn_class=TurnClass.PROMPT)

    def _check_room(self) -> None:
        if len(self._held) >= self.limits.max_sessions:
            raise LimitError(
                f"the server holds {self.limits.max_sessions} sessions already, its limit: "
                "close one and try again"
            )

    async def _park(self, held: _Held) -> None:
        held.parked = True
        # A disk that hangs keeps this one's memory, and must not keep others from being parked.
        with suppress(ClipError):
            await held.session.park()

    async def _close(self, held: _Held) -> None:
        # Carried to its end, whether or not anybody waits for it.
        begin()
        if self._held.pop(held.session.session_id, None) is None:
            return
        try:
            await held.session.close()
        finally:
            if held.on_close is not None:
                await held.on_close()
