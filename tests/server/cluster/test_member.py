"""A worker's dealings with the directory, without a network between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.service import MODEL
from masklet.errors import MovedError, RestartingError, ServerUnreachableError
from masklet.types import ServerInfo
from masklet.version import VERSION
from masklet_server.cluster import member as member_module
from masklet_server.cluster.claims import Released
from masklet_server.cluster.member import ClusterMember
from masklet_server.cluster.ports import (
    LEASE_S,
    FencedError,
    Load,
    Membership,
    NameOfAnotherError,
    NotAMemberError,
    Offer,
    Orders,
    SessionFacts,
)
from masklet_server.cluster.sqlite_directory import SqliteDirectory
from masklet_server.journal.folder import FILE_NAME, JournalFolder, volume_of
from masklet_server.service.membership import Seat
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.worker_threads import WorkerThreads

INFO = ServerInfo(VERSION, "cpu", MODEL, (MODEL,), 8, 16, 4096, 1 << 30, opens_paths=True)
ANN = SessionFacts("ann")


class Directory(SqliteDirectory):
    """Can be out of reach, and give the worker's name away."""

    is_down = False
    is_anothers = False

    def join(self, offer: Offer) -> Membership:
        self._check()
        if self.is_anothers:
            raise NameOfAnotherError("give this one another name")
        return super().join(offer)

    def report(self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()) -> Orders:
        self._check()
        if self.is_anothers:
            raise NotAMemberError("join anew")
        return super().report(membership, load, held)

    def claim(self, membership: Membership, session_id: str, facts: SessionFacts) -> int:
        self._check()
        return super().claim(membership, session_id, facts)

    def _check(self) -> None:
        if self.is_down:
            raise ServerUnreachableError("nothing answers")


def seat(address: str = "127.0.0.1:1") -> Seat:
    store = SessionStore(cast(Any, None), cast(Any, None), Scheduler())
    return Seat(address, INFO, store, lambda: None)


def member(directory: SqliteDirectory, name: str = "one") -> ClusterMember:
    made = ClusterMember(directory, name, every_s=0.01)
    made._volume = lambda: "ab" * 16
    return made


def test_a_second_worker_of_a_name_is_refused_after_it_has_waited_for_a_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(member_module, "JOINS_WITHIN_S", 0.05)
    directory = SqliteDirectory()
    directory.join(Offer("one", "127.0.0.1:9", "ab" * 16))

    async def work() -> None:
        with pytest.raises(NameOfAnotherError, match="give this one another name"):
            await member(directory).join(seat())

    asyncio.run(work())


def test_a_worker_that_finds_no_gateway_goes_on_and_joins_when_there_is_one() -> None:
    async def work() -> None:
        directory = Directory()
        directory.is_down = True
        made = member(directory)
        await made.join(seat())
        with pytest.raises(RestartingError, match="sessions that are open go on"):
            await made.claim("s", ANN)
        directory.is_down = False
        await made.claim("s", ANN)
        assert [each.name for each in directory.workers()] == ["one"]
        await made.leave()
        assert directory.locate("s") is not None
        assert directory.locate("s").worker == ""  # type: ignore[union-attr]

    asyncio.run(work())


def test_claims_at_once_join_once() -> None:
    class Counting(Directory):
        joined = 0

        def join(self, offer: Offer) -> Membership:
            Counting.joined += 1
            return super().join(offer)

    async def work() -> None:
        directory = Counting()
        directory.is_down = True
        made = ClusterMember(directory, "one", every_s=600.0)
        made._volume = lambda: "ab" * 16
        await made.join(seat())
        directory.is_down, Counting.joined = False, 0
        await asyncio.gather(*(made.claim(f"s{number}", ANN) for number in range(6)))
        assert Counting.joined == 1
        await made.leave()

    asyncio.run(work())


def test_a_worker_that_joins_has_room_at_once() -> None:
    async def work() -> None:
        directory = SqliteDirectory(lease_s=600.0)
        made = ClusterMember(directory, "one", every_s=600.0)
        made._volume = lambda: "ab" * 16
        await made.join(seat())
        async with asyncio.timeout(30):
            while not directory.workers()[0].load.free_sessions:
                await asyncio.sleep(0.01)
        await made.leave()

    asyncio.run(work())


def test_a_worker_whose_name_another_has_by_now_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        directory = Directory()
        made = member(directory)
        await made.join(seat())
        directory.is_anothers = True
        async with asyncio.timeout(30):
            while "give this one another name" not in caplog.text:
                await asyncio.sleep(0.01)
        await made.leave()

    asyncio.run(work())


def test_a_carried_session_that_another_has_opened_here_meanwhile_stays(tmp_path: Path) -> None:
    taken, carried = "ab" * 16, "cd" * 16

    async def work() -> None:
        directory = SqliteDirectory()
        folder = JournalFolder(tmp_path, WorkerThreads("test", at_once=1), shared=True)
        made = ClusterMember(directory, "one", every_s=0.01)
        made.journals(folder)
        await made.join(seat())
        assert made._reporting is not None
        made._reporting.cancel()
        await asyncio.gather(*made._tasks)
        epochs = {}
        for session_id in (taken, carried):
            await made.claim(session_id, ANN)
            epochs[session_id] = made._claims.pop(session_id).epoch
            (tmp_path / session_id).mkdir()
            (tmp_path / session_id / FILE_NAME).touch()
        directory.fence(taken, epochs[taken])
        for session_id, epoch in epochs.items():
            made._released[session_id] = Released(epoch, "ef" * 16)
        await made._tell_releases()
        assert not made._released
        assert [(tmp_path / each).exists() for each in (taken, carried)] == [True, False]
        await made.leave()
        folder.close()

    asyncio.run(work())


def test_what_another_worker_has_is_not_opened(tmp_path: Path) -> None:
    async def work() -> None:
        directory = SqliteDirectory()
        one, two = member(directory, "one"), member(directory, "two")
        await one.join(seat("127.0.0.1:1"))
        await two.join(seat("127.0.0.1:2"))
        await one.claim("s", ANN)
        with pytest.raises(MovedError, match="connect to the cluster's front door"):
            await two.claim("s", ANN)
        for each in (one, two):
            await each.leave()

    asyncio.run(work())


def test_a_session_that_nobody_used_for_too_long_is_gone_from_the_directory_as_well(tmp_path: Path) -> None:
    old, used = "ab" * 16, "cd" * 16

    async def work() -> None:
        directory = SqliteDirectory()
        before = directory.join(Offer("one", "127.0.0.1:1", volume_of(tmp_path)))
        for session_id in (old, used):
            directory.claim(before, session_id, ANN)
            (tmp_path / session_id).mkdir()
            (tmp_path / session_id / FILE_NAME).touch()
        os.utime(tmp_path / old / FILE_NAME, (1.0, 1.0))
        folder = JournalFolder(tmp_path, WorkerThreads("test", at_once=1), shared=True)
        made = ClusterMember(directory, "one", every_s=0.01)
        journals = made.journals(folder)
        await made.join(seat())
        await journals.sweep(3600.0, but=())
        assert directory.locate(old) is None
        assert directory.locate(used) is not None
        await made.leave()
        folder.close()

    asyncio.run(work())


def test_a_worker_with_more_sessions_than_it_claims_in_a_lease_joins_anew_once() -> None:
    now_s = [100.0]

    class Slow(Directory):
        joined = 0
        claim_s = 0.0

        def join(self, offer: Offer) -> Membership:
            self.joined += 1
            assert self.joined <= 2
            return super().join(offer)

        def claim(self, membership: Membership, session_id: str, facts: SessionFacts) -> int:
            now_s[0] += self.claim_s
            return super().claim(membership, session_id, facts)

    async def work() -> None:
        directory = Slow(clock_s=lambda: now_s[0])
        made = member(directory)
        await made.join(seat())
        ids = [f"s{number}" for number in range(6)]
        for each in ids:
            await made.claim(each, ANN)
        directory.claim_s = LEASE_S / 2
        former = made._membership
        now_s[0] += LEASE_S
        async with asyncio.timeout(30):
            await made._join_now(former)
        assert {directory.locate(each).incarnation for each in ids} == {2}  # type: ignore[union-attr]
        await made.leave()

    asyncio.run(work())


def test_a_report_that_took_long_is_followed_by_the_next_at_once() -> None:
    now_s = [100.0]

    class Timed(ClusterMember):
        @property
        def _now_s(self) -> float:
            return now_s[0]

    class Slow(Directory):
        reported = 0

        def report(self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()) -> Orders:
            self.reported += 1
            now_s[0] += 600.0
            return super().report(membership, load, held)

    async def work() -> None:
        directory = Slow(lease_s=6000.0)
        made = Timed(directory, "one", every_s=600.0)
        made._volume = lambda: "ab" * 16
        await made.join(seat())
        async with asyncio.timeout(30):
            while directory.reported < 3:
                await asyncio.sleep(0.01)
        await made.leave()

    asyncio.run(work())


def test_a_session_that_was_swept_does_not_come_back_when_its_worker_joins_anew() -> None:
    async def work() -> None:
        directory = SqliteDirectory()
        made = member(directory)
        await made.join(seat())
        await made.claim("s", ANN)
        await made.swept("s")
        await made._join_now(made._membership)
        assert directory.locate("s") is None
        await made.leave()

    asyncio.run(work())


@pytest.mark.parametrize("is_joining", [False, True])
def test_what_the_directory_said_of_a_former_epoch_takes_no_session(
    monkeypatch: pytest.MonkeyPatch, is_joining: bool
) -> None:
    class Between(Directory):
        """Answers to what was asked before the worker has claimed anew."""

        anew: Callable[[], None] | None = None

        def report(self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()) -> Orders:
            if self.anew is None:
                return super().report(membership, load, held)
            self.anew()
            return Orders(lost=tuple(session_id for session_id, _ in held))

        def tell(self, session_id: str, epoch: int, facts: SessionFacts) -> None:
            if self.anew is not None:
                self.anew()
                raise FencedError("the session has another owner by now")
            super().tell(session_id, epoch, facts)

    class Overview:
        @staticmethod
        def sessions() -> list[Any]:
            session = SimpleNamespace(session_id="s", objects=list)
            return [SimpleNamespace(session=session, idle_s=0.0)]

    async def work() -> None:
        directory = Between()
        made = ClusterMember(directory, "one", every_s=600.0)
        made._volume = lambda: "ab" * 16
        its_seat = seat()
        await made.join(its_seat)
        assert made._reporting is not None
        made._reporting.cancel()
        await asyncio.gather(made._reporting, return_exceptions=True)
        monkeypatch.setattr(its_seat.store, "overview", Overview)
        let_go: list[str] = []
        monkeypatch.setattr(made, "lost", let_go.append)
        await made.claim("s", ANN)

        def anew() -> None:
            if not is_joining:
                made._claims["s"].epoch += 1

        async def ask() -> None:
            made.tell("s", SessionFacts("ann", objects=1))
            await made._tell_news(its_seat)
            await made._report()
            await asyncio.gather(*made._tasks)

        directory.anew = anew
        if is_joining:
            async with made._joining:
                await ask()
        else:
            await ask()
        assert let_go == []
        # And of the epoch in force it does.
        directory.anew = lambda: None
        await ask()
        assert set(let_go) == {"s"}
        await made.leave()

    asyncio.run(work())


def test_a_folder_of_journals_keeps_its_name(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert volume_of(tmp_path) == volume_of(tmp_path) != volume_of(other)
    assert [each.name for each in other.iterdir()] == [".volume"]
