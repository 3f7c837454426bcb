"""An anchor as track and as Empties, seen through a camera; something hung on it.

Arguments: the document with an anchor, the first file of the plate.
"""

import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
from bpy_extras.object_utils import world_to_camera_view
from documents import anchor_of

from masklet.errors import MaskletError
from masklet_blender.natives import empties, tracks
from masklet_blender.natives.coordinates import PlateSpace, frames_of_clip

document = json.loads(Path(sys.argv[1]).read_text())
info = document["clip"]
anchor = anchor_of(document)
space = PlateSpace(info["width_px"], info["height_px"], info["pixel_aspect"])
answer = {}
scene = bpy.context.scene
render = scene.render
render.resolution_x, render.resolution_y = info["width_px"], info["height_px"]
render.pixel_aspect_x = info["pixel_aspect"]
clip = bpy.data.movieclips.load(sys.argv[2])
clip.frame_start = 11
frames = frames_of_clip(clip)
seen = [key.frame for key in anchor.keys][:: len(anchor.keys) // 4]


def at(frame):
    """Show a frame of the plate."""
    scene.frame_set(frames.scene_frame(frame))


def refused(call):
    """The sentence with which something is refused."""
    try:
        call()
    except MaskletError as error:
        return str(error)
    return None


for _ in range(2):
    track = tracks.write_track(anchor, clip, frames, space, owner="blob")
answer["tracks"] = [one.name for one in clip.tracking.tracks]
answer["markers"] = [[one.frame, one.mute, *one.co] for one in track.markers]
answer["pattern_px"] = [
    (track.markers[1].pattern_corners[2][0] - track.markers[1].pattern_corners[0][0]) * clip.size[0],
    clip.tracking.settings.default_pattern_size,
]
shorter = type(anchor)(anchor.name, anchor.object, anchor.kind, anchor.reference_frame, anchor.keys[:3])
tracks.write_track(shorter, clip, frames, space, owner="blob")
answer["shorter"] = [[one.frame, one.mute] for one in track.markers]
track.lock = True
answer["locked"] = refused(lambda: tracks.write_track(anchor, clip, frames, space, owner="blob"))
track.lock = False
track = tracks.write_track(anchor, clip, frames, space, owner="blob")
nothing = type(anchor)(anchor.name, anchor.object, anchor.kind, anchor.reference_frame, ())
answer["unseen"] = refused(lambda: tracks.write_track(nothing, clip, frames, space, owner="x"))

camera = scene.camera or bpy.data.objects["Camera"]
camera.scale = (2, 2, 2)
camera.data.shift_x = 0.1
empty = empties.write_empty(anchor, scene, frames, space, owner="blob")
at(anchor.keys[-1].frame)
answer["upright"] = {
    "location": list(empty.matrix_world.translation),
    "turn_deg": [math.degrees(angle) for angle in empty.matrix_world.to_euler()],
    "scale": list(empty.scale),
    "weight": empty.get("weight"),
}
with_camera = empties.write_empty(anchor, scene, frames, space, owner="blob", camera=camera)
answer["same_empty"] = with_camera == empty
answer["before_camera"] = []
for frame in seen:
    at(frame)
    camera.location.x += 0.5
    bpy.context.view_layer.update()
    answer["before_camera"].append(
        [frame, *world_to_camera_view(scene, camera, empty.matrix_world.translation)[:2]]
    )

follower = empties.write_follower("led", scene, clip, track, owner="led", camera=camera)
empties.write_follower("led", scene, clip, track, owner="led", camera=camera)
answer["led"] = []
for frame in seen:
    at(frame)
    view = world_to_camera_view(scene, camera, follower.matrix_world.translation)
    answer["led"].append([frame, *view[:2]])
answer["constraints"] = [one.type for one in follower.constraints]

cube = bpy.data.objects["Cube"]


def moved(act):
    """How far an act moves the cube at once."""
    before = cube.matrix_world.copy()
    act()
    bpy.context.view_layer.update()
    return max(
        abs(cube.matrix_world[row][column] - before[row][column]) for row in range(4) for column in range(4)
    )


at(anchor.reference_frame)
answer["attached"] = [moved(lambda: empties.attach(cube, empty)), moved(lambda: empties.attach(cube, empty))]
answer["goes_along"] = moved(lambda: at(anchor.keys[-1].frame))
answer["attached_later"] = moved(lambda: empties.attach(cube, empty))
answer["children"] = [one.type for one in cube.constraints]
answer["itself"] = refused(lambda: empties.attach(empty, empty))
answer["camera_on_its_child"] = refused(lambda: empties.attach(camera, empty))
empties.detach(cube)
answer["detached"] = len(cube.constraints)
answer["objects"] = sorted(one.name for one in bpy.data.objects)

bpy.ops.ed.undo_push(message="made")
bpy.data.objects.remove(empties.find_empty("blob"))
bpy.ops.ed.undo_push(message="removed")
bpy.ops.ed.undo()
answer["undone"] = empties.find_empty("blob") is not None
again = empties.write_empty(anchor, bpy.context.scene, frames, space, owner="blob")
action = again.animation_data.action
curves = action.layers[0].strips[0].channelbags[0].fcurves if hasattr(action, "layers") else action.fcurves
answer["curves"] = sorted(
    [curve.data_path, curve.array_index, len(curve.keyframe_points)] for curve in curves
)
print(json.dumps(answer))
