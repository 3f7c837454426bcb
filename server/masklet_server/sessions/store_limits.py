"""What all sessions of a server may hold together."""

from __future__ import annotations

from dataclasses import dataclass, field

from masklet_server.sessions.session_limits import SessionLimits


@dataclass(frozen=True)
class StoreLimits:
    """What all sessions together may hold.

    Attributes:
        max_sessions: Open sessions, parked ones included.
        memory_bytes: Of the trackers together; beyond it the session that was used longest ago parks.
        idle_s: A session without a call for so long parks.
        forgotten_s: A session without a call for so long is closed for good.
        untouched_s: The same for a session in which nothing was ever said.
        session: What each one may hold.
    """

    max_sessions: int = 32
    memory_bytes: int = 4 << 30
    idle_s: float = 600.0
    forgotten_s: float = 3 * 86400.0
    untouched_s: float = 1800.0
    session: SessionLimits = field(default_factory=SessionLimits)


NO_OTHER_LIMITS = StoreLimits()
"""What holds where nobody says otherwise."""
