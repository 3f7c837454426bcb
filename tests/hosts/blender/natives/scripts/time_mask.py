"""How long five hundred keys of two hundred points take.

Arguments: none.
"""

import json
import math
import time

from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange
from masklet_blender.natives.coordinates import FrameMap
from masklet_blender.natives.mask_drawing import drawing_of
from masklet_blender.natives.masks import write_mask

KEYS, POINTS = 500, 200


def path(frame):
    """A circle that wanders."""
    vertices = []
    for index in range(POINTS):
        cos, sin = math.cos(math.tau * index / POINTS), math.sin(math.tau * index / POINTS)
        vertices.append(
            BezierVertex(700 + 400 * cos + frame, 540 + 400 * sin, 4 * sin, -4 * cos, -4 * sin, 4 * cos, 2.0)
        )
    return ShapeKey(frame, tuple(vertices))


piece = Piece("piece 1", False, (FrameRange(1, KEYS),), tuple(path(frame) for frame in range(1, KEYS + 1)))
shapes = ObjectShapes("circle", 1920, 1080, 1.0, (piece,), ShapeReport(1, 1, 1, 1, 1, POINTS, KEYS, KEYS))
seconds = []
for _ in range(2):
    # Processor time: other work on the machine is not ours.
    started, busy = time.perf_counter(), time.process_time()
    drawing = drawing_of(shapes, FrameMap(1, 1))
    drawn = time.process_time()
    write_mask(drawing, owner="circle")
    ended = time.process_time()
    seconds.append(
        {"drawing_s": drawn - busy, "writing_s": ended - drawn, "wall_s": time.perf_counter() - started}
    )
print(json.dumps({"runs": seconds}))
