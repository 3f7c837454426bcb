"""Work for whoever looks: pictures of the plate, and what prompts would give. Nothing is said by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import MaskletError, SessionNotFoundError
from masklet.found import FindProgress
from masklet.hosting.shown.found_things import FoundThing, FoundThings
from masklet.hosting.shown.overlay_masks import packed_for_overlay, share_of
from masklet.hosting.work.plate_events import Event, ResultCame
from masklet.pictures import PictureRequest
from masklet.types import MaskFormat

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.types import FramePrompts


def pictures(plate: PlateSession, job: Job, server: Server, request: PictureRequest) -> Iterator[Event]:
    """Tell each :class:`masklet.pictures.Picture` as it comes; a session that is gone is opened again."""
    if not plate.session_id:
        yield from plate.synchronise(server, on_progress=job.count)
    left = list(request.frames)
    try:
        for event in _pictures(plate, job, request):
            left.pop(0)
            yield event
    except SessionNotFoundError:
        yield from plate.synchronise(server, make_sure=True, on_progress=job.count)
        yield from _pictures(plate, job, replace(request, frames=tuple(left)))


def preview(
    plate: PlateSession, job: Job, server: Server, uid: str, prompts: FramePrompts
) -> Iterator[Event]:
    """Tell the mask that prompts would give, packed for the overlay; nothing where that cannot be told now.

    Args:
        plate: The plate.
        job: Asked whether it was cancelled.
        server: Where.
        uid: Of the object; one that the server has not got yet counts as a new one.
        prompts: All of the object on the frame, what would be said last.
    """
    del server
    if not plate.session_id or job.is_cancelled:
        return
    known = plate.objects([uid])
    object_id = known[0].object_id if known else 0
    max_side_px = plate.request.max_side_px
    try:
        update = plate.session.preview(
            replace(prompts, object_id=object_id), mask_format=MaskFormat(max_side_px)
        )
    except MaskletError:
        # A preview is a favour: whoever then says it is told what is wrong.
        return
    yield ResultCame(packed_for_overlay(update, max_side_px))


def find(
    plate: PlateSession, job: Job, server: Server, frame: int, *, like: str = "", limit: int = 64
) -> Iterator[Event]:
    """Tell :class:`~masklet.hosting.shown.found_things.FoundThings` of a frame, once all are known.

    Args:
        plate: The plate.
        job: Told the progress; leaving it stops the search after the step in hand.
        server: Where.
        frame: The plate's own number.
        like: The uid of an object: only what looks like it; empty for everything.
        limit: How many at most.
    """
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    max_side_px = plate.request.max_side_px
    kind = plate.object(like) if like else None
    mask_format = MaskFormat(max_side_px)
    things: list[FoundThing] = []
    with closing(
        plate.session.find(frame=frame, like=kind, limit=limit, mask_format=mask_format).events()
    ) as events:
        for event in events:
            if job.is_cancelled:
                return
            if isinstance(event, FindProgress):
                job.count(event.done, event.total)
            else:
                mask = packed_for_overlay(event.update, max_side_px)
                share = share_of(event.update.mask)
                things.append(FoundThing(len(things) + 1, event.prompts, mask, share, event.score))
    yield ResultCame(FoundThings(frame, tuple(things)))


def _pictures(plate: PlateSession, job: Job, request: PictureRequest) -> Iterator[Event]:
    pictures = plate.session.pictures(request.frames, max_side_px=request.max_side_px, grade=request.grade)
    try:
        for picture in pictures:
            yield ResultCame(picture)
            if job.is_cancelled:
                return
    finally:
        pictures.close()
