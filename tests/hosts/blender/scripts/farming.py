"""A shot is submitted to the farm, the farm's result is put where it puts it, and the file is opened again.

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
from masklet.farm.places import JobPlaces  # noqa: E402
from masklet.farm.results import ShotResult, keep_result  # noqa: E402
from masklet_blender.farm_documents import document_of  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402


def sentence_of(**values):
    """What the artist reads."""
    try:
        masklet.submit_to_farm(**values)
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()
    return str(runtime().memory(bpy.context.scene.active_clip).notice.sentence)


def homecoming():
    """What is told when the file opens, as it is where there is a window."""
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot010.blend"))
    plate = bpy.context.scene.active_clip
    runtime().openings.look_home(plate)
    notice = runtime().memory(plate).notice
    return "" if notice is None else str(notice.sentence)


clip = bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file)
masklet.click(x_px=x_px, y_px=y_px)
answer = {"not saved": sentence_of()}
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot010.blend"))
answer["no such tool"] = sentence_of(shapes=True, tool="paint")
answer["told"] = sentence_of(comment="for the night", reviewed=True)
answer["document"] = str(document_of(clip))
bpy.context.preferences.addons[module].preferences.quality = "BEST"
bpy.context.preferences.addons[module].preferences.weights = "own.safetensors"
answer["again"] = sentence_of()
sentence_of(weights="")
bpy.context.preferences.addons[module].preferences.weights = ""

# Another plate whose files are called the same must not take its document.
other = bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file, check_existing=False)
masklet.object_add(name="other")
answer["document of another"] = str(document_of(other))
bpy.context.scene.active_clip = clip
bpy.ops.wm.save_mainfile()

answer["not done yet"] = homecoming()
places = JobPlaces(folder / "masklet/shot010/farm/duck_003/out")
(places.out / "mattes/shot.k").mkdir(parents=True)
name = Path(answer["document"]).name.split(".")[0]
keep_result(places, ShotResult(name, "k", True, "checked: nothing is wrong", (), "mattes/shot.k", ""))
answer["home"] = homecoming()
answer["once"] = homecoming()
bpy.ops.preferences.addon_disable(module=module)
print(json.dumps(answer))
