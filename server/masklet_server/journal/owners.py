"""Whose the sessions of a folder are, as far as it is known without opening them again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping

from masklet_server.sessions.sharing import Access


class Owners:
    """Remembers who gets into which session, how many each has, and what their uploads take. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accesses: dict[str, Access] = {}
        self._sessions: Counter[str] = Counter()
        # Of sessions that earlier processes opened, with whose they are; and their sums, which every chunk
        # that arrives asks for.
        self._uploads: dict[str, tuple[str, int]] = {}
        self._uploads_bytes: Counter[str] = Counter()

    def learn(self, session_id: str, access: Access) -> None:
        """Know who gets into a session from now on."""
        with self._lock:
            if session_id not in self._accesses:
                self._sessions[access.owner] += 1
            self._accesses[session_id] = access

    def learn_upload(self, session_id: str, owner: str, size_bytes: int) -> None:
        """Know of a clip that was sent and is kept for a session."""
        with self._lock:
            if session_id not in self._uploads:
                self._uploads[session_id] = owner, size_bytes
                self._uploads_bytes[owner] += size_bytes

    def access_of(self, session_id: str) -> Access | None:
        """Who gets into a session; None where that is not known."""
        return self._accesses.get(session_id)

    def sessions_of(self, owner: str) -> int:
        """How many a user has."""
        return self._sessions[owner]

    def uploads_bytes(self) -> Mapping[str, int]:
        """What uploads take, by owner."""
        return self._uploads_bytes

    def known(self) -> Collection[str]:
        """All sessions that something is known of."""
        return {*self._accesses, *self._uploads}

    def forget(self, session_id: str) -> None:
        """It is gone."""
        with self._lock:
            access = self._accesses.pop(session_id, None)
            if access is not None:
                self._sessions[access.owner] -= 1
            owner, size_bytes = self._uploads.pop(session_id, ("", 0))
            if owner:
                self._uploads_bytes[owner] -= size_bytes
