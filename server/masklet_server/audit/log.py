"""Writes the audit log: in a thread of its own, so that nobody waits for its disk."""

from __future__ import annotations

import errno
import io
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError
from masklet.own_folder import lock_file
from masklet_server.audit.chain import MAX_LINE_BYTES, Link, files_of, link_in, linked, shortened

MAX_WAITING = 10_000
"""Records that wait for the disk; what comes beyond is counted and told in the log itself."""
MAX_TEXT_CHARACTERS = 512
SYNC_EVERY_S = 1.0
_BATCH = 500

_log = logging.getLogger("masklet_server.audit")


class AuditLog:
    """Takes records and writes them, in order, each chained to the one before.

    A disk that takes nothing stops nobody: the server's log says so at once, and how many records are missing
    is the first record after that.

    Args:
        path: The file that is written. Full ones are put aside beside it, under the number of
            their first record.
        max_bytes: When a file is full.
        clock_s: Unix time; an argument for tests.

    Raises:
        BadInputError: The file cannot be written, is another server's, or its end is damaged.
    """

    def __init__(self, path: Path, *, max_bytes: int, clock_s: Callable[[], float] = time.time) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._clock_s = clock_s
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._lost = 0
        self._is_failing = False
        self._counting = threading.Lock()
        self._synced_s = 0.0
        self._file: io.FileIO | None = None
        self._first = 1
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock: int | None = _locked(path)
            try:
                self._end = self._taken_up()
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise BadInputError(
                f"the audit log {path} cannot be written ({error.strerror}): check its folder, or name "
                "another file with --audit"
            ) from error
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self._thread.start()

    @property
    def is_failing(self) -> bool:
        """True while the disk takes nothing."""
        return self._is_failing

    def note(self, did: str, **facts: Any) -> None:
        """Write a record; at once, from any thread.

        Args:
            did: What was done.
            facts: Texts, numbers and short lists; never pixels, never tokens. Long texts are cut.
        """
        if self._waiting.qsize() >= MAX_WAITING:
            self._lose(1)
            return
        shown = shortened(
            {name: value for name, value in facts.items() if value is not None}, MAX_TEXT_CHARACTERS
        )
        self._waiting.put({"time": self._now(), "did": did, **shown})

    def close(self, *, within_s: float = 2.0) -> None:
        """Write what waits, and let another server have the file. Twice is fine."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        self._waiting.put(None)
        self._thread.join(within_s)
        if self._thread.is_alive():
            _log.error("the disk of the audit log does not answer: its last records may be missing")
        else:
            os.close(lock)

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            with suppress(queue.Empty):
                while len(batch) < _BATCH:
                    batch.append(self._waiting.get_nowait())
            records = [each for each in batch if each is not None]
            if records or self._lost:
                self._write(records)
            if len(records) < len(batch):
                break
        with suppress(OSError):
            self._sync(now=True)
        if self._file is not None:
            self._file.close()

    def _write(self, records: Sequence[Mapping[str, Any]]) -> None:
        with self._counting:
            lost = self._lost
        if lost:
            records = [{"time": self._now(), "did": "lost-records", "count": lost}, *records]
        lines, end = [], self._end
        for record in records:
            line, end = linked(record, end)
            lines.append(line)
        try:
            if self._file is None:
                self._file = _opened(self.path)
            size_bytes = self._file.seek(0, os.SEEK_END)
            try:
                content = b"".join(lines)
                _write_all(self._file, content)
                self._sync()
            except OSError:
                # Half a line would be a broken chain.
                with suppress(OSError):
                    self._file.truncate(size_bytes)
                raise
        except OSError as error:
            if not self._is_failing:
                _log.error(
                    "the audit log %s takes nothing (%s): what happens is not noted until its disk has room",
                    self.path,
                    error.strerror,
                )
            self._is_failing = True
            self._lose(len(records) - bool(lost))
            if self._file is not None:
                with suppress(OSError):
                    self._file.close()
                self._file = None
            return
        self._end = end
        if lost:
            self._lose(-lost)
        if self._is_failing:
            self._is_failing = False
            _log.error("the audit log %s is written again; %d records are missing", self.path, lost)
        if size_bytes + sum(map(len, lines)) >= self._max_bytes:
            self._turn()

    def _turn(self) -> None:
        """Put the full file aside."""
        assert self._file is not None
        try:
            self._sync(now=True)
            self._file.close()
            self._file = None
            self.path.rename(self.path.with_name(f"{self.path.name}.{self._first:010d}"))
            self._first = self._end.number + 1
        except OSError as error:
            _log.error("the audit log %s cannot be put aside and grows: %s", self.path, error)

    def _sync(self, *, now: bool = False) -> None:
        if self._file is not None:
            self._file.flush()
            if now or time.monotonic() - self._synced_s >= SYNC_EVERY_S:
                os.fsync(self._file.fileno())
                self._synced_s = time.monotonic()

    def _lose(self, count: int) -> None:
        with self._counting:
            self._lost += count

    def _now(self) -> str:
        now = datetime.fromtimestamp(self._clock_s(), timezone.utc)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _taken_up(self) -> Link:
        """The end of the chain that is there; what a killed server left torn is put aside.

        Raises:
            BadInputError: The last record is not as it was written.
        """
        with _opened(self.path) as file:
            size_bytes = file.seek(0, os.SEEK_END)
            file.seek(max(0, size_bytes - 2 * MAX_LINE_BYTES))
            tail = file.read()
            whole, newline, torn = tail.rpartition(b"\n")
            if torn:
                self.path.with_name(f"{self.path.name}.torn-{int(self._clock_s())}").write_bytes(torn)
                file.truncate(size_bytes - len(torn))
                _log.warning("the audit log ended in half a record, which was put aside: %d bytes", len(torn))
            file.seek(0)
            head = file.readline(MAX_LINE_BYTES + 1)
        last = whole.rpartition(b"\n")[2] if newline else b""
        aside = files_of(self.path)[:-1]
        if not last and aside:
            head, last = b"", aside[-1].read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
        if not last:
            return Link()
        try:
            end = link_in(last)[0]
            self._first = link_in(head.rstrip(b"\n"))[0].number if head.strip() else end.number + 1
        except ValueError as error:
            raise BadInputError(
                f"the audit log {self.path} is damaged ({error}): look at it with masklet-server audit "
                "verify, then move it away"
            ) from error
        return end


def check_usable(path: Path) -> None:
    """See at once that a server can write its audit log; errors as in :class:`AuditLog`."""
    AuditLog(path, max_bytes=1 << 30).close()


def _opened(path: Path) -> io.FileIO:
    """The file to write at its end, for this user alone where it is made."""
    return io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")


def _write_all(file: io.FileIO, content: bytes) -> None:
    if file.write(content) != len(content):
        # A disk that is nearly full takes a part, and says so only the next time.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _locked(path: Path) -> int:
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock_file(handle)
    except OSError as error:
        os.close(handle)
        raise BadInputError(
            f"another server writes the audit log {path}: name another file with --audit"
        ) from error
    return handle
