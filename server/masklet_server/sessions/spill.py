"""A temporary file that packed results move to: what it took can be read, even when the disk is full."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import OutputError
from masklet_server.aside import waiting_for_disk


@dataclass(frozen=True, eq=False)
class Spilled:
    """Where packed bytes lie."""

    file: SpillFile
    offset_bytes: int
    size_bytes: int

    def read(self) -> bytes:
        """The bytes; errors as in :meth:`SpillFile.read`."""
        return self.file.read(self)


class SpillFile:
    """A file without a name, which vanishes with the process. Safe to use from several threads.

    Whoever waits for the disk here gives the device, or a place among threads, to others meanwhile.

    Args:
        folder: Where it is made; None for the system's own place.

    Raises:
        OSError: It cannot be made there.
    """

    def __init__(self, folder: Path | None) -> None:
        # Unbuffered: bytes that a full disk refused would stay in the buffer, and every later seek would try
        # to write them once more and fail, also where it only wants to read.
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self.size_bytes = 0
        self._lock = threading.Lock()
        self._is_unwanted = False

    def append(self, packed: bytes) -> Spilled:
        """Write bytes behind the others.

        Raises:
            OSError: The disk is full, say; nothing was added.
            MaskletError: The disk did not answer in time; nothing was added.
        """
        with waiting_for_disk(), self._at_work():
            return self._append(packed)

    def _append(self, packed: bytes) -> Spilled:
        if self._file.closed:
            raise OSError("the file was closed meanwhile")
        left = memoryview(packed)
        try:
            self._file.seek(self.size_bytes)
            while left:
                # A disk that is nearly full takes a part and refuses the rest.
                left = left[self._file.write(left) :]
        except OSError:
            with suppress(OSError):
                self._file.truncate(self.size_bytes)
            raise
        place = Spilled(self, self.size_bytes, len(packed))
        self.size_bytes += len(packed)
        return place

    def read(self, place: Spilled) -> bytes:
        """What lies there.

        Raises:
            OutputError: The disk does not give it back.
            MaskletError: The disk did not answer in time.
        """
        with waiting_for_disk(), self._at_work():
            return self._read(place)

    def _read(self, place: Spilled) -> bytes:
        pieces: list[bytes] = []
        left = place.size_bytes
        try:
            self._file.seek(place.offset_bytes)
            while left and (piece := self._file.read(left)):
                pieces.append(piece)
                left -= len(piece)
        except (OSError, ValueError):
            # A ValueError where it was closed meanwhile.
            left = max(left, 1)
        if left:
            raise OutputError(
                "the server's disk for temporary files does not give a finished mask back: have the disk "
                "checked, then track these frames again"
            )
        return b"".join(pieces)

    def close(self) -> None:
        """Give the room back, after what another thread is at: that may hang, and is not waited for."""
        self._is_unwanted = True
        if self._lock.acquire(blocking=False):
            self._file.close()
            self._lock.release()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                if self._is_unwanted:
                    self._file.close()
