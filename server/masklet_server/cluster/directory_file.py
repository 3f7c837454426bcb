"""The file of the directory: its tables, and who may have it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.cluster import plate_places
from masklet_server.cluster.ports import SessionFacts
from masklet_server.journal.disks import network_type

_FORMAT = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS worker (
    name TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, offer TEXT NOT NULL, draining INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, worker TEXT NOT NULL, incarnation INTEGER NOT NULL,
    volume TEXT NOT NULL, owner TEXT NOT NULL, facts TEXT NOT NULL, told_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_of_worker ON session (worker);
CREATE TABLE IF NOT EXISTS guest (
    account TEXT NOT NULL, session TEXT NOT NULL, PRIMARY KEY (account, session)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS guest_of_session ON guest (session);
CREATE INDEX IF NOT EXISTS session_of_owner ON session (owner);
"""


def opened(path: Path | None) -> sqlite3.Connection:
    """The file, which is nobody else's until it is closed; None for one in memory.

    Raises:
        BadInputError: It lies on a network, is another gateway's, or cannot be used.
    """
    try:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kind = network_type(path.parent.resolve())
            if kind is not None:
                raise BadInputError(
                    f"the directory {path} lies on a network ({kind}), where two machines could write it at "
                    "once: name a file on a local disk with --directory"
                )
        name = ":memory:" if path is None else path
        database = sqlite3.connect(name, timeout=0.5, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # Held until the process ends: a second gateway on the same file is refused, also after a crash.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > _FORMAT:
            raise BadInputError(f"a later masklet wrote the directory {path}: update the gateway")
        if version == 1:
            # It remembered plates for ever: they are read anew.
            database.execute("DROP TABLE IF EXISTS near")
        database.executescript(_TABLES + plate_places.TABLE)
        database.execute(f"PRAGMA user_version = {_FORMAT}")
    except (sqlite3.Error, OSError) as error:
        raise BadInputError(
            f"the directory {path} cannot be used: another gateway has it, or it is damaged or read-only. "
            "Stop the other one, or name another file with --directory"
        ) from error
    return database


def packed(facts: SessionFacts) -> str:
    """What is told of a session, as the file has it."""
    return json.dumps({**vars(facts), "guests": dict(facts.guests)})


def unpacked(text: str) -> SessionFacts:
    """The same out of the file."""
    found = json.loads(text)
    guests = {account: tuple(rights) for account, rights in found["guests"].items()}
    return SessionFacts(**{**found, "guests": guests})
