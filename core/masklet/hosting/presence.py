"""Several host applications on one document: each leaves a note beside it, and reads those of the others.

A note is written anew while its host lives; one that is older than a few beats was left by a host that
died. Ages are compared as the folder's own server counts time, since clocks of machines differ.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BEAT_S = 30.0
_ALIVE_S = 4 * BEAT_S
_MAX_NOTE_BYTES = 4096


@dataclass(frozen=True)
class Other:
    """Somebody else who has the document open."""

    user: str
    machine: str


class Presence:
    """That this host has a document open, told to others as long as it beats. Nothing is raised.

    Args:
        document: Saved, absolute.
    """

    def __init__(self, document: Path) -> None:
        self._document = document
        self._note = document.with_name(f"{self._prefix}{uuid.uuid4().hex[:12]}")
        self._has_left = False

    @property
    def document(self) -> Path:
        """What is open."""
        return self._document

    def beat(self) -> tuple[Other, ...]:
        """Say that it is still open here; return who else has it open. For any thread: folders may hang."""
        # Only files that are open in a window are told of; hosts start without.
        import socket

        note = {"user": _user(), "machine": socket.gethostname(), "process": os.getpid()}
        try:
            self._note.write_text(json.dumps(note), encoding="utf-8")
            if self._has_left:
                # It was closed while this was being written.
                self._note.unlink()
                return ()
            now_s = self._note.stat().st_mtime
            notes = [path for path in self._document.parent.iterdir() if path.name.startswith(self._prefix)]
        except OSError:
            # A folder that nobody can write into has no notes.
            return ()
        others = []
        for found in sorted(notes):
            if found != self._note and (other := _living(found, now_s)) is not None:
                others.append(other)
        return tuple(others)

    def leave(self) -> None:
        """Take the note away."""
        self._has_left = True
        with suppress(OSError):
            self._note.unlink()

    @property
    def _prefix(self) -> str:
        return f".{self._document.name}.masklet-"


def _living(note: Path, now_s: float) -> Other | None:
    """Whose note it is; None for one that was left behind, which is taken away."""
    try:
        if now_s - note.stat().st_mtime > _ALIVE_S:
            note.unlink()
            return None
        with note.open("rb") as content:
            said = json.loads(content.read(_MAX_NOTE_BYTES))
        return Other(str(said["user"]), str(said["machine"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _user() -> str:
    try:
        import getpass

        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"
