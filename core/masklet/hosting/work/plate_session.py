"""One plate's session on the server, made to follow what the artist wants. Runs in the threads of jobs.

Everything here yields events, which a host's main thread applies; nothing here knows any host.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError, ObjectNotFoundError, SessionNotFoundError
from masklet.frame_runs import runs_minus
from masklet.hosting.plate_files import is_plate_of
from masklet.hosting.work.held_said import HeldSaid, says_same
from masklet.hosting.work.plate_events import (
    Completed,
    Event,
    PlateRequest,
    SessionLost,
    SessionOpened,
    StatesCame,
)
from masklet.hosting.work.session_opening import (
    Opening,
    checked_fingerprint,
    open_session,
    reads_plate,
    resumed_session,
)
from masklet.phrases import phrase
from masklet.said.documents import Document, completed, find

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.clip_reading import ClipReading
    from masklet.events import Waiting
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import FrameRange

_LOST = (SessionNotFoundError, ObjectNotFoundError)
"""The server restarted, or somebody else has changed the session: look again at what it holds."""


class PlateSession:
    """One plate on the server.

    Attributes:
        request: What is wanted now; the main thread replaces it, jobs read it once.
        looked_at: The frame that the viewer shows, as far as that is known; the main thread replaces it too.
    """

    def __init__(self, request: PlateRequest) -> None:
        self.request = request
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._session: Session | None = None
        self._document: HeldSaid | None = None
        self._last_id = ""
        self._path = ""
        self._reading: ClipReading | None = None
        self._is_resumed = False
        self.looked_at: int | None = None

    @property
    def held(self) -> Document:
        """What the server holds, as far as is known."""
        return () if self._document is None else self._document.said

    @property
    def session_id(self) -> str:
        """Of the open session; empty where there is none."""
        session = self._session
        return "" if session is None else session.session_id

    @property
    def session(self) -> Session:
        """The open session.

        Raises:
            SessionNotFoundError: There is none.
        """
        if self._session is None:
            raise SessionNotFoundError(phrase("the plate has no session: reconnect to the server"))
        return self._session

    @property
    def document(self) -> HeldSaid:
        """What the open session holds.

        Raises:
            SessionNotFoundError: There is none.
        """
        if self._session is None or self._document is None:
            raise SessionNotFoundError(phrase("the plate has no session: reconnect to the server"))
        return self._document

    def object(self, uid: str) -> TrackedObject:
        """As :meth:`.held_said.HeldSaid.object`."""
        return self.document.object(uid)

    def objects(self, uids: Iterable[str]) -> list[TrackedObject]:
        """Those of the objects that the server has."""
        return self.document.objects(uids)

    def uids(self) -> dict[int, str]:
        """Our names of the server's objects."""
        return self.document.uids()

    def states(self) -> StatesCame:
        """The state of every frame, as the server tells it now."""
        return self.document.states()

    def lacking(self, uids: Iterable[str]) -> dict[str, tuple[FrameRange, ...]]:
        """Frames that had a mask once and have none in this session, by object; only objects with any."""
        held = self.states().states
        found = {}
        for uid in uids:
            known = self.request.known.get(uid)
            if known is None or not self._says_something(uid):
                continue
            # A session that was come back to has dropped by itself what it does not hold.
            once = known.lost if self._is_resumed else (*known.held, *known.lost)
            left = runs_minus(once, [state.frames for state in held.get(uid, ())])
            if left:
                found[uid] = left
        return found

    def come_back(self, server: Server) -> Iterator[Event]:
        """Go on with the session that the file remembers, if it is still there; send and open nothing."""
        with self._lock:
            request = self.request
            if self._session is not None:
                return
            session = resumed_session(server, request.session_id, request, request.session_path)
            if session is None or not is_plate_of(request.fingerprint, request.plate):
                yield SessionLost()
                return
            yield from self._take(server, Opening(session, request.fingerprint, True, False), request)

    def synchronise(
        self,
        server: Server,
        *,
        make_sure: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
        on_waiting: Callable[[Waiting], None] | None = None,
    ) -> Iterator[Event]:
        """Make the server hold what is wanted; open or resume the session first where there is none.

        Args:
            server: Where.
            make_sure: Ask whether the server still has the session, and look whether the plate is still the
                same, even if there is nothing to send.
            on_progress: Told what is done and what there is in all while the plate's files are sent.
            on_waiting: Told the place in the queue of a server that is full; None refuses to wait.

        Raises:
            MaskletError: The plate cannot be opened, or the server is out of reach. Single edits that
                it refuses are told as :class:`Refused` and raise nothing.
        """
        with self._lock:
            request = self.request
            try:
                if make_sure and self._session is not None and self._server is server:
                    checked_fingerprint(request)
                    self._session.info()
                yield from self._open(server, request, on_progress, on_waiting)
                yield from self._send_differences(request)
            except _LOST:
                self._session = None
                yield from self._open(server, request, on_progress, on_waiting)
                yield from self._send_differences(request)

    def undo(self, server: Server) -> Iterator[Event]:
        """Take back the last edit on the server; :attr:`held` is what it holds then.

        Raises:
            BadInputError: There is nothing to take back.
        """
        yield from self._step(server, undo=True)

    def redo(self, server: Server) -> Iterator[Event]:
        """Make the last edit that was taken back again.

        Raises:
            BadInputError: There is none.
        """
        yield from self._step(server, undo=False)

    def close(self) -> None:
        """Have the server forget the session; it is opened anew when it is needed."""
        with self._lock:
            session, self._session, self._last_id = self._session, None, ""
            if session is not None:
                session.close()

    def keep_masks(self) -> Iterator[Event]:
        """Learn the masks of locked frames, which the document has to keep for a server that starts anew."""
        with self._lock:
            if any(said.locks for said in self.held):
                self.document.learn_masks()
                yield from self._complete(self.request)

    def close_other(self, session_id: str) -> None:
        """Have the server forget another session, of a plate that is not open here any more."""
        server = self._server
        if server is not None:
            with suppress(SessionNotFoundError):
                server.resume(session_id).close()

    def _open(
        self,
        server: Server,
        request: PlateRequest,
        on_progress: Callable[[int, int], None] | None = None,
        on_waiting: Callable[[Waiting], None] | None = None,
    ) -> Iterator[Event]:
        same = self._reading in (None, request.plate.reading)
        if self._session is not None and self._server is server and same and reads_plate(self._path, request):
            return
        if self._session is not None and not same:
            # Another layer is another picture: what was tracked on the old one says nothing about it.
            with suppress(MaskletError):
                self._session.close()
        last_id, path = self._last_id or request.session_id, self._path or request.session_path
        opening = open_session(
            server, request, last_id=last_id, path=path, on_progress=on_progress, on_waiting=on_waiting
        )
        yield from self._take(server, opening, request)

    def _take(self, server: Server, opening: Opening, request: PlateRequest) -> Iterator[Event]:
        """Work with this session from now on."""
        session = opening.session
        self._server, self._session, self._last_id = server, session, session.session_id
        self._is_resumed, self._path = opening.resumed, request.plate.path
        self._reading = request.plate.reading
        self._document = HeldSaid(session, request.wanted, request.max_side_px)
        yield SessionOpened(
            session.session_id,
            session.clip,
            opening.resumed,
            opening.replaced,
            opening.fingerprint,
            self._path,
        )
        if opening.resumed:
            yield self.states()

    def _says_something(self, uid: str) -> bool:
        said = find(self.request.wanted, uid)
        return said is not None and bool(said.frames)

    def _send_differences(self, request: PlateRequest) -> Iterator[Event]:
        self.document.max_side_px = request.max_side_px
        if not says_same(request.wanted, self.held):
            yield from self.document.follow(request.wanted)
        yield from self._complete(request)

    def _complete(self, request: PlateRequest) -> Iterator[Event]:
        """Tell what the server alone knows of what is said."""
        if completed(request.wanted, self.held) != request.wanted:
            yield Completed(self.held)

    def _step(self, server: Server, *, undo: bool) -> Iterator[Event]:
        with self._lock:
            yield from self._open(server, self.request)
            yield from self._send_differences(self.request)
            if not self.document.can_step(undo=undo):
                raise BadInputError(
                    phrase("there is nothing to take back since this plate's session was opened")
                    if undo
                    else phrase("there is nothing to make again since this plate's session was opened")
                )
            yield from self.document.step(undo=undo)
