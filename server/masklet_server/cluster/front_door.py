"""Where a caller's next call belongs: to the worker that has its session, or should get it."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from masklet import codec as wire
from masklet.errors import ElsewhereError, RestartingError, ServerUnreachableError, SilentError
from masklet.scopes import Scope
from masklet.types import ServerInfo, SessionSummary
from masklet.version import VERSION
from masklet_server.cluster.codec import info_of
from masklet_server.cluster.ports import FencedError, NoRoomError, Residence, Wish, Worker, WorkerState
from masklet_server.cluster.sqlite_directory import SqliteDirectory
from masklet_server.identity.caller import tenant_of, user_of
from masklet_server.sessions.sharing import not_found

REMEMBERED_S = 600.0
MAX_REMEMBERED = 10_000
SESSION_BYTES = 256 << 20
"""What a session of a clip at the network's size may take; its worker tells with its next report."""
_TRIES = 3


class FrontDoor:
    """Finds workers for callers. All calls may wait for the directory's disk.

    Args:
        directory: Knows where sessions live.
        clock_s: An argument for tests.
    """

    def __init__(self, directory: SqliteDirectory, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock_s = clock_s
        # An opening that is asked for again, after a broken connection, belongs to the same worker.
        self._openings: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    def of_session(self, session_id: str, account: str) -> Worker:
        """The worker that has a session, or has it from now on.

        Raises:
            SessionNotFoundError: There is none that this account may know of.
            SilentError: Its worker may hang.
            RestartingError: Nobody reaches its journal now.
        """
        for _ in range(_TRIES):
            found = self._directory.locate(session_id)
            if found is None or not _gets_in(found, account):
                raise not_found()
            if found.worker and _has(holder := self._directory.worker(found.worker), found):
                return _heard(holder)
            with suppress(FencedError):
                return self._given(found, account)
        raise _between()

    def of_opening(self, account: str, request_id: str, content: str, *, can_wait: bool) -> Worker:
        """The worker for a new session.

        Args:
            account: Who opens it.
            request_id: Of the call; asked for again, it gets the same worker while that lives.
            content: Names the plate.
            can_wait: Where all are full, take a place in line at one.

        Raises:
            NoRoomError: None takes one.
        """
        now_s, key = self._clock_s(), (account, request_id)
        while self._openings and next(iter(self._openings.values()))[1] < now_s - REMEMBERED_S:
            self._openings.popitem(last=False)
        alive = {each.name: each for each in self._directory.workers() if each.state is WorkerState.ALIVE}
        before = self._openings.get(key)
        if request_id and before is not None and before[0] in alive:
            return _heard(alive[before[0]])
        try:
            chosen = self._directory.place(Wish(account, content, SESSION_BYTES))
        except NoRoomError:
            if not can_wait or not alive:
                raise
            # Not remembered: the next look finds room wherever it is by then.
            heard = [each for each in alive.values() if each.is_heard]
            return min(heard or alive.values(), key=lambda each: (each.sessions, each.name))
        if request_id:
            self._openings[key] = chosen.name, now_s
            if len(self._openings) > MAX_REMEMBERED:
                self._openings.popitem(last=False)
        return chosen

    def sessions_of(self, account: str) -> list[SessionSummary]:
        """All sessions that an account gets into, the one used last first."""
        return [_summary(each, account) for each in self._directory.of_account(account)]

    def info(self) -> ServerInfo:
        """What all workers are together.

        Raises:
            ServerUnreachableError: None answers.
        """
        infos = [
            wire.server_from_wire(info_of(each.offer))
            for each in self._directory.workers()
            if each.state is not WorkerState.GONE
        ]
        if not infos:
            raise ServerUnreachableError(
                "no server of this cluster answers now: try again in a minute, or ask whoever keeps it"
            )
        first = infos[0]
        devices = first.device if len(infos) == 1 else f"a cluster of {len(infos)} servers"
        return replace(
            first,
            version=VERSION,
            device=devices,
            max_sessions=sum(each.max_sessions for each in infos),
            max_upload_bytes=min(each.max_upload_bytes for each in infos),
            max_objects=min(each.max_objects for each in infos),
            max_side_px=min(each.max_side_px for each in infos),
            opens_paths=any(each.opens_paths for each in infos),
        )

    def _given(self, found: Residence, account: str) -> Worker:
        """Give a session that is in nobody's hands to somebody who reaches its journal."""
        try:
            chosen = self._directory.place(Wish(account, found.facts.content, volume=found.volume))
        except NoRoomError as error:
            raise RestartingError(
                "the server that keeps this session does not answer, and no other reaches its disk: the same "
                "works once it is back. Nothing that you said is lost"
            ) from error
        self._directory.fence(found.session_id, found.epoch, to=chosen.name)
        return chosen


def elsewhere(worker: Worker) -> ElsewhereError:
    """Sends a client on."""
    endpoint = worker.offer.endpoint
    return ElsewhereError(
        f"this is the front door of a cluster, and your work is at {endpoint}: a masklet that is as new as "
        "the cluster goes there by itself, so update the one on your machine",
        endpoint,
    )


def plate_named(account: str, path: str) -> str:
    """Names a plate by its path, which is a tenant's own."""
    return hashlib.sha256(json.dumps([tenant_of(account), path]).encode()).hexdigest()


def plate_of_contents(digests: list[bytes]) -> str:
    """Names a plate by its files."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _gets_in(found: Residence, account: str) -> bool:
    return account == found.facts.owner or account in found.facts.guests


def _has(holder: Worker, found: Residence) -> bool:
    """True where a session's worker answers for it."""
    if holder.state is WorkerState.DRAINING:
        # What it has it gives away itself; what it was promised, or had before it was started anew, it does
        # not take any more.
        return found.incarnation == holder.incarnation
    return holder.state is WorkerState.ALIVE


def _heard(worker: Worker) -> Worker:
    """A worker that may be sent to: whoever goes to one that hangs waits there for longer than its lease.

    Raises:
        SilentError: It has been silent for most of its lease.
    """
    if not worker.is_heard:
        raise SilentError(
            "the server that has this is silent: the same works in some seconds, there or at another one"
        )
    return worker


def _summary(found: Residence, account: str) -> SessionSummary:
    facts = found.facts
    own = account == facts.owner
    return SessionSummary(
        found.session_id,
        facts.clip_name,
        facts.objects,
        found.idle_s,
        is_busy=False,
        owner="" if own else user_of(facts.owner),
        rights=() if own else tuple(Scope(each) for each in facts.guests[account]),
    )


def _between() -> RestartingError:
    return RestartingError("the session is on its way to another server: the same works in a moment")
