"""Nodes that masklet made: each is made once, found again by a tag, and stands before a Backdrop.

The artist may move, rename, connect and copy them. What is found again keeps its place, name and connections;
what was deleted is made anew. The tag is a hidden knob, so that it is saved and pasted with the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.exchange.identifiers import Identifiers
from masklet.exchange.nuke import quoted
from masklet_nuke.node_knobs import set_text, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from masklet_nuke.api import Node, Nuke

TAG = "masklet_result"
PLATE = "plate"
_COLUMN = 110
_ROW = 70
_MARGIN = 40
_BACKDROP_COLOUR = 0x33475AFF
_NODE_WIDTH, _NODE_HEIGHT = 80, 60


@dataclass(frozen=True)
class Wanted:
    """A node that is to be there.

    Attributes:
        role: What it is of its owner: "roto", "transform similarity".
        kind: Its class.
        name: For a new one, as people say it.
        knobs: Lines as in a script, all of them masklet's to write again.
        inputs: Roles of the nodes that feed a new one, in order; :data:`PLATE` is what feeds the plate.
    """

    role: str
    kind: str
    name: str
    knobs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class Results:
    """What masklet made for one owner: an object or a plate.

    Args:
        nuke: The module.
        plate: The Masklet node beside which new nodes stand.
        owner: Uid of an object or a plate.
    """

    def __init__(self, nuke: Nuke, plate: Node, owner: str) -> None:
        self._nuke = nuke
        self._plate = plate
        self._owner = owner

    def find(self, role: str) -> Node | None:
        """The node of a role; None where there is none."""
        tag = f"{self._owner} {role}"
        return next((node for node in self._nuke.root().nodes() if text(node, TAG) == tag), None)

    def make(self, wanted: Iterable[Wanted]) -> tuple[Node, ...]:
        """Bring these nodes up to date, or make them."""
        return tuple(self._make(one) for one in wanted)

    def remove_others(self, stem: str, wanted: Sequence[Wanted]) -> None:
        """Remove nodes of ours whose role begins so and that are no longer wanted."""
        roles = {one.role for one in wanted}
        start = f"{self._owner} "
        for node in list(self._nuke.root().nodes()):
            tag = text(node, TAG)
            role = tag[len(start) :]
            if tag.startswith(start) and role.split(" ")[0] == stem and role not in roles:
                self._nuke.delete(node)

    def _make(self, wanted: Wanted) -> Node:
        node = self.find(wanted.role)
        if node is not None and node.Class() != wanted.kind:
            self._nuke.delete(node)
            node = None
        if node is None:
            node = self._new(wanted)
        if wanted.knobs:
            node.readKnobs("\n".join(wanted.knobs))
        return node

    def _new(self, wanted: Wanted) -> Node:
        node: Node = getattr(self._nuke.nodes, wanted.kind)()
        node.setName(Identifiers().of(f"masklet {wanted.name}"))
        tag = self._nuke.String_Knob(TAG, TAG)
        tag.setFlag(self._nuke.NO_ANIMATION | self._nuke.INVISIBLE)
        node.addKnob(tag)
        set_text(node, TAG, f"{self._owner} {wanted.role}")
        for index, role in enumerate(wanted.inputs):
            node.setInput(index, self._plate.input(0) if role == PLATE else self.find(role))
        x, y = self._free_place()
        node.setXYpos(x, y)
        return node

    def _free_place(self) -> tuple[int, int]:
        """To the right of the Masklet node, in the first column that no result of ours stands in."""
        left, top = self._plate.xpos() + 2 * _COLUMN, self._plate.ypos()
        taken = {
            (node.xpos(), node.ypos())
            for node in self._nuke.root().nodes()
            if text(node, TAG) and node.Class() != "BackdropNode"
        }
        number = 0
        while True:
            place = left + number % 6 * _COLUMN, top + number // 6 * _ROW
            if place not in taken:
                return place
            number += 1


def frame_results(nuke: Nuke, plate: Node, owners: Sequence[str], plate_uid: str) -> None:
    """Have one Backdrop stand behind all results of a plate; nothing where there are none."""
    inside = [
        node
        for node in nuke.root().nodes()
        if text(node, TAG).split(" ")[0] in owners and node.Class() != "BackdropNode"
    ]
    if not inside:
        return
    left, top = (
        min(node.xpos() for node in inside) - _MARGIN,
        min(node.ypos() for node in inside) - 2 * _MARGIN,
    )
    right = max(node.xpos() for node in inside) + _NODE_WIDTH + _MARGIN
    bottom = max(node.ypos() for node in inside) + _NODE_HEIGHT + _MARGIN
    results = Results(nuke, plate, plate_uid)
    (backdrop,) = results.make(
        [
            Wanted(
                "backdrop",
                "BackdropNode",
                f"{plate.name()} results",
                (f"label {quoted(f'{plate.name()}: results')}", f"tile_color {_BACKDROP_COLOUR}"),
            )
        ]
    )
    backdrop.setXYpos(left, top)
    backdrop["bdwidth"].setValue(right - left)
    backdrop["bdheight"].setValue(bottom - top)
