"""Tells what of a result was not kept on the way into Blender, and keeps the record of it in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.phrases import phrase

from ..runtime import runtime

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes

    from ..plates import PlateBlock


def with_record(
    block: PlateBlock,
    sentence: str,
    result: ObjectShapes | AnchorTrack,
    *,
    owner: str,
    as_track: bool = False,
) -> str:
    """The sentence, with what was approximated or lost; the whole record lies in a text of the file."""
    from ..natives.records import keep_record

    clip = runtime().memory(block).clip
    if clip is None:
        return sentence
    told = keep_record(clip, result, owner=owner, as_track=as_track)
    return phrase("{sentence}. {told}", sentence=sentence, told=told) if told else sentence
