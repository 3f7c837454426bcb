"""Mattes of rendered 4K clips beside their targets: hard edge, hair, blur, wire, small, border, large.

One JSON line per case and way, against plain upsampling of the same logits::

    python bench_mattes_4k.py --frames 6
    python bench_mattes_4k.py --sheet edges.png     # before and after at 100 % zoom as well
    python bench_mattes_4k.py --calm 0 1            # every frame by itself, and calm in time
    python bench_mattes_4k.py --width 7680          # the same at 8K

``from``: ``mask`` is the true mask degraded to a grid of 256 cells with an outline that wanders by 0.3
cells, which judges edges alone; ``first`` the embedded model's tracking from the true mask of the first
frame; ``second`` the same with a second look. Plain upsampling is the better, figure by figure, of the
enlarged logits' sigmoid and their hard mask, always of the first look. ``boundary`` is the mean distance
of the half-covered outlines, ``alpha`` the mean absolute difference, ``flicker`` the mean absolute change
of that difference from frame to frame at the same points of the object, whose motion is known, evened out
over a pixel since pixel grids move too; ``lag`` the error against the frame before or after by the error
against its own: above 1 where nothing lags. The three targets are ratios to plain upsampling.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from bench_mattes import Results
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import ClipInfo, FramePrompts, Mask, Presence
from masklet_server.demo import edges
from masklet_server.engine import load_tracker_factory
from masklet_server.evaluation.metrics import score_frame
from masklet_server.mattes.refined_alpha import Calming, RefinedAlpha
from masklet_server.mattes.tiles import plan_views
from masklet_server.mattes.windows import Look, WindowSource, trusted
from masklet_server.model.config import EMBEDDED
from masklet_server.tracking import ObjectFrame

Plane = NDArray[np.float32]
TARGETS = {"boundary": 0.5, "alpha": 0.6, "flicker": 0.5}
FRAME_S = 1.5


class Plate:
    """A rendered clip as a source of frames."""

    def __init__(self, pictures: Sequence[edges.EdgePicture]) -> None:
        self._pictures = {picture.frame: picture.rgb for picture in pictures}
        height_px, width_px = pictures[0].rgb.shape[:2]
        self.info = ClipInfo("edges", width_px, height_px, pictures[0].frame, pictures[-1].frame)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture of ``frame``."""
        return self._pictures[frame]


@dataclass(frozen=True)
class Figures:
    """Of one way of making the mattes of a clip."""

    boundary: float
    alpha: float
    flicker: float


def measure(alphas: Sequence[Plane], pictures: Sequence[edges.EdgePicture]) -> Figures:
    """Figures of mattes, one for each picture."""
    boundary, absolute, changes = [], [], []
    before: Plane | None = None
    for alpha, picture in zip(alphas, pictures, strict=True):
        difference = alpha - picture.truth
        soft = max(1, int(((picture.truth > 0.01) & (picture.truth < 0.99)).sum()))
        absolute.append(float(np.abs(difference).sum()) / soft)
        boundary.append(score_frame(alpha > 0.5, picture.truth > 0.5).boundary_error_px or 0.0)
        even = cv2.GaussianBlur(difference, (0, 0), 1.0)
        if before is not None:
            size = (alpha.shape[1], alpha.shape[0])
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            changes.append(
                float(np.abs(even - cv2.warpAffine(before, picture.back, size, flags=flags)).sum()) / soft
            )
        before = np.asarray(even, np.float32)
    return Figures(float(np.mean(boundary)), float(np.mean(absolute)), float(np.mean(changes)))


def lag(alphas: Sequence[Plane], pictures: Sequence[edges.EdgePicture]) -> float:
    """Least error against a neighbouring frame's truth, by the error against the own."""
    own = sum(float(np.abs(a - p.truth).sum()) for a, p in zip(alphas, pictures, strict=True))
    others = [
        sum(float(np.abs(a - p.truth).sum()) for a, p in zip(alphas[1:], pictures[:-1], strict=True)),
        sum(float(np.abs(a - p.truth).sum()) for a, p in zip(alphas[:-1], pictures[1:], strict=True)),
    ]
    return min(others) / max(own, 1e-9)


def track(
    plate: Plate | WindowSource, pictures: Sequence[edges.EdgePicture], mask: Plane, weights: str
) -> list[NDArray[np.float16]]:
    """Logits on every frame, from the true mask of the first."""
    results = Results()
    make_tracker, _ = load_tracker_factory(weights, "cpu")
    tracker = make_tracker(plate, results)
    prompt = FramePrompts(1, pictures[0].frame, mask=Mask.from_array(np.rint(mask * 255).astype(np.uint8)))
    results.add(tracker.prompt(prompt))
    for picture in pictures[1:]:
        for result in tracker.track(picture.frame, [1], backward=False):
            results.add(result)
    found = (results.find(1, picture.frame) for picture in pictures)
    return [result.logits for result in found if result is not None]


def plain(logits: NDArray[np.float16], size: tuple[int, int], *, hard: bool) -> Plane:
    """The logits enlarged, as a sigmoid or as a mask."""
    large = cv2.resize(logits.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    if hard:
        return (large > 0).astype(np.float32)
    return np.asarray(1.0 / (1.0 + np.exp(-large)), np.float32)


def render_mattes(
    plate: Plate,
    pictures: Sequence[edges.EdgePicture],
    logits: Sequence[NDArray[np.float16]],
    looks: Sequence[Sequence[Look]],
    calm: float,
) -> tuple[list[Plane], float]:
    """Mattes as an export makes them, and the median time of one in seconds."""
    results, seen = Results(), {}
    for picture, own, found in zip(pictures, logits, looks, strict=True):
        pointer = np.zeros(1, np.float16)
        results.add(ObjectFrame(1, picture.frame, own, 4.0, 0.9, Presence.PRESENT, pointer))
        seen[picture.frame] = found
    calming = Calming(results, lambda _: calm)
    coverage = RefinedAlpha(plate, look=lambda result: seen[result.frame], calming=calming)
    alphas, taken_s = [], []
    for picture in pictures:
        result = results.find(1, picture.frame)
        assert result is not None
        started = time.perf_counter()
        alphas.append(coverage(result))
        taken_s.append(time.perf_counter() - started)
    return alphas, float(np.median(taken_s))


def report(
    case: str,
    way: str,
    calm: float,
    base: Figures,
    figures: Figures,
    taken_s: float,
    lag_ratio: float,
    width_px: int,
) -> None:
    """Print one line."""
    line: dict[str, object] = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count()}
    line |= {"case": case, "width_px": width_px, "from": way, "calm": calm}
    for name, target in TARGETS.items():
        value, of_plain = getattr(figures, name), getattr(base, name)
        ratio = value / of_plain if of_plain else math.inf
        line[name] = round(value, 4)
        line[f"{name}_ratio"] = round(ratio, 3)
        line[f"{name}_target"] = target
        line[f"{name}_met"] = ratio <= target
    line |= {"lag": round(lag_ratio, 2), "frame_s": round(taken_s, 2), "frame_target_s": FRAME_S}
    write_line(line)


def run(
    case: edges.EdgeCase, width_px: int, frames: int, weights: str, calms: Sequence[float]
) -> list[NDArray[np.uint8]]:
    """Measure one case; a strip of plate, plain and ours at 100 % zoom of its middle frame."""
    height_px = width_px * 9 // 16
    pictures = list(edges.render(case, width_px=width_px, height_px=height_px, frame_count=frames))
    plate = Plate(pictures)
    size = (plate.info.width_px, plate.info.height_px)
    coarse = [edges.coarse_logits(p.truth, seed=p.frame) for p in pictures]
    first = track(plate, pictures, pictures[0].truth, weights)
    by_frame = {p.frame: own for p, own in zip(pictures, first, strict=True)}
    views = plan_views(plate.info, by_frame, image_side_px=4 * first[0].shape[0])
    nothing: list[list[Look]] = [[] for _ in pictures]
    looks: list[list[Look]] = [[] for _ in pictures]
    for windows in views:
        seed = np.ascontiguousarray(pictures[0].truth[windows[pictures[0].frame].slices])
        second = track(WindowSource(plate, windows), pictures, seed, weights)
        for found, picture, own in zip(looks, pictures, second, strict=True):
            look = trusted(by_frame[picture.frame], Look(windows[picture.frame], own), plate.info)
            found += [look] if look is not None else []
    # The first frame's mask was given: it shows nothing.
    pictures = pictures[1:]
    ways = [("mask", coarse[1:], nothing[1:]), ("first", first[1:], nothing[1:])]
    if views:
        ways.append(("second", first[1:], looks[1:]))
    strip: list[NDArray[np.uint8]] = []
    for way, logits, seen in ways:
        options = [
            measure([plain(own, size, hard=hard) for own in logits], pictures) for hard in (False, True)
        ]
        base = Figures(*(min(pair) for pair in zip(*(vars(o).values() for o in options), strict=True)))
        alphas: list[Plane] = []
        for calm in calms:
            alphas, taken_s = render_mattes(plate, pictures, logits, seen, calm)
            figures, lag_ratio = measure(alphas, pictures), lag(alphas, pictures)
            report(case.name, way, calm, base, figures, taken_s, lag_ratio, width_px)
        middle = len(pictures) // 2
        strip = zoomed(pictures[middle], plain(logits[middle], size, hard=False), alphas[middle])
    return strip


def zoomed(picture: edges.EdgePicture, before: Plane, after: Plane) -> list[NDArray[np.uint8]]:
    """Plate, plain upsampling, ours and the truth where the edge has most to show, not resized."""
    height_px, width_px = 300, 400
    soft = ((picture.truth > 0.02) & (picture.truth < 0.98)).astype(np.float32)
    dense = cv2.blur(soft, (width_px, height_px))
    y, x = np.unravel_index(int(np.argmax(dense)), dense.shape)
    top = int(np.clip(y - height_px // 2, 0, soft.shape[0] - height_px))
    left = int(np.clip(x - width_px // 2, 0, soft.shape[1] - width_px))
    part = (slice(top, top + height_px), slice(left, left + width_px))
    planes = [np.rint(255 * plane[part]).astype(np.uint8) for plane in (before, after, picture.truth)]
    return [picture.rgb[part], *(np.repeat(plane[..., None], 3, axis=-1) for plane in planes)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--width", type=int, default=3840, help="of the plate in pixels")
    parser.add_argument("--case", action="append", choices=[case.name for case in edges.CASES])
    parser.add_argument("--weights", default=EMBEDDED.name)
    parser.add_argument("--calm", type=float, nargs="+", default=[1.0])
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    begin("bench_mattes_4k", weights=arguments.weights, footage="renders whose alpha is known")
    strips = [
        np.hstack(run(case, arguments.width, arguments.frames, arguments.weights, arguments.calm))
        for case in edges.CASES
        if not arguments.case or case.name in arguments.case
    ]
    if arguments.sheet is not None:
        cv2.imwrite(str(arguments.sheet), np.vstack(strips)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
