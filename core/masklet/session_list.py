"""Sessions in a list, and with whom they are shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.scopes import Scope


@dataclass(frozen=True)
class SessionSummary:
    """A session among others, as a list shows it.

    Attributes:
        session_id: To attach to it, or to close it.
        clip_name: Of the clip that it was opened on.
        objects: How many it has.
        idle_s: Since the last call; 0 while it is busy.
        is_busy: A call waits for the device, or a track runs.
        owner: Who shares it with you; empty for your own.
        rights: What you may do in somebody else's session.
    """

    session_id: str
    clip_name: str
    objects: int
    idle_s: float
    is_busy: bool
    owner: str = ""
    rights: tuple[Scope, ...] = ()


@dataclass(frozen=True)
class Share:
    """A user beside the owner of a session, and what that one may do there."""

    user: str
    rights: tuple[Scope, ...]
