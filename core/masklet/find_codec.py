"""Wire messages of searches to values and back."""

from __future__ import annotations

import math

from masklet import codec, mask_codec
from masklet.errors import BadInputError
from masklet.found import FindEvent, FindProgress, FindRequest, Found, Look
from masklet.v1 import find_pb2

MAX_LOOK_CELLS = 256
_MAX_WIDTH = 4096


def request_to_wire(session_id: str, request: FindRequest) -> find_pb2.FindRequest:
    """What is to be found."""
    message = find_pb2.FindRequest(
        session_id=session_id,
        frame=request.frame,
        limit=request.limit,
        mask_format=codec.mask_format_to_wire(request.mask_format),
        per_side=request.per_side,
        layers=request.layers,
        least_share=request.least_share,
    )
    if request.like is not None:
        message.like.CopyFrom(look_to_wire(request.like))
    elif request.object_id:
        message.object_id = request.object_id
    elif request.words:
        message.words = request.words
    return message


def request_from_wire(message: find_pb2.FindRequest) -> FindRequest:
    """The same, checked.

    Raises:
        BadInputError: A number is out of bounds; the sentence names them.
    """
    try:
        return FindRequest(
            message.frame,
            like=look_from_wire(message.like) if message.HasField("like") else None,
            object_id=message.object_id,
            words=message.words,
            limit=message.limit or 64,
            per_side=message.per_side,
            layers=message.layers,
            least_share=message.least_share,
            mask_format=codec.mask_format_from_wire(message.mask_format),
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error


def look_to_wire(look: Look) -> find_pb2.Look:
    """What an object looks like."""
    return find_pb2.Look(model=look.model, width=look.width, cells=look.cells, side_share=look.side_share)


def look_from_wire(message: find_pb2.Look) -> Look:
    """The same, checked.

    Raises:
        BadInputError: It is damaged, or too large.
    """
    row_bytes = 2 * message.width
    cells = len(message.cells) // row_bytes if row_bytes else 0
    if (
        not 0 < message.width <= _MAX_WIDTH
        or len(message.cells) != cells * row_bytes
        or not 0 < cells <= MAX_LOOK_CELLS
        or not (math.isfinite(message.side_share) and 0 < message.side_share <= 1)
        or len(message.model) > 100
    ):
        raise BadInputError("what to look for is damaged: take the object's look from its session again")
    return Look(message.model, message.width, message.cells, message.side_share)


def event_to_wire(event: FindEvent, *, bits: bool = False) -> find_pb2.FindResponse:
    """How far a search is, or what it found."""
    if isinstance(event, FindProgress):
        progress = find_pb2.FindProgress(done=event.done, total=event.total)
        return find_pb2.FindResponse(progress=progress)
    return find_pb2.FindResponse(
        found=find_pb2.FoundThing(
            prompts=codec.prompts_to_wire(event.prompts),
            update=mask_codec.update_to_wire(event.update, bits=bits),
            score=event.score,
            likeness=event.likeness,
            label=event.label,
            source=event.source,
        )
    )


def event_from_wire(message: find_pb2.FindResponse) -> FindEvent:
    """The same.

    Raises:
        BadInputError: A mask is damaged.
    """
    if message.WhichOneof("event") == "progress":
        return FindProgress(message.progress.done, message.progress.total)
    found = message.found
    return Found(
        codec.prompts_from_wire(found.prompts),
        mask_codec.update_from_wire(found.update),
        found.score,
        found.likeness,
        found.label,
        found.source,
    )
