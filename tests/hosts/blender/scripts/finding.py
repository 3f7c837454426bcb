"""An object that is found again and taken, and one that is said with a stroke.

Arguments: the add-on's module, the first file of the plate, x and y of a click in pixels.
"""

import json
import sys

import bpy

module, first_file = sys.argv[1], sys.argv[2]
x_px, y_px = float(sys.argv[3]), float(sys.argv[4])
bpy.ops.preferences.addon_enable(module=module)
masklet = bpy.ops.masklet
from masklet_blender.runtime import runtime  # noqa: E402

clip = bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file)
masklet.click(x_px=x_px, y_px=y_px)
can_take_before = masklet.take_place.poll()
bpy.context.scene.frame_set(5)
masklet.find_again()
found = runtime().found
places = [[place.click.x_px, place.click.y_px, place.likeness] for place in found.places]
notice = str(runtime().memory(clip).notice.sentence)
masklet.take_place(number=1)
notice_after = runtime().memory(clip).notice
item = clip.masklet_plate.objects[0]
taken = item.as_said().at(1005)
refused = ""
try:
    masklet.find_again()
except RuntimeError as error:
    refused = str(error)

from masklet.types import FrameRange, Presence, StateRange  # noqa: E402

can_try_before = masklet.try_policy.poll()
gone = StateRange(1, FrameRange(1010, 1045), Presence.ABSENT, prompted=False)
runtime().memory(clip).book.replace({item.uid: (gone,)})
can_try = masklet.try_policy.poll()
masklet.try_policy()
tried = item.as_said().policy.value
can_try_after = masklet.try_policy.poll()

masklet.object_add(name="stroke")
bpy.context.scene.frame_set(1)
line = "/".join(f"{x_px + step},{y_px}" for step in (-6, 0, 6))
masklet.scribble(points=line, width_px=8.0)
masklet.scribble(points="3,3/30,3", width_px=6.0, positive=False)
wrong = ""
try:
    masklet.scribble(points="3;3")
except RuntimeError as error:
    wrong = str(error)
drawn = clip.masklet_plate.objects[1].as_said().at(1001)
uids = [each.uid for each in clip.masklet_plate.objects]
masks = [runtime().memory(clip).masks.get(uid, 1001) for uid in uids]
bpy.ops.preferences.addon_disable(module=module)
print(
    json.dumps(
        {
            "can take before": can_take_before,
            "places": places,
            "notice": notice,
            "notice after": None if notice_after is None else str(notice_after.sentence),
            "taken": [[click.x_px, click.y_px, click.positive] for click in taken.clicks],
            "found after": runtime().found is not None,
            "refused": refused,
            "can try": [can_try_before, can_try, can_try_after],
            "tried": tried,
            "strokes": [[len(each.points_px), each.width_px, each.positive] for each in drawn.scribbles],
            "wrong": wrong,
            "empty": [mask is None or mask.is_empty for mask in masks],
        }
    )
)
