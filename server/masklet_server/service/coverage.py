"""How masks of a session become coverage: one way, for exports and for the shapes that must match them."""

from __future__ import annotations

from masklet_server.mattes.drawn import DrawnAlpha
from masklet_server.mattes.export import AlphaSource, LogitAlpha
from masklet_server.mattes.refined_alpha import Calming, RefinedAlpha
from masklet_server.sessions.session import Session
from masklet_server.tracking import FrameSource, ObjectFrame


def plate_coverage(session: Session, source: FrameSource) -> AlphaSource:
    """Coverage at the plate's size whose edges follow the plate, calm in time as far as the artist wants it.

    Masks that the artist drew are the coverage themselves. A locked frame's comes of its mask and its picture
    alone: it is neither calmed nor looked at a second time, as both follow what is said on other frames.

    Args:
        session: Whose masks.
        source: Its plate, open for as long as coverage is asked for, and read from one thread at a time.
    """
    info = session.info()

    def is_locked(result: ObjectFrame) -> bool:
        return any(lock.object_id == result.object_id and result.frame in lock.frames for lock in info.locks)

    def calm_of(result: ObjectFrame) -> float:
        return session.matte(result.object_id).calm

    calming = Calming(session.results, calm_of, info.cuts)
    refined = RefinedAlpha(source, look=session.looks.find, calming=calming, alone=is_locked)
    return _as_drawn(session, refined)


def raw_coverage(session: Session) -> AlphaSource:
    """Coverage at the plate's size with the network's own edges; drawn masks are themselves here too."""
    return _as_drawn(session, LogitAlpha(session.clip))


def _as_drawn(session: Session, otherwise: AlphaSource) -> DrawnAlpha:
    size_px = session.clip.width_px, session.clip.height_px
    return DrawnAlpha(session.drawn_on, otherwise, strokes_on=session.strokes_on, plate_px=size_px)
