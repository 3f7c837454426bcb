"""In Blender: take a document of another host, see its masks, correct with one click, write the document.

Arguments: the plate's first picture, the document, x and y of a click in pixels, its frame of the scene.
"""

import json
import sys

import bpy

picture, document = sys.argv[1:3]
x_px, y_px, frame = float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
bpy.ops.preferences.addon_enable(module="masklet_blender")
masklet = bpy.ops.masklet
clip = bpy.data.movieclips.load(picture)
bpy.context.scene.active_clip = clip
bpy.context.scene.frame_set(frame)
plate = clip.masklet_plate


def strips():
    found = [json.loads(item.states or "[]") for item in plate.objects]
    return [
        [first, last, held[0] if held else True] for own in found for first, last, _, _, _, _, *held in own
    ]


answer = {"import": sorted(masklet.import_prompts(filepath=document))}
answer["objects"] = [item.name for item in plate.objects]
answer["colours"] = [list(item.colour) for item in plate.objects]
answer["session"] = plate.session_id
answer["states"] = strips()
answer["click"] = sorted(masklet.click(x_px=x_px, y_px=y_px))
answer["track"] = sorted(masklet.track(direction="BOTH", stale_only=True))
answer["states after"] = strips()
answer["export"] = sorted(masklet.export_prompts(filepath=document))
print(json.dumps(answer))
