"""One file of records with checksums and contents named by their digests, written by one owner at a time.

Whoever opens it raises its epoch; a writer with an earlier one is refused inside the very transaction in
which it would write. Each record has a checksum, and all of a kind together have a tally: what is damaged is
noticed, and what is not there any more is missed.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from masklet_server.journal.failures import DamagedContentError, DamagedJournalError, TakenOverError, refusal
from masklet_server.journal.tallies import NO_TALLY, Kept, Key, Tally, note, write_tallies

FORMAT = 2
"""2: tallies. Journals of format 1 are counted when they are opened."""
_BUSY_S = 5.0
_CHECKPOINT_PAGES = 4000
_TABLES = """
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL);
CREATE TABLE record (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE content (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);
INSERT INTO owner VALUES (1, 0);
"""
_TALLY = "CREATE TABLE tally (kind TEXT PRIMARY KEY, count INTEGER NOT NULL, mark INTEGER NOT NULL)"

_SMALL = "SELECT value, crc FROM record WHERE kind = ? AND key = ''"


@dataclass(frozen=True)
class Row:
    """A record as it was found."""

    kind: str
    key: str
    value: bytes


class Database:
    """The file. Safe to use from any thread; calls wait for each other.

    Args:
        path: An existing file, or one to be made.
        uses_of: Gives the digests of the contents that a record names.

    Attributes:
        damaged: Records that were not as they were written when :meth:`rows` looked last.

    Raises:
        OutputError: It cannot be opened, is damaged, or a later masklet wrote it.
    """

    def __init__(self, path: Path, uses_of: Callable[[str, bytes], Sequence[bytes]]) -> None:
        self.path = path
        self._uses_of = uses_of
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._records: dict[Key, Kept] = {}
        self._tallies: dict[str, Tally] = {}
        self._uses: Counter[bytes] = Counter()
        self._lost_count = False
        self.damaged: list[Key] = []
        self._epoch = 0
        with self._lock, self._refused():
            self._epoch = self._take_over()

    def rows(self) -> list[Row]:
        """All records that are as they were written; :attr:`damaged` names the others.

        Where records of a kind are not there any more, a name without a key stands for them.
        """
        with self._lock, self._refused():
            found = []
            self.damaged, self._records, self._uses, self._lost_count = [], {}, Counter(), False
            self._tallies = {}
            for kind, key, value, crc in self._open().execute("SELECT kind, key, value, crc FROM record"):
                if not isinstance(value, bytes) or _crc(kind, key, value) != crc:
                    self.damaged.append((str(kind), str(key)))
                    continue
                found.append(Row(kind, key, value))
                note(kind, key, value, self._uses_of, self._records, self._uses, self._tallies)
            self._miss()
            return found

    @contextmanager
    def writing(self, *, durably: bool) -> Iterator[Writer]:
        """One transaction: all of it is written, or nothing.

        Args:
            durably: On the disk, and not only with the system, when it ends.

        Raises:
            OutputError: The disk takes nothing; nothing was written.
            TakenOverError: Another has opened the file since.
        """
        with self._lock, self._refused():
            connection = self._open()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durably else 'NORMAL'}")
            if self._lost_count:
                self.rows()
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_epoch(connection)
                writer = Writer(connection, self._uses_of, self._records, self._uses, self._tallies)
                yield writer
                writer.finish()
                connection.execute("COMMIT")
            except BaseException:
                # What is used is counted anew before the next: that is rare, copies for it would not be.
                self._lost_count = True
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def content(self, digest: bytes) -> bytes | None:
        """What has this digest; None where nothing has.

        Raises:
            DamagedContentError: It is not as it was.
            OutputError: It cannot be read.
        """
        with self._lock, self._refused():
            row = self._open().execute("SELECT bytes FROM content WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            return None
        content = bytes(row[0])
        if digest_of(content) != digest:
            raise DamagedContentError("a part of a session's journal is not as it was written")
        return content

    def sizes(self) -> dict[bytes, int]:
        """How long all contents are, by digest."""
        with self._lock, self._refused():
            return dict(self._open().execute("SELECT digest, length(bytes) FROM content"))

    def rest(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connected(self.path)
            if self._epoch:
                self._check_epoch(self._connection)
        return self._connection

    def _take_over(self) -> int:
        connection = self._open()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise DamagedJournalError(
                f"a later masklet wrote this session's journal (format {version}, this one knows {FORMAT}): "
                "update the server"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
        if version < FORMAT:
            connection.execute(_TALLY)
            tallies: dict[str, Tally] = {}
            for kind, key, value in connection.execute("SELECT kind, key, value FROM record").fetchall():
                tallies[kind] = tallies.get(kind, NO_TALLY).with_record(kind, key, value)
            write_tallies(connection, tallies, tallies)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("UPDATE owner SET epoch = epoch + 1")
        (epoch,) = connection.execute("SELECT epoch FROM owner").fetchone()
        connection.execute("COMMIT")
        return int(epoch)

    def _check_epoch(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT epoch FROM owner").fetchone()
        if row is None or row[0] != self._epoch:
            raise TakenOverError(
                "another server has taken this session over: connect to that one, and it goes on there"
            )

    def _miss(self) -> None:
        """Notice kinds of which records are not there any more."""
        for kind, count, mark in self._open().execute("SELECT kind, count, mark FROM tally").fetchall():
            if self._tallies.get(kind, NO_TALLY) != Tally(count, mark):
                self.damaged.append((kind, ""))
        counted = {kind for (kind,) in self._open().execute("SELECT kind FROM tally")}
        self.damaged += [(kind, "") for kind in self._tallies.keys() - counted]

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeError) as error:
            # A connection that met an error of the disk is not trusted any more.
            self.rest()
            raise refusal(error, self.path) from error


class Writer:
    """Writes inside one transaction of a :class:`Database`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        uses_of: Callable[[str, bytes], Sequence[bytes]],
        records: dict[Key, Kept],
        uses: Counter[bytes],
        tallies: dict[str, Tally],
    ) -> None:
        self._tallies = tallies
        self._counted: set[str] = set()
        self._connection = connection
        self._uses_of = uses_of
        self._records = records
        self._uses = uses
        self._unused: set[bytes] = set()

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Write a record in place of another."""
        self._forget(kind, key)
        note(kind, key, value, self._uses_of, self._records, self._uses, self._tallies)
        self._counted.add(kind)
        self._connection.execute(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", (kind, key, value, _crc(kind, key, value))
        )

    def delete(self, kind: str, key: str) -> None:
        """Delete a record; fine when there is none."""
        if (kind, key) in self._records:
            self._forget(kind, key)
            self._connection.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))

    def rename(self, kind: str, key: str, to_key: str) -> None:
        """Give a record another key, in place of one that has it; fine when there is none."""
        row = self._connection.execute(
            "SELECT value FROM record WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        if row is not None:
            self.put(kind, to_key, bytes(row[0]))
            self.delete(kind, key)

    def keys(self, kind: str) -> list[str]:
        """Keys of all records of a kind."""
        return [key for owner, key in self._records if owner == kind]

    def hold(self, content: bytes) -> bytes:
        """Keep a content for as long as records name it; returns its digest."""
        digest = digest_of(content)
        self._connection.execute("INSERT OR IGNORE INTO content VALUES (?, ?)", (digest, content))
        self._unused.add(digest)
        return digest

    def holds(self, digest: bytes) -> bool:
        """True for a content that a record names."""
        return self._uses[digest] > 0

    def finish(self) -> None:
        """Write tallies, and delete contents that no record names any more."""
        write_tallies(self._connection, self._tallies, self._counted)
        gone = [(digest,) for digest in self._unused if not self._uses[digest]]
        self._connection.executemany("DELETE FROM content WHERE digest = ?", gone)

    def _forget(self, kind: str, key: str) -> None:
        kept = self._records.pop((kind, key), None)
        if kept is not None:
            self._uses.subtract(kept.uses)
            self._unused.update(kept.uses)
            self._counted.add(kind)
            self._tallies[kind] = self._tallies[kind].without_mark(kept.mark)


def small_rows(path: Path, kinds: Sequence[str]) -> list[Row]:
    """Records of some kinds that have no key, without becoming the owner of the file.

    Raises:
        OutputError: It cannot be read.
    """
    try:
        connection = connected(path)
        try:
            found = [(kind, connection.execute(_SMALL, (kind,)).fetchone() or (None, 0)) for kind in kinds]
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeError) as error:
        raise refusal(error, path) from error
    return [
        Row(kind, "", value)
        for kind, (value, crc) in found
        if isinstance(value, bytes) and _crc(kind, "", value) == crc
    ]


def connected(path: Path) -> sqlite3.Connection:
    """A connection with this program's settings."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def digest_of(content: bytes) -> bytes:
    """The name of a content: its SHA-256."""
    return hashlib.sha256(content).digest()


def _crc(kind: str, key: str, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(f"{kind}\n{key}\n".encode()))
