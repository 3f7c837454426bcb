"""What the .blend file keeps, and what becomes of it when things change; the server is one that remembers.

Arguments: a folder with plate.1001.png to plate.1012.png in ``plate``, the checkout.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import bpy

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(root / "tests"), str(root / "server")]

import masklet_blender  # noqa: E402

masklet_blender.register()
at_start = set(sys.modules)

from fakes.prompted_server import PromptedServer, tracked_mask  # noqa: E402
from masklet.client import Server  # noqa: E402
from masklet.hosting.work.connection import Connection  # noqa: E402
from masklet_blender import plates  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402

transport = PromptedServer()
runtime().connection = Connection(lambda settings: Server(transport))
masklet = bpy.ops.masklet
late = (
    "masklet_blender.natives.masks",
    "masklet_blender.natives.empties",
    "masklet_blender.natives.compositor",
    "masklet.hosting.work.plate_session",
    "masklet.hosting.work.plate_work",
)
answer = {
    "imported at start": [name for name in late if name in at_start],
    "foreign at start": sorted({"grpc", "google.protobuf", "torch", "cv2"} & at_start),
}


def refusal(operator, **values):
    """The sentence with which an operator refuses; Blender raises reports of errors in scripts."""
    try:
        operator(**values)
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()
    return ""


def clip():
    return bpy.data.movieclips["shot"]


def document(block=None):
    return [
        [item.name, [[said.frame, len(said.clicks)] for said in item.as_said().frames]]
        for item in plates.props(block or clip()).objects
    ]


def notice(block=None):
    told = runtime().memory(block or clip()).notice
    return "" if told is None else told.sentence


def transport_document():
    """What the server holds."""
    return transport.get_prompts(next(iter(transport.sessions)))


def reopen():
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))


loaded = bpy.data.movieclips.load(str(folder / "plate/plate.1001.png"))
loaded.name = "shot"
bpy.context.scene.active_clip = loaded
bpy.context.scene.frame_set(3)

# The first click makes the first object; the frame that shows is the plate's own.
masklet.click(x_px=20, y_px=18)
answer["first click"] = document()

# A prompt document says the plate that it was made on, and one of another plate is not taken.
exported = folder / "shot.prompts.json"
masklet.export_prompts(filepath=str(exported))
answer["exported plate"] = json.loads(exported.read_text())["plate"]
exported.write_text(exported.read_text().replace('"width_px": 64', '"width_px": 128'))
answer["prompts of another size"] = refusal(masklet.import_prompts, filepath=str(exported))
answer["after prompts of another size"] = document()
answer["outside"] = refusal(masklet.click, x_px=100, y_px=18)
answer["not in the clip"] = refusal(masklet.click, x_px=20, y_px=18, frame=900)
answer["after refusals"] = document()
masklet.track()
answer["tracked"] = len(runtime().memory(clip()).masks)
masklet.lock(first=4, last=6)
answer["locked"] = refusal(masklet.box, left_px=1, top_px=1, right_px=9, bottom_px=9, frame=1005)

# What changes nothing that Ctrl Z could take back makes no undo step.
answer["undo steps"] = [
    name
    for name in ("track", "accept_loss", "click", "lock", "mattes")
    if "UNDO" in getattr(bpy.types, f"MASKLET_OT_{name}").bl_options
]

# What a click corrects and the masks of locked frames are in the file, so that a new server has them too.
masklet.click(x_px=30, y_px=18, frame=1009)
kept = plates.props(clip()).objects[0].as_said()
answer["kept for a new server"] = [
    kept.at(1009).base == tracked_mask(1009),
    [mask.frame for mask in kept.masks],
    "logits" not in plates.props(clip()).objects[0].said.replace('"logits_base64"', "", 1),
]
masklet.clear_prompts(frame=1009)

# Save, open again, go on: the server still holds the session.
transport.calls.clear()
reopen()
answer["kept"] = document()
answer["states before the server is asked"] = [
    [strip.first, strip.last, strip.locked]
    for strip in runtime().glimpse(clip()).book.strips(plates.props(clip()).objects[0].uid)
]
masklet.click(x_px=30, y_px=18, positive=False, frame=1001)
answer["resumed"] = transport.calls[:]

# A server that starts anew is given what only the old one knew.
masklet.click(x_px=30, y_px=18, frame=1009)
reopen()
transport.sessions.clear()
masklet.track()
answer["a new server has"] = [
    [prompts.frame for prompts in transport_document().prompts if prompts.base is not None],
    [mask.frame for mask in next(iter(transport.sessions.values())).given],
]
masklet.clear_prompts(frame=1009)

# The server has forgotten.
transport.sessions.clear()
masklet.click(x_px=25, y_px=18, frame=1008)
answer["forgotten"] = notice()
transport.sessions.clear()
answer["tracks all the same"] = sorted(masklet.track())
answer["sent again"] = len(next(iter(transport.sessions.values())).book.document().prompts)

# Names of clips change, clips are copied, scenes are copied.
uid = plates.props(clip()).uid
clip().name = "shot"
bpy.data.movieclips["shot"].name = "renamed"
renamed = bpy.data.movieclips["renamed"]
masklet.object_add(name="ball")
answer["renamed"] = plates.props(renamed).uid == uid and len(document(renamed)) == 2
copy = renamed.copy()
bpy.context.scene.active_clip = copy
sessions = len(transport.opened)
masklet.object_remove()
answer["copy"] = {
    "own": plates.props(copy).uid != uid,
    "objects": [name for name, _ in document(copy)],
    "original": [name for name, _ in document(renamed)],
    "sessions opened": len(transport.opened) - sessions,
    "objects are others": not {item.uid for item in plates.props(copy).objects}
    & {item.uid for item in plates.props(renamed).objects},
}
# The copy takes the original's name before anything is done with either.
second = renamed.copy()
renamed.name = "original"
second.name = "renamed"
for block in (second, renamed):
    plates.adopt(block)
answer["renamed after copying"] = [plates.props(renamed).uid == uid, plates.props(second).uid == uid]
bpy.context.scene.active_clip = renamed
bpy.data.movieclips.remove(copy)
bpy.data.movieclips.remove(second)
renamed.name = "shot"

# Objects' names.
item = plates.props(clip()).objects[0]
item.name = "a/b"
answer["bad name"] = [item.name, notice()]
item.name = "ball"
answer["taken name"] = [item.name, notice()]
answer["rename"] = [sorted(masklet.object_rename(name="hero")), plates.props(clip()).objects[1].name]

# The plate moves, goes, is another.
shutil.move(folder / "plate", folder / "moved")
answer["plate is gone"] = refusal(masklet.track)
clip().filepath = str(folder / "moved/plate.1001.png")
opened = len(transport.opened)
answer["plate was moved"] = [refusal(masklet.track), len(transport.opened) - opened, len(document())]
picture = folder / "moved/plate.1001.png"
picture.write_bytes(picture.read_bytes() + b"another grade")
answer["another plate"] = refusal(masklet.track)
answer["accepted"] = [sorted(masklet.accept_plate()), notice()]

# Mattes are gone, texts are damaged.
plates.props(clip()).objects[0].matte_folder = str(folder / "nowhere")
plates.props(clip()).objects[1].said = "{damaged"
reopen()
answer["mattes are gone"] = notice()
answer["damaged"] = refusal(masklet.click, x_px=20, y_px=18)

# A session that no saved file knows goes with its file; one that can be come back to stays.
plates.props(clip()).objects[1].said = ""
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
transport.sessions.clear()
masklet.track()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
saved = set(transport.sessions)
bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
answer["saved session is kept"] = bool(saved) and set(transport.sessions) == saved
transport.sessions.clear()
masklet.track()
unsaved = set(transport.sessions)
bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
for _ in range(50):
    time.sleep(0.02)
answer["unsaved session is released"] = bool(unsaved) and not transport.sessions

masklet_blender.unregister()
answer["left"] = [name for name in dir(bpy.types) if "masklet" in name.lower()]
print(json.dumps(answer))
