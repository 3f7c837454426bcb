"""What the page shows, as values: it knows nothing of sessions, devices or the wire."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SessionRow:
    """A session in memory.

    Attributes:
        state: ``tracking``, ``working``, ``waiting``, ``idle`` or ``parked``.
        frames_left: Of its track; 0 where none runs.
        held_bytes: Of the device's memory.
        is_kept: It outlives the server.
    """

    session_id: str
    user: str
    clip: str
    objects: int
    state: str
    frames_left: int
    idle_s: float
    held_bytes: int
    is_kept: bool


@dataclass(frozen=True)
class UserRow:
    """Somebody who has sessions, makes calls or waits.

    Attributes:
        sessions: In memory.
        calls: Under way.
        waiting: In some line.
        weight: What part of the device that one gets beside others, who have 1.
    """

    user: str
    sessions: int
    calls: int
    waiting: int
    weight: float


@dataclass(frozen=True)
class DeviceRow:
    """What works.

    Attributes:
        held_bytes: What trackers hold.
        budget_bytes: What they may hold.
        step_s: How long a tracked frame has taken lately; 0 before the first.
        busy_with: Whose turn it is and what for; empty while it is free.
        busy_s: For how long.
        hung_turns: Turns left behind since one ended.
    """

    name: str
    model: str
    held_bytes: int
    budget_bytes: int
    step_s: float
    busy_with: str
    busy_s: float
    hung_turns: int


@dataclass(frozen=True)
class WaitRow:
    """Somebody who waits, and for whom.

    Attributes:
        user: Who waits.
        clip: With which clip; empty where none is open yet.
        wants: What for: ``a session``, ``memory``, ``the device``, ``a disk``.
        waits_for: Who has it.
        waited_s: For how long; None where nobody has noted it.
    """

    user: str
    clip: str
    wants: str
    waits_for: str
    waited_s: float | None


@dataclass(frozen=True)
class ErrorRow:
    """A call that failed.

    Attributes:
        at_s: When, in seconds since 1970.
    """

    at_s: float
    user: str
    call: str
    kind: str
    message: str


@dataclass(frozen=True)
class ServerFacts:
    """All that the page shows.

    Attributes:
        state: ``serving``, ``draining`` or ``device hangs``.
        up_s: Since the server started.
        max_sessions: How many there may be in memory.
        errors: The latest first.
    """

    version: str
    address: str
    state: str
    up_s: float
    max_sessions: int
    device: DeviceRow
    sessions: tuple[SessionRow, ...] = ()
    users: tuple[UserRow, ...] = ()
    waits: tuple[WaitRow, ...] = ()
    errors: tuple[ErrorRow, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)
