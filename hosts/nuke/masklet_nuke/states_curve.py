"""States of frames as curves of the node, for the curve editor and the dope sheet.

1 where the object is present, 0.5 where the tracker is uncertain or prompts have overtaken the mask, 0 where
it is absent; the curve holds between keys, and has a key where something changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.types import Presence
from masklet_nuke import documents
from masklet_nuke.node_knobs import UID, text
from masklet_nuke.plates import frame_map
from masklet_nuke.undoing import no_step

if TYPE_CHECKING:
    from masklet.hosting.shown.frame_book import FrameBook, Strip
    from masklet_nuke.api import Node, Nuke

PREFIX = "masklet_state_"
_VALUES = {Presence.PRESENT: 1.0, Presence.UNCERTAIN: 0.5, Presence.ABSENT: 0.0}


def value_of(strip: Strip) -> float:
    """How high the curve is on a run of frames."""
    return _VALUES[Presence.UNCERTAIN] if strip.stale else _VALUES[strip.presence]


def keys_of(strips: tuple[Strip, ...], shift: int) -> tuple[tuple[int, float], ...]:
    """Frames of the script at which the curve changes, and to what; frames without a mask are 0."""
    # A curve holds its first value before it.
    keys: list[tuple[int, float]] = [(strips[0].first + shift - 1, 0.0)] if strips else []
    for strip in strips:
        if keys and keys[-1][0] == strip.first + shift:
            keys.pop()
        value = value_of(strip)
        if not keys or keys[-1][1] != value:
            keys.append((strip.first + shift, value))
        keys.append((strip.last + 1 + shift, 0.0))
    return tuple(keys)


def write(nuke: Nuke, node: Node, book: FrameBook, written: dict[str, str]) -> None:
    """Write one curve for each object where it changed; no step of undo.

    Args:
        nuke: The module.
        node: A Masklet node.
        book: Of its plate.
        written: What was written before; Nuke spells a curve in its own way when it is asked.
    """
    shift, uid = frame_map(node).shift, text(node, UID)
    with no_step(nuke):
        for number, said in enumerate(documents.objects(node), 1):
            knob, key = node.knob(f"{PREFIX}{number}"), f"{uid} {number}"
            if knob is None:
                written.pop(key, None)
                knob = nuke.Double_Knob(f"{PREFIX}{number}", said.name)
                node.addKnob(knob)
            wanted = curve_text(keys_of(book.strips(said.uid), shift))
            if written.get(key) != f"{said.name} {wanted}":
                knob.setLabel(f"{said.name}: state")
                knob.fromScript(wanted)
                written[key] = f"{said.name} {wanted}"


def curve_text(keys: tuple[tuple[int, float], ...]) -> str:
    """A curve that holds between keys."""
    if not keys:
        return "0"
    return "{curve K " + " ".join(f"x{frame} {value:g}" for frame, value in keys) + "}"
