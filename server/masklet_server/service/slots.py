"""Room for calls: a share for everybody who calls, however many calls somebody else makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from masklet.errors import LimitError


class Slots:
    """Counts the calls under way by who makes them.

    Everybody may have as many as are still free. So one alone gets a half, two get a third each, and
    whoever comes next always finds some.

    Args:
        slots: How many calls there may be at a time.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._calls: Counter[str] = Counter()

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        """Count a call for as long as it lasts.

        Raises:
            LimitError: Whoever makes it has a full share of calls under way already.
        """
        mine, free = self._calls[who], self._slots - self._calls.total()
        if mine >= free:
            raise LimitError(
                f"{mine} calls of yours are under way, which is your share of this server: wait until one of "
                "them has ended, or cancel one"
            )
        self._calls[who] += 1
        try:
            yield
        finally:
            self._calls[who] -= 1
            if not self._calls[who]:
                del self._calls[who]
