"""Everything on a frame is found and one thing taken with a click; then all that looks like it.

Arguments: the add-on's module, the first file of the plate, x and y of a place in pixels.
"""

import json
import sys

import bpy

module, first_file = sys.argv[1], sys.argv[2]
x_px, y_px = float(sys.argv[3]), float(sys.argv[4])
bpy.ops.preferences.addon_enable(module=module)
masklet = bpy.ops.masklet
from masklet_blender.runtime import runtime  # noqa: E402


def sentence_of(operator, **values):
    """What the artist reads."""
    try:
        operator(**values)
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()
    return str(runtime().memory(clip).notice.sentence)


def things():
    """Numbers of what may be taken."""
    found = runtime().memory(clip).found
    return None if found is None else [thing.number for thing in found.things]


clip = bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file)
own = clip.masklet_plate
answer = {"alike what": sentence_of(masklet.find, alike=True), "objects before": len(own.objects)}
answer["told"] = sentence_of(masklet.find)
answer["found"] = things()
frame, width_px, height_px = 1001, *clip.size
thing = runtime().memory(clip).found.on(frame, x_px / width_px, y_px / height_px)
answer["under the mouse"] = None if thing is None else thing.number
masklet.click(x_px=x_px, y_px=y_px)
answer["left"] = things()
answer["said about it"] = [
    item.as_said().at(frame) != type(item.as_said().at(frame))(0, frame) for item in own.objects
]
mask = runtime().memory(clip).masks.get(own.objects[0].uid, frame)
answer["covers"] = bool(mask is not None and mask.covers(x_px / width_px, y_px / height_px))
answer["alike told"] = sentence_of(masklet.find, alike=True)
answer["alike"] = things()
masklet.clear_found()
answer["cleared"] = things() is None
answer["told when cleared"] = runtime().memory(clip).notice is not None
bpy.ops.preferences.addon_disable(module=module)
print(json.dumps(answer))
