"""How masks of a session become coverage: one way, for exports and for the shapes that must match them."""

from __future__ import annotations

from masklet_server.mattes.export import AlphaSource
from masklet_server.mattes.refined_alpha import Calming, RefinedAlpha
from masklet_server.sessions.session import Session
from masklet_server.sessions.tracking import FrameSource, ObjectFrame


def plate_coverage(session: Session, source: FrameSource) -> AlphaSource:
    """Coverage at the plate's size whose edges follow the plate, calm in time as far as the artist wants it.

    Masks that the artist drew stay as they are, and locked frames are not calmed.

    Args:
        session: Whose masks.
        source: Its plate, open for as long as coverage is asked for, and read from one thread at a time.
    """
    info = session.info()

    def is_drawn(result: ObjectFrame) -> bool:
        prompts = session.prompts_on(result.object_id, result.frame)
        return prompts is not None and prompts.mask is not None

    def calm_of(result: ObjectFrame) -> float:
        locked = any(
            lock.object_id == result.object_id and result.frame in lock.frames for lock in info.locks
        )
        return 0.0 if locked else session.matte(result.object_id).calm

    calming = Calming(session.results, calm_of, info.cuts)
    return RefinedAlpha(source, is_exact=is_drawn, look=session.looks.find, calming=calming)
