from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from masklet.errors import OutputError, PathNotAllowedError
from masklet_server.mattes.files import RenderedFile, prepare_folder, write_files, write_whole
from platforms import make_link, needs_proc, needs_rights


def frames(count: int) -> Iterator[RenderedFile]:
    for frame in range(1001, 1001 + count):
        yield RenderedFile(f"hero/hero.{frame}.exr", frame, bytes(1000))


def test_files_are_stored_one_by_one(tmp_path: Path) -> None:
    stored = write_files(tmp_path / "out", frames(3))

    assert next(stored) == tmp_path / "out" / "hero" / "hero.1001.exr"
    assert sorted(path.name for path in (tmp_path / "out" / "hero").iterdir()) == ["hero.1001.exr"]
    assert len(list(stored)) == 2


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "hero.1001.exr"
    path.write_bytes(b"old")

    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["hero.1001.exr"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be made, the folder above it does not exist"):
        prepare_folder(tmp_path / "nowhere" / "out")


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").touch()

    with pytest.raises(OutputError, match="the output folder out is a file"):
        prepare_folder(tmp_path / "out")


@needs_rights
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OutputError, match=r"hero.exr cannot be written, the folder is read-only"):
        write_whole(tmp_path / "hero.exr", b"data")


@needs_proc
def test_a_read_only_disk_is_named() -> None:
    # /proc takes no files, whoever asks.
    with pytest.raises(
        OutputError, match=r"hero.exr cannot be written, (the folder is read|its folder does not)"
    ):
        write_whole(Path("/proc/hero.exr"), b"data")


class FullDisk:
    """Refuses to sync from the third file on, as a full disk does."""

    def __init__(self) -> None:
        self.files = 0

    def __call__(self, descriptor: int) -> None:
        self.files += 1
        if self.files > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_keeps_the_finished_frames_and_no_half_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", FullDisk())
    stored: list[Path] = []

    with pytest.raises(
        OutputError, match=r"hero.1003.exr cannot be written, the disk is full: free some space"
    ):
        stored.extend(write_files(tmp_path, frames(5)))

    assert [path.name for path in stored] == ["hero.1001.exr", "hero.1002.exr"]
    assert sorted(os.listdir(tmp_path / "hero")) == ["hero.1001.exr", "hero.1002.exr"]


def test_a_really_full_disk_keeps_the_finished_frames(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    try:
        big = (RenderedFile(f"hero.{frame}.exr", frame, bytes(20_000)) for frame in range(1001, 1009))
        stored: list[Path] = []
        with pytest.raises(OutputError, match="the disk is full"):
            stored.extend(write_files(tmp_path, big))
        assert sorted(path.name for path in stored) == sorted(os.listdir(tmp_path))
        assert all(path.stat().st_size == 20_000 for path in stored)
        assert stored
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def inside(folder: Path) -> Callable[[Path], bool]:
    return lambda place: place == folder or folder in place.parents


def test_nothing_is_written_through_a_link_to_another_place(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    make_link(root / "hero", elsewhere)

    for path in (root / "hero" / "hero.1.exr", root / "hero" / "deep" / "hero.1.exr"):
        with pytest.raises(PathNotAllowedError, match="link out of the folders"):
            write_whole(path, b"data", allowed=inside(root))
    write_whole(root / "other" / "hero.1.exr", b"data", allowed=inside(root))
    write_whole(root / "hero.1.exr", b"data", allowed=inside(root))

    assert list(elsewhere.iterdir()) == []
    assert (root / "other" / "hero.1.exr").read_bytes() == (root / "hero.1.exr").read_bytes() == b"data"


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this system cannot hold folders")
def test_a_folder_that_becomes_a_link_in_mid_write_gets_the_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    (root / "hero").mkdir(parents=True)
    elsewhere.mkdir()

    def swap(descriptor: int) -> None:
        (root / "hero").rename(root / "moved")
        make_link(root / "hero", elsewhere)

    monkeypatch.setattr(os, "fsync", swap)
    write_whole(root / "hero" / "hero.1.exr", b"data", allowed=inside(root))

    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in (root / "moved").iterdir()] == ["hero.1.exr"]


def test_a_link_in_a_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    make_link(tmp_path / "hero.1.exr", tmp_path / "secret")

    write_whole(tmp_path / "hero.1.exr", b"data", allowed=inside(tmp_path))

    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert not (tmp_path / "hero.1.exr").is_symlink()
