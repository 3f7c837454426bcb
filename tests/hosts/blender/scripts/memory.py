"""Two clips in turn on a server that holds one session: what closing gives back, here and there.

Arguments: the add-on's module, the first files of two plates, x and y of a click in pixels.
"""

import gc
import json
import sys

import bpy

module, first_file, second_file = sys.argv[1:4]
x_px, y_px = float(sys.argv[4]), float(sys.argv[5])
bpy.ops.preferences.addon_enable(module=module)

from masklet.hosting.shown.overlay_masks import PackedMask  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402

masklet = bpy.ops.masklet
answer = {}


def refusal(operator, **values):
    """The sentence with which an operator refuses; empty where it does what it is told."""
    try:
        operator(**values)
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()
    return ""


def held():
    """Masks in this process, whoever keeps them, and those of the clip that is looked at."""
    gc.collect()
    alive = sum(isinstance(thing, PackedMask) for thing in gc.get_objects())
    return {"alive": alive, "kept": len(runtime().memory(bpy.context.scene.active_clip).masks)}


def look_at(file):
    bpy.context.scene.active_clip = bpy.data.movieclips.load(file)


look_at(first_file)
masklet.click(x_px=x_px, y_px=y_px)
masklet.track()
answer["tracked"] = held()
first = bpy.context.scene.active_clip
look_at(second_file)
answer["full"] = refusal(masklet.click, x_px=x_px, y_px=y_px)
bpy.context.scene.active_clip = first
masklet.close_session()
answer["closed"] = held()
answer["prompts kept"] = len(first.masklet_plate.objects)
look_at(second_file)
answer["room"] = refusal(masklet.click, x_px=x_px, y_px=y_px)
print(json.dumps(answer))
