"""Pictures of splines and anchors for the documents, from clips that go through a real server.

    python server/benchmarks/draw_shapes.py docs/images

``shapes.jpg``: one click on the first frame of the demo's clip, tracked by the embedded model; three frames
with the splines (vertices filled on keyframes, handles thin) and the similarity anchor (cross, turned and
scaled square, path of its centre). ``shapes_real.jpg``: the same for a filmed bottle, whose clip and licence
``draw_real_footage.py`` tells; ``--clip`` names a copy of it. ``shapes_star.jpg``: a star that turns, drifts
and grows, with the way of each of its vertices over 20 frames: they stay on its corners.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from draw_real_footage import SUBJECTS, decode, fetch
from numpy.typing import NDArray
from platformdirs import user_cache_path

import masklet
from masklet.anchors import AnchorKind, AnchorTrack
from masklet.shapes import BezierVertex, ObjectShapes
from masklet.types import FrameRange
from masklet_server.demo.clip_writer import write_clip
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import coverage, flatten

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

_PATH, _HOLE, _HANDLE, _ANCHOR = (60, 220, 255), (255, 160, 60), (120, 240, 120), (255, 90, 230)
_SHIFT = 4


@dataclass(frozen=True)
class Shot:
    """What is tracked, and how it is shown.

    Attributes:
        clip: Path or pattern.
        click: Frame, x and y of the one click.
        picture: Gives the picture of a frame, BGR.
        frames: Those shown; tracked is from the click to the last of them.
        crop_px: Width and height around the anchor.
        enlarged: By how much.
    """

    clip: Path
    click: tuple[int, float, float]
    picture: Callable[[int], Picture]
    frames: Sequence[int]
    crop_px: tuple[int, int]
    enlarged: int


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--clip", type=Path, help="cup.mp4, where it is there already")
    arguments = parser.parse_args()
    out = arguments.out
    _write(out / "shapes_star.jpg", _star())
    with tempfile.TemporaryDirectory() as folder:
        _write(out / "shapes.jpg", _sheet(_duck(Path(folder))))
    clip = arguments.clip or fetch(user_cache_path("masklet") / "real_footage")
    _write(out / "shapes_real.jpg", _sheet(_bottle(clip)))


def _duck(folder: Path) -> Shot:
    clip = write_clip(folder)

    def picture(frame: int) -> Picture:
        return np.asarray(cv2.imread(str(clip.pattern) % frame), np.uint8)

    return Shot(clip.pattern, clip.clicks[0], picture, (1001, 1012, 1030), (216, 216), 3)


def _bottle(clip: Path) -> Shot:
    subject, pictures = SUBJECTS[0], decode(clip)

    def picture(frame: int) -> Picture:
        return np.ascontiguousarray(pictures[frame][..., ::-1])

    return Shot(clip, (0, subject.x_px, subject.y_px), picture, (20, 50, 80), (324, 324), 2)


def _sheet(shot: Shot) -> Picture:
    first, x_px, y_px = shot.click
    tracked = FrameRange(first, shot.frames[-1])
    with masklet.connect() as server, server.open(shot.clip) as session:
        item = session.object("object")
        item.click(frame=first, x_px=x_px, y_px=y_px)
        for _ in session.track(frames=tracked):
            pass
        shapes = session.shapes(item, frames=tracked)
        anchor = session.anchor(item, AnchorKind.SIMILARITY, frames=tracked)
    print(shapes.report)
    print(f"least confidence of the anchor: {min(key.confidence for key in anchor.keys):.2f}")
    return np.hstack([_panel(shot, shapes, anchor, frame) for frame in shot.frames])


def _panel(shot: Shot, shapes: ObjectShapes, anchor: AnchorTrack, frame: int) -> Picture:
    key = anchor.key_at(frame)
    assert key is not None
    width_px, height_px = shot.crop_px
    left = int(np.clip(key.x_px - width_px / 2, 0, shapes.width_px - width_px))
    top = int(np.clip(key.y_px - height_px / 2, 0, shapes.height_px - height_px))
    crop = shot.picture(frame)[top : top + height_px, left : left + width_px]
    size = (width_px * shot.enlarged, height_px * shot.enlarged)
    canvas = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    view = View(canvas, np.array([left, top]), shot.enlarged)
    way = np.array([[one.x_px, one.y_px] for one in anchor.keys if one.frame <= frame])
    view.line(way, _ANCHOR, closed=False)
    turn = np.radians(key.rotation_deg)
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]]) * (key.scale_x, key.scale_y) @ turning.T
    square *= 0.14 * min(shot.crop_px)
    centre = np.array([key.x_px, key.y_px])
    view.line(square + centre, _ANCHOR)
    for arm in square[:2] / 2:
        view.line(np.stack([centre - arm, centre + arm]), _ANCHOR, closed=False)
    for piece in shapes.visible_at(frame):
        path = piece.path_at(frame)
        view.line(flatten(path)[0], _HOLE if piece.hole else _PATH, thickness=2)
        is_keyed = any(one.frame == frame for one in piece.keys)
        for vertex in path:
            view.vertex(vertex, is_keyed=is_keyed)
    cv2.putText(canvas, str(frame), (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2, cv2.LINE_AA)
    return canvas


@dataclass(frozen=True, eq=False)
class View:
    """A part of the plate to draw on.

    Attributes:
        canvas: Enlarged.
        origin: The part's upper left corner in the plate.
        enlarged: By how much.
    """

    canvas: Picture
    origin: Points
    enlarged: int

    def line(
        self, points: Points, colour: tuple[int, int, int], *, closed: bool = True, thickness: int = 1
    ) -> None:
        """A line through points of the plate."""
        placed = np.rint(((points - self.origin) * self.enlarged - 0.5) * 2**_SHIFT).astype(np.int32)
        cv2.polylines(self.canvas, [placed], closed, colour, thickness, cv2.LINE_AA, _SHIFT)

    def vertex(self, vertex: BezierVertex, *, is_keyed: bool) -> None:
        """A vertex with its handles."""
        at = np.array([vertex.x_px, vertex.y_px])
        for handle in ((vertex.in_dx_px, vertex.in_dy_px), (vertex.out_dx_px, vertex.out_dy_px)):
            self.line(np.stack([at, at + handle]), _HANDLE, closed=False)
        x, y = (int(value) for value in np.rint((at - self.origin) * self.enlarged))
        cv2.rectangle(self.canvas, (x - 5, y - 5), (x + 5, y + 5), (40, 40, 40), -1)
        cv2.rectangle(self.canvas, (x - 4, y - 4), (x + 4, y + 4), (255, 255, 255), -1 if is_keyed else 1)


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
    view = View(canvas, np.zeros(2), 1)
    places = np.array([[(v.x_px, v.y_px) for v in piece.path_at(frame)] for frame in range(count)])
    for vertex in range(piece.vertex_count):
        view.line(places[:, vertex], (150, 120, 235), closed=False)
    for frame in (0, 10, 20):
        view.line(flatten(piece.path_at(frame))[0], _PATH)
        for x, y in np.rint(places[frame]).astype(int).tolist():
            cv2.rectangle(canvas, (x - 3, y - 3), (x + 3, y + 3), (255, 255, 255), -1)
    return canvas


def _write(file: Path, picture: Picture) -> None:
    if not cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise SystemExit(f"{file} cannot be written: make its folder first")
    print(file)


if __name__ == "__main__":
    main()
