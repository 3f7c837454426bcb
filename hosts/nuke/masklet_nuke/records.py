"""What was kept, approximated or lost on the way into native nodes: a file beside the mattes, and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import OutputError
from masklet.exchange.record import Outcome, record_of, write_record
from masklet.exchange.scene import ExchangeScene
from masklet.names import layer_name
from masklet.phrases import phrase
from masklet_nuke.folders import own_folder

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes
    from masklet.types import ClipInfo
    from masklet_nuke.api import Node, Nuke


def keep_record(nuke: Nuke, node: Node, clip: ClipInfo, result: ObjectShapes | AnchorTrack) -> str:
    """Write the record of one result; what the artist is told of it, empty where all was kept.

    Args:
        nuke: The module.
        node: The Masklet node.
        clip: As the server knows it.
        result: Shapes or an anchor, as they came.

    Raises:
        OutputError: The folder cannot be written.
    """
    from masklet.shapes import ObjectShapes

    if isinstance(result, ObjectShapes):
        scene, what = ExchangeScene(clip, shapes=(result,)), f"{result.name} roto"
    else:
        scene, what = ExchangeScene(clip, anchors=(result,)), result.name
    entries = record_of(scene, "nuke")
    file = own_folder(nuke, node) / f"{layer_name(what)}_nuke.record.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write_record(entries, "nuke"), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            phrase("the record {file} cannot be written ({fault})", file=file, fault=error.strerror)
        ) from error
    told = [entry.sentence for entry in entries if entry.outcome is not Outcome.KEPT]
    return f". {'; '.join(told)}" if told else ""
