"""A session that is in memory, with what the store knows of it beside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from masklet.errors import ClipError, RestartingError
from masklet.scopes import in_order
from masklet.types import ClipInfo, SessionSummary
from masklet_server.sessions.durability import KeptSummary, SessionJournal
from masklet_server.sessions.session import Session
from masklet_server.sessions.sharing import Access
from masklet_server.sessions.unfinished import Unfinished


@dataclass(eq=False)
class Held:
    """A session in memory.

    Attributes:
        session: The session.
        access: Whose it is, and who else gets in.
        used_s: When anybody called last.
        unfinished: Notes about files that it is writing.
        parked: True while it has given its memory back.
        found: By anybody, since it was opened.
        is_leaving: True while it is given to another server: calls in hand end, and no new ones begin.
        on_close: Called when the session goes for good, with whatever the clip came from: an upload's files.
        journal: Where it outlives the process.
        sharing: Held while access is changed: one change after the other.
    """

    session: Session
    access: Access
    used_s: float
    unfinished: Unfinished
    parked: bool = False
    found: bool = False
    is_leaving: bool = False
    on_close: Callable[[], Awaitable[None]] | None = None
    journal: SessionJournal | None = None
    sharing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def summary(self, account: str, now_s: float) -> SessionSummary:
        """As a list shows it to somebody who gets in."""
        session, busy = self.session, self.session.is_busy
        objects = len(session.objects())
        kept = KeptSummary(session.session_id, session.clip.name, objects, now_s - self.used_s, self.access)
        return summary_of(kept, account, is_busy=busy)


def summary_of(kept: KeptSummary, account: str, *, is_busy: bool = False) -> SessionSummary:
    """A session as a list shows it to somebody who gets in."""
    access = kept.access
    own = account == access.owner
    return SessionSummary(
        kept.session_id,
        kept.clip_name,
        kept.objects,
        0.0 if is_busy else kept.idle_s,
        is_busy=is_busy,
        owner="" if own else access.owner.rpartition("/")[2],
        rights=() if own else in_order(access.rights_of(account) or ()),
    )


def check_same_clip(before: ClipInfo, now: ClipInfo) -> None:
    """See that a session's clip is still the one that it was opened on; frames may have come.

    Raises:
        ClipError: It is another.
    """
    same_size = (before.width_px, before.height_px) == (now.width_px, now.height_px)
    if same_size and now.first_frame <= before.first_frame and before.last_frame <= now.last_frame:
        return
    raise ClipError(
        f"{now.name} is not the clip that this session was opened on any more: that had "
        f"{before.width_px} x {before.height_px} pixels and frames {before.first_frame}-{before.last_frame}, "
        f"this has {now.width_px} x {now.height_px} and {now.first_frame}-{now.last_frame}. Put the former "
        "files back, or open the clip anew"
    )


def restarting() -> RestartingError:
    """The refusal of a call that works at the next server, or at this one when it has started anew."""
    return RestartingError(
        "the server is being restarted: the same works once it answers again, nothing is lost"
    )
