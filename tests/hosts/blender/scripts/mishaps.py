"""Things go wrong in mid-work: says which sentence the artist read, what is left, and whether work goes on.

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels, the
mishap, and for one of them the process to kill.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import bpy
import leftovers

module, first_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
x_px, y_px, mishap = float(sys.argv[4]), float(sys.argv[5]), sys.argv[6]
bpy.ops.preferences.addon_enable(module=module)
masklet = bpy.ops.masklet
clip = bpy.data.movieclips.load(first_file)
bpy.context.scene.active_clip = clip
answer = {}


def sentence_of(operator, **values):
    """What an artist reads of an operator that is refused; empty where it is done."""
    try:
        return "" if operator(**values) == {"FINISHED"} else "cancelled without a word"
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()


def said():
    return [(item.name, item.said) for item in clip.masklet_plate.objects]


def kill(process, after_s):
    def strike():
        time.sleep(after_s)
        os.kill(process, signal.SIGKILL)

    threading.Thread(target=strike, daemon=True).start()


if mishap == "offline":
    bpy.context.preferences.system.use_online_access = False
    answer["may fetch"] = masklet.pull_weights.poll()
answer["click"] = sentence_of(masklet.click, x_px=x_px, y_px=y_px)
before = said()
if mishap == "server killed":
    kill(int(sys.argv[7]), 0.3)
    answer["sentence"] = sentence_of(masklet.track)
elif mishap == "helper killed":
    kill(leftovers.children()[0], 0.3)
    answer["sentence"] = sentence_of(masklet.track)
    answer["afterwards"] = sentence_of(masklet.track)
elif mishap == "disk full":
    answer["track"] = sentence_of(masklet.track, extent="ONE", direction="FORWARD")
    # A file that may not grow is what a full disk is to the helper, which writes the mattes.
    child = leftovers.children()[0]
    resource.prlimit(child, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    answer["sentence"] = sentence_of(masklet.mattes, folder=str(folder / "mattes"), file_format="PNG")
    answer["files"] = sorted(path.name for path in (folder / "mattes").rglob("*") if path.is_file())
    resource.prlimit(child, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    answer["afterwards"] = sentence_of(masklet.mattes, folder=str(folder / "mattes"), file_format="PNG")
elif mishap == "plate deleted":
    for picture in Path(first_file).parent.glob("*.png"):
        if picture.name != Path(first_file).name:
            picture.unlink()
    # Frames that cannot be read are left out, and told.
    from masklet_blender.runtime import runtime

    answer["sentence"] = sentence_of(masklet.track) or runtime().glimpse(clip).notice.sentence
elif mishap == "closed":
    print(json.dumps({"helper": leftovers.children()}), flush=True)
    masklet.track()
    time.sleep(60.0)
else:
    answer["sentence"] = answer["click"]
answer["kept"] = said() == before and bool(before)
print(json.dumps(answer))
