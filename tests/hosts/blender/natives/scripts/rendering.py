"""Renders what one socket of a compositor gives, as 32-bit EXR, in every version of Blender."""

import bpy


def prepare(size_px, *, percentage=100, pixel_aspect=1.0):
    """Cycles on the CPU with nothing to see, since the other engines need a GPU."""
    scene = bpy.context.scene
    for thing in [thing for thing in bpy.data.objects if thing.type != "CAMERA"]:
        bpy.data.objects.remove(thing)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    render = scene.render
    render.resolution_x, render.resolution_y = size_px
    render.resolution_percentage = percentage
    render.pixel_aspect_x, render.pixel_aspect_y = pixel_aspect, 1.0
    render.film_transparent = True
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_depth, settings.color_mode = "OPEN_EXR", "32", "RGBA"


def empty_tree():
    """A compositor without nodes, and the input that is rendered."""
    scene = bpy.context.scene
    if bpy.app.version >= (5, 0, 0):
        tree = bpy.data.node_groups.new("test", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        return tree, tree.nodes.new("NodeGroupOutput").inputs[0]
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    return scene.node_tree, scene.node_tree.nodes.new("CompositorNodeComposite").inputs["Image"]


def render(frame, file):
    """Render one frame of the scene; the file's path comes back."""
    scene = bpy.context.scene
    scene.frame_set(frame)
    scene.render.filepath = str(file)
    bpy.ops.render.render(write_still=True)
    return str(file)
