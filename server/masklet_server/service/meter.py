"""What calls have come, how they ended and how long they took: plain numbers, for whoever shows them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
GOOD = "ok"


@dataclass(eq=False)
class Durations:
    """How long some calls took.

    Attributes:
        counts: By the first of :data:`BUCKETS_S` that was long enough; one more for the rest.
        sum_s: All together.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    def note(self, duration_s: float) -> None:
        """Add one."""
        self.counts[bisect_left(BUCKETS_S, duration_s)] += 1
        self.sum_s += duration_s


class Meter:
    """Counts calls. Filled on the event loop; read from any thread.

    Attributes:
        received_bytes: Of all messages of clients.
        sent_bytes: Of all messages to clients.
    """

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._durations: dict[str, Durations] = {}
        self.received_bytes = 0
        self.sent_bytes = 0

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many calls of a method ended so: ``ok``, or the kind of the error."""
        return dict(self._outcomes)

    @property
    def durations(self) -> dict[str, Durations]:
        """How long calls of a method took that ended well."""
        return dict(self._durations)

    def note(self, method: str, outcome: str, duration_s: float) -> None:
        """Count a call that has ended."""
        self._outcomes[method, outcome] += 1
        if outcome == GOOD:
            self._durations.setdefault(method, Durations()).note(duration_s)
