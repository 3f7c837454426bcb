"""A node group that cuts the object out of the plate, and its place in a scene's compositor.

The group takes the plate as ``Image`` and, if wanted, a ``Background``; it gives the cut-out as ``Image``,
the cut-out over the background as ``Composite``, and the ``Matte`` alone. The matte is the mask of splines
or the sequence of mattes, at the plate's size in any case: what comes after the group may scale all of it
alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import bpy

from .masks import PIXEL_ASPECT
from .tags import Role, Tag, find, write_tag

if TYPE_CHECKING:
    from .coordinates import PlateSpace
    from .mattes import ShownFrames

_SOURCE = "masklet matte"
"""Name of the node that brings the matte: all that is replaced when a group is brought up to date."""


_RESIZED = "masklet matte at the plate's size"
"""Name of the node after it that squeezes a mask of square pixels to the plate's."""
_FIXED_IS_SQUARE_FROM = (4, 4, 0)
"""From here a mask of a fixed size is not stretched by the scene's pixel aspect."""


@dataclass(frozen=True)
class MaskMatte:
    """A matte drawn from splines.

    Attributes:
        mask: From :mod:`.masks`.
        space: The plate.
        at_render_size: For a plate that comes at the size of the render, percentage included.
    """

    mask: bpy.types.Mask
    space: PlateSpace
    at_render_size: bool = False


@dataclass(frozen=True)
class ImageMatte:
    """A matte read from files.

    Attributes:
        image: From :mod:`.mattes`.
        shown: On which frames.
    """

    image: bpy.types.Image
    shown: ShownFrames


def find_group(owner: str) -> bpy.types.CompositorNodeTree | None:
    """The group that was made for ``owner``; None where there is none any more."""
    group = find(bpy.data.node_groups, Role.GROUP, owner)
    return cast("bpy.types.CompositorNodeTree | None", group)


def write_group(matte: MaskMatte | ImageMatte, *, name: str, owner: str) -> bpy.types.CompositorNodeTree:
    """Make the group of an object, or let the one that exists use this matte.

    A group that exists keeps whatever the artist built in it; only the node that brings the matte is
    replaced.

    Args:
        matte: Splines or files.
        name: For a new group.
        owner: Whose group it is; finds it again.
    """
    group = find_group(owner)
    if group is None:
        group = _new_tree(name)
        write_tag(group, Tag(Role.GROUP, owner))
        source = _source_node(group, matte)
        _build(group, source)
        return group
    old = group.nodes.get(_RESIZED) or group.nodes.get(_SOURCE)
    if old is not None:
        targets = [link.to_socket for output in old.outputs for link in output.links]
        location = old.location.copy()
        for name in (_SOURCE, _RESIZED):
            if name in group.nodes:
                group.nodes.remove(group.nodes[name])
        source = _source_node(group, matte)
        source.location = location
        for target in targets:
            group.links.new(source.outputs[0], target)
    return group


def add_to_scene(
    scene: bpy.types.Scene, group: bpy.types.CompositorNodeTree, clip: bpy.types.MovieClip
) -> bpy.types.Node:
    """Put the group into a scene's compositor, fed by the plate; there already, it stays as it is.

    In an empty compositor the cut-out also becomes what is rendered, scaled to the size of the render. What
    the artist built is not rewired.

    Returns:
        The node of the group.
    """
    tree, was_empty = _scene_tree(scene)
    placed = next((node for node in tree.nodes if getattr(node, "node_tree", None) == group), None)
    if placed is not None:
        return placed
    right = max((node.location.x + node.width for node in tree.nodes), default=0.0)
    plate: Any = next((node for node in tree.nodes if getattr(node, "clip", None) == clip), None)
    if plate is None:
        plate = tree.nodes.new("CompositorNodeMovieClip")
        plate.clip = clip
        plate.location = (right + 60, 0)
    node: Any = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = group
    node.label = group.name
    node.location = (right + 360, 0)
    tree.links.new(plate.outputs["Image"], node.inputs["Image"])
    if was_empty:
        scale = tree.nodes.new("CompositorNodeScale")
        _set(scale, "space", "RENDER_SIZE", "Type", "Render Size")
        scale.location = (right + 600, 0)
        output = _output_node(tree)
        output.location = (right + 820, 0)
        tree.links.new(node.outputs["Image"], scale.inputs[0])
        tree.links.new(scale.outputs[0], output.inputs[0])
    return cast("bpy.types.Node", node)


def _build(group: bpy.types.CompositorNodeTree, source: bpy.types.Node) -> None:
    for name in ("Image", "Background"):
        _socket(group, name, "INPUT", "NodeSocketColor")
    for name, kind in (
        ("Image", "NodeSocketColor"),
        ("Composite", "NodeSocketColor"),
        ("Matte", "NodeSocketFloat"),
    ):
        _socket(group, name, "OUTPUT", kind)
    nodes, links = group.nodes, group.links
    given, cut = nodes.new("NodeGroupInput"), nodes.new("CompositorNodeSetAlpha")
    over, result = nodes.new("CompositorNodeAlphaOver"), nodes.new("NodeGroupOutput")
    for node, place in ((given, 0), (source, 0), (cut, 240), (over, 480), (result, 720)):
        node.location = (place, -220 if node == source else 0)
    _set(cut, "mode", "APPLY", "Type", "Apply Mask")
    links.new(given.outputs["Image"], cut.inputs["Image"])
    links.new(source.outputs[0], cut.inputs["Alpha"])
    # Until 4.5 both pictures of the node are called "Image".
    background, foreground = (socket for socket in over.inputs if socket.type == "RGBA")
    links.new(given.outputs["Background"], background)
    links.new(cut.outputs["Image"], foreground)
    links.new(cut.outputs["Image"], result.inputs["Image"])
    links.new(over.outputs["Image"], result.inputs["Composite"])
    links.new(source.outputs[0], result.inputs["Matte"])


def _source_node(
    group: bpy.types.CompositorNodeTree, matte: MaskMatte | ImageMatte
) -> bpy.types.CompositorNode:
    """The node whose first output is the matte at the plate's size."""
    node: Any
    if isinstance(matte, ImageMatte):
        node = group.nodes.new("CompositorNodeImage")
        node.image = matte.image
        matte.shown.apply(node)
    else:
        node = group.nodes.new("CompositorNodeMask")
        node.mask = matte.mask
    node.name = node.label = _SOURCE
    if isinstance(matte, ImageMatte) or matte.at_render_size:
        return cast("bpy.types.CompositorNode", node)
    space = matte.space
    aspect = float(cast(Any, matte.mask).get(PIXEL_ASPECT, 1.0))
    squeezed = aspect != 1.0 and bpy.app.version >= _FIXED_IS_SQUARE_FROM
    width_px = round(space.width_px * aspect) if squeezed else space.width_px
    _set(node, "size_source", "FIXED", "Size Source", "Fixed")
    _set(node, "size_x", width_px, "Size X", width_px)
    _set(node, "size_y", space.height_px, "Size Y", space.height_px)
    if squeezed:
        mask_node, node = node, group.nodes.new("CompositorNodeScale")
        node.name = node.label = _RESIZED
        mask_node.location = (-200, -220)
        _set(node, "space", "ABSOLUTE", "Type", "Absolute")
        node.inputs["X"].default_value, node.inputs["Y"].default_value = space.width_px, space.height_px
        group.links.new(mask_node.outputs[0], node.inputs[0])
    return cast("bpy.types.CompositorNode", node)


def _set(node: Any, attribute: str, value: object, socket: str, choice: object) -> None:
    """Set an option, which is an attribute of older nodes and an input of newer ones."""
    place = node.inputs.get(socket)
    if place is not None:
        place.default_value = choice
    else:
        setattr(node, attribute, value)


def _new_tree(name: str) -> bpy.types.CompositorNodeTree:
    # The kinds of trees are known to Blender while it runs, and not to its type stubs.
    kind: Any = "CompositorNodeTree"
    return cast("bpy.types.CompositorNodeTree", bpy.data.node_groups.new(name, kind))


def _socket(group: Any, name: str, direction: str, kind: str) -> None:
    if hasattr(group, "interface"):  # from 4.0
        group.interface.new_socket(name=name, in_out=direction, socket_type=kind)
    else:
        (group.inputs if direction == "INPUT" else group.outputs).new(kind, name)


def _scene_tree(scene: Any) -> tuple[bpy.types.CompositorNodeTree, bool]:
    """The tree of the scene's compositor, made where it is missing, and whether nothing is built in it."""
    if hasattr(scene, "compositing_node_group"):  # from 5.0
        tree = scene.compositing_node_group
        if tree is None:
            tree = _new_tree("Compositing")
            scene.compositing_node_group = tree
        return tree, not tree.nodes
    is_new = scene.node_tree is None
    scene.use_nodes = True
    if is_new:
        # Blender puts nodes that show the render into a new tree.
        scene.node_tree.nodes.clear()
    return scene.node_tree, not scene.node_tree.nodes


def _output_node(tree: bpy.types.CompositorNodeTree) -> bpy.types.Node:
    if hasattr(bpy.types, "CompositorNodeComposite"):  # until 4.5
        return tree.nodes.new("CompositorNodeComposite")
    _socket(tree, "Image", "OUTPUT", "NodeSocketColor")
    return tree.nodes.new("NodeGroupOutput")
