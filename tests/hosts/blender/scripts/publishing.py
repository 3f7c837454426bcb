"""Mattes are published from the dialog: checked, made again, looked at and ticked, published.

Arguments: the add-on's module, the first file of the plate, a folder, x and y of a click in pixels, the first
picture of another plate and the first of its mattes, on which its object may be lost.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import bpy

module, first_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
x_px, y_px = float(sys.argv[4]), float(sys.argv[5])
other_plate, other_matte = sys.argv[6], Path(sys.argv[7])
bpy.ops.preferences.addon_enable(module=module)
masklet, scene = bpy.ops.masklet, bpy.context.scene
from masklet_blender.natives.mattes import MatteFiles, load_matte  # noqa: E402
from masklet_blender.operators import publishing  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402


class Layout:
    """Takes down what a dialog lays out: without a window Blender draws none."""

    def __init__(self, shown):
        self.shown = shown

    def column(self, **_):
        return self

    def label(self, *, text, icon="NONE", **_):
        self.shown.append([icon, text])

    def prop(self, operator, name, *, index=-1, **_):
        # A name that the operator has not is an error, as it is in Blender.
        getattr(operator, name)
        self.shown.append(["box" if name != "comment" else "field", name if index < 0 else f"{name} {index}"])


def dialog(clip):
    """What the dialog shows of a plate."""
    shown, sheet = [], publishing._sheet_of(clip)
    values = {"accept": [False] * 32, "rebuild": False, "comment": ""}
    publishing.MASKLET_OT_publish.draw(
        SimpleNamespace(_sheet=sheet, layout=Layout(shown), **values), bpy.context
    )
    return shown


def press(clip, **values):
    """Press its button; what the artist reads."""
    try:
        masklet.publish(**values)
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()
    return str(runtime().memory(clip).notice.sentence)


clip = scene.active_clip = bpy.data.movieclips.load(first_file)
masklet.click(x_px=x_px, y_px=y_px)
answer = {"no mattes": press(clip)}
masklet.track()
masklet.mattes(folder=str(folder / "mattes"))
gone = sorted((folder / "mattes").rglob("*.1003.*"))[0]
before = gone.read_bytes()
gone.unlink()
answer["lacks"] = dialog(clip)
answer["refused"] = press(clip)
answer["again"] = press(clip, rebuild=True)
answer["is back"] = gone.is_file() and abs(gone.stat().st_size - len(before)) < len(before) / 2
answer["ready"] = dialog(clip)
answer["published"] = press(clip, comment="hair fixed")

other = scene.active_clip = bpy.data.movieclips.load(other_plate)
masklet.object_add(name="hero")
item = other.masklet_plate.objects[0]
load_matte(MatteFiles.of_file(other_matte), name="hero matte", owner=item.uid)
answer["uncertain"] = dialog(other)
answer["not looked at"] = press(other)
answer["looked at"] = press(other, accept=[True] + [False] * 31)
bpy.ops.preferences.addon_disable(module=module)
print(json.dumps(answer))
