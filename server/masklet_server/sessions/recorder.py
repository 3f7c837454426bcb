"""Collects what a turn changes, for the journal."""

from __future__ import annotations

from collections.abc import Callable

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
        standing: Gives all but the results as it is now.

    Attributes:
        track: Number of the track that results come from; 0 for those of prompts.
    """

    def __init__(self, journal: SessionJournal, standing: Callable[[], Standing]) -> None:
        self.track = 0
        self._journal = journal
        self._standing = standing
        self._notes: list[Note] = []

    def put(self, object_id: int, frame: int, entry: ResultEntry, packing: Packing) -> None:  # noqa: D102
        self._notes.append(ResultPut(object_id, frame, entry, packing, self.track))

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

    def seal(self, request: Request | None = None, answer: Answer | None = None) -> None:
        """The turn is over: hand on what it changed."""
        notes, self._notes = self._notes, []
        self._journal.add(Record(self._standing(), notes, request, answer))
