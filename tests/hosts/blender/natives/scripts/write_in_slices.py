"""A mask that is written in slices beside one that is written at once; and what an interruption does.

Arguments: none.
"""

import json
import math
import time

import bpy

from masklet.errors import MaskletError
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange
from masklet_blender.natives.coordinates import FrameMap
from masklet_blender.natives.mask_drawing import drawing_of
from masklet_blender.natives.masks import MaskWriter, find_mask, write_mask

KEYS, POINTS, PIECES = 200, 80, 6
BUDGET_S = 0.02


def path(frame, left):
    """A circle that wanders."""
    vertices = []
    for index in range(POINTS):
        cos, sin = math.cos(math.tau * index / POINTS), math.sin(math.tau * index / POINTS)
        vertices.append(
            BezierVertex(left + 90 * cos + frame, 540 + 90 * sin, 4 * sin, -4 * cos, -4 * sin, 4 * cos, 2.0)
        )
    return ShapeKey(frame, tuple(vertices))


def piece(number):
    frames = range(1, KEYS + 1)
    visible = (FrameRange(1 + number, KEYS - number),)
    return Piece(f"piece {number}", False, visible, tuple(path(frame, 200 * number) for frame in frames))


def points(mask):
    """Where the points are on some frames, and what is hidden there."""
    scene, found = bpy.context.scene, []
    for frame in (1, 2, KEYS // 2, KEYS):
        scene.frame_set(frame)
        layers = [
            ([tuple(point.co) for point in layer.splines[0].points], layer.hide, layer.alpha)
            for layer in mask.layers
        ]
        found.append(layers)
    return found


pieces = tuple(piece(number) for number in range(PIECES))
report = ShapeReport(1, 1, 1, 1, 1, POINTS, KEYS, KEYS)
drawing = drawing_of(ObjectShapes("circles", 1920, 1080, 1.0, pieces, report), FrameMap(1, 1))
writer, slices_s = MaskWriter(drawing, owner="sliced"), []
is_done = False
while not is_done:
    started_s, before = time.thread_time(), writer.done
    is_done = writer.write(BUDGET_S)
    slices_s.append((time.thread_time() - started_s, writer.done - before))
whole = write_mask(drawing, owner="whole")
answer = {
    "slices": len(slices_s),
    "longest_s": max(seconds for seconds, _ in slices_s),
    "same": points(writer.mask) == points(whole),
    "unfinished": [key for key in writer.mask.keys() if "writing" in key],  # noqa: SIM118
    "counted": (writer.done, writer.total),
}
interrupted = MaskWriter(drawing, owner="interrupted")
interrupted.write(0.0)
bpy.data.masks.remove(find_mask("interrupted"))
try:
    interrupted.write(0.0)
    answer["gone"] = ""
except MaskletError as error:
    answer["gone"] = str(error)
overtaken = MaskWriter(drawing, owner="overtaken")
overtaken.write(0.0)
write_mask(drawing, owner="overtaken")
try:
    overtaken.write(0.0)
    answer["overtaken"] = ""
except MaskletError as error:
    answer["overtaken"] = str(error)
print(json.dumps(answer))
