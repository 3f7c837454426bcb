"""Long work on a plate's session: track, fetch masks, write mattes, fit splines, follow with an anchor.

Each is a generator for a job's thread: the session is brought up to date first, then events are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import CancelledError, MaskletError
from masklet.events import MatteFormat, TrackFinished, TrackStarted
from masklet.matte_files import prepare_folder
from masklet.types import FrameRange, MaskFormat, MaskUpdate

from .masks import packed_for_overlay
from .shot_events import Ended, Event, Made, MaskCame, Planned, TrackWish
from .shots import Shot

if TYPE_CHECKING:
    from masklet.anchors import Absence, AnchorKind
    from masklet.client import Server

    from .jobs import Job


def track(shot: Shot, job: Job, server: Server, wish: TrackWish) -> Iterator[Event]:
    """Track, and tell each mask as it comes; what is finished is kept however it ends."""
    yield from shot.synchronise(server, make_sure=True, on_progress=job.count)
    if job.is_cancelled:
        return
    session, uids = shot.session, shot.uids()
    errand = shot.errand
    track = session.track(
        frames=wish.frames_in(session.clip),
        objects=[shot.object(uid) for uid in wish.uids],
        direction=wish.direction,
        mask_format=MaskFormat(max_side_px=errand.max_side_px),
        stale_only=wish.stale_only,
    )
    job.stops_by(track.cancel)
    failure: MaskletError | None = None
    try:
        for event in track.events():
            if isinstance(event, TrackStarted):
                yield Planned(event.updates)
            elif isinstance(event, MaskUpdate):
                uid = uids.get(event.object_id)
                if uid is not None:
                    yield MaskCame(
                        uid, event.frame, packed_for_overlay(event, errand.max_side_px), tracked=True
                    )
            else:
                yield Ended(event)
    except CancelledError:
        yield Ended(TrackFinished(0, 0, cancelled=True))
    except MaskletError as error:
        failure = error
    finally:
        job.stops_by(None)
    try:
        yield shot.states()
    except MaskletError as error:
        failure = failure or error
    if failure is not None:
        raise failure


def fetch(shot: Shot, job: Job, server: Server, uids: Iterable[str], frames: FrameRange) -> Iterator[Event]:
    """Tell the masks that the server has in a range."""
    yield from shot.synchronise(server, make_sure=True, on_progress=job.count)
    session, known = shot.session, shot.uids()
    objects = shot.objects(uids)
    if not objects:
        return
    max_side_px = shot.errand.max_side_px
    masks = session.masks(frames=frames, objects=objects, mask_format=MaskFormat(max_side_px))
    for update in masks:
        if job.is_cancelled:
            masks.close()
            return
        if update.object_id in known:
            yield MaskCame(known[update.object_id], update.frame, packed_for_overlay(update, max_side_px))


def export(
    shot: Shot,
    job: Job,
    server: Server,
    folder: Path,
    *,
    uids: Iterable[str],
    matte_format: MatteFormat,
    base_name: str,
) -> Iterator[Event]:
    """Write mattes into a folder, which is made, and tell each object's with its uid."""
    prepare_folder(folder)
    yield from shot.synchronise(server, make_sure=True, on_progress=job.count)
    for uid in uids:
        exported = shot.session.export(
            folder,
            matte_format=matte_format,
            objects=[shot.object(uid)],
            base_name=base_name,
            on_progress=job.count,
            on_look=job.count_look,
        )
        yield Made((uid, exported))


def shapes(shot: Shot, job: Job, server: Server, uid: str, *, tolerance_px: float) -> Iterator[Event]:
    """Fit shapes to an object's mattes and tell them."""
    yield from shot.synchronise(server, make_sure=True, on_progress=job.count)
    shapes = shot.session.shapes(
        shot.object(uid), tolerance_px=tolerance_px, on_progress=job.count, on_look=job.count_look
    )
    yield Made(shapes)


def anchor(
    shot: Shot,
    job: Job,
    server: Server,
    uid: str,
    *,
    kind: AnchorKind,
    absence: Absence,
    reference_frame: int | None,
    point_px: tuple[float, float] | None,
    smoothing_frames: float,
) -> Iterator[Event]:
    """Follow an object with a transform and tell it."""
    yield from shot.synchronise(server, make_sure=True, on_progress=job.count)
    anchor = shot.session.anchor(
        shot.object(uid),
        kind,
        reference_frame=reference_frame,
        point_px=point_px,
        absence=absence,
        smoothing_frames=smoothing_frames,
        on_progress=job.count,
    )
    yield Made(anchor)
