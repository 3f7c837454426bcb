"""What is done before an upload: each file is read once, for its digest."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from masklet.errors import ClipError
from masklet.transport import grpc_upload
from masklet.transport.interface import ClipFile
from masklet.transport.upload_wire import Progress


def written(folder: Path, count: int) -> list[ClipFile]:
    files = []
    for frame in range(1, count + 1):
        path = folder / f"plate.{frame:04d}.exr"
        path.write_bytes(bytes([frame]) * 1000 * frame)
        files.append(ClipFile(path, frame))
    return files


def test_files_are_read_beside_each_other_and_told_of_in_order_by_whoever_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, told = written(tmp_path, 4), list[tuple[int, int]]()
    together, read = threading.Barrier(2), grpc_upload._read

    def read_two(file: ClipFile, tell: object) -> grpc_upload._Content:
        together.wait(30.0)
        return read(file, None)

    monkeypatch.setattr(grpc_upload, "_read", read_two)
    progress = Progress(files, lambda done, total: told.append((done, threading.get_ident())))

    contents = grpc_upload._read_all(files, progress)

    assert [content.file for content in contents] == files
    assert [content.sha256 for content in contents] == [
        hashlib.sha256(file.path.read_bytes()).digest() for file in files
    ]
    assert told == [(done, threading.get_ident()) for done in (1000, 3000, 6000, 10000)]


def test_a_picture_that_cannot_be_read_is_sent_empty_and_none_at_all_is_refused(tmp_path: Path) -> None:
    files = written(tmp_path, 3)
    files[1].path.unlink()

    contents = grpc_upload._read_all(files, Progress(files, None))

    assert [content.size_bytes for content in contents] == [1000, 0, 3000]
    for file in files[::2]:
        file.path.unlink()
    with pytest.raises(ClipError, match=r"plate\.0001\.exr cannot be read"):
        grpc_upload._read_all(files, Progress(files, None))
