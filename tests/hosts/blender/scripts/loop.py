"""An artist's work from a click to results, by the add-on's own operators; then saved.

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import bpy
import bpy_extras.object_utils
import compositing
import leftovers

module, first_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
x_px, y_px = float(sys.argv[4]), float(sys.argv[5])
bpy.ops.preferences.addon_enable(module=module)

scene = bpy.context.scene
clip = bpy.data.movieclips.load(first_file)
scene.active_clip = clip
scene.frame_start, scene.frame_end = 1, clip.frame_duration
seconds = {}
reports = {}


def do(step, operator, **values):
    """Run an operator as a script does; a report of an error is an exception in Blender."""
    started = time.perf_counter()
    reports[step] = sorted(operator(**values))
    seconds[step] = round(time.perf_counter() - started, 3)


def empty():
    """The anchor."""
    return next(found for found in bpy.data.objects if found.type == "EMPTY")


masklet = bpy.ops.masklet
scene.frame_set(1)
do("object", masklet.object_add, name="duck")
do("click", masklet.click, x_px=x_px, y_px=y_px)
do("track", masklet.track, direction="BOTH")
do("mattes", masklet.mattes, folder=str(folder / "mattes"), file_format="PNG")
do("splines", masklet.splines, tolerance_px=0.5)
made = {
    "images": [image.name for image in bpy.data.images if image.source == "SEQUENCE"],
    "masks": [mask.name for mask in bpy.data.masks],
}
keys = {layer.name: len(layer.splines) for mask in bpy.data.masks for layer in mask.layers}
rendered = {}
frames = (1, clip.frame_duration)
do("compositor", masklet.compositor, source="MATTES")
for frame in frames:
    rendered[f"group {frame}"] = str(folder / f"group_{frame}.png")
    compositing.render_matte_of_group(frame, rendered[f"group {frame}"], tuple(clip.size))
for frame in frames:
    rendered[f"mask {frame}"] = str(folder / f"mask_{frame}.png")
    compositing.render_mask(bpy.data.masks[0], frame, rendered[f"mask {frame}"], tuple(clip.size))
scene.frame_set(1)
do("track as markers", masklet.anchor, kind="CENTROID", form="TRACK")
do("anchor", masklet.anchor, kind="SIMILARITY", form="EMPTY")
for other in bpy.context.view_layer.objects:
    other.select_set(other.name == "Cube")
do("attach", masklet.attach)
places, carried = [], []
for frame in frames:
    scene.frame_set(frame)
    place = bpy_extras.object_utils.world_to_camera_view(
        scene, scene.camera, empty().matrix_world.translation
    )
    places.append([place.x * clip.size[0], (1.0 - place.y) * clip.size[1]])
    carried.append(list(bpy.data.objects["Cube"].matrix_world.translation))
do("splines again", masklet.splines, tolerance_px=0.5)
do("mattes again", masklet.mattes, folder=str(folder / "mattes"), file_format="PNG")
# The next visit writes over the mattes.
shutil.copytree(folder / "mattes", folder / "first_mattes")
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
helpers = leftovers.children()
records = {text.name: text.as_string() for text in bpy.data.texts if text.name.startswith("masklet")}
bpy.ops.preferences.addon_disable(module=module)
time.sleep(1.0)
print(
    json.dumps(
        {
            "seconds": seconds,
            "reports": reports,
            "made": made,
            "after_twice": {
                "images": [image.name for image in bpy.data.images if image.source == "SEQUENCE"],
                "masks": [mask.name for mask in bpy.data.masks],
            },
            "layers": keys,
            "records": records,
            "rendered": rendered,
            "tracks": [sum(not marker.mute for marker in track.markers) for track in clip.tracking.tracks],
            "places_px": places,
            "carried": carried,
            "helpers": len(helpers),
            "left": leftovers.present(),
            "left_processes": leftovers.children(),
        }
    )
)
