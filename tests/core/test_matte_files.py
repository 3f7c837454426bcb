"""Files that arrive in pieces are whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from masklet.deliveries import Existing
from masklet.errors import OutputError, ServerFaultError, ServerUnreachableError
from masklet.events import ExportEvent, ExportFinished, ExportProgress, FileChunk, FileWritten
from masklet.matte_files import prepare_folder, receive, write_chunks
from platforms import needs_rights


def chunks(name: str, *pieces: bytes) -> list[ExportEvent]:
    size_bytes = sum(map(len, pieces))
    last = len(pieces) - 1
    return [FileChunk(name, piece, size_bytes, index == last) for index, piece in enumerate(pieces)]


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_are_put_together_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    looks: list[tuple[str, int, int]] = []
    events = [
        ExportProgress(0, 9, "hero"),
        ExportProgress(9, 9, "hero"),
        *chunks("a.1001.exr", b"one", b"two"),
        ExportProgress(1, 2),
        *chunks("hero/a.1002.exr", b"three"),
        ExportProgress(2, 2),
        ExportFinished(2, (1003,)),
    ]

    exported = receive(
        events,
        tmp_path / "out",
        on_progress=lambda done, total: told.append((done, total)),
        on_look=lambda name, done, total: looks.append((name, done, total)),
    )

    assert exported.files == (tmp_path / "out/a.1001.exr", tmp_path / "out/hero/a.1002.exr")
    assert exported.empty_frames == (1003,)
    assert (tmp_path / "out/a.1001.exr").read_bytes() == b"onetwo"
    assert told == [(1, 2), (2, 2)]
    assert looks == [("hero", 0, 9), ("hero", 9, 9)]


def test_whole_files_are_told_instead_of_their_chunks(tmp_path: Path) -> None:
    events = [*chunks("a.1001.exr", b"one", b"two"), ExportProgress(1, 1), ExportFinished(1)]

    told = list(write_chunks(events, tmp_path))

    assert told == [FileWritten("a.1001.exr", 6), ExportProgress(1, 1), ExportFinished(1)]
    assert (tmp_path / "a.1001.exr").read_bytes() == b"onetwo"


def test_an_export_that_is_left_early_leaves_no_half_file(tmp_path: Path) -> None:
    events = [*chunks("a.exr", b"one"), *chunks("b.exr", b"two", b"three")]
    events.insert(2, ExportProgress(1, 2))
    written = write_chunks(events, tmp_path)
    assert next(written) == FileWritten("a.exr", 3)
    assert next(written) == ExportProgress(1, 2)

    written.close()

    assert names_below(tmp_path) == ["a.exr"]


def test_a_file_that_exists_is_replaced_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_bytes(b"old")

    receive(chunks("a.exr", b"new"), tmp_path, existing=Existing.UPDATE)

    assert (tmp_path / "a.exr").read_bytes() == b"new"


def test_a_lost_server_leaves_finished_files_and_no_half_one(tmp_path: Path) -> None:
    def events() -> Iterator[ExportEvent]:
        yield from chunks("a.1001.exr", b"whole")
        yield FileChunk("a.1002.exr", b"half", 8, last=False)
        raise ServerUnreachableError("gone")

    with pytest.raises(ServerUnreachableError):
        receive(events(), tmp_path)

    assert names_below(tmp_path) == ["a.1001.exr"]


def test_a_file_that_arrives_short_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ServerFaultError, match="with 4 of 9 bytes"):
        receive([FileChunk("a.exr", b"half", 9, last=True)], tmp_path)

    assert names_below(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["../evil.exr", "/etc/evil.exr", "a/../../evil.exr", "..\\evil.exr", "C:evil"]
)
def test_a_name_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    with pytest.raises(ServerFaultError, match="outside the output folder"):
        receive(chunks(name, b"x"), folder)

    assert names_below(tmp_path) == []


def test_files_that_the_server_wrote_are_named(tmp_path: Path) -> None:
    exported = receive([FileWritten("a.1001.exr", 9), ExportFinished(1)], tmp_path)

    assert exported.files == (tmp_path / "a.1001.exr",)


def test_a_missing_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere.*cannot be written"):
        receive(chunks("a.exr", b"x"), tmp_path / "nowhere" / "out")


def test_a_file_in_place_of_the_folder_is_refused_before_work_begins(tmp_path: Path) -> None:
    (tmp_path / "out").touch()

    with pytest.raises(OutputError, match="cannot be written"):
        prepare_folder(tmp_path / "out")


@needs_rights
def test_a_read_only_folder_is_refused_before_work_begins(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OutputError, match="cannot be written"):
        prepare_folder(tmp_path / "out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def open_full(path: Path, mode: str = "r") -> object:
        if path.name.startswith(".a.exr."):
            path.touch()
            return opened(Path("/dev/full"), "wb", buffering=0)
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", open_full)

    with pytest.raises(OutputError, match="No space left"):
        receive(chunks("a.exr", b"x"), tmp_path)

    assert names_below(tmp_path) == []
