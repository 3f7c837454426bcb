"""A worker's dealings with the directory, without a network between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from fakes.service import MODEL
from masklet.errors import MovedError, RestartingError, ServerUnreachableError
from masklet.types import ServerInfo
from masklet.version import VERSION
from masklet_server.cluster import member as member_module
from masklet_server.cluster.member import ClusterMember
from masklet_server.cluster.ports import (
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
            made._released[session_id] = member_module._Released(epoch, "ef" * 16)
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


def test_a_folder_of_journals_keeps_its_name(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert volume_of(tmp_path) == volume_of(tmp_path) != volume_of(other)
    assert [each.name for each in other.iterdir()] == [".volume"]
