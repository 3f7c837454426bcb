"""Frames on their way to the tracker: a short queue, and what is done when it is full."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.errors import ClipError, MaskletError


@dataclass(frozen=True, eq=False)
class Arrival:
    """A frame that has come.

    Attributes:
        frame: Its number; those of a stream count from the first on, dropped ones too.
        picture: ``(height, width, 3)`` display-referred sRGB.
        at_s: When it had come whole, by :func:`time.monotonic`.
    """

    frame: int
    picture: NDArray[np.uint8] | NDArray[np.float32]
    at_s: float


class Stream(Protocol):
    """Where frames come from."""

    def frames(self) -> Iterator[tuple[int, NDArray[np.uint8] | NDArray[np.float32]]]:
        """Each frame as soon as it is whole, in ascending numbers; ends with the stream."""
        ...

    def close(self) -> None:
        """Have :meth:`frames` end, from another thread."""
        ...


class Feed:
    """Reads a stream in a thread and holds a few frames until they are taken.

    Where the queue is full the oldest frame in it that nobody needs is dropped, so what is worked on is never
    older than the queue is long. With ``keeps_all`` the stream waits instead: right for one that can.

    Args:
        stream: Read until it ends.
        room: Frames that may wait.
        keeps_all: Drop nothing, and let the stream wait.
        needed: Frames that are never dropped: those with prompts.
        clock_s: Says when; an argument for tests.

    Attributes:
        dropped: How many frames were.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        room: int,
        keeps_all: bool = False,
        needed: Collection[int] = (),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        self._stream, self._room, self._keeps_all = stream, max(1, room), keeps_all
        self._needed, self._clock_s = frozenset(needed), clock_s
        self._waiting: deque[Arrival] = deque()
        self._changed = threading.Condition()
        self._has_ended = False
        self._is_closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="masklet-live", daemon=True)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._stream.close()

    def __iter__(self) -> Iterator[Arrival]:
        """Frames in their order, until the stream ends.

        Raises:
            ClipError: The stream broke.
        """
        while True:
            with self._changed:
                while not self._waiting and not self._has_ended:
                    self._changed.wait()
                if not self._waiting:
                    break
                arrival = self._waiting.popleft()
                self._changed.notify_all()
            yield arrival
        if isinstance(self._error, MaskletError):
            raise self._error
        if self._error is not None:
            raise ClipError(f"the stream broke: {self._error}") from self._error

    def _read(self) -> None:
        try:
            for frame, picture in self._stream.frames():
                if not self._put(Arrival(frame, picture, self._clock_s())):
                    break
        except Exception as error:  # noqa: BLE001  (raised where the frames are taken)
            self._error = error
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _put(self, arrival: Arrival) -> bool:
        with self._changed:
            while self._keeps_all and len(self._waiting) >= self._room and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return False
            if len(self._waiting) >= self._room:
                self._drop()
            self._waiting.append(arrival)
            self._changed.notify_all()
        return True

    def _drop(self) -> None:
        for place, waiting in enumerate(self._waiting):
            if waiting.frame not in self._needed:
                del self._waiting[place]
                self.dropped += 1
                return
