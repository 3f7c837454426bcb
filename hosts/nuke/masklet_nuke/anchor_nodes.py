"""Anchors as native nodes: Transform, Tracker4, CornerPin2D, to follow or to hold still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.exchange.nuke import anchor_nodes
from masklet.phrases import phrase
from masklet_nuke.node_knobs import text
from masklet_nuke.results import TAG, Results, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.anchors import AnchorTrack
    from masklet_nuke.api import Node, Nuke

_INVERTS = {"Transform": "invert_matrix true", "CornerPin2D": "invert true"}
_ROLES = {"Transform": "transform", "Tracker4": "tracker", "CornerPin2D": "cornerpin", "Multiply": "weight"}


def make_anchor(
    results: Results, track: AnchorTrack, height_px: int, *, stabilise: bool = False
) -> tuple[Node, ...]:
    """Nodes that follow an anchor, or with ``stabilise`` hold it still where it is on its reference frame.

    Args:
        results: Of the object.
        track: On the frames of the script.
        height_px: Of the plate.
        stabilise: Move the picture the other way; a Tracker4 tells the same either way and is not made again.

    Raises:
        BadInputError: The object was never seen.
    """
    if not track.keys:
        raise BadInputError(
            phrase("{name} was never seen, so that nothing can follow it: track it first", name=track.object)
        )
    wanted: list[Wanted] = []
    way = "stabilise" if stabilise else "follow"
    for node in anchor_nodes(track, height_px):
        if stabilise and node.kind not in _INVERTS:
            continue
        inverted = (_INVERTS[node.kind],) if stabilise else ()
        before = wanted[-1].role if node.inputs else ""
        role = f"{_ROLES[node.kind]} {track.kind.value} {way}" + (f" {before}" if before else "")
        name = f"{node.name} {way}" if stabilise else node.name
        wanted.append(Wanted(role, node.kind, name, (*node.knobs, *inverted), (before,) if before else ()))
    return results.make(wanted)


def attach(
    nuke: Nuke, plate: Node, track: AnchorTrack, followers: Sequence[Node], height_px: int, owner: str
) -> tuple[Node, ...]:
    """Have nodes follow an anchor: a Transform with its values below each, in place of what it fed.

    The values are copied, so that nothing moves when the track is made again. To attach again brings them up
    to date.

    Raises:
        BadInputError: Nothing that gives a picture is selected, or the object was never seen.
    """
    usable = [
        node for node in followers if not text(node, TAG) and node.Class() not in ("BackdropNode", "Viewer")
    ]
    usable = [node for node in usable if node.fullName() != plate.fullName()]
    if not usable:
        raise BadInputError(
            phrase("select the nodes that are to follow {name} in the node graph first", name=track.object)
        )
    if not track.keys:
        raise BadInputError(
            phrase("{name} was never seen, so that nothing can follow it: track it first", name=track.object)
        )
    transform = next(node for node in anchor_nodes(track, height_px) if node.kind == "Transform")
    made = []
    for follower in usable:
        results = Results(nuke, plate, owner)
        role = f"attached {follower.name()}"
        found = results.find(role)
        fed = list(follower.dependent())
        (node,) = results.make([Wanted(role, "Transform", f"{follower.name()} follows", transform.knobs)])
        if found is None:
            for below in fed:
                for index in range(below.inputs()):
                    above = below.input(index)
                    if above is not None and above.fullName() == follower.fullName():
                        below.setInput(index, node)
            node.setInput(0, follower)
            node.setXYpos(follower.xpos(), follower.ypos() + 60)
        made.append(node)
    return tuple(made)
