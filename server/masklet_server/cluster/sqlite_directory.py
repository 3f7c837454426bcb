"""The directory in one file of SQLite, owned by the process of the gateway.

Sessions and workers are on the disk; leases and loads are in memory, as they are worth nothing after a
restart. A directory that was just opened gives every worker two leases to be heard of again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from masklet.errors import OutputError
from masklet_server.cluster import plate_places
from masklet_server.cluster.directory_file import opened, packed, unpacked
from masklet_server.cluster.nearness import choose
from masklet_server.cluster.ports import (
    HEARD_SHARE,
    LEASE_S,
    FencedError,
    Load,
    Membership,
    NameOfAnotherError,
    NoRoomError,
    NotAMemberError,
    Offer,
    Orders,
    Refuge,
    Residence,
    SessionFacts,
    Wish,
    Worker,
    WorkerState,
)

NOTHING_KNOWN = Load(0, 0)
PAUSED_S = 1.0
"""A directory that was not asked to beat for so long could hear nobody."""
_SESSION = "SELECT id, epoch, worker, incarnation, volume, facts, told_s FROM session"


@dataclass
class _Known:
    """A worker: the first three are on the disk as well, the rest counts for the length of a lease."""

    offer: Offer
    incarnation: int
    draining: bool
    at_s: float
    load: Load = NOTHING_KNOWN
    has_reported: bool = False


class SqliteDirectory:
    """:class:`masklet_server.cluster.ports.Directory` and :class:`~masklet_server.cluster.ports.Roster`.

    Args:
        path: The file, made where it is missing; None keeps everything in memory, for tests.
        lease_s: A worker that has not reported for so long is gone.
        clock_s: Tells durations; never compared with another machine's.
        now_s: Tells how long ago something was, across restarts of this process.

    Raises:
        BadInputError: The file lies on a network or cannot be used.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        lease_s: float = LEASE_S,
        clock_s: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._lease_s = lease_s
        self._clock_s = clock_s
        self._now_s = now_s
        self._lock = threading.RLock()
        self._database = opened(path)
        self._beat_s: float | None = None
        rows = self._database.execute("SELECT offer, incarnation, draining FROM worker ORDER BY name")
        # A lease more: workers wait longer and longer between their tries to reach a gateway that is down.
        at_s = clock_s() + lease_s
        known = [_Known(Offer(**json.loads(row[0])), int(row[1]), bool(row[2]), at_s) for row in rows]
        self._known = {each.offer.name: each for each in known}

    def beat(self) -> None:
        """Say that this process runs and its disk answers, several times in :data:`PAUSED_S`.

        While it does not, no worker can be heard: that time counts against none of them. A directory that was
        never asked for this takes itself to run all the time.
        """
        with self._lock:
            self._forgive()
            self._beat_s = self._clock_s()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    # What the front door asks.

    def place(self, wish: Wish) -> Worker:  # noqa: D102  (the protocols document the methods)
        with self._lock:
            near = plate_places.workers_near(self._database, wish.content)
            chosen = choose(self.workers(), wish, near)
            # Others are placed before it reports again.
            known = self._known[chosen.name]
            known.load = replace(
                known.load,
                free_bytes=known.load.free_bytes - wish.needed_bytes,
                free_sessions=known.load.free_sessions - 1,
            )
            if plate_places.is_news(near, wish.content, chosen.name, self._now_s()):
                with self._writing() as database:
                    plate_places.note(database, wish.content, chosen.name, self._now_s())
            return chosen

    def tidy(self) -> None:
        """Forget where plates were that nobody has opened for days."""
        with self._writing() as database:
            plate_places.forget_old(database, self._now_s())

    def locate(self, session_id: str) -> Residence | None:  # noqa: D102
        with self._lock:
            row = self._database.execute(f"{_SESSION} WHERE id = ?", (session_id,)).fetchone()
            return None if row is None else self._residence(row)

    def fence(self, session_id: str, epoch: int, *, to: str = "") -> Residence:  # noqa: D102
        with self._writing() as database:
            before = self._at_epoch(session_id, epoch)
            if to and self.worker(to).offer.volume != before.volume:
                raise NotAMemberError(f"{to} does not reach the journal of this session")
            database.execute(
                "UPDATE session SET epoch = ?, worker = ?, incarnation = 0 WHERE id = ? AND epoch = ?",
                (epoch + 1, to, session_id, epoch),
            )
            return replace(before, epoch=epoch + 1, worker=to, incarnation=0)

    def drain(self, worker: str) -> tuple[Residence, ...]:  # noqa: D102
        with self._writing() as database:
            self.worker(worker)
            database.execute("UPDATE worker SET draining = 1 WHERE name = ?", (worker,))
            self._known[worker].draining = True
            rows = database.execute(f"{_SESSION} WHERE worker = ? ORDER BY id", (worker,))
            return tuple(map(self._residence, rows.fetchall()))

    def workers(self) -> Sequence[Worker]:  # noqa: D102
        with self._lock:
            rows = self._database.execute("SELECT worker, count(*) FROM session GROUP BY worker")
            held = Counter({str(name): int(count) for name, count in rows})
            return tuple(self._told(each, held[name]) for name, each in sorted(self._known.items()))

    def worker(self, name: str) -> Worker:
        """One worker, without its number of sessions.

        Raises:
            NotAMemberError: There is none of this name.
        """
        with self._lock:
            known = self._known.get(name)
            if known is None:
                raise NotAMemberError(
                    f"there is no worker {name}: masklet cluster status names those that are"
                )
            return self._told(known, 0)

    def of_account(self, account: str) -> Sequence[Residence]:
        """All sessions that an account gets into, the one told of last first."""
        with self._lock:
            rows = self._database.execute(
                f"{_SESSION} WHERE owner = ?1 OR id IN (SELECT session FROM guest WHERE account = ?1) "
                "ORDER BY told_s DESC",
                (account,),
            )
            return tuple(map(self._residence, rows.fetchall()))

    # What workers tell.

    def join(self, offer: Offer) -> Membership:  # noqa: D102
        with self._writing() as database:
            incarnation = 1
            if offer.name in self._known:
                before = self.worker(offer.name)
                if before.offer.endpoint != offer.endpoint and before.state is not WorkerState.GONE:
                    raise NameOfAnotherError(
                        f"a worker called {offer.name} is at {before.offer.endpoint} already: give this one "
                        "another name, or stop the other"
                    )
                incarnation = before.incarnation + 1
                if before.offer.volume != offer.volume:
                    # Its disk is another one: what was there cannot be opened here.
                    database.execute(
                        "UPDATE session SET epoch = epoch + 1, worker = '', incarnation = 0 WHERE worker = ?",
                        (offer.name,),
                    )
            database.execute(
                "INSERT OR REPLACE INTO worker VALUES (?, ?, ?, 0)",
                (offer.name, incarnation, json.dumps(vars(offer))),
            )
            self._known[offer.name] = _Known(offer, incarnation, False, self._clock_s())
            return Membership(offer.name, incarnation, self._lease_s)

    def report(  # noqa: D102
        self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()
    ) -> Orders:
        with self._lock:
            worker = self._member(membership)
            known = self._known[worker.name]
            known.at_s, known.load, known.has_reported = self._clock_s(), load, True
            lost = tuple(session_id for session_id, epoch in held if not self._is_at(session_id, epoch))
            if load.is_draining and worker.state is WorkerState.ALIVE:
                self.drain(worker.name)
            return Orders(worker.state is WorkerState.DRAINING or load.is_draining, lost)

    def claim(self, membership: Membership, session_id: str, facts: SessionFacts) -> int:  # noqa: D102
        with self._writing() as database:
            worker = self._member(membership)
            # Who has many to claim anew gets to its next report after its lease.
            self._known[worker.name].at_s = self._clock_s()
            before = self.locate(session_id)
            told = (packed(facts), self._now_s())
            if before is None:
                epoch = 1
                database.execute(
                    "INSERT INTO session VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
                    (session_id, worker.name, worker.incarnation, worker.offer.volume, facts.owner, *told),
                )
                self._note_guests(session_id, facts)
            else:
                if (before.worker, before.incarnation) == (worker.name, worker.incarnation):
                    return before.epoch
                self._check_free(before, worker)
                # One that was given a session has its epoch already.
                given = before.worker == worker.name and before.incarnation == 0
                epoch = before.epoch if given else before.epoch + 1
                database.execute(
                    "UPDATE session SET epoch = ?, worker = ?, incarnation = ? WHERE id = ? AND epoch = ?",
                    (epoch, worker.name, worker.incarnation, session_id, before.epoch),
                )
            if facts.content:
                plate_places.note(database, facts.content, worker.name, self._now_s())
            return epoch

    def tell(self, session_id: str, epoch: int, facts: SessionFacts) -> None:  # noqa: D102
        with self._writing() as database:
            self._at_epoch(session_id, epoch)
            database.execute(
                "UPDATE session SET facts = ?, told_s = ? WHERE id = ? AND epoch = ?",
                (packed(facts), self._now_s(), session_id, epoch),
            )
            self._note_guests(session_id, facts)

    def refuge(self, membership: Membership, session_id: str, epoch: int) -> Refuge | None:  # noqa: D102
        with self._lock:
            worker = self._member(membership)
            found = self._at_epoch(session_id, epoch)
            wish = Wish(found.facts.owner, found.facts.content, volume=found.volume)
            others = [each for each in self.workers() if each.name != worker.name]
            for wanted in (wish, replace(wish, volume="")):
                try:
                    chosen = choose(others, wanted)
                except NoRoomError:
                    continue
                offer = chosen.offer
                return None if offer.volume == found.volume else Refuge(offer.endpoint, offer.volume)
            return None

    def release(self, session_id: str, epoch: int, *, volume: str = "") -> None:  # noqa: D102
        with self._writing() as database:
            self.fence(session_id, epoch)
            if volume:
                database.execute("UPDATE session SET volume = ? WHERE id = ?", (volume, session_id))

    def forget(self, session_id: str, epoch: int) -> None:  # noqa: D102
        with self._writing() as database:
            if self.locate(session_id) is None:
                return
            self._at_epoch(session_id, epoch)
            database.execute("DELETE FROM session WHERE id = ? AND epoch = ?", (session_id, epoch))
            database.execute("DELETE FROM guest WHERE session = ?", (session_id,))

    def leave(self, membership: Membership) -> None:  # noqa: D102
        with self._writing() as database:
            try:
                worker = self._member(membership)
            except NotAMemberError:
                return
            database.execute(
                "UPDATE session SET epoch = epoch + 1, worker = '', incarnation = 0 WHERE worker = ?",
                (worker.name,),
            )
            # Also for a pause that has begun since the last beat.
            self._known[worker.name].at_s = self._clock_s() - 2 * self._lease_s

    # Within.

    def _check_free(self, before: Residence, worker: Worker) -> None:
        if before.volume != worker.offer.volume:
            raise FencedError("the session's journal is on another disk")
        if before.worker and before.worker != worker.name:
            holder = self._known.get(before.worker)
            if holder is not None and self._told(holder, 0).state is not WorkerState.GONE:
                raise FencedError("the session is in another worker's hands")

    def _note_guests(self, session_id: str, facts: SessionFacts) -> None:
        self._database.execute("DELETE FROM guest WHERE session = ?", (session_id,))
        self._database.executemany(
            "INSERT INTO guest VALUES (?, ?)", [(guest, session_id) for guest in sorted(facts.guests)]
        )

    def _is_at(self, session_id: str, epoch: int) -> bool:
        row = self._database.execute("SELECT epoch FROM session WHERE id = ?", (session_id,)).fetchone()
        return row is not None and row[0] == epoch

    def _at_epoch(self, session_id: str, epoch: int) -> Residence:
        found = self.locate(session_id)
        if found is None or found.epoch != epoch:
            raise FencedError("the session has another owner by now")
        return found

    def _member(self, membership: Membership) -> Worker:
        known = self._known.get(membership.name)
        if known is None or known.incarnation != membership.incarnation:
            raise NotAMemberError("this worker has to join anew")
        found = self._told(known, 0)
        if found.state is WorkerState.GONE:
            # Its sessions may be others' by now: it is told so, and comes back under another incarnation.
            raise NotAMemberError("this worker was silent for longer than its lease: it has to join anew")
        return found

    def _forgive(self) -> None:
        """Give workers their time anew after a pause of this process; who had gone before stays gone."""
        now_s, beat_s = self._clock_s(), self._beat_s
        if beat_s is not None and now_s - beat_s > PAUSED_S:
            for known in self._known.values():
                if beat_s - known.at_s < self._lease_s:
                    known.at_s = max(known.at_s, now_s)
            self._beat_s = now_s

    def _told(self, known: _Known, sessions: int) -> Worker:
        self._forgive()
        silent_s = max(0.0, self._clock_s() - known.at_s)
        state = WorkerState.DRAINING if known.draining else WorkerState.ALIVE
        if silent_s >= self._lease_s:
            state = WorkerState.GONE
        is_heard = known.has_reported and silent_s < HEARD_SHARE * self._lease_s
        return Worker(known.offer, known.incarnation, state, known.load, sessions, silent_s, is_heard)

    def _residence(self, row: Sequence[Any]) -> Residence:
        session_id, epoch, worker, incarnation, volume, facts, told_s = row
        idle_s = max(0.0, self._now_s() - float(told_s))
        return Residence(session_id, epoch, worker, incarnation, volume, unpacked(facts), idle_s)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._database.in_transaction:
                yield self._database
                return
            try:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                except BaseException:
                    self._database.execute("ROLLBACK")
                    raise
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise OutputError(
                    "the gateway's directory takes nothing: free some space on its disk; sessions that are "
                    "open go on"
                ) from error
