"""Work for whoever looks: pictures of the plate, and what prompts would give. Nothing is said by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import MaskletError, SessionNotFoundError
from masklet.hosting.shown.overlay_masks import packed_for_overlay
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


def _pictures(plate: PlateSession, job: Job, request: PictureRequest) -> Iterator[Event]:
    pictures = plate.session.pictures(request.frames, max_side_px=request.max_side_px, grade=request.grade)
    try:
        for picture in pictures:
            yield ResultCame(picture)
            if job.is_cancelled:
                return
    finally:
        pictures.close()
