"""An artist's work from a click to results, by the add-on's own operators; then saved.

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels.
"""

import json
import sys
import time
from pathlib import Path

import bpy
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
for frame in (1, clip.frame_duration):
    file = folder / f"rendered_{frame}.png"
    compositing.render("mask", bpy.data.masks[0], frame, file, tuple(clip.size))
    rendered[str(frame)] = str(file)
again = {}
do("splines again", masklet.splines, tolerance_px=0.5)
do("mattes again", masklet.mattes, folder=str(folder / "mattes"), file_format="PNG")
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
helpers = leftovers.children()
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
            "rendered": rendered,
            "helpers": len(helpers),
            "left": leftovers.present(),
            "left_processes": leftovers.children(),
        }
    )
)
