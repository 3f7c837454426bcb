"""A track that runs on a server."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from masklet.events import TrackFinished, TrackStarted
from masklet.types import MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Generator

    from masklet.events import TrackEvent
    from masklet.transport.interface import TrackRequest, Transport


class Track:
    """A track that runs: iterate to get each mask as soon as it exists.

    Leaving the loop early, or :meth:`cancel` from any thread, stops the track after the frame in
    hand; what is finished is kept in the session.

    Attributes:
        started: The plan, known once the first mask is asked for.
        finished: How it ended; None while it runs or when the loop was left early.
    """

    def __init__(self, transport: Transport, session_id: str, request: TrackRequest) -> None:
        self._transport = transport
        self._session_id = session_id
        self._events = transport.track(session_id, request)
        self.started: TrackStarted | None = None
        self.finished: TrackFinished | None = None

    def __iter__(self) -> Generator[MaskUpdate, None, None]:
        with closing(self.events()) as events:
            for event in events:
                if isinstance(event, MaskUpdate):
                    yield event

    def events(self) -> Generator[TrackEvent, None, None]:
        """Everything that happens, the plan and the end too, for those who show progress."""
        with closing(self._events) as events:
            for event in events:
                if isinstance(event, TrackStarted):
                    self.started = event
                elif isinstance(event, TrackFinished):
                    self.finished = event
                yield event

    def cancel(self) -> None:
        """Stop after the frame in hand; the loop then ends by itself."""
        self._transport.cancel(self._session_id)
