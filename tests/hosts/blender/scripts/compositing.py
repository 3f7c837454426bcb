"""Renders a mask or an image sequence with Blender's compositor alone, as 16-bit PNG, in every version."""

import bpy


def render(kind, datablock, frame, file, size_px):
    """Render one frame.

    Args:
        kind: ``mask`` or ``image``.
        datablock: What to render.
        frame: Of the scene.
        file: Written as PNG, grey, without any view transform.
        size_px: Width and height.
    """
    scene = bpy.context.scene
    _prepare(scene, size_px)
    tree, result = _tree(scene)
    source = tree.nodes.new("CompositorNodeMask" if kind == "mask" else "CompositorNodeImage")
    if kind == "mask":
        source.mask = datablock
        tree.links.new(source.outputs[0], result)
    else:
        source.image = datablock
        source.frame_duration = datablock.frame_duration
        user = datablock.get("masklet_frames")
        source.frame_start = user[0] if user else 1
        source.frame_offset = user[1] if user else 0
        tree.links.new(source.outputs["Image"], result)
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
