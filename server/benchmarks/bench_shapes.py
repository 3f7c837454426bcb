"""Splines from mattes: agreement, vertices, keyframes, sliding and time, at 1920 x 1080.

A JSON line about the machine, one per case, and a table of the same figures on the error stream::

    taskset -c 0,1 python bench_shapes.py                     # the project's own renders
    taskset -c 0,1 python bench_shapes.py --davis FOLDER      # and folders of NAME/masks/*.png
    taskset -c 0,1 python bench_shapes.py --mattes FOLDER     # or only tracked mattes, NAME.FRAME.png

The renders: rigid shapes with a known motion, for which sliding is the distance between where the surface
carried a vertex and where the vertex is, frame to frame; an ellipse whose outline changes; the shot of the
demo, enlarged. The masks are made for 854 x 480: they are blurred by 1.2 pixels, so that their
pixel steps do not become the outline, and enlarged by cubic interpolation. Times are both of the wall clock
and of the processor, since machines are busy.

``acceleration_px`` says how smooth the motion is: the median, over the outline and all frames, of the second
difference of a point's place across the outline. Straight lines over n frames miss by an eighth of it times n
squared, half as much at best where keys may lie beside the object: at 1, a key on every fourth frame holds
half of the outline within a pixel and not the rest, whoever places it. ``tremble_px`` is by how much an edge
differs from frame to frame without having moved.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ObjectShapes
from masklet_server.demo import scene
from masklet_server.shapes.closeness import raggedness_px
from masklet_server.shapes.contours import trace
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.life import lives
from masklet_server.shapes.pieces import strands, worth_a_piece
from masklet_server.shapes.raster import coverage

WIDTH_PX, HEIGHT_PX = 1920, 1080
_FRAMES = 100
_BLUR_PX = 1.2

Points = NDArray[np.float64]
Mattes = dict[int, NDArray[np.uint8]]


@dataclass(frozen=True)
class Motion:
    """A rigid motion with growth: per frame, smooth."""

    turn_deg: float
    growth: float
    way_px: float

    def pose(self, frame: int) -> tuple[Points, Points]:
        """Matrix and shift from the shape's own plane into the picture."""
        turn = np.radians(self.turn_deg * frame)
        size = 1 + self.growth * np.sin(frame / 15)
        linear = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        return linear, np.array([960 + self.way_px * (frame - _FRAMES / 2), 540 + 40 * np.sin(frame / 12)])


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--davis", type=Path, help="folder of NAME/masks/*.png")
    parser.add_argument("--mattes", type=Path, help="folder of PNG mattes, one a frame")
    parser.add_argument("--tolerance", type=float, default=1.0)
    parser.add_argument(
        "--curve",
        type=Interpolation,
        choices=list(Interpolation),
        default=Interpolation.LINEAR,
        help="linear or nuke-smooth: how a tool draws between keys",
    )
    given = parser.parse_args()
    cv2.setNumThreads(2)
    drawn = sorted(path.name for path in given.davis.iterdir()) if given.davis else []
    load = round(os.getloadavg()[0], 1)
    begin(
        "bench_shapes", footage="renders, and masks drawn by hand", sequences=drawn, busy_with_processes=load
    )
    print(
        f"{'case':24}  mean IoU  worst  px off  vertices  keys  slide  accel  s/100    cpu", file=sys.stderr
    )
    if given.mattes:
        _run(f"tracked {given.mattes.name}", _tracked(given.mattes), given.tolerance, curve=given.curve)
        return
    for name, outline in _outlines().items():
        for kind, motion in {"slow": Motion(0.4, 0.1, 4.0), "fast": Motion(1.5, 0.2, 6.0)}.items():
            mattes = {frame: _drawn(_posed(outline, motion, frame)) for frame in range(_FRAMES)}
            _run(f"{name}, {kind}", mattes, given.tolerance, motion, curve=given.curve)
    _run(
        "turning ellipse",
        {f: _drawn(_ellipse(f)) for f in range(_FRAMES)},
        given.tolerance,
        curve=given.curve,
    )
    duck = {picture.frame: _enlarged(np.rint(picture.truth * 255)) for picture in scene.render()}
    _run("demo duck", duck, given.tolerance, curve=given.curve)
    for name, mattes in _davis(given.davis):
        _run(f"davis {name}", mattes, given.tolerance, curve=given.curve)


def _run(
    name: str, mattes: Mattes, tolerance_px: float, motion: Motion | None = None, *, curve: Interpolation
) -> None:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    shapes = fit_shapes(mattes, name=name, tolerance_px=tolerance_px, interpolation=curve)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    report = shapes.report
    slide_px = _sliding(shapes, motion) if motion else None
    acceleration_px, tremble_px = _unsteadiness(mattes, tolerance_px)
    line = {
        "case": name,
        "tolerance_px": tolerance_px,
        "curve": curve.value,
        "frames": report.frames,
        "mean_iou": round(report.mean_iou, 4),
        "worst_iou": round(report.worst_iou, 4),
        "largest_distance_px": round(report.largest_distance_px, 2),
        "largest_between_keys_px": round(report.largest_between_keys_px, 2),
        "pieces": len(shapes.pieces),
        "vertices_per_frame": round(_vertices_per_frame(shapes, list(mattes)), 1),
        "keyframe_share": round(_key_share(shapes), 3),
        "acceleration_px": round(acceleration_px, 2),
        "tremble_px": round(tremble_px, 2),
        "slide_mean_px": None if slide_px is None else round(float(slide_px.mean()), 3),
        "slide_max_px": None if slide_px is None else round(float(slide_px.max()), 3),
        "wall_s_per_100_frames": round(wall_s / report.frames * 100, 1),
        "cpu_s_per_100_frames": round(cpu_s / report.frames * 100, 1),
    }
    write_line(line)
    slide = "" if slide_px is None else f"{slide_px.max():.2f}"
    print(
        f"{name:24}  {report.mean_iou:8.4f}  {report.worst_iou:.3f}  {report.largest_distance_px:6.2f}  "
        f"{line['vertices_per_frame']:8}  {100 * _key_share(shapes):3.0f}%  {slide:>5}  "
        f"{acceleration_px:5.2f}  {line['wall_s_per_100_frames']:5}  {line['cpu_s_per_100_frames']:5}",
        file=sys.stderr,
    )


def _unsteadiness(mattes: Mattes, tolerance_px: float) -> tuple[float, float]:
    """Acceleration and tremble of the outline, in pixels."""
    kept = [worth_a_piece(trace(mattes[frame]), tolerance_px) for frame in sorted(mattes)]
    height_px, width_px = next(iter(mattes.values())).shape
    found = [life for strand in strands(kept) for life in lives(strand, width_px, height_px)]
    bends = []
    for life in found:
        if len(life.contours) >= 3:
            points = life.at(life.nodes)
            bend = points[:-2] - 2 * points[1:-1] + points[2:]
            along = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
            along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
            across = bend[..., 0] * along[1:-1, :, 1] - bend[..., 1] * along[1:-1, :, 0]
            bends.append(np.abs(across).ravel())
    return float(np.median(np.concatenate(bends))) if bends else 0.0, raggedness_px(found)


def _vertices_per_frame(shapes: ObjectShapes, frames: list[int]) -> float:
    return float(np.mean([sum(p.vertex_count for p in shapes.visible_at(frame)) for frame in frames]))


def _key_share(shapes: ObjectShapes) -> float:
    """Keyframes of all pieces over the frames on which they are drawn."""
    drawn = sum(len(span) for piece in shapes.pieces for span in piece.visible)
    return sum(len(piece.keys) for piece in shapes.pieces) / max(drawn, 1)


def _sliding(shapes: ObjectShapes, motion: Motion) -> Points:
    """How far vertices move along the surface from each frame to the next, in pixels."""
    slides = []
    for piece in shapes.pieces:
        for span in piece.visible:
            for frame in range(span.first, span.last):
                here, there = (_vertices(piece.path_at(number)) for number in (frame, frame + 1))
                (linear, shift), (later, later_shift) = motion.pose(frame), motion.pose(frame + 1)
                carried = (here - shift) @ np.linalg.inv(linear).T @ later.T + later_shift
                slides.append(np.hypot(*(carried - there).T))
    return np.concatenate(slides)


def _vertices(path: Sequence[BezierVertex]) -> Points:
    return np.array([[vertex.x_px, vertex.y_px] for vertex in path])


def _outlines() -> dict[str, Points]:
    angle = np.linspace(0, 2 * np.pi, 2400, endpoint=False)
    blob_px = 230 + 50 * np.cos(3 * angle) + 20 * np.sin(5 * angle + 1)
    rays = np.where(np.arange(10) % 2 == 0, 300, 140)[:, None]
    turns = np.arange(10) * np.pi / 5
    star = rays * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    box = np.array([[-260, -140], [260, -140], [260, 140], [-260, 140.0]])
    return {
        "blob": blob_px[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1),
        "star": _with_sides(star),
        "box": _with_sides(box),
    }


def _with_sides(corners: Points) -> Points:
    share = np.linspace(0, 1, 200, endpoint=False)[:, None]
    following = np.roll(corners, -1, axis=0)
    return np.concatenate([a + (b - a) * share for a, b in zip(corners, following, strict=True)])


def _posed(outline: Points, motion: Motion, frame: int) -> Points:
    linear, shift = motion.pose(frame)
    return outline @ linear.T + shift


def _ellipse(frame: int) -> Points:
    """A disc that turns out of the picture plane and back while it drifts."""
    angle = np.linspace(0, 2 * np.pi, 1500, endpoint=False)
    narrow = 0.35 + 0.65 * abs(np.cos(frame / 30))
    points = np.stack([300 * narrow * np.cos(angle), 300 * np.sin(angle)], axis=-1)
    return np.asarray(points + np.array([700 + 5 * frame, 540]))


def _drawn(points: Points) -> NDArray[np.uint8]:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    (top, left), covered = coverage(points, WIDTH_PX, HEIGHT_PX)
    matte[top : top + covered.shape[0], left : left + covered.shape[1]] = np.rint(covered * 255)
    return matte


def _enlarged(mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _BLUR_PX)
    large = cv2.resize(smooth, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)


def _tracked(folder: Path) -> Mattes:
    pictures = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.glob("*.png")))
    return {
        index: np.asarray(picture // 257 if picture.dtype == np.uint16 else picture, np.uint8)
        for index, picture in enumerate(pictures)
        if picture is not None
    }


def _davis(folder: Path | None) -> Iterator[tuple[str, Mattes]]:
    for sequence in sorted(folder.iterdir()) if folder else ():
        masks = sorted((sequence / "masks").glob("*.png"))
        yield (
            sequence.name,
            {
                index: _enlarged(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.float32))
                for index, path in enumerate(masks)
            },
        )


if __name__ == "__main__":
    main()
