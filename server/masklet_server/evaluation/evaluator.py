"""Evaluating clip after clip, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from masklet_server.evaluation.cache import baseline_scores
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.flicker import FlickerMeter
from masklet_server.evaluation.protocols import MaskReader, ProtocolName, run_protocol
from masklet_server.evaluation.report import ClipReport
from masklet_server.evaluation.runs import TrackerFactory
from masklet_server.evaluation.scores import ObjectScores
from masklet_server.evaluation.sheet import Tile

_TILES_PER_CLIP = 2


@dataclass(frozen=True)
class Assignment:
    """What to measure on each clip.

    Attributes:
        protocol: How the tracker is prompted.
        images: Annotated frames per clip that the image protocol takes; None for all.
        baselines: Measure copying and flow too.
        flicker: Measure flicker too; protocols other than ``image``.
        tiles: Keep pictures of the worst frames.
        refined: Judge mattes as exports write them; protocols other than ``image``.
        cache: Where baseline scores are kept; None for the user's cache folder.
    """

    protocol: ProtocolName
    images: int | None = None
    baselines: bool = True
    flicker: bool = False
    tiles: bool = False
    refined: bool = False
    cache: Path | None = None


def evaluate_clips(
    clips: Sequence[AnnotatedClip],
    assignment: Assignment,
    load_trackers: Callable[[], TrackerFactory],
    *,
    jobs: int = 1,
) -> Iterator[tuple[ClipReport, tuple[Tile, ...]]]:
    """Reports in the order of the clips, each as soon as it is ready.

    Args:
        clips: What to evaluate on.
        assignment: What to measure.
        load_trackers: Called once in each process that works; must be picklable for more than
            one job.
        jobs: Processes.

    Raises:
        BadInputError: The annotations of a clip are broken.
    """
    if jobs == 1:
        make_tracker = load_trackers()
        for clip in clips:
            yield evaluate_clip(clip, assignment, make_tracker)
        return
    # A forked child would inherit the thread pools of OpenCV and torch in a state that hangs.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(partial(_evaluate_in_worker, assignment, load_trackers), clips)


def evaluate_clip(
    clip: AnnotatedClip, assignment: Assignment, make_tracker: TrackerFactory
) -> tuple[ClipReport, tuple[Tile, ...]]:
    """The report of one clip, and pictures of its worst frames if asked for."""
    on_images = assignment.protocol is ProtocolName.IMAGE
    outcome, masks = run_protocol(
        assignment.protocol, clip, make_tracker, images=assignment.images, refined=assignment.refined
    )
    baselines = (
        baseline_scores(clip, folder=assignment.cache) if assignment.baselines and not on_images else {}
    )
    flicker = _flicker(clip, outcome.objects, masks) if assignment.flicker and not on_images else None
    tiles = _worst(clip, outcome.objects, masks) if assignment.tiles else ()
    return ClipReport(clip.name, outcome, baselines, flicker), tiles


class _Worker:
    """What a worker process keeps between clips."""

    make_tracker: TrackerFactory | None = None


def _evaluate_in_worker(
    assignment: Assignment, load_trackers: Callable[[], TrackerFactory], clip: AnnotatedClip
) -> tuple[ClipReport, tuple[Tile, ...]]:
    # Loading here and not when the process starts lets an error reach the caller as it is.
    if _Worker.make_tracker is None:
        _Worker.make_tracker = load_trackers()
    return evaluate_clip(clip, assignment, _Worker.make_tracker)


def _flicker(
    clip: AnnotatedClip, objects: Sequence[ObjectScores], masks: MaskReader
) -> tuple[float, float] | None:
    """Mean flicker of our masks and of the truth over objects, on the judged frames."""
    ours, theirs = [], []
    for one in objects:
        meter = FlickerMeter(clip.info.width_px, clip.info.height_px, tracks=2)
        for frame in one.frames:
            truth = clip.read_truth(frame).masks[one.object_id]
            meter.add(clip.source.read(frame), (masks(one.object_id, frame), truth))
        our, their = meter.percent()
        if our is not None and their is not None:
            ours.append(our)
            theirs.append(their)
    return (float(np.mean(ours)), float(np.mean(theirs))) if ours else None


def _worst(clip: AnnotatedClip, objects: Sequence[ObjectScores], masks: MaskReader) -> tuple[Tile, ...]:
    """The worst frames of a clip, well apart from each other."""
    ranked = sorted((score.j, one.object_id, frame) for one in objects for frame, score in one.frames.items())
    apart = max(1, len(clip.annotated_frames) // 8)
    chosen: list[tuple[float, int, int]] = []
    for j, object_id, frame in ranked:
        if len(chosen) < _TILES_PER_CLIP and all(abs(frame - other) >= apart for _, _, other in chosen):
            chosen.append((j, object_id, frame))
    tiles = []
    for j, object_id, frame in chosen:
        picture = clip.source.read(frame)
        if picture.dtype != np.uint8:
            picture = np.clip(picture * 255 + 0.5, 0, 255)
        title = f"{clip.name} {frame}" + (f" object {object_id}" if len(objects) > 1 else "")
        truth = clip.read_truth(frame).masks[object_id]
        tiles.append(Tile(title, picture.astype(np.uint8), masks(object_id, frame), truth, j))
    return tuple(tiles)
