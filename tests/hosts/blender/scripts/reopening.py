"""A file whose own server is gone, its next version, and two clips of one name: what became of the results.

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import bpy

module, first_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
x_px, y_px = float(sys.argv[4]), float(sys.argv[5])
bpy.ops.preferences.addon_enable(module=module)
masklet = bpy.ops.masklet
from masklet.hosting.work import plate_work  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402

answer = {}


def sentence_of(operator, **values):
    """What an artist reads of an operator that is refused; empty where it is done."""
    try:
        return "" if operator(**values) == {"FINISHED"} else "cancelled without a word"
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()


def files():
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted((folder / "masklet").rglob("*.exr"))
    }


def shapes():
    """How much is in the masks: everything that an artist sees of splines."""
    return [[len(layer.splines) for layer in mask.layers] for mask in bpy.data.masks]


def notice():
    told = runtime().glimpse(clip()).notice
    return None if told is None else [told.sentence, told.remedy.value]


def clip():
    return bpy.data.movieclips[0]


def strips():
    own = clip().masklet_plate.objects[0]
    return [[s.first, s.last, s.held] for s in runtime().glimpse(clip()).book.strips(own.uid)]


def mattes():
    return next(image for image in bpy.data.images if image.source == "SEQUENCE").filepath


def open_later(file):
    """As another Blender opens it next week: this one's own server is gone."""
    runtime().connection.close()
    bpy.ops.wm.open_mainfile(filepath=str(file))


bpy.context.scene.active_clip = bpy.data.movieclips.load(first_file)
first = folder / "shot_v001.blend"
bpy.ops.wm.save_as_mainfile(filepath=str(first))
masklet.click(x_px=x_px, y_px=y_px)
masklet.track()
answer["mattes"] = sentence_of(masklet.mattes)
answer["splines"] = sentence_of(masklet.splines)
answer["path"] = mattes()
# What is shown as the finished matte is what is written.
runtime().start(
    clip(),
    "Finishing the matte",
    lambda shot, job, server: plate_work.preview(shot, job, server, shot.uids().values(), 1003),
    wait=True,
)
shown = runtime().glimpse(clip()).finished.get(clip().masklet_plate.objects[0].uid, 1003)
(folder / "shown.bin").write_bytes(zlib.decompress(shown.packed))
answer["shown size"] = [shown.width_px, shown.height_px]
answer["as PNG"] = sentence_of(masklet.mattes, file_format="PNG", folder=str(folder / "png"))
answer["mattes back"] = sentence_of(masklet.mattes)
bpy.ops.wm.save_as_mainfile(filepath=str(first))
delivered, drawn = files(), shapes()
answer["delivered"] = list(delivered)

open_later(first)
answer["notice"], answer["strips"] = notice(), strips()
answer["refused"] = [sentence_of(masklet.mattes), sentence_of(masklet.splines), sentence_of(masklet.anchor)]
answer["kept"] = files() == delivered and shapes() == drawn
answer["what changed"] = sentence_of(masklet.track, stale_only=True)
answer["strips then"] = strips()
answer["nothing changed"] = [sentence_of(masklet.track, stale_only=True), notice()]
answer["again"] = sentence_of(masklet.mattes)
answer["same files"] = list(files()) == list(delivered) and files() != delivered

# The next version writes into a folder of its own.
delivered = files()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot_v002.blend"))
answer["of v001 still"] = mattes()
answer["next version"] = sentence_of(masklet.mattes)
answer["of v002"] = mattes()
answer["v001 untouched"] = {name: time for name, time in files().items() if "v001" in name} == delivered

# Another clip of that name.
other = folder / "elsewhere"
shutil.copytree(Path(first_file).parent, other)
second = bpy.data.movieclips.load(str(other / Path(first_file).name))
bpy.context.scene.active_clip = second
before = files()
masklet.click(x_px=x_px, y_px=y_px)
answer["one name"] = sentence_of(masklet.mattes)
answer["untouched"] = {name: time for name, time in files().items() if name in before} == before
answer["told"] = runtime().glimpse(second).notice.sentence
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot_v002.blend"))

# The project moves.
project = folder / "project"
project.mkdir()
for name in ("masklet", "shot_v002.blend"):
    shutil.move(folder / name, project / name)
open_later(project / "shot_v002.blend")
answer["moved"] = Path(bpy.path.abspath(mattes())).is_file()
bpy.ops.preferences.addon_disable(module=module)
print(json.dumps(answer))
