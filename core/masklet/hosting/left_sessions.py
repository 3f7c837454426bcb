"""Sessions that closed files could come back to: a few are left on the server, older ones are given back.

A server has room for so many sessions, and they are everybody's. So a host leaves those of the last few files
that were closed, for their masks, and remembers which they are over its own end.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

KEPT = 3
_MAX_BYTES = 1 << 16


class LeftSessions:
    """What was left, oldest first, in a file of the user's. Nothing is raised: it is housekeeping.

    Args:
        file: ResultCame when it is needed, with its folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def leave(self, address: str, session_ids: list[str]) -> tuple[str, ...]:
        """Note sessions whose file was closed.

        Args:
            address: Of their server; sessions of others are not looked at.
            session_ids: That are left now.

        Returns:
            Those that were left too long ago and are to be closed.
        """
        left = [entry for entry in self._read() if entry[1] not in session_ids]
        left += [(address, session_id) for session_id in session_ids]
        here = [entry for entry in left if entry[0] == address]
        old = here[: max(0, len(here) - KEPT)]
        self._write([entry for entry in left if entry not in old])
        return tuple(session_id for _, session_id in old)

    def came_back(self, session_id: str) -> None:
        """A file that was opened again goes on with its session."""
        left = self._read()
        if any(entry[1] == session_id for entry in left):
            self._write([entry for entry in left if entry[1] != session_id])

    def _read(self) -> list[tuple[str, str]]:
        try:
            with self._file.open("rb") as content:
                found = json.loads(content.read(_MAX_BYTES))
            return [(str(address), str(session_id)) for address, session_id in found]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self, left: list[tuple[str, str]]) -> None:
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_name(f"{self._file.name}.new")
            temporary.write_text(json.dumps(left[-1000:]), encoding="utf-8")
            temporary.replace(self._file)
