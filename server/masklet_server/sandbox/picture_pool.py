"""Memory for pictures, used again when nobody holds them any more: fresh pages cost more than the copy."""

from __future__ import annotations

import mmap
import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEPT = 3


class PicturePool:
    """Copies pictures of one size. Safe to use from several threads.

    Args:
        size_bytes: Of each picture.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        # Taken again by the same thread: a collection of garbage may end an array wherever it likes.
        self._lock = threading.RLock()
        self._free: list[mmap.mmap] = []

    def copy_of(self, seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of so many bytes, ``(N,)`` uint8; its memory comes back when no array uses it any more."""
        with self._lock:
            memory = self._free.pop() if self._free else None
        memory = memory or mmap.mmap(-1, self._size_bytes)
        # Views of this array refer to it, and not to the memory: NumPy looks through arrays alone.
        made = np.frombuffer(memory, np.uint8)
        made[...] = seen
        weakref.finalize(made, self._take_back, memory).atexit = False
        return made

    def _take_back(self, memory: mmap.mmap) -> None:
        with self._lock:
            if len(self._free) < _KEPT:
                self._free.append(memory)
