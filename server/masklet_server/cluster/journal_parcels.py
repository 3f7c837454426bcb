"""A session's folder as messages, for another worker."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from masklet.errors import OutputError
from masklet.v1 import cluster_pb2
from masklet_server.journal.folder import FILE_NAME

CHUNK_BYTES = 1 << 20
MAX_FILES = 200_000


def messages(session_id: str, folder: Path) -> Iterator[cluster_pb2.TakeJournalRequest]:
    """All files of a session that nobody has open, the journal first.

    Raises:
        OutputError: A file cannot be read, or somebody has the journal open.
    """
    yield cluster_pb2.TakeJournalRequest(header=cluster_pb2.JournalHeader(session_id=session_id))
    digest, count = hashlib.sha256(), 0
    try:
        _fold(folder / FILE_NAME)
        for file in _files(folder):
            size_bytes = file.stat().st_size
            name = file.relative_to(folder).as_posix()
            start = cluster_pb2.JournalFileStart(name=name, size_bytes=size_bytes)
            yield cluster_pb2.TakeJournalRequest(file=start)
            with file.open("rb") as opened:
                while chunk := opened.read(CHUNK_BYTES):
                    digest.update(chunk)
                    yield cluster_pb2.TakeJournalRequest(chunk=chunk)
            count += 1
    except (OSError, sqlite3.Error) as error:
        raise OutputError("a session's files cannot be read: have the disk checked") from error
    commit = cluster_pb2.JournalCommit(files=count, sha256=digest.digest())
    yield cluster_pb2.TakeJournalRequest(commit=commit)


def _files(folder: Path) -> list[Path]:
    found = sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    return sorted(found, key=lambda each: each.name != FILE_NAME)


def _fold(file: Path) -> None:
    """Have all of a journal in its one file."""
    with sqlite3.connect(file) as database:
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    database.close()
    if busy:
        raise OutputError("somebody still has the session open")
    for suffix in ("-wal", "-shm"):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)
