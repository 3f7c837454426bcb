"""The folder of journals: whose it is, where it may lie, what is swept."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, LimitError, OutputError
from masklet.types import ClipInfo, FrameRange
from masklet_server.identity.caller import LOCAL_USER
from masklet_server.journal import folder as journal_folder
from masklet_server.journal.disks import check_local, network_type
from masklet_server.journal.folder import FILE_NAME, JournalFolder
from masklet_server.journal.places import default_sessions_folder, state_folder
from masklet_server.journal.recovery import Headline, headline_of
from masklet_server.sessions.clip_reference import ClipReference, UploadedFiles
from masklet_server.sessions.durability import SessionHead
from masklet_server.sessions.sharing import Access
from masklet_server.sessions.worker_threads import WorkerThreads

INFO = ClipInfo("plate", 64, 48, 1, 14)


def head(
    session_id: str, owner: str = "ann", request_id: str = "", clip: ClipReference | None = None
) -> SessionHead:
    return SessionHead(
        session_id, owner, clip or ClipReference(Path("/plates/a"), owner=owner), INFO, "00", request_id
    )


@contextmanager
def folder_in(place: Path, *, take_over: bool = False) -> Iterator[JournalFolder]:
    workers = WorkerThreads("journals", at_once=2)
    folder = JournalFolder(place, workers, take_over=take_over)
    try:
        yield folder
    finally:
        folder.close()
        workers.close()


def test_a_second_server_is_told_that_the_folder_is_taken_and_may_take_it_over(tmp_path: Path) -> None:
    with folder_in(tmp_path / "sessions"):
        with pytest.raises(BadInputError, match=r"another server keeps its sessions in .*--take-over"):
            JournalFolder(tmp_path / "sessions", WorkerThreads("journals", at_once=1))
        with folder_in(tmp_path / "sessions", take_over=True):
            pass
    with folder_in(tmp_path / "sessions"):
        pass


def test_a_folder_on_a_network_is_refused_in_a_sentence(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nfiler:/vol /mnt/my\\040shows nfs4 rw 0 0\n"
        "/dev/sdb /mnt/my\\040shows/local xfs rw 0 0\n"
    )

    assert network_type(Path("/mnt/my shows/a"), mounts=mounts) == "nfs4"
    assert network_type(Path("/mnt/my shows/local/a"), mounts=mounts) is None
    assert network_type(Path("/mnt"), mounts=mounts) is None
    assert network_type(Path("/mnt/my shows"), mounts=tmp_path / "nowhere") is None
    mounts.write_text(f"filer:/vol {tmp_path.resolve()} cifs rw 0 0\n")
    with pytest.raises(BadInputError, match=r"lies on a network \(cifs\).* local disk"):
        check_local(tmp_path, mounts=mounts)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match=r"cannot be made .*--sessions"):
        JournalFolder(tmp_path / "file" / "sessions", WorkerThreads("journals", at_once=1))


def test_sessions_are_found_by_their_owner_alone(tmp_path: Path) -> None:
    one, other = "1" * 32, "2" * 32

    async def work() -> None:
        with folder_in(tmp_path) as folder:
            await folder.create(head(one, request_id="a"))
            await folder.create(head(other, owner="bob"))

            assert await folder.access_of(one) == Access("ann")
            assert [each.session_id for each in await folder.summaries("ann")] == [one]
            assert await folder.opened_by("ann", "a") == one
            assert await folder.opened_by("bob", "a") is None
            assert await folder.open(one, "bob") is None
            for nobody in ("3" * 32, "../" + one, "", "a/b"):
                assert await folder.access_of(nobody) is None
                assert await folder.open(nobody, "ann") is None
                await folder.remove(nobody)
            await folder.remove(one)
            assert await folder.opened_by("ann", "a") is None
            assert [each.session_id for each in await folder.summaries("bob")] == [other]

    asyncio.run(work())


@pytest.mark.parametrize(
    "clip",
    [
        ClipReference(
            Path("/plates/a.%04d.exr"),
            reading=ClipReading(
                "ACEScg", 1001, 23.976, layer="beauty", view="left", overscan=True, frames=FrameRange(3, 9)
            ),
            owner="ann",
        ),
        ClipReference(upload=UploadedFiles(Path("/kept/clip"), "a.mov", {}, "00.mov", 12)),
        ClipReference(upload=UploadedFiles(Path("/kept/clip"), "a", {-3: "00.png", 1001: "01.png"}, "", 99)),
    ],
)
def test_a_clip_comes_back_with_everything_that_was_said_of_reading_it(
    tmp_path: Path, clip: ClipReference
) -> None:
    async def work() -> None:
        with folder_in(tmp_path) as folder:
            await folder.create(head("1" * 32, clip=clip))
            found = await folder.open("1" * 32, "ann")
            assert found is not None
            assert found[0] == head("1" * 32, clip=clip)

    asyncio.run(work())


def test_what_nobody_has_used_for_long_is_swept_with_its_files(tmp_path: Path) -> None:
    old, fresh, held = "1" * 32, "2" * 32, "3" * 32

    async def work() -> None:
        with folder_in(tmp_path) as folder:
            for session_id in (old, fresh, held):
                await folder.create(head(session_id, request_id=session_id))
                (folder.folder_of(session_id) / "clip").mkdir()
            long_ago_s = time.time() - 10_000
            for session_id in (old, held):
                for file in folder.folder_of(session_id).glob(f"{FILE_NAME}*"):
                    os.utime(file, (long_ago_s, long_ago_s))
            (tmp_path / "else").mkdir()

            await folder.sweep(5_000.0, but=[held])

            assert sorted(path.name for path in tmp_path.iterdir()) == [
                ".owner",
                fresh,
                held,
                "else",
                "opened",
            ]
            assert len(list((tmp_path / "opened").iterdir())) == 2

    asyncio.run(work())


def test_uploads_of_sessions_that_are_gone_count_no_more_whoever_deleted_them(tmp_path: Path) -> None:
    def sent(size_bytes: int) -> ClipReference:
        return ClipReference(upload=UploadedFiles(Path("/kept/clip"), "a.mov", {}, "00.mov", size_bytes))

    async def work() -> None:
        with folder_in(tmp_path) as before:
            for number, size_bytes in enumerate((1, 20, 300), start=1):
                await before.create(head(str(number) * 32, clip=sent(size_bytes)))
            await before.create(head("4" * 32, owner="bob", clip=sent(4000)))
        with folder_in(tmp_path) as folder:
            await folder.look_round()
            assert folder.uploads_bytes() == {"ann": 321, "bob": 4000}
            await folder.remove("1" * 32)
            assert folder.uploads_bytes()["ann"] == 320
            # As another worker does it that shares the folder.
            shutil.rmtree(folder.folder_of("2" * 32))
            await folder.sweep(5_000.0, but=[])
            assert folder.uploads_bytes() == {"ann": 300, "bob": 4000}

    asyncio.run(work())


def test_a_user_has_so_many_sessions_and_others_have_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_folder, "MAX_SESSIONS_OF_A_USER", 2)

    async def work() -> None:
        with folder_in(tmp_path) as before:
            await before.create(head("1" * 32))
        with folder_in(tmp_path) as folder:
            await folder.look_round()
            await folder.create(head("2" * 32))
            await folder.create(head("3" * 32, owner="bob"))
            with pytest.raises(LimitError, match="you have 2 sessions on this server"):
                await folder.create(head("4" * 32))
            await folder.remove("1" * 32)
            await folder.create(head("4" * 32))
            shutil.rmtree(folder.folder_of("4" * 32))
            await folder.sweep(5_000.0, but=[])
            await folder.create(head("5" * 32))

    asyncio.run(work())


def test_all_who_have_no_name_have_ten_times_as_many_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_folder, "MAX_SESSIONS_OF_A_USER", 1)

    async def work() -> None:
        with folder_in(tmp_path) as folder:
            for number in range(10):
                await folder.create(head(f"{number:032x}", owner=LOCAL_USER))
            with pytest.raises(LimitError, match=r"without a name have 10 sessions together.* a token"):
                await folder.create(head("a" * 32, owner=LOCAL_USER))

    asyncio.run(work())


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), OutputError("full")])
def test_a_session_that_the_disk_did_not_take_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(journal_folder, "MAX_SESSIONS_OF_A_USER", 1)

    def full(folder: Path) -> None:
        raise error

    async def work() -> None:
        with folder_in(tmp_path) as folder:
            with monkeypatch.context() as patched:
                patched.setattr(journal_folder, "_sync", full)
                with pytest.raises(OutputError):
                    await folder.create(head("1" * 32))
            assert folder.ids() == []
            await folder.create(head("2" * 32))

    asyncio.run(work())


def test_a_list_of_ones_own_sessions_does_not_open_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def headline(file: Path) -> Headline:
        opened.append(file)
        return headline_of(file)

    monkeypatch.setattr(journal_folder, "headline_of", headline)

    async def work() -> None:
        with folder_in(tmp_path) as folder:
            await folder.create(head("1" * 32))
            await folder.create(head("2" * 32, owner="bob"))
            assert [each.session_id for each in await folder.summaries("ann")] == ["1" * 32]
            assert [file.parent.name for file in opened] == ["1" * 32]

    asyncio.run(work())


def test_a_byte_that_the_disk_changed_beside_the_journals_stops_no_sweep(tmp_path: Path) -> None:
    async def work() -> None:
        with folder_in(tmp_path) as folder:
            await folder.create(head("1" * 32, request_id="a"))
            (beside,) = (tmp_path / "opened").iterdir()
            beside.write_bytes(b"\xff" + b"1" * 31)
            assert await folder.opened_by("ann", "a") is None
            await folder.sweep(5_000.0, but=[])
            assert not beside.exists()
            assert await folder.access_of("1" * 32) == Access("ann")

    asyncio.run(work())


def test_every_port_has_sessions_of_its_own_and_a_free_port_none() -> None:
    assert default_sessions_folder("127.0.0.1:0") is None
    assert default_sessions_folder("[::1]:7700") == state_folder() / "7700"
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert state_folder({"XDG_STATE_HOME": "/var/me"}) == Path("/var/me/masklet/sessions")
