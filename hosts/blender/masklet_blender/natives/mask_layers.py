"""Layers of a mask that belong to us among the artist's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True)
class _Switches:
    """What the artist may have switched on a layer; it outlives a new version of the layer."""

    hide: bool
    hide_select: bool
    hide_render: bool


def replace_layers(mask: bpy.types.Mask, owned: Collection[str], names: Sequence[str]) -> list[str]:
    """Put new, empty layers in the place of ours.

    Must run inside :func:`.mask_editor.mask_editor`, whose operator moves layers. Layers of the artist keep
    their place among ours: what was drawn after ours is still drawn after ours.

    Args:
        mask: Holds layers of ours and of the artist.
        owned: Names of the layers that were ours; others are left alone.
        names: Of the new layers, in the order in which they are drawn.

    Returns:
        What Blender called the new layers, in that order: a name that a layer of the artist has gets a
        number.
    """
    before = [layer.name for layer in mask.layers]
    switches = {
        layer.name: _Switches(layer.hide, layer.hide_select, layer.hide_render)
        for layer in mask.layers
        if layer.name in owned
    }
    for name in switches:
        mask.layers.remove(mask.layers[name])
    made = []
    for name in names:
        layer = mask.layers.new(name=name)
        made.append(layer.name)
        kept = switches.get(layer.name)
        if kept is not None:
            layer.hide, layer.hide_select, layer.hide_render = kept.hide, kept.hide_select, kept.hide_render
    _arrange(mask, _order(before, set(switches), made))
    return made


def _order(before: Sequence[str], owned: Collection[str], made: Sequence[str]) -> list[str]:
    """The layers' new order: ours fill the places of ours, and those left over follow the last of them."""
    slots = [index for index, name in enumerate(before) if name in owned]
    waiting = list(made)
    order: list[str] = []
    for index, name in enumerate(before):
        if name not in owned:
            order.append(name)
        elif index == slots[-1]:
            order.extend(waiting)
            waiting = []
        elif waiting:
            order.append(waiting.pop(0))
    return order + waiting


def _arrange(mask: bpy.types.Mask, order: Sequence[str]) -> None:
    for target, name in enumerate(order):
        place = [layer.name for layer in mask.layers].index(name)
        mask.active_layer_index = place
        for _ in range(place - target):
            bpy.ops.mask.layer_move(direction="UP")
