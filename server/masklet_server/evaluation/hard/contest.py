"""Contenders side by side on one clip: each frame is painted, encoded and judged once for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import FramePrompts, Mask
from masklet_server.evaluation.baselines import copy_first_mask, warp_by_flow
from masklet_server.evaluation.flicker import FlickerMeter
from masklet_server.evaluation.hard.judging import Counts, Judge
from masklet_server.evaluation.hard.stage import (
    HEIGHT_PX,
    TARGET,
    WIDTH_PX,
    GeneratedFrames,
    Scene,
    annotated,
)
from masklet_server.sessions.results import ResultStore
from masklet_server.tracking import FrameSource, ResultReader, Tracker

BASELINES = ("copy", "flow")
TRUTH = "truth"

ContestMaker = Callable[[FrameSource, Mapping[str, ResultReader]], "Contest"]
"""Makes the trackers of one clip, by the names of contenders."""

Watcher = Callable[[int, NDArray[np.uint8], Mapping[str, NDArray[np.bool_]]], None]
"""Is shown a frame, its picture and the masks by contender, the truth among them."""


@dataclass(frozen=True, eq=False)
class Contest:
    """Trackers of one clip that share the work on its pictures.

    Attributes:
        trackers: By the name of the contender.
        encode: Encodes the picture of a frame for all of them.
    """

    trackers: Mapping[str, Tracker]
    encode: Callable[[int], None]


@dataclass(frozen=True)
class Outcome:
    """One contender on some clips.

    Attributes:
        counts: What happened.
        seconds: Spent in the tracker, without encoding pictures; 0 for baselines.
        flicker: Sum over clips of the flicker in percent, and how many clips it is of.
    """

    counts: Counts = Counts()  # noqa: RUF009 - frozen, so sharing it is safe
    seconds: float = 0.0
    flicker: tuple[float, int] = (0.0, 0)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.counts + other.counts,
            self.seconds + other.seconds,
            (self.flicker[0] + other.flicker[0], self.flicker[1] + other.flicker[1]),
        )

    @property
    def mean_flicker(self) -> float | None:
        """Percent; None where it was not measured."""
        return self.flicker[0] / self.flicker[1] if self.flicker[1] else None


@dataclass(frozen=True)
class ClipOutcome:
    """One clip.

    Attributes:
        outcomes: By contender, baselines and the truth among them (which has flicker only).
        encode_s: Spent on encoding pictures, once for all contenders.
        curve: By contender, J of every frame but the first, where it was asked for.
    """

    outcomes: Mapping[str, Outcome]
    encode_s: float
    curve: Mapping[str, Sequence[float]] = field(default_factory=dict)


def run_scene(
    scene: Scene,
    make_contest: ContestMaker,
    names: Sequence[str],
    *,
    baselines: bool = True,
    flicker: bool = True,
    curve: bool = False,
    watch: Watcher | None = None,
) -> ClipOutcome:
    """Track a scene's target with every contender from its true mask on frame 0.

    Nothing grows with the clip but its packed results, which move to disk, and the curve.
    """
    frames = GeneratedFrames(scene)
    stores = {name: ResultStore(memory_bytes=8 << 20) for name in names}
    contest = make_contest(frames, stores)
    first = frames.visible(0)
    prompt = FramePrompts(TARGET, 0, mask=Mask.from_array(first.astype(np.uint8) * 255))
    for name, tracker in contest.trackers.items():
        stores[name].put(tracker.prompt(prompt))
    others = _baselines(frames) if baselines else {}
    everybody = (*names, *others)
    seconds = dict.fromkeys(everybody, 0.0)
    encode_s = 0.0
    for frame in range(1, scene.frames):
        start_s = time.perf_counter()
        contest.encode(frame)
        encode_s += time.perf_counter() - start_s
        for name, tracker in contest.trackers.items():
            start_s = time.perf_counter()
            results = tracker.track(frame, [TARGET], backward=False)
            seconds[name] += time.perf_counter() - start_s
            for result in results:
                stores[name].put(result)
            stores[name].make_room()
    for tracker in contest.trackers.values():
        tracker.park()
    # Only now: whoever follows several paths changes what was said of earlier frames.
    judges = {name: Judge(first) for name in everybody}
    meter = FlickerMeter(WIDTH_PX, HEIGHT_PX, tracks=len(everybody) + 1) if flicker else None
    curves: dict[str, list[float]] = {name: [] for name in everybody} if curve else {}
    for others_of in others.values():
        next(others_of)
    for frame in range(1, scene.frames):
        masks: dict[str, NDArray[np.bool_]] = {name: stored_mask(stores[name], frame) for name in names}
        for name, others_of in others.items():
            masks[name] = next(others_of)
        picture, truth, rivals = frames.read(frame), frames.visible(frame), frames.rivals(frame)
        for name, judge in judges.items():
            iou = judge.add(masks[name], truth, rivals)
            if curve:
                curves[name].append(iou)
        masks[TRUTH] = truth
        if meter is not None:
            meter.add(picture, [masks[name] for name in (*everybody, TRUTH)])
        if watch is not None:
            watch(frame, picture, masks)
    for store in stores.values():
        store.close()
    flickers = meter.percent() if meter is not None else [None] * (len(everybody) + 1)
    outcomes = {
        name: Outcome(
            judges[name].counts if name in judges else Counts(),
            seconds.get(name, 0.0),
            (value, 1) if value is not None else (0.0, 0),
        )
        for name, value in zip((*everybody, TRUTH), flickers, strict=True)
    }
    return ClipOutcome(outcomes, encode_s, curves)


def _baselines(frames: GeneratedFrames) -> dict[str, Iterator[NDArray[np.bool_]]]:
    clip = annotated(frames)
    runs = dict(zip(BASELINES, (copy_first_mask(clip), warp_by_flow(clip)), strict=True))
    return {name: (masks[TARGET] for _, masks in run) for name, run in runs.items()}


def stored_mask(store: ResultStore, frame: int) -> NDArray[np.bool_]:
    """``(h, w)`` the target's mask on a frame that was tracked, at the size of the plate."""
    result = store.find(TARGET, frame)
    if result is None:
        raise ValueError(f"frame {frame} was tracked and has no result")
    return _at_plate_size(result.logits) > 0


def _at_plate_size(logits: NDArray[np.float16]) -> NDArray[np.float32]:
    resized = cv2.resize(logits.astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.float32, copy=False)
