"""Renders mattes with Blender's compositor alone, as 16-bit PNG, in every version."""

import bpy


def render_mask(mask, frame, file, size_px):
    """Render a mask on one frame of the scene as grey PNG, without any view transform."""
    tree, result = _tree(bpy.context.scene)
    source = tree.nodes.new("CompositorNodeMask")
    source.mask = mask
    tree.links.new(source.outputs[0], result)
    _render(frame, file, size_px)


def render_matte_of_group(frame, file, size_px):
    """Render what the group that is in the scene's compositor gives as its matte."""
    scene = bpy.context.scene
    tree = getattr(scene, "compositing_node_group", None) or scene.node_tree
    group = next(node for node in tree.nodes if getattr(node, "node_tree", None) is not None)
    kinds = {"CompositorNodeComposite", "NodeGroupOutput"}
    result = next(node for node in tree.nodes if node.bl_idname in kinds)
    tree.links.new(group.outputs["Matte"], result.inputs[0])
    _render(frame, file, size_px)


def _render(frame, file, size_px):
    scene = bpy.context.scene
    _prepare(scene, size_px)
    scene.frame_set(frame)
    scene.render.filepath = str(file)
    bpy.ops.render.render(write_still=True)


def _prepare(scene, size_px):
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples = 1
    render.resolution_x, render.resolution_y = size_px
    render.resolution_percentage = 100
    render.use_compositing = True
    render.use_file_extension = False
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "BW", "16"
    scene.view_settings.view_transform = "Raw"


def _tree(scene):
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new("test", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        return tree, tree.nodes.new("NodeGroupOutput").inputs[0]
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    return tree, tree.nodes.new("CompositorNodeComposite").inputs["Image"]
