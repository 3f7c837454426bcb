"""Position knobs of a Masklet node: the clicks and the box of one frame, to be dragged in the viewer.

They show what the document says of the active object on the current frame, and never say anything by
themselves: the document is the truth, and after an undo or on another frame they are set from it anew.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.said.documents import find
from masklet.types import Box, Click
from masklet_nuke import node_knobs
from masklet_nuke.node_knobs import set_text, text
from masklet_nuke.undoing import no_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.said.documents import Document, SaidObject
    from masklet.types import FramePrompts
    from masklet_nuke.api import Node, Nuke
    from masklet_nuke.spaces import PlateSpace

CLICK = "masklet_click_"
LOW, HIGH = "masklet_box_low", "masklet_box_high"
PLACE = "masklet_found_"
"""Of places that Find Again found: to be seen, and dragging them says nothing."""


def is_handle(knob: str) -> bool:
    """True for the name of a position knob."""
    return knob.startswith(CLICK) or knob in (LOW, HIGH)


def show(nuke: Nuke, node: Node, said: SaidObject | None, frame: int, space: PlateSpace) -> None:
    """Have the handles stand where an object's clicks are on a frame of the plate; no step of undo."""
    prompts = None if said is None else said.at(frame)
    with no_step(nuke):
        clicks: Sequence[Click] = () if prompts is None else prompts.clicks
        for number, click in enumerate(clicks, 1):
            sign = "+" if click.positive else "-"
            _place(nuke, node, f"{CLICK}{number}", f"{sign} {number}", space.to_nuke(click.x_px, click.y_px))
        _hide_from(node, CLICK, len(clicks) + 1)
        box = None if prompts is None else prompts.box
        if box is not None:
            # Nuke's lower corner is the plate's bottom left.
            _place(nuke, node, LOW, "box", space.to_nuke(box.left_px, box.bottom_px))
            _place(nuke, node, HIGH, "", space.to_nuke(box.right_px, box.top_px))
        else:
            for name in (LOW, HIGH):
                _hide(node, name)
        set_text(
            node, node_knobs.SHOWN, "" if said is None else json.dumps({"uid": said.uid, "frame": frame})
        )


def show_places(nuke: Nuke, node: Node, clicks: Sequence[Click], space: PlateSpace) -> None:
    """Have handles stand at places that were found; none given hides them. The caller keeps it off undo."""
    for number, click in enumerate(clicks, 1):
        _place(nuke, node, f"{PLACE}{number}", f"? {number}", space.to_nuke(click.x_px, click.y_px))
    _hide_from(node, PLACE, len(clicks) + 1)


def shown(node: Node) -> tuple[str, int] | None:
    """Of which object and frame of the plate the handles are; None for none."""
    try:
        kept = json.loads(text(node, node_knobs.SHOWN) or "{}")
        return str(kept["uid"]), int(kept["frame"])
    except (ValueError, KeyError, TypeError):
        return None


def dragged(node: Node, document: Document, space: PlateSpace) -> tuple[SaidObject, FramePrompts] | None:
    """What the handles say now, where that is something else than the document; None where it is the same."""
    of = shown(node)
    said = None if of is None else find(document, of[0])
    if of is None or said is None:
        return None
    prompts = said.at(of[1])
    clicks = tuple(_click(node, number, click, space) for number, click in enumerate(prompts.clicks, 1))
    moved = replace(prompts, clicks=clicks, box=_box(node, prompts.box, space))
    return None if moved == prompts else (said, moved)


def _click(node: Node, number: int, click: Click, space: PlateSpace) -> Click:
    knob = node.knob(f"{CLICK}{number}")
    if knob is None:
        return click
    x_px, y_px = space.to_plate(*(float(value) for value in knob.value()))
    is_moved = max(abs(x_px - click.x_px), abs(y_px - click.y_px)) > 1e-3
    return replace(click, x_px=x_px, y_px=y_px) if is_moved else click


def _box(node: Node, box: Box | None, space: PlateSpace) -> Box | None:
    low, high = node.knob(LOW), node.knob(HIGH)
    if box is None or low is None or high is None:
        return box
    one = space.to_plate(*(float(value) for value in low.value()))
    two = space.to_plate(*(float(value) for value in high.value()))
    left_px, right_px = sorted((one[0], two[0]))
    top_px, bottom_px = sorted((one[1], two[1]))
    moved = (left_px, top_px, right_px, bottom_px)
    was = (box.left_px, box.top_px, box.right_px, box.bottom_px)
    if max(abs(a - b) for a, b in zip(moved, was)) <= 1e-3 or left_px == right_px or top_px == bottom_px:
        return box
    return Box(*moved)


def _place(nuke: Nuke, node: Node, name: str, label: str, at: tuple[float, float]) -> None:
    knob = node.knob(name)
    if knob is None:
        knob = nuke.XY_Knob(name, label)
        node.addKnob(knob)
    if tuple(float(value) for value in knob.value()) != at:
        knob.setValue(list(at))
    knob.setLabel(label)
    knob.setVisible(True)


def _hide_from(node: Node, stem: str, number: int) -> None:
    while node.knob(f"{stem}{number}") is not None:
        _hide(node, f"{stem}{number}")
        number += 1


def _hide(node: Node, name: str) -> None:
    knob = node.knob(name)
    if knob is not None:
        knob.setVisible(False)
