"""Sessions on their way between workers: whole or not at all, and only files that sessions have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from masklet.errors import BadInputError, BusyError
from masklet.v1.cluster_pb2 import JournalCommit, JournalFileStart, JournalHeader, TakeJournalRequest
from masklet_server.cluster.journal_parcels import messages
from masklet_server.cluster.journal_servicer import JournalServicer
from masklet_server.journal.database import Database, connected
from masklet_server.journal.folder import FILE_NAME, JournalFolder
from masklet_server.sessions.worker_threads import WorkerThreads

SESSION = "ab" * 16


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A session's folder, with a log that is not folded in yet."""
    folder = tmp_path / "sent" / SESSION
    (folder / "clip").mkdir(parents=True)
    (folder / "clip" / "1.png").write_bytes(b"x" * (3 << 20))
    (folder / "clip" / "empty.png").touch()
    database = Database(folder / FILE_NAME, lambda kind, value: ())
    with database.writing(durably=True) as writer:
        writer.put("said", "", b"all of it")
    database.rest()
    return folder


def take(folder: Path, parts: Iterable[TakeJournalRequest], *, is_here: bool = False) -> None:
    async def each() -> AsyncIterator[TakeJournalRequest]:
        for part in parts:
            yield part

    async def work() -> None:
        workers = WorkerThreads("test", at_once=2)
        journals = JournalFolder(folder, workers, shared=True)
        servicer = JournalServicer(journals, workers, "one", is_here=lambda session_id: is_here)
        try:
            await servicer.TakeJournal(each(), cast(Any, None))
        finally:
            journals.close()

    asyncio.run(work())


def names(folder: Path) -> list[str]:
    return sorted(
        each.name for each in folder.iterdir() if not each.name.startswith(".") or "arr" in each.name
    )


def test_a_session_arrives_as_it_was_sent_in_place_of_an_earlier_stay(tmp_path: Path, sent: Path) -> None:
    there = tmp_path / "there"
    (there / SESSION).mkdir(parents=True)
    (there / SESSION / "old").touch()
    take(there, messages(SESSION, sent))
    came = there / SESSION
    assert names(came) == ["clip", FILE_NAME]
    assert (came / "clip" / "1.png").read_bytes() == (sent / "clip" / "1.png").read_bytes()
    assert (came / "clip" / "empty.png").stat().st_size == 0
    with connected(came / FILE_NAME) as database:
        assert database.execute("SELECT value FROM record").fetchall() == [(b"all of it",)]


@pytest.mark.parametrize("spoil", ["cut", "flipped", "twice", "late"])
def test_a_session_that_does_not_arrive_whole_leaves_nothing(tmp_path: Path, sent: Path, spoil: str) -> None:
    parts = list(messages(SESSION, sent))
    if spoil == "cut":
        del parts[-1]
    elif spoil == "flipped":
        parts[2] = TakeJournalRequest(chunk=bytes(len(parts[2].chunk)))
    elif spoil == "twice":
        parts.insert(2, parts[1])
    else:
        parts.append(parts[1])
    with pytest.raises(BadInputError, match="nothing of it is kept"):
        take(tmp_path / "there", parts)
    assert names(tmp_path / "there") == ["opened"]


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "clip/../../x", "clip/a/b", ".volume", "session.sqlite-wal", "clip/.x", ""]
)
def test_no_file_leaves_the_sessions_folder(tmp_path: Path, name: str) -> None:
    parts = [
        TakeJournalRequest(header=JournalHeader(session_id=SESSION)),
        TakeJournalRequest(file=JournalFileStart(name=name, size_bytes=0)),
        TakeJournalRequest(commit=JournalCommit(files=1)),
    ]
    with pytest.raises(BadInputError, match="no such file"):
        take(tmp_path / "there", parts)
    assert names(tmp_path / "there") == ["opened"]


def test_what_another_worker_of_the_folder_takes_now_is_left_to_it(tmp_path: Path, sent: Path) -> None:
    there = tmp_path / "there"
    own, anothers, alike = (there / f".arriving-{'0' * 16}.{name}" for name in ("one", "two", "rack.one"))
    for each in (own, anothers, alike):
        each.mkdir(parents=True)
    take(there, messages(SESSION, sent))
    assert [each.exists() for each in (own, anothers, alike)] == [False, True, True]


def test_what_a_worker_has_is_not_written_over(tmp_path: Path, sent: Path) -> None:
    with pytest.raises(BusyError, match="has the session already"):
        take(tmp_path / "there", messages(SESSION, sent), is_here=True)
    with pytest.raises(BadInputError, match="begins with the id"):
        take(tmp_path / "there", [TakeJournalRequest(header=JournalHeader(session_id="../x"))])
