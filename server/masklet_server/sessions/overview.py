"""What stands where, for whoever keeps the server: it asks without counting as a call."""

from __future__ import annotations

from dataclasses import dataclass

from masklet_server.sessions.session import Session


@dataclass(frozen=True)
class HeldSession:
    """A session in memory.

    Attributes:
        session: To be looked at, not used.
        idle_s: Since its last call; 0 while one is under way.
        is_parked: It has given the device's memory back.
        is_kept: It has a journal, and outlives the process.
    """

    session: Session
    idle_s: float
    is_parked: bool
    is_kept: bool
