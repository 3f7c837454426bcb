"""Packed results of one session in a temporary file, and how large that may get."""

from __future__ import annotations

import threading
from pathlib import Path

from masklet.errors import OutputError
from masklet_server.sessions.spill import Spilled, SpillFile

Key = tuple[int, int]
"""Object and frame."""


class SpilledResults:
    """Where results lie for which memory has no room.

    What looks up or changes places is called by whoever holds the lock. :meth:`write` waits for the disk, and
    is called by one thread at a time, without it.

    Args:
        lock: Guards all places where results may lie.
        folder: Where the file is made; None for the system's own place.
        most_bytes: How large it may get.
        slack_bytes: Beyond twice what counts and this, results that were replaced are left out of it.

    Attributes:
        reached_limit: Whether anything was not taken because of ``most_bytes``.
    """

    def __init__(
        self, lock: threading.Lock, folder: Path | None, *, most_bytes: int, slack_bytes: int
    ) -> None:
        self.reached_limit = False
        self._lock = lock
        self._folder = folder
        self._most_bytes = most_bytes
        self._slack_bytes = slack_bytes
        self._places: dict[Key, Spilled] = {}
        self._file: SpillFile | None = None
        self._live_bytes = 0
        # What the file held when there was no room to write it anew.
        self._cramped_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return 0 if self._file is None else self._file.size_bytes

    def find(self, key: Key) -> Spilled | None:
        """Where a result lies; None where it is not here."""
        return self._places.get(key)

    def enter(self, key: Key, place: Spilled) -> bool:
        """Know a result that was written; False where its file has gone since."""
        if place.file is not self._file:
            return False
        self._places[key] = place
        self._live_bytes += place.size_bytes
        return True

    def rename(self, old: Key, new: Key) -> None:
        """Know a result under another key; fine when it is not here."""
        if old in self._places:
            self._places[new] = self._places.pop(old)

    def drop(self, key: Key) -> None:
        """Forget a result; fine when it is not here."""
        place = self._places.pop(key, None)
        if place is not None:
            self._live_bytes -= place.size_bytes
            if not self._places:
                self.clear()

    def clear(self) -> None:
        """Forget everything and give the file back."""
        self._places.clear()
        if self._file is not None:
            self._file.close()
        self._file = None
        self._live_bytes = self._cramped_bytes = 0

    def write(self, packed: bytes) -> Spilled | None:
        """Write a result, which counts once it is entered; None where the disk, or the limit, takes none."""
        try:
            file = self._tidied(self._opened())
            if file.size_bytes + len(packed) > self._most_bytes:
                self.reached_limit = True
                return None
            return file.append(packed)
        except OSError:
            return None

    def _opened(self) -> SpillFile:
        if self._file is not None:
            return self._file
        file = SpillFile(self._folder)
        with self._lock:
            self._file = file
        return file

    def _tidied(self, file: SpillFile) -> SpillFile:
        """Write what still counts into a new file: tracking again and again would fill the disk."""
        with self._lock:
            places = list(self._places.values())
            live_bytes = self._live_bytes
        if file.size_bytes <= max(2 * live_bytes + self._slack_bytes, self._cramped_bytes):
            return file
        fresh = SpillFile(self._folder)
        try:
            # By place: results may get other keys meanwhile, and others theirs.
            moved = {place: fresh.append(place.read()) for place in places}
        except (OSError, OutputError):
            # No room for both: holes are the lesser evil.
            fresh.close()
            self._cramped_bytes = file.size_bytes
            return file
        with self._lock:
            if self._file is not file:
                # Closed meanwhile.
                fresh.close()
                return file
            self._places = {key: moved[place] for key, place in self._places.items()}
            self._file = fresh
        file.close()
        return fresh
