"""Error of anchors on rendered clips whose true motion is known.

Prints a table, worst cases included, and with ``--output`` writes it as Markdown. Position is
measured at the object's centre of gravity on the reference frame, corners at its bounding box; held
frames (the object is hidden) are left out. Similarity is measured only where the true motion is one.

    python server/benchmarks/bench_anchors.py --output server/benchmarks/results/anchors.md
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from records import commit, machine  # noqa: E402

from fakes.moving_plane import MovingPlane, Plane, turning  # noqa: E402
from masklet.anchors import AnchorKind, AnchorTrack  # noqa: E402
from masklet_server.anchors.geometry import Turn, carry, linear_part  # noqa: E402
from masklet_server.anchors.track import track_anchor  # noqa: E402

SURFACE = (AnchorKind.SIMILARITY, AnchorKind.AFFINE, AnchorKind.PLANAR, AnchorKind.POINT)
PERSPECTIVE = (AnchorKind.PLANAR, AnchorKind.POINT)
Curve = Callable[[float], float]


@dataclass(frozen=True)
class Row:
    """Errors of one kind on one clip: median and worst."""

    clip: str
    kind: AnchorKind
    position_px: tuple[float, float]
    rotation_deg: tuple[float, float]
    scale_percent: tuple[float, float]
    corner_px: tuple[float, float]
    least_confidence: float
    ms_a_frame: float


def clips() -> dict[str, tuple[Plane, tuple[AnchorKind, ...]]]:
    """What is measured, by name."""

    def x(start: float, speed: float) -> Curve:
        return lambda t: start + speed * t

    def wave(start: float, swing: float, period: float) -> Curve:
        return lambda t: start + swing * math.sin(t / period)

    calm = turning(x(200, 3.3), wave(180, 12, 4), lambda t: 3.1 * t, lambda t: 80 * 1.012**t)
    fast = turning(x(110, 9.3), wave(180, 30, 3), lambda t: 4 * t, lambda t: 80 * 1.01**t)
    spin = turning(x(220, 1.0), wave(180, 5, 4), lambda t: 16 * t, lambda t: 85.0)
    zoom = turning(x(240, 0.5), wave(180, 5, 4), lambda t: t, lambda t: 45 * 1.045**t)
    tilt = turning(
        x(200, 3.3), wave(180, 12, 4), lambda t: t, lambda t: 90.0, tilt_deg=lambda t: -35 + 3.0 * t
    )
    tilt_fast = turning(
        x(150, 7.3), wave(180, 25, 3), lambda t: 2 * t, lambda t: 90.0, tilt_deg=lambda t: -35 + 3.0 * t
    )
    small = turning(x(100, 7.7), wave(180, 40, 5), lambda t: 2 * t, lambda t: 22.0)
    exit_left = turning(lambda t: 60 + 9 * abs(t - 9) - 60, wave(180, 12, 4), lambda t: 2 * t, lambda t: 80.0)
    return {
        "calm": (Plane(pose=calm), SURFACE),
        "motion blur 180 degrees": (Plane(pose=fast, shutter=0.5, samples=12), SURFACE),
        "motion blur 360 degrees": (Plane(pose=fast, shutter=1.0, samples=20), SURFACE),
        "spinning, motion blur": (Plane(pose=spin, shutter=0.5, samples=12), SURFACE),
        "zoom by 2.8": (Plane(pose=zoom), SURFACE),
        "bar passes in front": (Plane(pose=calm, occluder=lambda t: (40 + 12 * t, 110 + 12 * t)), SURFACE),
        "bar and motion blur": (
            Plane(pose=fast, shutter=0.5, samples=12, occluder=lambda t: (330 - 9 * t, 390 - 9 * t)),
            SURFACE,
        ),
        "hidden for 5 frames": (Plane(pose=calm, hidden=frozenset(range(1010, 1015))), SURFACE),
        "hidden while turning": (Plane(pose=spin, hidden=frozenset(range(1008, 1013))), SURFACE),
        "half leaves the plate and returns": (Plane(pose=exit_left), SURFACE),
        "in perspective": (Plane(pose=tilt), PERSPECTIVE),
        "in perspective, motion blur, bar": (
            Plane(pose=tilt_fast, shutter=0.5, samples=12, occluder=lambda t: (330 - 9 * t, 370 - 9 * t)),
            PERSPECTIVE,
        ),
        "rough mattes": (Plane(pose=calm, matte_grow_px=3, matte_wobble_px=2.0), SURFACE),
        "fading light, grain": (Plane(pose=calm, gain=lambda t: 1 - 0.025 * t, noise=5.0), SURFACE),
        "34 px wide": (Plane(pose=small), SURFACE),
        "pixel aspect 2": (Plane(pose=calm, pixel_aspect=2.0), SURFACE),
    }


def measure(name: str, clip: MovingPlane, kind: AnchorKind) -> Row:
    """Track one anchor and compare it with the truth."""
    reference = clip.frames[0] if name != "zoom by 2.8" else clip.frames[len(clip.frames) // 2]
    for frame in clip.frames:
        clip.read(frame)
    squared = np.array([clip.plane.pixel_aspect, 1.0])
    point = None
    if kind is AnchorKind.POINT:
        place = clip.plane.pose(float(reference - clip.frames[0])) @ [0.25, 0.3, 1.0]
        point = (float(place[0] / place[2] / squared[0]), float(place[1] / place[2]))
    started = time.perf_counter()
    track = track_anchor(clip, clip.matte, kind=kind, reference_frame=reference, point_px=point)
    elapsed_s = time.perf_counter() - started
    errors = np.array(_errors(clip, track))
    middle, worst = np.median(errors[:, :4], axis=0), errors[:, :4].max(axis=0)
    pairs = [(float(a), float(b)) for a, b in zip(middle, worst, strict=True)]
    least = float(errors[:, 4].min())
    return Row(name, kind, *pairs, least, 1000 * elapsed_s / len(track.keys))


def _errors(clip: MovingPlane, track: AnchorTrack) -> list[list[float]]:
    """Position, rotation, scale, corner and confidence of each frame that was not held."""
    start = track.key_at(track.reference_frame)
    if start is None:
        raise ValueError("the reference frame has no key")
    stored = np.array([1.0 / clip.plane.pixel_aspect, 1.0])
    pivot = np.array([start.x_px, start.y_px]) / stored
    errors = []
    for key in track.keys:
        if key.held:
            continue
        pose = clip.pose(key.frame, track.reference_frame)
        place = carry(pose, pivot[None])[0] * stored - [key.x_px, key.y_px]
        rotation = scale = corner = 0.0
        if track.is_animated_in_size and start.corners is not None and key.corners is not None:
            turn = Turn.of(linear_part(pose, pivot))
            rotation = abs((key.rotation_deg - math.degrees(turn.rotation_rad) + 180) % 360 - 180)
            scale = 100 * abs(math.sqrt(key.scale_x * key.scale_y / (turn.scale_x * turn.scale_y)) - 1)
            moved = carry(pose, np.array(start.corners) / stored) * stored
            corner = float(np.linalg.norm(moved - np.array(key.corners), axis=1).max())
        errors.append([float(np.hypot(*place)), rotation, scale, corner, key.confidence])
    return errors


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown: median / worst."""
    lines = [
        "| clip | anchor | position px | rotation deg | scale % | corner px | least conf. | ms a frame |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = [row.position_px, row.rotation_deg, row.scale_percent, row.corner_px]
        cells = [f"{middle:.3f} / {worst:.2f}" for middle, worst in figures]
        if row.kind is AnchorKind.POINT:
            cells[1:] = ["-"] * 3
        lines.append(
            f"| {row.clip} | {row.kind.value} | {' | '.join(cells)} | {row.least_confidence:.2f} "
            f"| {row.ms_a_frame:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="Markdown file for the table")
    parser.add_argument("--clip", action="append", help="only this clip; may be repeated")
    parser.add_argument("--kind", action="append", help="only this kind of anchor; may be repeated")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    for name, (plane, kinds) in clips().items():
        if arguments.clip and name not in arguments.clip:
            continue
        clip = MovingPlane(plane)
        for kind in kinds:
            if arguments.kind and kind.value not in arguments.kind:
                continue
            rows.append(measure(name, clip, kind))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    where = f"{datetime.now(tz=UTC).date()}, {machine()}, commit {commit()}"
    text = (
        f"# Anchors against the truth\n\n{where}, {os.getloadavg()[0]:.0f} processes wanting them. "
        "Rendered clips of 24 frames, 480 x 360, one thread; median / worst frame. Targets (median): "
        "position under 0.5 px, rotation under 0.3 degrees, scale under 0.5 %, corners under 1 px.\n\n"
        + table(rows)
        + "\n"
    )
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
