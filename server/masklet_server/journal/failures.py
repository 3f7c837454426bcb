"""What goes wrong with a journal, in sentences."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from masklet.errors import MaskletError, OutputError, SessionNotFoundError
from masklet_server.sessions.result_places import LostResultError


class DamagedJournalError(OutputError):
    """A journal, or a part of it, is not as it was written."""


class DamagedContentError(DamagedJournalError, LostResultError):
    """A content, a mask say, is not as it was written."""


class TakenOverError(SessionNotFoundError):
    """Another process owns the journal now."""


def refusal(error: sqlite3.Error | UnicodeError, file: Path) -> MaskletError:
    """The sentence for an error of SQLite, or for text that is none.

    Args:
        error: What it says.
        file: The journal.
    """
    name = (
        "SQLITE_CORRUPT" if isinstance(error, UnicodeError) else str(getattr(error, "sqlite_errorname", ""))
    )
    if name.startswith("SQLITE_FULL"):
        return OutputError(
            "the disk that keeps the server's sessions is full: free some space there and do the same again; "
            "what was kept before is safe"
        )
    # On a read-only disk the log beside a journal cannot be opened, and SQLite says no more than that.
    is_shut = name.startswith("SQLITE_CANTOPEN") and not os.access(file.parent, os.W_OK)
    if is_shut or name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return OutputError(
            "the disk that keeps the server's sessions is read-only: make it writable and do the same again; "
            "what was kept before is safe"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return OutputError(
            "another process holds this session's journal: stop that one, or try again in a moment"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_SCHEMA")):
        return DamagedJournalError(
            "the journal of this session is damaged, and the server does not guess: have its disk checked, "
            "then see what masklet-server sessions export can still read"
        )
    return OutputError(
        "the disk that keeps the server's sessions does not do what it should: have it checked; what was "
        "kept before is safe"
    )
