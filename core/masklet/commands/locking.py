"""Frames that are locked together with new prompts keep the mattes that the artist saw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.commands.typed import Typed
from masklet.types import CutPolicy, FrameRange, MaskFormat, PromptDocument

if TYPE_CHECKING:
    from masklet.commands.progress import Progress
    from masklet.commands.shot_request import ShotRequest
    from masklet.prompts import Shot
    from masklet.session import Session

_SMALL = MaskFormat(max_side_px=64, bits=True)


def with_locked_masks(
    session: Session,
    request: ShotRequest,
    shot: Shot,
    progress: Progress,
    *,
    at_cuts: CutPolicy = CutPolicy.STOP,
) -> Shot:
    """The shot with masks for the frames that were typed as locked, as the saved document makes them.

    What was typed beside them would reach them otherwise: a frame without a mask gets its first by tracking.

    Args:
        session: On the clip; it holds other prompts afterwards.
        request: What was saved, and what was typed.
        shot: What comes of both.
        progress: Told what is tracked for that.
        at_cuts: As for the track that follows.
    """
    saved = request.saved
    if saved is None or not request.typed.prompts.prompts:
        return shot
    known = {info.name for info in saved.document.objects}
    locks = tuple(
        lock for lock in request.typed.locks if lock.locked and (lock.name is None or lock.name in known)
    )
    if not locks:
        return shot
    before, _ = replace(request, typed=Typed(PromptDocument(), locks), only=False).on(session.clip)
    clip = session.clip.frames
    first = max(clip.first, min(lock.frames.first for lock in locks))
    last = min(clip.last, max(lock.frames.last for lock in locks))
    if last < first or not before.document.prompts:
        return shot
    progress.say(f"tracking {FrameRange(first, last).shown} as the document has it, to lock that")
    session.load_prompts(before.document)
    for _ in session.track(
        frames=FrameRange(first, last), direction=before.direction, mask_format=_SMALL, at_cuts=at_cuts
    ):
        pass
    held = session.prompts()
    name_of = {info.object_id: info.name for info in held.objects}
    ids = {info.name: info.object_id for info in shot.document.objects}
    document = shot.document
    masks = {(mask.object_id, mask.frame): mask for mask in document.masks}
    for mask in held.masks:
        own = ids[name_of[mask.object_id]]
        if any(lock.object_id == own and mask.frame in lock.frames for lock in document.locks):
            masks.setdefault((own, mask.frame), replace(mask, object_id=own))
    return replace(shot, document=replace(document, masks=tuple(masks[key] for key in sorted(masks))))
