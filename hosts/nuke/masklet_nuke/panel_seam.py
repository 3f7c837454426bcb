"""Whether the shared panel is docked for a plate: then it sends what is said, and nobody else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from masklet.said.documents import Document


class Docked(Protocol):
    """A panel in a pane of Nuke, for one plate."""

    def say(self, document: Document) -> None:
        """The script says this now: show it, and send it."""
        ...


_docked: dict[str, Docked] = {}


def dock(uid: str, panel: Docked) -> None:
    """A plate's panel is open."""
    _docked[uid] = panel


def undock(uid: str) -> None:
    """It was closed; twice is fine."""
    _docked.pop(uid, None)


def docked(uid: str) -> Docked | None:
    """The panel of a plate; None where none is open."""
    return _docked.get(uid)
