"""A correction and locked frames, saved, opened again with another server, tracked: are the mattes the same?

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels.
"""

import json
import sys
from pathlib import Path

import bpy

module, first_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
x_px, y_px = float(sys.argv[4]), float(sys.argv[5])
bpy.ops.preferences.addon_enable(module=module)
masklet = bpy.ops.masklet
from masklet_blender.runtime import runtime  # noqa: E402


def said():
    item = bpy.data.movieclips[0].masklet_plate.objects[0]
    return item.as_said()


bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file)
masklet.click(x_px=x_px, y_px=y_px)
masklet.track()
# Frames 4 and 5 of the scene are 1004 and 1005 of the plate.
masklet.lock(first=4, last=5)
masklet.click(x_px=x_px + 8, y_px=y_px + 6, frame=1003)
masklet.click(x_px=x_px - 60, y_px=y_px, positive=False, frame=1003)
masklet.track(stale_only=True)
masklet.mattes(file_format="PNG", folder=str(folder / "before"))
kept = said()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))

runtime().connection.close()
bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
again = said()
masklet.track()
masklet.mattes(file_format="PNG", folder=str(folder / "after"))
bpy.ops.preferences.addon_disable(module=module)
print(
    json.dumps(
        {
            "based": kept.at(1003).base is not None,
            "locked": [mask.frame for mask in kept.masks],
            "the file says the same": again == kept,
        }
    )
)
