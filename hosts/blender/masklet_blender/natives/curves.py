"""Animation curves written in bulk, in the layouts of actions from Blender 3.4 to 5.2."""

from __future__ import annotations

from array import array
from enum import Enum
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Interpolation(Enum):
    """How a curve runs from one key to the next."""

    CONSTANT = "CONSTANT"
    LINEAR = "LINEAR"


def write_curve(
    datablock: bpy.types.ID,
    path: str,
    keys: Sequence[tuple[float, float]],
    *,
    index: int = 0,
    interpolation: Interpolation = Interpolation.LINEAR,
) -> None:
    """Replace the keys of one property; the rest of the datablock's animation stays.

    Args:
        datablock: Gets an action if it has none.
        path: As in Blender: ``location``.
        keys: Frame of the scene and value, ascending.
        index: Of the component, for vectors.
        interpolation: Between all keys.
    """
    curves = _curves(datablock)
    curve = curves.find(path, index=index)
    if curve is not None:
        curves.remove(curve)
    curve = curves.new(path, index=index)
    points = curve.keyframe_points
    points.add(len(keys))
    points.foreach_set("co", array("f", [number for key in keys for number in key]))
    kind = enum_value(bpy.types.Keyframe, "interpolation", interpolation.value)
    points.foreach_set("interpolation", [kind] * len(keys))
    curve.update()


def has_curve(datablock: Any, path: str) -> bool:
    """True where a curve moves this property."""
    animation = datablock.animation_data
    return (
        animation is not None and animation.action is not None and _curves(datablock).find(path) is not None
    )


def remove_curves(datablock: Any, unwanted: Callable[[str], bool]) -> None:
    """Take away the curves of all paths of which ``unwanted`` says so."""
    animation = datablock.animation_data
    if animation is None or animation.action is None:
        return
    curves = _curves(datablock)
    for curve in [curve for curve in curves if unwanted(curve.data_path)]:
        curves.remove(curve)


def enum_value(kind: Any, attribute: str, choice: str) -> int:
    """The number of a choice, as bulk writing wants it."""
    number: int = kind.bl_rna.properties[attribute].enum_items[choice].value
    return number


def _curves(datablock: Any) -> Any:
    """The collection of curves that drives a datablock, made where it is missing."""
    animation = datablock.animation_data_create()
    action = animation.action
    if action is None:
        action = animation.action = bpy.data.actions.new(f"{datablock.name} masklet")
    if not hasattr(action, "slots"):  # before 4.4
        return action.fcurves
    slot = animation.action_slot
    if slot is None:
        suitable = list(animation.action_suitable_slots)
        slot = suitable[0] if suitable else action.slots.new(id_type=datablock.id_type, name=datablock.name)
        animation.action_slot = slot
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves
