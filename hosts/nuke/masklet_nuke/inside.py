"""The inside of a Masklet node: the plate with the mattes in layers of its own, and in alpha.

Nothing but Reads, Copies, an Expression and a FrameRange: a farm needs no masklet to render it. A Read ends
the render where a file is missing. Its range is every frame there is, so that no neighbour's matte is held
in its place; the FrameRange says the plate's own again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from masklet.names import layer_name, layer_names
from masklet.types import ObjectInfo
from masklet_nuke import documents, node_knobs
from masklet_nuke.node_knobs import set_text, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from masklet_nuke.api import Group, Node, Nuke

_FARTHEST = 1_000_000
"""No script has a frame beyond: as a Read's range it holds nothing at its ends."""


@dataclass(frozen=True)
class Mattes:
    """The mattes of one object.

    Attributes:
        name: Of the object.
        file: Pattern, absolute, with forward slashes.
        first: First frame that has a file, as files count.
        last: Last one.
        shift: How much later the script counts.
    """

    name: str
    file: str
    first: int
    last: int
    shift: int = 0


def make_inside(nuke: Nuke, node: Group) -> None:
    """Give a new node its input and output."""
    node.begin()
    try:
        above = nuke.nodes.Input(name="plate")
        below = nuke.nodes.Output(name="Output1")
        below.setInput(0, above)
    finally:
        node.end()


def kept_mattes(node: Node) -> dict[str, Mattes]:
    """Where the mattes of each object lie, by uid, as the script keeps it."""
    try:
        return {
            uid: Mattes(**kept) for uid, kept in json.loads(text(node, node_knobs.MATTES) or "{}").items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def show_mattes(nuke: Nuke, node: Group, mattes: Mapping[str, Mattes]) -> None:
    """Make the inside read these, one layer for each, and alpha of those that the node's knob names.

    Args:
        nuke: The module.
        node: A Masklet node.
        mattes: By the object's uid, in the order of the objects.
    """
    set_text(node, node_knobs.MATTES, json.dumps({uid: asdict(own) for uid, own in mattes.items()}))
    node.begin()
    try:
        _rebuild(nuke, node, mattes)
    finally:
        node.end()


def set_alpha(node: Group) -> None:
    """Have alpha be of what the node's knob names; quick enough for a callback."""
    mattes = kept_mattes(node)
    for inside in node.nodes():
        if inside.name() == "alpha":
            inside["expr0"].setValue(_alpha_of(node, mattes))


def layers_of(mattes: Sequence[Mattes]) -> list[str]:
    """Names of layers, as the mattes of one file would have them: Nuke's reader leaves them as they are."""
    objects = [ObjectInfo(number, own.name, ()) for number, own in enumerate(mattes, 1)]
    names = layer_names(objects)
    return [names[number] for number in range(1, len(mattes) + 1)]


def _rebuild(nuke: Nuke, node: Group, kept: Mapping[str, Mattes]) -> None:
    mattes = list(kept.values())
    for old in list(node.nodes()):
        if old.Class() not in ("Input", "Output"):
            nuke.delete(old)
    above = next(found for found in node.nodes() if found.Class() == "Input")
    below = next(found for found in node.nodes() if found.Class() == "Output")
    names = layers_of(mattes)
    last = above
    for own, layer in zip(mattes, names):
        read = nuke.nodes.Read(name=f"mattes_{layer}")
        read.readKnobs(read_knobs(own))
        # No knob takes a channel of a layer that the script does not know.
        nuke.Layer(layer, [f"{layer}.alpha"])
        copied = nuke.nodes.Copy(name=f"layer_{layer}", inputs=[last, read])
        copied.readKnobs(f"from0 rgba.alpha\nto0 {layer}.alpha")
        last = copied
    if mattes:
        alpha = nuke.nodes.Expression(name="alpha", inputs=[last])
        alpha["channel0"].setValue("rgba.alpha")
        alpha["expr0"].setValue(_alpha_of(node, kept))
        last = alpha
        whole = nuke.nodes.FrameRange(name="range", inputs=[last])
        whole["first_frame"].setValue(min(own.first + own.shift for own in mattes))
        whole["last_frame"].setValue(max(own.last + own.shift for own in mattes))
        last = whole
    below.setInput(0, last)


def read_knobs(own: Mattes) -> str:
    """What a Read of mattes says: raw, and an error where a file is missing, beyond its ends too."""
    from masklet.exchange.nuke import quoted

    return "\n".join(
        [
            f"file {quoted(own.file)}",
            f"first {-_FARTHEST}",
            f"last {_FARTHEST}",
            f"origfirst {own.first}",
            f"origlast {own.last}",
            "origset true",
            # The first frame of the range shows that much later.
            'frame_mode "start at"',
            f"frame {own.shift - _FARTHEST}",
            "on_error error",
            "raw true",
            f"label {quoted(f'{own.name}: mattes on {own.first}-{own.last}')}",
        ]
    )


def chosen_uid(node: Node) -> str:
    """Of the object whose matte alpha is to be; empty for all together."""
    chosen = str(node[node_knobs.OUTPUT].value())
    return next((said.uid for said in documents.objects(node) if said.name == chosen), "")


def _alpha_of(node: Node, mattes: Mapping[str, Mattes]) -> str:
    layers = dict(zip(mattes, layers_of(list(mattes.values()))))
    uid = chosen_uid(node)
    if uid and uid not in layers:
        # Nuke knows no such channel: it stops, and shows nothing else in its place.
        return f"{layer_name(str(node[node_knobs.OUTPUT].value()))}_has_no_mattes_yet"
    shown = [layers[uid]] if uid else list(layers.values())
    found = f"{shown[0]}.alpha"
    for layer in shown[1:]:
        found = f"max({found}, {layer}.alpha)"
    return found
