"""A search that a server is at: iterate to get each thing, leave to stop."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from masklet.found import Found

if TYPE_CHECKING:
    from collections.abc import Generator

    from masklet.found import FindEvent


class Search:
    """A search that runs: iterate to get each thing, the best first, once all of them are known.

    Leaving the loop early stops the search with the step in hand.
    """

    def __init__(self, events: Generator[FindEvent, None, None]) -> None:
        self._events = events

    def __iter__(self) -> Generator[Found, None, None]:
        with closing(self.events()) as events:
            for event in events:
                if isinstance(event, Found):
                    yield event

    def events(self) -> Generator[FindEvent, None, None]:
        """Everything that happens, how far the search is too, for those who show progress."""
        with closing(self._events) as events:
            yield from events
