"""Splines into a mask: rendered, made again beside the artist's layers, undone, saved and opened.

Arguments: the document with shapes, the first frame of the scene, a folder.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import rendering
from documents import shapes_of

from masklet_blender.natives.coordinates import FrameMap
from masklet_blender.natives.mask_drawing import drawing_of
from masklet_blender.natives.mask_editor import mask_editor
from masklet_blender.natives.masks import find_mask, mask_raster, write_mask

document = json.loads(Path(sys.argv[1]).read_text())
scene_start, folder = int(sys.argv[2]), Path(sys.argv[3])
clip = document["clip"]
frames = FrameMap(clip["first_frame"], scene_start)
shapes = shapes_of(document)
scene = bpy.context.scene
rendering.prepare((clip["width_px"], clip["height_px"]), pixel_aspect=clip["pixel_aspect"])
drawing = drawing_of(shapes, frames, raster=mask_raster(scene))
answer = {}


def state(mask):
    """All that is to stay the same or to change."""
    action = mask.animation_data.action
    curves = (
        action.layers[0].strips[0].channelbags[0].fcurves if hasattr(action, "layers") else action.fcurves
    )
    return {
        "name": mask.name,
        "layers": [layer.name for layer in mask.layers],
        "points": {layer.name: [len(spline.points) for spline in layer.splines] for layer in mask.layers},
        "hidden": [layer.name for layer in mask.layers if layer.hide],
        "locked": [layer.name for layer in mask.layers if layer.hide_select],
        "selected": any(p.select for layer in mask.layers for spline in layer.splines for p in spline.points),
        "curves": sorted(curve.data_path for curve in curves),
        "range": [mask.frame_start, mask.frame_end],
    }


# What the artist has open and where they are must stay as they were.
window = bpy.context.window_manager.windows[0]
areas = [area.ui_type for area in window.screen.areas]
scene.frame_set(scene_start + 3)
calls = []
bpy.app.handlers.frame_change_post.append(lambda *_: calls.append(1))
mask = write_mask(drawing, owner="blob")
bpy.app.handlers.frame_change_post.pop()
bpy.context.view_layer.update()
shown = [tuple(point.co) for point in mask.layers[0].splines[0].points]
scene.frame_set(scene_start + 5)
scene.frame_set(scene_start + 3)
answer["around"] = {
    "areas_stay": areas == [area.ui_type for area in window.screen.areas],
    "scenes": len(bpy.data.scenes),
    "frame": scene.frame_current,
    "frame_changes": len(calls),
    "shows_current_frame": shown == [tuple(point.co) for point in mask.layers[0].splines[0].points],
}
answer["made"] = state(mask)

# Rendered by the plain node, as an artist who picks the mask would.
tree, result = rendering.empty_tree()
node = tree.nodes.new("CompositorNodeMask")
node.mask = mask
tree.links.new(node.outputs[0], result)
answer["rendered"] = {
    str(frame): rendering.render(frames.scene_frame(frame), folder / f"{frame}.exr")
    for frame in document["render"]
}

# Where a layer's alpha is 0 its handles are in nobody's way, and never elsewhere.
answer["hidden_by_frame"] = {}
for frame in range(clip["first_frame"], clip["last_frame"] + 1):
    scene.frame_set(frames.scene_frame(frame))
    answer["hidden_by_frame"][frame] = [layer.name for layer in mask.layers if layer.hide]
scene.frame_set(scene_start + 3)

scene.render.resolution_percentage = 50
answer["half"] = rendering.render(frames.scene_frame(document["render"][1]), folder / "half.exr")
scene.render.resolution_percentage = 100

# The artist draws a layer of their own between ours, another one on top, and hides one of ours.
ours = answer["made"]["layers"]
for name in ("garbage", "top"):
    layer = mask.layers.new(name=name)
    layer.splines.new().points.add(4)
mask.layers[ours[-1]].hide = True
with mask_editor(mask):
    mask.active_layer_index = [layer.name for layer in mask.layers].index("garbage")
    for _ in range(len(ours) - 1):
        bpy.ops.mask.layer_move(direction="UP")
mask.layers["garbage"].keyframe_insert("alpha", frame=7)
answer["with_artists_layers"] = state(mask)
answer["same"] = write_mask(drawing, owner="blob") == mask
answer["again"] = state(mask)
bpy.data.masks[mask.name].name = "my hero"
renamed = write_mask(drawing, owner="blob")
answer["renamed"] = {"name": renamed.name, "masks": len(bpy.data.masks)}
renamed.copy()
answer["copied"] = write_mask(drawing, owner="blob").name
other = write_mask(drawing, owner="another")
answer["other"] = {"name": other.name, "layers": [layer.name for layer in other.layers]}

# Undo frees and remakes all datablocks, so that nothing may be kept from before.
bpy.ops.ed.undo_push(message="before")
bpy.data.masks.remove(find_mask("another"))
bpy.data.masks.remove(bpy.data.masks["my hero.001"])
bpy.ops.ed.undo_push(message="removed")
write_mask(drawing, owner="third")
bpy.ops.ed.undo_push(message="third")
bpy.ops.ed.undo()
answer["undone"] = find_mask("third") is None
bpy.ops.ed.undo()
answer["undone_twice"] = find_mask("another") is not None
bpy.ops.ed.redo()
bpy.ops.ed.redo()
answer["redone"] = find_mask("third") is not None
answer["after_undo"] = state(write_mask(drawing, owner="blob"))

blend = str(folder / "shot.blend")
bpy.ops.wm.save_as_mainfile(filepath=blend)
bpy.ops.wm.open_mainfile(filepath=blend)
found = find_mask("blob")
answer["opened"] = found.name
bpy.context.scene.frame_set(frames.scene_frame(document["render"][1]))
moved = [tuple(point.co) for point in found.layers[ours[0]].splines[0].points]
bpy.context.scene.frame_set(frames.scene_frame(document["render"][0]))
answer["opened_keys"] = moved != [tuple(point.co) for point in found.layers[ours[0]].splines[0].points]
answer["empty"] = [
    layer.name
    for layer in write_mask(
        drawing_of(shapes_of({**document, "shapes": [{**document["shapes"][0], "pieces": []}]}), frames),
        owner="blob",
    ).layers
]
print(json.dumps(answer))
