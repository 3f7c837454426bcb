"""How long texts and lists in requests may be: looked at before anything is done with them.

A message has at most 32 MiB, and still holds millions of entries of which each costs time. What has a closer
limit of its own is refused there, with a better sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from masklet.errors import BadInputError, LimitError

MAX_TEXT_CHARACTERS = 8192
MAX_ENTRIES = 1024
"""Of lists that are not in :data:`LONGER`: of objects, keys, words."""
MAX_ALL_ENTRIES = 1_000_000
"""Of all lists of a request together."""
_FRAMES = 100_000
LONGER: Mapping[str, int] = {
    "masklet.v1.FetchPicturesRequest.frames": _FRAMES,
    "masklet.v1.FindContentsRequest.sha256": 1_000_000,
    "masklet.v1.FramePrompts.clicks": 10_000,
    "masklet.v1.ObjectInfo.prompted_frames": _FRAMES,
    "masklet.v1.PromptDocument.locks": _FRAMES,
    "masklet.v1.PromptDocument.masks": _FRAMES,
    "masklet.v1.PromptDocument.prompts": _FRAMES,
    "masklet.v1.ReceivedMasks.frames": _FRAMES,
    "masklet.v1.Scribble.xy_px": 10_000,
    "masklet.v1.SetLockRequest.masks": _FRAMES,
    "masklet.v1.TrackAnchorRequest.manual_keys": _FRAMES,
}
"""Lists of frames and the like; those with a closer limit of their own are named here for its sentence."""


def check_sizes(message: Message) -> None:
    """See that no text and no list is longer than makes sense.

    Raises:
        BadInputError: A text is.
        LimitError: A list is, or all lists together.
    """
    _check(message, MAX_ALL_ENTRIES)


def _check(message: Message, left: int) -> int:
    for field, value in message.ListFields():
        if field.is_repeated:
            most = LONGER.get(field.full_name, MAX_ENTRIES)
            if len(value) > most:
                raise LimitError(
                    f"the request names {len(value)} {_shown(field)}, and at most {most} are taken: ask for "
                    "less at a time"
                )
            left -= len(value)
            if left < 0:
                raise LimitError(
                    f"the request has more than {MAX_ALL_ENTRIES} entries: ask for less at a time"
                )
            if field.message_type is not None:
                for each in value:
                    left = _check(each, left)
            elif field.type == FieldDescriptor.TYPE_STRING:
                for each in value:
                    _check_text(field, each)
        elif field.message_type is not None:
            left = _check(value, left)
        elif field.type == FieldDescriptor.TYPE_STRING:
            _check_text(field, value)
    return left


def _check_text(field: FieldDescriptor, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise BadInputError(
            f"{_shown(field)} has {len(text)} characters, and at most {MAX_TEXT_CHARACTERS} make sense: "
            "shorten it"
        )


def _shown(field: FieldDescriptor) -> str:
    return str(field.name).replace("_", " ")
