"""A server's place in a cluster: it joins, reports, claims sessions, and gives them away when it drains."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio

from masklet import codec as wire
from masklet.errors import MaskletError, RestartingError, ServerUnreachableError
from masklet_server.cluster.carrier import MOVES_AT_ONCE, Carrier
from masklet_server.cluster.claimed_journals import ClaimedJournals, moved
from masklet_server.cluster.claims import Claim, Released
from masklet_server.cluster.codec import packed_info
from masklet_server.cluster.ports import (
    LEASE_S,
    REPORT_EVERY_S,
    FencedError,
    Load,
    Membership,
    NameOfAnotherError,
    NotAMemberError,
    Offer,
    Refuge,
    Roster,
    SessionFacts,
)
from masklet_server.cluster.rules import WORKER_RULES
from masklet_server.journal.folder import JournalFolder
from masklet_server.service.membership import Seat
from masklet_server.sessions.durability import Journals
from masklet_server.sessions.worker_threads import WorkerThreads

CALLS_AT_ONCE = 8
CALL_S = 10.0
JOINS_WITHIN_S = 3 * LEASE_S
"""A worker that was killed and starts anew elsewhere waits until its own lease has ended.

A gateway that was started anew beside it gives that one two leases."""
TELLS_EVERY_S = 30.0
USED_S = 1.0
"""A session with a call since is not left for another one."""
REPORTS_IN_A_LEASE = 3

_ValueT = TypeVar("_ValueT")
_log = logging.getLogger("masklet_server.cluster")


class ClusterMember:
    """See :class:`masklet_server.service.membership.Member`. To be used from one event loop.

    Args:
        roster: The directory.
        name: Of the worker, one of a kind.
        advertised: ``host:port`` at which clients reach it; empty for where it listens.
        every_s: How often it reports.
        carry: Takes a journal to another worker, in a thread: told the session, its folder, and where to.
            None where all workers have one folder.
    """

    rules = WORKER_RULES

    def __init__(
        self,
        roster: Roster,
        name: str,
        *,
        advertised: str = "",
        every_s: float = REPORT_EVERY_S,
        carry: Callable[[str, Path, Refuge], None] | None = None,
    ) -> None:
        self._carrier = Carrier(carry)
        self._roster = roster
        self._name = name
        self._advertised = advertised
        self._every_s = every_s
        self._threads = WorkerThreads("cluster", at_once=CALLS_AT_ONCE, disk_s=CALL_S)
        self._volume: Callable[[], str] = str
        self._seat: Seat | None = None
        self._membership: Membership | None = None
        self._joining = asyncio.Lock()
        self._claims: dict[str, Claim] = {}
        # Given away, and the directory has yet to hear of it.
        self._released: dict[str, Released] = {}
        self._reporting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: asyncio.Task[None] | None = None
        self._moving: asyncio.Task[None] | None = None
        self._is_draining = False
        self._is_cut_off = False

    def journals(self, folder: JournalFolder) -> Journals:
        """The journals of a folder, each of which is claimed before it is opened."""
        self._carrier.folder, self._volume = folder, lambda: folder.volume
        return ClaimedJournals(folder, self)

    @property
    def is_moving(self) -> bool:
        """True while a worker that drains gives its sessions away."""
        return self._moving is not None and not self._moving.done()

    def add_services(self, server: grpc.aio.Server) -> None:
        """Have a server take journals from other workers."""
        self._carrier.serve(server, self._name, is_here=self._claims.__contains__)

    async def join(self, seat: Seat) -> None:
        """Become a worker; from now on it is reported by itself.

        A gateway that does not answer is asked again until it does.

        Raises:
            NameOfAnotherError: Another worker has the name.
            MaskletError: The gateway does not take it: its token is not good for that.
        """
        self._seat = seat
        loop = asyncio.get_running_loop()
        until_s = loop.time() + JOINS_WITHIN_S
        while True:
            try:
                await self._join_now(self._membership)
            except NameOfAnotherError:
                if loop.time() >= until_s:
                    raise
                await asyncio.sleep(self._every_s)
            except ServerUnreachableError as error:
                self._cut_off(error)
                break
            else:
                break
        self._reporting = loop.create_task(self._report_forever())

    async def leave(self) -> None:
        """Let others have what is left; the server stops."""
        for task in (self._reporting, *self._tasks):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        membership = self._membership
        if membership is not None:
            with suppress(MaskletError):
                await self._ask(self._roster.leave, membership)
        self._threads.close()
        self._carrier.close()

    # What journals say.

    async def claim(self, session_id: str, facts: SessionFacts) -> None:
        """Take a session.

        Raises:
            RestartingError: It is somebody else's, or nobody can be asked.
        """
        if self._is_draining:
            raise moved()
        for _ in range(2):
            membership = self._membership
            try:
                epoch = await self._ask(self._roster.claim, self._member(), session_id, facts)
            except FencedError as error:
                raise moved() from error
            except NotAMemberError:
                with suppress(ServerUnreachableError):
                    await self._join_now(membership)
            except ServerUnreachableError:
                break
            else:
                self._claims[session_id] = Claim(epoch, facts, facts, self._now_s)
                return
        raise RestartingError(
            "the cluster's front door does not answer: sessions that are open go on, and this one opens once "
            "it is back"
        )

    def tell(self, session_id: str, facts: SessionFacts) -> None:
        """Have the directory told, with the next news."""
        claim = self._claims.get(session_id)
        if claim is not None:
            claim.facts = facts

    async def tell_news(self) -> None:
        """Tell the directory now what it has not heard of; fine where it does not answer."""
        if self._seat is not None:
            with suppress(MaskletError):
                await self._tell_news(self._seat)

    def touch(self, session_id: str) -> None:
        """The session is used now."""
        claim = self._claims.get(session_id)
        if claim is not None:
            claim.is_used = True

    async def forget(self, session_id: str) -> None:
        """The session was closed for good."""
        claim = self._claims.pop(session_id, None)
        if claim is not None:
            # What the directory does not hear now it finds out when somebody asks for the session.
            with suppress(MaskletError):
                await self._ask(self._roster.forget, session_id, claim.epoch)

    async def swept(self, session_id: str) -> None:
        """The session, which nobody had, was deleted as nobody has used it for too long."""
        self._claims.pop(session_id, None)
        with suppress(MaskletError):
            epoch = await self._ask(self._roster.claim, self._member(), session_id, SessionFacts(""))
            await self._ask(self._roster.forget, session_id, epoch)

    def lost(self, session_id: str) -> None:
        """Somebody else has opened its journal."""
        self._claims.pop(session_id, None)
        self._start(self._let_go(session_id))

    # Within.

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def _report_forever(self) -> None:
        while True:
            began_s = self._now_s
            try:
                await self._report_or_join()
            except MaskletError as error:
                self._cut_off(error)
            except Exception:  # noqa: BLE001
                # Whatever it is, a worker that reports no more would lose all its sessions.
                _log.exception("a report to the cluster's front door failed")
            lease_s = LEASE_S if self._membership is None else self._membership.lease_s
            # From its beginning: one that took long, or came to nothing, is followed by the next at once.
            until_s = began_s + min(self._every_s, lease_s / REPORTS_IN_A_LEASE)
            await asyncio.sleep(max(0.0, until_s - self._now_s))

    async def _report_or_join(self) -> None:
        membership = self._membership
        try:
            await self._report()
        except NotAMemberError:
            await self._join_now(membership)
            # Without a word of what is left it would get no sessions.
            await self._report()
        if self._is_cut_off:
            self._is_cut_off = False
            _log.warning("the cluster's front door answers again")

    async def _report(self) -> None:
        membership, seat = self._member(), self._seat
        assert seat is not None
        in_memory = [each.session.session_id for each in seat.store.overview.sessions()]
        claims = {each: self._claims[each] for each in in_memory if each in self._claims}
        held = {each: claim.epoch for each, claim in claims.items()}
        load = self._load(seat)
        orders = await self._ask(self._roster.report, membership, load, list(held.items()))
        for session_id in held.keys() & set(orders.lost):
            self._lost_at(session_id, claims[session_id], held[session_id])
        if orders.drain and not self._is_draining:
            self._is_draining = True
            seat.begin_drain()
            self._moving = self._start(self._give_all_away(seat))
        if self._telling is None or self._telling.done():
            # Beside the reports: a lease is not held back by what many sessions have to say.
            self._telling = self._start(self._tell_all(seat))

    async def _tell_all(self, seat: Seat) -> None:
        with suppress(MaskletError):
            await self._tell_news(seat)
            await self._tell_releases()

    def _member(self) -> Membership:
        if self._membership is None:
            raise NotAMemberError("the worker has not joined yet")
        return self._membership

    def _load(self, seat: Seat) -> Load:
        store = seat.store
        # Others are left to their journals when somebody wants their place.
        engaged = sum(each.idle_s < USED_S for each in store.overview.sessions())
        return Load(
            free_bytes=max(0, store.ledger.budget_bytes - store.ledger.held_bytes),
            free_sessions=max(0, store.limits.max_sessions - engaged),
            is_draining=store.takes_no_more,
        )

    async def _tell_news(self, seat: Seat) -> None:
        objects = {
            each.session.session_id: len(each.session.objects()) for each in seat.store.overview.sessions()
        }
        for session_id, claim in list(self._claims.items()):
            if session_id in objects:
                claim.facts = replace(claim.facts, objects=objects[session_id])
            is_old = claim.is_used and self._now_s - claim.told_s >= TELLS_EVERY_S
            if claim.facts != claim.told or is_old:
                facts, epoch = claim.facts, claim.epoch
                try:
                    await self._ask(self._roster.tell, session_id, epoch, facts)
                except FencedError:
                    self._lost_at(session_id, claim, epoch)
                else:
                    claim.told, claim.told_s, claim.is_used = facts, self._now_s, False

    async def _tell_releases(self) -> None:
        while self._released:
            session_id, released = self._released.popitem()
            try:
                await self._ask(
                    partial(self._roster.release, volume=released.volume), session_id, released.epoch
                )
            except FencedError:
                # Somebody who reaches it here has opened it meanwhile: what is here counts.
                continue
            except BaseException:
                self._released[session_id] = released
                raise
            if released.volume:
                # It is complete elsewhere, and the directory says so.
                await self._carrier.remove(session_id)

    async def _give_all_away(self, seat: Seat) -> None:
        """Give every session to whoever takes it, some at a time."""
        places = asyncio.Semaphore(MOVES_AT_ONCE)

        async def give(session_id: str) -> None:
            async with places:
                await seat.store.overview.hand_over(session_id)
                claim = self._claims.pop(session_id, None)
                if claim is not None:
                    volume = await self._carried(session_id, claim.epoch)
                    self._released[session_id] = Released(claim.epoch, volume)
                    with suppress(MaskletError):
                        await self._tell_releases()

        async def give_idle(session_id: str, facts: SessionFacts) -> None:
            async with places:
                # Somebody else's are left to that one.
                with suppress(MaskletError):
                    epoch = await self._ask(self._roster.claim, self._member(), session_id, facts)
                    volume = await self._carried(session_id, epoch)
                    self._released[session_id] = Released(epoch, volume)
                    await self._tell_releases()

        claimed = list(self._claims)
        for outcome in await asyncio.gather(*map(give, claimed), return_exceptions=True):
            if isinstance(outcome, BaseException):
                # The others go all the same.
                _log.error("a session could not be given away", exc_info=outcome)
        idle = await self._carrier.idle(frozenset(claimed))
        await asyncio.gather(*(give_idle(*each) for each in idle))
        _log.info("%d sessions were given away", len(claimed) + len(idle))

    async def _carried(self, session_id: str, epoch: int) -> str:
        """Take a session's journal to where it is reached; the volume there, empty for where it was."""
        return await self._carrier.carried(
            session_id, lambda: self._ask(self._roster.refuge, self._member(), session_id, epoch)
        )

    def _lost_at(self, session_id: str, claim: Claim, epoch: int) -> None:
        """What the directory says of an epoch; of a session claimed anew meanwhile the next news tells."""
        if self._claims.get(session_id) is claim and claim.epoch == epoch and not self._joining.locked():
            self.lost(session_id)

    async def _let_go(self, session_id: str) -> None:
        _log.warning("a session is another worker's now, and is let go")
        if self._seat is not None:
            with suppress(MaskletError):
                await self._seat.store.overview.hand_over(session_id, within_s=0.0)

    async def _join_now(self, former: Membership | None) -> None:
        """Join in place of a former membership, unless a claim or a report beside this one has done it."""
        async with self._joining:
            if self._membership is former:
                await self._join()

    async def _join(self) -> None:
        assert self._seat is not None
        seat = self._seat
        info = packed_info(wire.server_to_wire(seat.info))
        volume = await self._ask(self._volume)
        offer = Offer(self._name, self._advertised or seat.address, volume, info)
        membership = self._membership = await self._ask(self._roster.join, offer)
        self._is_draining = self._is_draining and seat.store.takes_no_more
        for session_id, claim in list(self._claims.items()):
            if self._claims.get(session_id) is not claim:
                continue
            try:
                claim.epoch = await self._ask(self._roster.claim, membership, session_id, claim.facts)
            except FencedError:
                self.lost(session_id)

    def _cut_off(self, error: MaskletError) -> None:
        if not self._is_cut_off:
            self._is_cut_off = True
            _log.warning("cut off from the cluster's front door, sessions go on: %s", error)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask(self, call: Callable[..., _ValueT], *args: Any) -> _ValueT:
        return await self._threads.run(call, *args, at_disk=True)
