"""How a tracker is put to the test: what is prompted, and when.

Semi-supervised
    Each object is prompted once, on the first frame on which it is visible, with its true mask,
    its box, or clicks; all objects are tracked together to the end.

Offline (SAM 2 paper, section 6.1)
    Three clicks on the first frame, then the whole clip is tracked; then, again and again, three
    clicks on the frame with the worst IoU and another pass over the whole clip.

Online
    One pass. Where the IoU falls under 0.75, the pass pauses for three clicks on that frame.

Image
    Each annotated frame on its own: one click, then corrections.

The interactive protocols take one object at a time, as the paper does. Clicks are simulated by
:mod:`masklet_server.evaluation.interaction`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.types import Click, FramePrompts, Mask
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.interaction import AnnotationTime, click_until_done, tight_box
from masklet_server.evaluation.metrics import region_similarity
from masklet_server.evaluation.runs import ClipRun, TrackerFactory
from masklet_server.evaluation.scores import Judge, ObjectScores

CLICKS_PER_FRAME = 3
INTERACTED_FRAMES = 8
PAUSE_BELOW_IOU = 0.75
IMAGE_CLICKS = (1, 3, 5)


class ProtocolName(str, Enum):
    """Protocols by the names they have on the command line."""

    MASK = "mask"
    BOX = "box"
    CLICK = "click"
    THREE_CLICKS = "3clicks"
    FIVE_CLICKS = "5clicks"
    OFFLINE = "offline"
    ONLINE = "online"
    IMAGE = "image"


_CLICKS = {ProtocolName.CLICK: 1, ProtocolName.THREE_CLICKS: 3, ProtocolName.FIVE_CLICKS: 5}


@dataclass(frozen=True)
class ClipOutcome:
    """What one protocol gave on one clip.

    Attributes:
        objects: Scores by object, after the last interaction.
        seconds: Time in the tracker, all passes together.
        frames: Frames tracked, all passes together.
        rounds: J&F in percent after 1, 2, … interacted frames; offline protocol only.
        clicks: Clicks made.
        annotation_s: What the work would have taken an annotator; interactive protocols only.
        annotated_frames: Annotated frames from each object's first on, summed over objects.
        iou_after_clicks: Mean IoU in percent by number of clicks; image protocol only.
    """

    objects: tuple[ObjectScores, ...]
    seconds: float
    frames: int
    rounds: tuple[float, ...] = ()
    clicks: int = 0
    annotation_s: float | None = None
    annotated_frames: int = 0
    iou_after_clicks: Mapping[int, float] = field(default_factory=dict)


class MaskReader(Protocol):
    """Gives a mask again after the run, for pictures of the result."""

    def __call__(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """The ``(h, w)`` mask."""
        ...


def run_protocol(
    protocol: ProtocolName,
    clip: AnnotatedClip,
    make_tracker: TrackerFactory,
    *,
    images: int | None = None,
    refined: bool = False,
) -> tuple[ClipOutcome, MaskReader]:
    """The outcome of a protocol on one clip, and access to its masks.

    Args:
        protocol: What is prompted, and when.
        clip: The sequence.
        make_tracker: Called once for each run over the clip.
        images: Annotated frames that the image protocol takes, spread evenly; None for all.
        refined: Judge mattes as exports write them; the image protocol has none.

    Raises:
        BadInputError: The annotations of the clip are broken, or too few.
    """
    judge = Judge(clip)
    if protocol is ProtocolName.IMAGE:
        return _on_images(clip, judge, make_tracker, images)
    make_run = partial(ClipRun, clip, make_tracker, refined=refined)
    if protocol in (ProtocolName.OFFLINE, ProtocolName.ONLINE):
        return _interactive(protocol, clip, judge, make_run)
    return _semi_supervised(protocol, clip, judge, make_run, wait=refined)


def _semi_supervised(
    protocol: ProtocolName,
    clip: AnnotatedClip,
    judge: Judge,
    make_run: Callable[[], ClipRun],
    *,
    wait: bool,
) -> tuple[ClipOutcome, MaskReader]:
    """One pass; masks are asked for as soon as they are there, or, to ``wait``, when all are."""
    run = make_run()
    clicks = 0

    def play() -> Iterator[tuple[int, dict[int, NDArray[np.bool_]]]]:
        nonlocal clicks
        active: list[int] = []
        for frame in clip.frames:
            if active:
                run.track([frame], active)
            for object_id, start in judge.starts.items():
                if start == frame:
                    clicks += _prompt_first(protocol, run, judge, object_id, frame)
                    active.append(object_id)
            if not wait:
                yield frame, run.masks(frame, active)
        if wait:
            for frame in clip.frames:
                yield frame, run.masks(frame, [one for one in active if judge.starts[one] <= frame])

    objects = judge.judge(play())
    if not objects:
        raise _too_few(clip)
    outcome = ClipOutcome(tuple(objects), run.seconds, run.frames_done, clicks=clicks)
    return outcome, lambda object_id, frame: run.masks(frame, list(judge.starts))[object_id]


def _prompt_first(protocol: ProtocolName, run: ClipRun, judge: Judge, object_id: int, frame: int) -> int:
    """Prompt one object as the protocol says; the number of clicks that took."""
    truth = judge.truth(frame).masks[object_id]
    if protocol is ProtocolName.MASK:
        run.prompt(FramePrompts(object_id, frame, mask=Mask.from_array(truth.astype(np.uint8) * 255)))
        return 0
    if protocol is ProtocolName.BOX:
        run.prompt(FramePrompts(object_id, frame, box=tight_box(truth)))
        return 0
    clicks, _ = click_until_done(
        np.zeros_like(truth),
        truth,
        clicks=_CLICKS[protocol],
        apply=partial(_apply_clicks, run, object_id, frame),
    )
    return len(clicks)


def _apply_clicks(run: ClipRun, object_id: int, frame: int, clicks: tuple[Click, ...]) -> NDArray[np.bool_]:
    return run.prompt(FramePrompts(object_id, frame, clicks))


def _interactive(
    protocol: ProtocolName, clip: AnnotatedClip, judge: Judge, make_run: Callable[[], ClipRun]
) -> tuple[ClipOutcome, MaskReader]:
    runs: dict[int, ClipRun] = {}
    objects: list[ObjectScores] = []
    rounds: list[list[float]] = []
    clicks, annotation_s, annotated, seconds, frames_done = 0, 0.0, 0, 0.0, 0
    for object_id in judge.starts:
        run = make_run()
        session = _ObjectSession(run, clip, judge, object_id)
        session.correct(judge.starts[object_id])
        scores = session.work_offline() if protocol is ProtocolName.OFFLINE else session.work_online()
        if not scores:
            continue
        runs[object_id] = run
        objects.append(scores[-1])
        rounds.append([50 * (score.j + score.f) for score in scores])
        clicks += session.click_count
        annotation_s += session.annotation_s
        annotated += sum(frame >= judge.starts[object_id] for frame in clip.annotated_frames)
        seconds, frames_done = seconds + run.seconds, frames_done + run.frames_done
    if not objects:
        raise _too_few(clip)
    longest = max(len(one) for one in rounds)
    padded = [one + [one[-1]] * (longest - len(one)) for one in rounds]
    offline = protocol is ProtocolName.OFFLINE
    outcome = ClipOutcome(
        tuple(objects),
        seconds,
        frames_done,
        rounds=tuple(float(np.mean(step)) for step in zip(*padded, strict=True)) if offline else (),
        clicks=clicks,
        annotation_s=annotation_s,
        annotated_frames=annotated,
    )
    return outcome, lambda object_id, frame: runs[object_id].mask(object_id, frame)


class _ObjectSession:
    """An artist at work on one object of one clip."""

    def __init__(self, run: ClipRun, clip: AnnotatedClip, judge: Judge, object_id: int) -> None:
        self._run = run
        self._clip = clip
        self._judge = judge
        self._object_id = object_id
        self._start = judge.starts[object_id]
        self._clicks: dict[int, tuple[Click, ...]] = {}
        self._passes = 0

    @property
    def click_count(self) -> int:
        """Clicks on all frames."""
        return sum(len(clicks) for clicks in self._clicks.values())

    @property
    def annotation_s(self) -> float:
        """Time of the artist by the model of the paper."""
        frames = sum(frame >= self._start for frame in self._clip.frames)
        return AnnotationTime().seconds(
            frames=frames,
            passes=self._passes,
            interacted_frames=len(self._clicks),
            clicks=self.click_count,
        )

    def correct(self, frame: int) -> None:
        """Up to three clicks on a frame."""
        self._clicks[frame], _ = click_until_done(
            self._run.mask(self._object_id, frame),
            self._judge.truth(frame).masks[self._object_id],
            clicks=CLICKS_PER_FRAME,
            apply=partial(_apply_clicks, self._run, self._object_id, frame),
        )

    def work_offline(self) -> list[ObjectScores]:
        """Scores after each pass."""
        rounds: list[ObjectScores] = []
        for _ in range(INTERACTED_FRAMES):
            self._track_from(self._start)
            self._passes += 1
            rounds += self._scores()
            worst = self._worst_frame()
            if worst is None or len(self._clicks) == INTERACTED_FRAMES:
                break
            self.correct(worst)
        return rounds

    def work_online(self) -> list[ObjectScores]:
        """Scores of the only pass."""
        self._passes = 1
        for frame in self._clip.frames:
            if frame <= self._start:
                continue
            self._run.track([frame], [self._object_id])
            if len(self._clicks) < INTERACTED_FRAMES and self._iou(frame, unknown=1.0) < PAUSE_BELOW_IOU:
                self.correct(frame)
        return self._scores()

    def _track_from(self, start: int) -> None:
        following = [f for f in self._clip.frames if f > start and f not in self._clicks]
        self._run.track(following, [self._object_id])

    def _worst_frame(self) -> int | None:
        """The annotated frame with the lowest IoU among those without clicks; None when all are right."""
        candidates = [
            frame
            for frame in self._clip.annotated_frames
            if frame > self._start and frame not in self._clicks
        ]
        ious = {frame: self._iou(frame, unknown=1.0) for frame in candidates}
        worst = min(ious, key=lambda frame: ious[frame], default=None)
        return worst if worst is not None and ious[worst] < 1 else None

    def _iou(self, frame: int, *, unknown: float) -> float:
        """IoU on a frame; ``unknown`` where the object is not annotated."""
        if frame not in self._clip.annotated_frames:
            return unknown
        truth = self._judge.truth(frame)
        mask = truth.masks.get(self._object_id)
        if mask is None:
            return unknown
        return region_similarity(self._run.mask(self._object_id, frame), mask, truth.void)

    def _scores(self) -> list[ObjectScores]:
        frames = [frame for frame in self._clip.annotated_frames if frame > self._start]
        return self._judge.judge(
            ((frame, {self._object_id: self._run.mask(self._object_id, frame)}) for frame in frames),
            starts={self._object_id: self._start},
        )


def _spread(frames: tuple[int, ...], count: int | None) -> tuple[int, ...]:
    """``count`` of the frames, evenly from the first to the last."""
    if count is None or count >= len(frames):
        return frames
    return tuple(frames[int(index)] for index in np.linspace(0, len(frames) - 1, count))


def _too_few(clip: AnnotatedClip) -> BadInputError:
    return BadInputError(
        f"{clip.name} has no annotated frame after the one that is prompted: there is nothing to judge."
    )


def _on_images(
    clip: AnnotatedClip, judge: Judge, make_tracker: TrackerFactory, images: int | None
) -> tuple[ClipOutcome, MaskReader]:
    most = max(IMAGE_CLICKS)
    ious: dict[int, list[float]] = {clicks: [] for clicks in IMAGE_CLICKS}
    scores: dict[int, dict[int, NDArray[np.bool_]]] = {}
    seconds, frames, click_count = 0.0, 0, 0
    for frame in _spread(clip.annotated_frames, images):
        truth = judge.truth(frame)
        for object_id, mask in truth.masks.items():
            if not mask.any():
                continue
            run = ClipRun(clip, make_tracker)
            made: tuple[Click, ...] = ()
            got = np.zeros_like(mask)
            for clicks in range(1, most + 1):
                made, got = click_until_done(
                    got,
                    mask,
                    clicks=1,
                    earlier=made,
                    apply=partial(_apply_clicks, run, object_id, frame),
                )
                if clicks in ious:
                    ious[clicks].append(region_similarity(got, mask, truth.void))
            scores.setdefault(frame, {})[object_id] = got
            seconds, frames, click_count = seconds + run.seconds, frames + 1, click_count + len(made)
    before = dict.fromkeys(judge.starts, clip.info.first_frame - 1)
    objects = judge.judge(scores.items(), starts=before, keep_last=True)
    if not objects:
        raise _too_few(clip)
    outcome = ClipOutcome(
        tuple(objects),
        seconds,
        frames,
        clicks=click_count,
        iou_after_clicks={clicks: 100 * float(np.mean(values)) for clicks, values in ious.items()},
    )
    return outcome, lambda object_id, frame: scores[frame][object_id]
