"""How masks of a session become coverage: one way, for exports and for the shapes that must match them."""

from __future__ import annotations

from masklet_server.mattes.drawn import DrawnAlpha
from masklet_server.mattes.export import AlphaSource, LogitAlpha
from masklet_server.mattes.refined_alpha import Approved, Calming, RefinedAlpha
from masklet_server.sessions.session import Session
from masklet_server.tracking import FrameSource, ObjectFrame


def plate_coverage(session: Session, source: FrameSource) -> AlphaSource:
    """Coverage at the plate's size whose edges follow the plate, calm in time as far as the artist wants it.

    Masks that the artist drew are the coverage themselves. A locked frame is calmed by what was around it
    when it was approved, and keeps its second look: what was approved is what is delivered.

    Args:
        session: Whose masks.
        source: Its plate, open for as long as coverage is asked for, and read from one thread at a time.
    """
    info = session.info()

    def approved(result: ObjectFrame) -> Approved | None:
        locks = (lock.frames for lock in info.locks if lock.object_id == result.object_id)
        return session.approvals.delivered(result) if any(result.frame in each for each in locks) else None

    def calm_of(result: ObjectFrame) -> float:
        return session.matte(result.object_id).calm

    calming = Calming(session.results, calm_of, info.cuts)
    refined = RefinedAlpha(source, look=session.looks.find, calming=calming, approved=approved)
    return _as_drawn(session, refined)


def raw_coverage(session: Session) -> AlphaSource:
    """Coverage at the plate's size with the network's own edges; drawn masks are themselves here too."""
    return _as_drawn(session, LogitAlpha(session.clip))


def _as_drawn(session: Session, otherwise: AlphaSource) -> DrawnAlpha:
    size_px = session.clip.width_px, session.clip.height_px
    return DrawnAlpha(session.drawn_on, otherwise, strokes_on=session.strokes_on, plate_px=size_px)
