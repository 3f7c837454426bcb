"""Makes a Masklet node, and keeps its choices true to what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from masklet_nuke import documents, node_knobs
from masklet_nuke.inside import make_inside
from masklet_nuke.node_knobs import add_knobs
from masklet_nuke.undoing import no_step, one_step

if TYPE_CHECKING:
    from masklet_nuke.api import Group, Node, Nuke

_TILE_COLOUR = 0x3A6EA5FF


def make_node(nuke: Nuke) -> Group:
    """A new Masklet node below what is selected, in one step of undo."""
    with one_step(nuke, "masklet: new node"):
        selected = nuke.selectedNodes()
        node = cast("Group", nuke.createNode("Group", inpanel=True))
        node.setName("Masklet1")
        node["tile_color"].setValue(_TILE_COLOUR)
        add_knobs(nuke, node)
        make_inside(nuke, node)
        # A Group has an input once there is one inside.
        if selected:
            node.setInput(0, selected[0])
    return node


def refresh_choices(nuke: Nuke, node: Node) -> None:
    """Have the menus of objects offer those that are there; no step of undo."""
    names = [said.name for said in documents.objects(node)]
    with no_step(nuke):
        for knob_name, others in (
            (node_knobs.OBJECT, [] if names else [node_knobs.NO_OBJECT]),
            (node_knobs.OUTPUT, [node_knobs.ALL_OBJECTS]),
        ):
            knob = node.knob(knob_name)
            wanted = [*others, *names]
            if knob is None or list(knob.values()) == wanted:
                continue
            chosen = str(knob.value())
            knob.setValues(wanted)
            knob.setValue(chosen if chosen in wanted else wanted[0])
