"""What was kept, approximated and lost on the way into Blender: a text of the file, and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.exchange.record import Outcome, record_of, write_record
from masklet.exchange.scene import ExchangeScene

from .tags import Role, Tag, find, write_tag

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes
    from masklet.types import ClipInfo

_TOOL = "blender"


def keep_record(
    clip: ClipInfo, result: ObjectShapes | AnchorTrack, *, owner: str, as_track: bool = False
) -> str:
    """Write the record of one result into a text of the file; what was not kept, empty where all was.

    Args:
        clip: As the server knows it.
        result: Shapes or an anchor, as they came.
        owner: Whose record it is: one that is there is written over.
        as_track: The anchor became a track of the clip, which has a place and nothing else.
    """
    from masklet.shapes import ObjectShapes

    if isinstance(result, ObjectShapes):
        name, scene = f"{result.name} splines", ExchangeScene(clip, shapes=(result,))
    else:
        name, scene = result.name, ExchangeScene(clip, anchors=(result,))
    entries = record_of(scene, "blender-track" if as_track else _TOOL)
    text = find(bpy.data.texts, Role.RECORD, owner)
    if text is None:
        text = bpy.data.texts.new(f"masklet {name} record.json")
        write_tag(text, Tag(Role.RECORD, owner))
    text.clear()
    text.write(write_record(entries, _TOOL))
    return "; ".join(entry.sentence for entry in entries if entry.outcome is not Outcome.KEPT)
