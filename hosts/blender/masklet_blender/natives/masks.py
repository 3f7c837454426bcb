"""Splines as a Mask datablock: one layer a piece, keyed, with feather, drawn as the server draws them.

Pieces lie in the mask in the order in which they are drawn: outer paths merge, holes are taken away, which is what
``MERGE_ADD`` and ``MERGE_SUBTRACT`` compute.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import bpy

from .coordinates import PlateSpace
from .curves import Interpolation, remove_curves, write_curve
from .feathering import drawn_path, runs_clockwise, turned
from .mask_editor import mask_editor
from .mask_layers import replace_layers
from .tags import Role, Tag, find, read_tag, write_tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from masklet.shapes import BezierVertex, ObjectShapes, Piece

    from .coordinates import FrameMap

_HALF_A_FRAME = 0.5


def find_mask(owner: str) -> bpy.types.Mask | None:
    """The mask that was made for ``owner``; None where there is none any more."""
    return find(bpy.data.masks, Role.MASK, owner)


def write_mask(shapes: ObjectShapes, frames: FrameMap, *, owner: str) -> bpy.types.Mask:
    """Make the mask of an object, or bring the one that exists up to date.

    Layers that the artist added to the mask stay as they are, where they are; a layer of ours that was renamed counts as
    the artist's. Whether our layers are hidden or locked is kept. The scene's frame does not move.

    Args:
        shapes: From the server.
        frames: Where the plate lies in the scene.
        owner: Whose mask it is; finds it again.

    Raises:
        MaskletError: Blender has no window.
    """
    mask = find_mask(owner)
    if mask is None:
        mask = bpy.data.masks.new(shapes.name)
        write_tag(mask, Tag(Role.MASK, owner))
    tag = read_tag(mask)
    owned = tag.parts if tag is not None else ()
    pieces = [piece for piece in shapes.pieces if piece.visible]
    with mask_editor(mask) as scene:
        layers = replace_layers(mask, owned, [piece.name for piece in pieces])
        drawn = {layer.name: piece for layer, piece in zip(layers, pieces)}
        write_tag(mask, Tag(Role.MASK, owner, tuple(drawn)))
        paths = {_alpha_path(name) for name in (*owned, *drawn)}
        remove_curves(mask, paths.__contains__)
        for layer, piece in zip(layers, pieces):
            _prepare(layer, piece)
        for name, piece in drawn.items():
            switches = _switches(piece, frames)
            write_curve(mask, _alpha_path(name), switches, interpolation=Interpolation.CONSTANT)
        space = PlateSpace(shapes.width_px, shapes.height_px, shapes.pixel_aspect)
        _write_keys(mask, drawn, space, frames, scene)
    if pieces:
        mask.frame_start = int(frames.scene_frame(min(piece.visible[0].first for piece in pieces)))
        mask.frame_end = int(frames.scene_frame(max(piece.visible[-1].last for piece in pieces)))
    mask.update_tag()
    return mask


def _alpha_path(layer_name: str) -> str:
    return f'layers["{bpy.utils.escape_identifier(layer_name)}"].alpha'


def _prepare(layer: bpy.types.MaskLayer, piece: Piece) -> None:
    """One closed path with as many points as the piece has vertices, all of them movable by hand."""
    layer.blend = "MERGE_SUBTRACT" if piece.hole else "MERGE_ADD"
    layer.falloff = "LINEAR"
    spline = layer.splines.new()
    spline.use_cyclic = True
    spline.weight_interpolation = "LINEAR"
    points = spline.points
    points.add(piece.vertex_count - len(points))
    kinds = bpy.types.MaskSplinePoint.bl_rna.properties["handle_left_type"].enum_items
    for name in ("handle_left_type", "handle_right_type"):
        points.foreach_set(name, [kinds["FREE"].value] * piece.vertex_count)


def _switches(piece: Piece, frames: FrameMap) -> list[tuple[float, float]]:
    """When the layer is drawn. The keys lie between frames: motion blur of a mask looks half a frame to both sides."""
    switches: list[tuple[float, float]] = []
    for span in piece.visible:
        on = frames.scene_frame(span.first - _HALF_A_FRAME)
        off = frames.scene_frame(span.last + _HALF_A_FRAME)
        if switches and switches[-1][0] == on:
            switches.pop()
        else:
            if not switches:
                switches.append((on - 1, 0.0))
            switches.append((on, 1.0))
        switches.append((off, 0.0))
    return switches


def _write_keys(
    mask: bpy.types.Mask,
    drawn: Mapping[str, Piece],
    space: PlateSpace,
    frames: FrameMap,
    scene: bpy.types.Scene,
) -> None:
    """Key the points of every layer, on the frames on which its piece has keys."""
    due: dict[int, dict[str, Sequence[BezierVertex]]] = {}
    for name, piece in drawn.items():
        # The same way round on all keys, whatever a path that crosses itself says on one of them.
        clockwise = runs_clockwise(piece.keys[0].vertices)
        for key in piece.keys:
            path = key.vertices if clockwise else turned(key.vertices)
            due.setdefault(int(frames.scene_frame(key.frame)), {})[name] = path
    switches = [(layer.name, layer.hide, layer.hide_select) for layer in mask.layers]
    view_layer = scene.view_layers[0]
    for name in drawn:
        points = mask.layers[name].splines[0].points
        points.foreach_set("select", [True] * len(points))
    for frame in sorted(due):
        paths = due[frame]
        scene.frame_current = frame
        # The operator keys every layer that is neither hidden nor locked and has a selected point.
        for layer in mask.layers:
            layer.hide = layer.hide_select = layer.name not in paths
        view_layer.update()
        for name, vertices in paths.items():
            _place(mask.layers[name].splines[0].points, vertices, space)
        bpy.ops.mask.shape_key_insert()
    for name in drawn:
        points = mask.layers[name].splines[0].points
        points.foreach_set("select", [False] * len(points))
    for name, hide, hide_select in switches:
        layer = mask.layers[name]
        layer.hide, layer.hide_select = hide, hide_select


def _place(points: Any, vertices: Sequence[BezierVertex], space: PlateSpace) -> None:
    unit = space.longer_side_px
    left, bottom = space.mask_point(0.0, 0.0)
    centres, handles_in, handles_out, weights = array("f"), array("f"), array("f"), array("f")
    path = drawn_path(vertices, width_px=space.width_px, height_px=space.height_px)
    for x, y, in_x, in_y, out_x, out_y, fade in path:
        centres.extend((left + x / unit, bottom - y / unit))
        handles_in.extend((left + (x + in_x) / unit, bottom - (y + in_y) / unit))
        handles_out.extend((left + (x + out_x) / unit, bottom - (y + out_y) / unit))
        weights.append(fade / unit)
    points.foreach_set("co", centres)
    points.foreach_set("handle_left", handles_in)
    points.foreach_set("handle_right", handles_out)
    points.foreach_set("weight", weights)
