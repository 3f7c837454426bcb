"""What the page needs of its server."""

from __future__ import annotations

from typing import Protocol

from masklet_server.status.facts import ServerFacts


class Operated(Protocol):
    """A server that can be looked at and kept."""

    @property
    def shows_pictures(self) -> bool:
        """True where its keeper lets the page show what is being tracked."""
        ...

    def facts(self) -> ServerFacts:
        """What goes on, now."""
        ...

    async def picture(self, session_id: str) -> bytes | None:
        """What is being tracked in a session, as JPEG; None where there is no such session or picture."""
        ...

    async def park(self, session_id: str, *, operator: str) -> bool:
        """Have a session give its memory back; False where it is at work or gone."""
        ...

    async def remove(self, session_id: str, *, operator: str) -> bool:
        """Delete a session for good; False where it is gone."""
        ...

    def drain(self, *, operator: str) -> None:
        """Take no new sessions, and end when nobody works any more."""
        ...


class Keys(Protocol):
    """Knows who may keep the server."""

    @property
    def asks(self) -> bool:
        """False where everybody who reaches the page may use it: this machine's users, on loopback."""
        ...

    def operator_of(self, token: str, host: str, port: int) -> str:
        """Whose token this is, brought from there.

        Raises:
            AccessDeniedError: It is nobody's, or not one of a keeper's.
        """
        ...
