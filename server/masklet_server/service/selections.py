"""What of a session an export is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from masklet.errors import BadInputError
from masklet.names import checked_stem, clip_stem
from masklet.types import FrameRange, ObjectInfo
from masklet_server.sessions.session import Session


@dataclass(frozen=True)
class Selection:
    """What of a session to export: frames, objects, and what file names begin with."""

    frames: FrameRange
    objects: tuple[ObjectInfo, ...]
    stem: str


def select(session: Session, frames: FrameRange, object_ids: Sequence[int], base_name: str) -> Selection:
    """The selection that a request describes.

    Raises:
        ObjectNotFoundError: The session has no such object.
        BadInputError: It has no object at all, or files cannot be named so.
    """
    chosen = tuple(session.object(object_id) for object_id in dict.fromkeys(object_ids)) or session.objects()
    if not chosen:
        raise BadInputError("there is nothing to export: add an object, click it and track it first")
    stem = checked_stem(base_name) if base_name else clip_stem(session.clip.name)
    return Selection(frames, chosen, stem)


def objects_asked_for(session: Session, selection: Selection) -> tuple[int, ...]:
    """Objects whose mattes decide about the files: overlap is settled among all exclusive ones."""
    chosen = {info.object_id for info in selection.objects}
    settings = session.mattes()
    exclusive = {object_id for object_id, own in settings.items() if own.exclusive}
    return tuple(sorted(chosen | exclusive if chosen & exclusive else chosen))
