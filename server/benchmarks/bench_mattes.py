"""Edges of mattes against true alpha on the demo's clip: error, flicker, time.

One JSON line per way of making a matte from the same logits::

    python bench_mattes.py                 # 24 frames, embedded model, one click
    python bench_mattes.py --frames 12

``error`` is the mean absolute difference to the true alpha within six pixels of its edge, in
percent; ``flicker`` the mean absolute change of that difference from frame to frame, which is what
the eye sees as boiling and which motion alone does not cause; ``within_1px`` the share of the
matte's outline that lies within a pixel of the true one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import ClipInfo, FramePrompts
from masklet_server.demo import scene
from masklet_server.engine import load_tracker_factory
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.refine import refine_alpha
from masklet_server.model.config import EMBEDDED
from masklet_server.tracking import ObjectFrame

Plane = NDArray[np.float32]
EDGE_PX = 6


class Plate:
    """The rendered clip as a source of frames."""

    def __init__(self, pictures: Sequence[scene.Picture]) -> None:
        self._pictures = {picture.frame: picture.rgb for picture in pictures}
        height_px, width_px = pictures[0].rgb.shape[:2]
        self.info = ClipInfo("duck", width_px, height_px, pictures[0].frame, pictures[-1].frame)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture of ``frame``."""
        return self._pictures[frame]


class Results:
    """Everything that was tracked."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], ObjectFrame] = {}

    def add(self, result: ObjectFrame) -> None:
        """Keep a result."""
        self._found[result.object_id, result.frame] = result

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The result, or None."""
        return self._found.get((object_id, frame))

    def has(self, object_id: int, frame: int) -> bool:
        """Whether there is one."""
        return (object_id, frame) in self._found

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Frames with a result."""
        return sorted(frame for owner, frame in self._found if owner == object_id)


def track(pictures: Sequence[scene.Picture], weights: str) -> list[NDArray[np.float16]]:
    """Logits of the demo's object on every frame, from one click on the first."""
    plate, results = Plate(pictures), Results()
    make_tracker, _ = load_tracker_factory(weights, "cpu")
    tracker = make_tracker(plate, results)
    first = pictures[0].frame
    results.add(tracker.prompt(FramePrompts(1, first, clicks=scene.first_clicks())))
    for picture in pictures[1:]:
        for result in tracker.track(picture.frame, [1], backward=False):
            results.add(result)
    found = (results.find(1, picture.frame) for picture in pictures)
    return [result.logits for result in found if result is not None]


def resized_mask(logits: NDArray[np.float16], picture: NDArray[np.uint8]) -> Plane:
    """The network's mask made larger, as most tools do it."""
    height_px, width_px = picture.shape[:2]
    mask = (logits > 0).astype(np.float32)
    return np.asarray(cv2.resize(mask, (width_px, height_px), interpolation=cv2.INTER_LINEAR), np.float32)


def plain_sigmoid(logits: NDArray[np.float16], picture: NDArray[np.uint8]) -> Plane:
    """The sigmoid of enlarged logits."""
    height_px, width_px = picture.shape[:2]
    large = cv2.resize(logits.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1.0 / (1.0 + np.exp(-large)), np.float32)


def rendered(logits: NDArray[np.float16], picture: NDArray[np.uint8]) -> Plane:
    """Ours, from logits alone."""
    height_px, width_px = picture.shape[:2]
    return render_alpha(logits, width_px, height_px)


def refined(logits: NDArray[np.float16], picture: NDArray[np.uint8]) -> Plane:
    """Ours, with the plate's own pixels."""
    return refine_alpha(rendered(logits, picture), picture, cell_px=picture.shape[1] / logits.shape[1])


def measure(
    make: Callable[..., Plane], pictures: Sequence[scene.Picture], logits: Sequence[NDArray[np.float16]]
) -> dict[str, float]:
    """Figures of one way of making mattes."""
    taken_ms, errors, flickers, near = [], [], [], []
    before: Plane | None = None
    edge_before: NDArray[np.bool_] | None = None
    for picture, own in zip(pictures, logits, strict=True):
        started = time.perf_counter()
        alpha = make(own, picture.rgb)
        taken_ms.append((time.perf_counter() - started) * 1e3)
        edge = near_edge(picture.truth)
        difference = alpha - picture.truth
        errors.append(float(np.abs(difference)[edge].mean()))
        if before is not None and edge_before is not None:
            flickers.append(float(np.abs(difference - before)[edge | edge_before].mean()))
        before, edge_before = difference, edge
        near.append(outline_share(alpha > 0.5, picture.truth > 0.5))
    return {
        "error_percent": round(100 * statistics.mean(errors), 2),
        "flicker_percent": round(100 * statistics.mean(flickers), 2),
        "within_1px_percent": round(100 * statistics.mean(near), 1),
        "median_ms": round(statistics.median(taken_ms), 1),
    }


def near_edge(truth: Plane) -> NDArray[np.bool_]:
    """Pixels within ``EDGE_PX`` of the true edge."""
    soft = ((truth > 0.02) & (truth < 0.98)).astype(np.uint8)
    return cv2.dilate(soft, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8)) > 0


def outline_share(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """The share of the mask's outline that lies within a pixel of the true outline."""
    outlines = []
    for each in (mask, truth):
        inside = each.astype(np.uint8)
        outlines.append(inside - cv2.erode(inside, np.ones((3, 3), np.uint8)))
    own, true = outlines
    close = cv2.dilate(true, np.ones((3, 3), np.uint8))
    return float((own & close).sum() / max(1, own.sum()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--weights", default=EMBEDDED.name)
    arguments = parser.parse_args()
    begin("bench_mattes", weights=arguments.weights, footage="the demo clip")
    pictures = list(scene.render(arguments.frames))
    logits = track(pictures, arguments.weights)
    for make in (resized_mask, plain_sigmoid, rendered, refined):
        figures = measure(make, pictures, logits)
        write_line({"matte": make.__name__, "frames": len(pictures), **figures})


if __name__ == "__main__":
    main()
