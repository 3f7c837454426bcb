"""Collects what a turn changes, for the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from masklet_server.sessions.durability import (
    Answer,
    Note,
    Record,
    Request,
    ResultGone,
    ResultMoved,
    ResultPut,
    SessionJournal,
    Standing,
    WayNoted,
    WaysForgotten,
)
from masklet_server.sessions.result_places import Packing, ResultEntry
from masklet_server.sessions.ways import Way


class Recorder:
    """Told of changes inside turns of the device, one session's, so by one thread at a time.

    Args:
        journal: Gets a record at the end of each turn that changes something.
    """

    def __init__(self, journal: SessionJournal) -> None:
        self._track = 0
        self._journal = journal
        self._standing: Callable[[], Standing] | None = None
        self._notes: list[Note] = []

    def begin(self, standing: Callable[[], Standing]) -> None:
        """Hear how to look at all but the results."""
        self._standing = standing

    def close(self) -> None:
        """Record nothing more, and hold nothing of the session."""
        self._standing = None
        self._notes.clear()

    def put(self, object_id: int, frame: int, entry: ResultEntry, packing: Packing) -> None:  # noqa: D102
        self._notes.append(ResultPut(object_id, frame, entry, packing, self._track))

    def gone(self, object_id: int, frame: int) -> None:  # noqa: D102
        self._notes.append(ResultGone(object_id, frame))

    def moved(self, object_id: int, frame: int, to_id: int) -> None:  # noqa: D102
        self._notes.append(ResultMoved(object_id, frame, to_id))

    def way(self, object_id: int, frame: int, way: Way) -> None:
        """A frame was tracked."""
        self._notes.append(WayNoted(object_id, frame, way))

    def ways_forgotten(self, object_id: int) -> None:
        """How an object was tracked does not matter any more."""
        self._notes.append(WaysForgotten(object_id))

    @contextmanager
    def of_track(self, number: int) -> Iterator[None]:
        """A turn of a track: its results carry the track's number, and it is sealed at its end."""
        self._track = number
        try:
            yield
        finally:
            self._track = 0
        self.seal()

    def seal(self, request: Request | None = None, answer: Answer | None = None) -> None:
        """The turn is over: hand on what it changed."""
        if self._standing is None:
            return
        notes, self._notes = self._notes, []
        self._journal.add(Record(self._standing(), notes, request, answer))
