"""Next week: opens what loop.py saved, finds everything, corrects it; then meets a plate that was moved.

Arguments: the add-on's module, the saved file, x and y of a click in pixels, its frame of the scene.
"""

import json
import sys
from pathlib import Path

import bpy

module, saved = sys.argv[1], sys.argv[2]
x_px, y_px, frame = float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
bpy.ops.preferences.addon_enable(module=module)
bpy.ops.wm.open_mainfile(filepath=saved)
masklet = bpy.ops.masklet
scene = bpy.context.scene
clip = bpy.data.movieclips[0]


def objects():
    return [(item.name, item.said, item.states) for item in bpy.data.movieclips[0].masklet_plate.objects]


def sequences():
    return [image for image in bpy.data.images if image.source == "SEQUENCE"]


found = objects()
answer = {
    "objects": [name for name, _, _ in found],
    "prompts_kept": all('"frame"' in said for _, said, _ in found),
    "states_kept": all(bool(states) for _, _, states in found),
    "mattes_there": [Path(bpy.path.abspath(image.filepath)).is_file() for image in sequences()],
    "layers": [layer.name for mask in bpy.data.masks for layer in mask.layers],
}
scene.frame_set(frame)
answer["correction"] = sorted(masklet.click(x_px=x_px, y_px=y_px))
answer["track"] = sorted(masklet.track(direction="BOTH", stale_only=True))
answer["mattes"] = sorted(masklet.mattes(file_format="PNG", folder=str(Path(saved).parent / "mattes")))
answer["images"] = [image.name for image in sequences()]

bpy.ops.wm.save_as_mainfile(filepath=saved)
# Another session on the same machine has moved the plate since; masklet holds nothing of it any more.
masklet.close_session()
folder = Path(bpy.path.abspath(clip.filepath)).parent
moved = folder.with_name("moved")
name = Path(clip.filepath).name
folder.rename(moved)
before = objects()
try:
    answer["moved"] = sorted(masklet.track(direction="BOTH"))
except RuntimeError as error:
    answer["moved"] = str(error)
answer["nothing_lost"] = objects() == before
clip.filepath = str(moved / name)
answer["found_again"] = sorted(masklet.track(direction="FORWARD", extent="ONE"))
print(json.dumps(answer))
