"""A temporary file that packed results move to: what it took can be read, even when the disk is full."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import OutputError


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
    """A file without a name, which vanishes with the process. Calls come from one thread at a time.

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

    def append(self, packed: bytes) -> Spilled:
        """Write bytes behind the others.

        Raises:
            OSError: The disk is full, say; nothing was added.
        """
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
        """
        pieces: list[bytes] = []
        left = place.size_bytes
        try:
            self._file.seek(place.offset_bytes)
            while left and (piece := self._file.read(left)):
                pieces.append(piece)
                left -= len(piece)
        except OSError:
            left = max(left, 1)
        if left:
            raise OutputError(
                "the server's disk for temporary files does not give a finished mask back: have the disk "
                "checked, then track these frames again"
            )
        return b"".join(pieces)

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
