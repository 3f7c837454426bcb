"""Pictures of splines and anchors for the documents, from the demo's clip through a real server.

    python server/benchmarks/draw_shapes.py docs/images

``shapes.jpg``: one click on the first frame of the demo's clip, tracked by the embedded model; three frames
with the splines (vertices filled on keyframes, handles thin) and the similarity anchor (cross, turned and
scaled square, path of its centre). ``shapes_star.jpg``: a star that turns, drifts and grows, with the way of
each of its vertices over 20 frames: they stay on its corners.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import masklet
from masklet.anchors import AnchorKind, AnchorTrack
from masklet.shapes import BezierVertex, ObjectShapes
from masklet_server.demo.clip_writer import write_clip
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import coverage, flatten

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

FRAMES = (1001, 1012, 1030)
ENLARGED = 3
_CROP_PX = (216, 216)
_PATH, _HOLE, _HANDLE, _ANCHOR = (60, 220, 255), (255, 160, 60), (120, 240, 120), (255, 90, 230)
_SHIFT = 4


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    _write(out / "shapes.jpg", _duck())
    _write(out / "shapes_star.jpg", _star())


def _duck() -> Picture:
    with tempfile.TemporaryDirectory() as folder, masklet.connect() as server:
        clip = write_clip(Path(folder))
        with server.open(clip.pattern) as session:
            duck = session.object("duck")
            for frame, x_px, y_px in clip.clicks:
                duck.click(frame=frame, x_px=x_px, y_px=y_px)
            for _ in session.track():
                pass
            shapes = session.shapes(duck)
            anchor = session.anchor(duck, AnchorKind.SIMILARITY)
        print(shapes.report)
        pictures = {frame: cv2.imread(str(clip.pattern) % frame) for frame in FRAMES}
        panels = [
            _panel(np.asarray(picture, np.uint8), shapes, anchor, frame)
            for frame, picture in pictures.items()
        ]
    return np.hstack(panels)


def _panel(picture: Picture, shapes: ObjectShapes, anchor: AnchorTrack, frame: int) -> Picture:
    key = anchor.key_at(frame)
    assert key is not None
    width_px, height_px = _CROP_PX
    left = int(np.clip(key.x_px - width_px / 2, 0, shapes.width_px - width_px))
    top = int(np.clip(key.y_px - height_px / 2, 0, shapes.height_px - height_px))
    crop = picture[top : top + height_px, left : left + width_px]
    size = (width_px * ENLARGED, height_px * ENLARGED)
    canvas = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    origin = np.array([left, top])
    way = np.array([[one.x_px, one.y_px] for one in anchor.keys if one.frame <= frame])
    _line(canvas, way - origin, _ANCHOR, closed=False)
    turn = np.radians(key.rotation_deg)
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]]) * (key.scale_x, key.scale_y) @ turning.T * 30
    centre = np.array([key.x_px, key.y_px]) - origin
    _line(canvas, square + centre, _ANCHOR)
    for arm in square[:2] / 2:
        _line(canvas, np.stack([centre - arm, centre + arm]), _ANCHOR, closed=False)
    _splines(canvas, shapes, frame, origin)
    cv2.putText(canvas, str(frame), (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2, cv2.LINE_AA)
    return canvas


def _splines(canvas: Picture, shapes: ObjectShapes, frame: int, origin: Points) -> None:
    for piece in shapes.visible_at(frame):
        path = piece.path_at(frame)
        outline, _ = flatten(path)
        _line(canvas, outline - origin, _HOLE if piece.hole else _PATH, thickness=2)
        is_keyed = any(key.frame == frame for key in piece.keys)
        for vertex in path:
            _vertex(canvas, vertex, origin, is_keyed=is_keyed)


def _vertex(canvas: Picture, vertex: BezierVertex, origin: Points, *, is_keyed: bool) -> None:
    at = np.array([vertex.x_px, vertex.y_px]) - origin
    for handle in ((vertex.in_dx_px, vertex.in_dy_px), (vertex.out_dx_px, vertex.out_dy_px)):
        _line(canvas, np.stack([at, at + handle]), _HANDLE, closed=False)
    x, y = (int(value) for value in np.rint(at * ENLARGED))
    cv2.rectangle(canvas, (x - 5, y - 5), (x + 5, y + 5), (40, 40, 40), -1)
    cv2.rectangle(canvas, (x - 4, y - 4), (x + 4, y + 4), (255, 255, 255), -1 if is_keyed else 1)


def _line(
    canvas: Picture,
    points: Points,
    colour: tuple[int, int, int],
    *,
    closed: bool = True,
    thickness: int = 1,
    enlarged: int = ENLARGED,
) -> None:
    placed = np.rint((points * enlarged - 0.5) * 2**_SHIFT).astype(np.int32)
    cv2.polylines(canvas, [placed], closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def _star() -> Picture:
    width_px, height_px, count = 960, 400, 21
    rays = np.where(np.arange(10) % 2 == 0, 95, 45)[:, None]
    turns = np.arange(10) * np.pi / 5
    corners = rays * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    mattes = {}
    for frame in range(count):
        angle = np.radians(2.5 * frame)
        linear = (1 + 0.02 * frame) * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        points = corners @ linear.T + (150 + 28 * frame, 190 + 25 * np.sin(frame / 5))
        matte = np.zeros((height_px, width_px), np.uint8)
        (top, left), covered = coverage(points, width_px, height_px)
        matte[top : top + covered.shape[0], left : left + covered.shape[1]] = np.rint(covered * 255)
        mattes[frame] = matte
    shapes = fit_shapes(mattes, name="star")
    print(shapes.report)
    canvas = np.full((height_px, width_px, 3), 46, np.uint8)
    for frame in (0, 10, 20):
        canvas[mattes[frame] > 127] = (92, 82, 74)
    (piece,) = shapes.pieces
    places = np.array([[(v.x_px, v.y_px) for v in piece.path_at(frame)] for frame in range(count)])
    for vertex in range(piece.vertex_count):
        _line(canvas, places[:, vertex], (150, 120, 235), closed=False, enlarged=1)
    for frame in (0, 10, 20):
        outline, _ = flatten(piece.path_at(frame))
        _line(canvas, outline, _PATH, enlarged=1)
        for x, y in np.rint(places[frame]).astype(int).tolist():
            cv2.rectangle(canvas, (x - 3, y - 3), (x + 3, y + 3), (255, 255, 255), -1)
    return canvas


def _write(file: Path, picture: Picture) -> None:
    if not cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise SystemExit(f"{file} cannot be written: make its folder first")
    print(file)


if __name__ == "__main__":
    main()
