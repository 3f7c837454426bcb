"""What a session sees of one GPU: whole tracks, several sessions, memory, first masks, agreement of types."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_gpu_speed import Contest, Form, peak_now_mib, reset_peak
from bench_memory import JpegClip, write_jpegs
from bench_official import FramesInMemory
from numpy.typing import NDArray

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.demo import scene
from masklet_server.engine.accelerate import EXACT, fixed_layout, recordings_of
from masklet_server.engine.profile import BENCHMARK, EDITOR, Profile
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.checkpoint import load_network
from masklet_server.model.network import Network
from masklet_server.tracking import FrameSource, ObjectFrame

_WIDTH_PX, _HEIGHT_PX = 854, 480
_SETTLED_FRAMES = 20  # from here on memories are full and recordings made
_ENDLESS = 100_000


@dataclass
class ScrollingClip:
    """A pattern that scrolls: pictures cost next to nothing, so that the engine alone is timed."""

    length_frames: int = _ENDLESS
    info: ClipInfo = field(init=False)

    def __post_init__(self) -> None:
        self.info = ClipInfo("scrolling", _WIDTH_PX, _HEIGHT_PX, 0, self.length_frames - 1)
        coarse = np.random.default_rng(0).integers(0, 256, (30, 54, 3), np.uint8)
        self._pattern = np.kron(coarse, np.ones((16, 16, 1), np.uint8))[:_HEIGHT_PX, :_WIDTH_PX]

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The pattern, shifted."""
        return np.roll(self._pattern, 3 * frame, axis=1)


class PictureList:
    """Pictures that lie in memory, as a clip."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        height_px, width_px = pictures[0].shape[:2]
        self._pictures = pictures
        self.info = ClipInfo("list", width_px, height_px, 0, len(pictures) - 1)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture at this index."""
        return self._pictures[frame]


class Forgotten:
    """Results are dropped: tracking in one go reads none again."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """Nothing."""
        return None

    def has(self, object_id: int, frame: int) -> bool:
        """All were tracked."""
        return True

    def frames_of(self, object_id: int) -> tuple[int, ...]:
        """None."""
        return ()


def tracker_on(
    network: Network, source: FrameSource, *, objects: int, form: Form, profile: Profile = EDITOR
) -> NetworkTracker:
    """A tracker with so many objects clicked on frame 0."""
    layout = EXACT if form == "eager" else fixed_layout(network.config)
    tracker = NetworkTracker(network, source, Forgotten(), profile=profile, layout=layout)
    for object_id in range(objects):
        place = Click(30.5 + 50 * object_id % 800, 40.5 + 37 * object_id % 400)
        tracker.prompt(FramePrompts(object_id, 0, clicks=(place,)))
    return tracker


def engine_lines(contest: Contest, objects: Sequence[int], *, small: bool) -> Iterator[dict[str, Any]]:
    """Frames per second of a tracker: pictures in, results in main memory out."""
    settled, timed = (2, 2) if small else (_SETTLED_FRAMES, 100)
    for form in ("eager", "graphs"):
        for count in objects:
            tracker = tracker_on(contest.ours(form), ScrollingClip(), objects=count, form=form)
            for frame in range(1, settled):
                tracker.track(frame, range(count), backward=False)
            started_s = time.perf_counter()
            for frame in range(settled, settled + timed):
                tracker.track(frame, range(count), backward=False)
            seconds = time.perf_counter() - started_s
            yield {
                "case": "engine",
                "preset": contest.preset,
                "form": f"ours {form}",
                "objects": count,
                "frames_per_s": round(timed / seconds, 1),
            }


def session_lines(contest: Contest, sessions: Sequence[int], *, small: bool) -> Iterator[dict[str, Any]]:
    """Frames per second of several sessions together, one object each, taking turns frame by frame."""
    settled, timed = (2, 2) if small else (_SETTLED_FRAMES, 60)
    network, form = contest.ours("graphs"), "graphs"
    alone = 0.0
    for count in sessions:
        trackers = [tracker_on(network, ScrollingClip(), objects=1, form=form) for _ in range(count)]
        for frame in range(1, settled + timed):
            if frame == settled:
                started_s = time.perf_counter()
            for tracker in trackers:
                tracker.track(frame, (0,), backward=False)
        total = count * timed / (time.perf_counter() - started_s)
        alone = alone or total
        yield {
            "case": "sessions",
            "preset": contest.preset,
            "form": f"ours {form}",
            "sessions": count,
            "frames_per_s_together": round(total, 1),
            "beside_one": round(total / alone, 2),
        }


def memory_lines(contest: Contest, frames: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Peak memory up to an early and a late frame of one track, ours and the official predictor's."""
    setup, late = contest.setup, max(frames)
    tracker = tracker_on(contest.ours("graphs"), ScrollingClip(), objects=1, form="graphs")
    reset_peak(setup)
    peaks, held = {}, {}
    for frame in range(1, late + 1):
        tracker.track(frame, (0,), backward=False)
        if frame in frames:
            peaks[frame], held[frame] = peak_now_mib(setup), tracker.memory_bytes
    yield {
        "case": "memory",
        "preset": contest.preset,
        "who": "ours",
        **{f"peak_mib_at_{frame}": peaks[frame] for frame in frames},
        **{f"held_mib_at_{frame}": round(held[frame] / 2**20, 2) for frame in frames},
    }
    tracker.park()

    predictor = contest.official(compiled=False)
    pictures = torch.zeros(late + 1, 3, setup.side_px, setup.side_px, device=setup.device)
    reset_peak(setup)
    with (
        torch.inference_mode(),
        torch.autocast("cuda", torch.bfloat16, enabled=setup.cuda),
        FramesInMemory(pictures),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        state = predictor.init_state("in-memory")
        _official_click(predictor, state)
        for frame, *_ in predictor.propagate_in_video(state):
            if frame in frames:
                peaks[frame] = peak_now_mib(setup)
    yield {
        "case": "memory",
        "preset": contest.preset,
        "who": "official",
        "pictures_mib": round(pictures.nbytes / 2**20, 1),
        **{f"peak_mib_at_{frame}": peaks[frame] for frame in frames},
    }


def first_mask_lines(contest: Contest, length_frames: int) -> Iterator[dict[str, Any]]:
    """Seconds from opening a folder of JPEG pictures to the mask of one click, network loaded and warm."""
    setup = contest.setup
    network, predictor = contest.ours("eager"), contest.official(compiled=False)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "clip"
        write_jpegs(folder, length_frames)

        def ours() -> None:
            tracker_on(network, JpegClip(folder), objects=1, form="eager")

        def official() -> None:
            with (
                torch.inference_mode(),
                torch.autocast("cuda", torch.bfloat16, enabled=setup.cuda),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                _official_click(predictor, predictor.init_state(str(folder)))

        for who, call in (("ours", ours), ("official", official)):
            call()
            setup.synchronise()
            started_s = time.perf_counter()
            call()
            setup.synchronise()
            yield {
                "case": "first_mask",
                "preset": contest.preset,
                "who": who,
                "clip_frames": length_frames,
                "seconds": round(time.perf_counter() - started_s, 4),
            }


def agreement_lines(contest: Contest, *, small: bool) -> Iterator[dict[str, Any]]:
    """IoU of the masks in bfloat16 and in float32, every frame of a track with its own memories.

    The trained embedded model says what artists will see. Of stand-in weights every logit lies
    near the threshold, so that their IoU is the worst there can be.
    """
    frames = 3 if small else 40
    pictures = [picture.rgb for picture in scene.render(frames)]
    ((x_px, y_px),) = ((click.x_px, click.y_px) for click in scene.first_clicks()[:1])
    device = contest.setup.device
    pairs = {
        "masklet_embedded": [
            load_network("masklet_embedded", device, dtype) for dtype in (torch.bfloat16, torch.float32)
        ],
        f"{contest.preset}, stand-in weights": [
            contest.ours("eager", dtype=dtype) for dtype in (torch.bfloat16, torch.float32)
        ],
    }
    for name, networks in pairs.items():
        tracks = []
        for network in networks:
            tracker = NetworkTracker(network, PictureList(pictures), Forgotten(), profile=BENCHMARK)
            found = [tracker.prompt(FramePrompts(0, 0, clicks=(Click(x_px, y_px),)))]
            found += [tracker.track(frame, (0,), backward=False)[0] for frame in range(1, frames)]
            tracks.append([result.logits > 0 for result in found])
        ious = [_iou(one, other) for one, other in zip(*tracks, strict=True)]
        yield {
            "case": "agreement",
            "preset": name,
            "frames": frames,
            "lowest_iou": round(min(ious), 5),
            "mean_iou": round(sum(ious) / len(ious), 5),
        }


def recompilation_lines(contest: Contest, *, small: bool) -> Iterator[dict[str, Any]]:
    """Graphs compiled and recorded by the warm-up, and then while objects come and go: none is the aim."""
    from torch._dynamo.utils import counters

    network = contest.ours("compiled")
    layout = fixed_layout(network.config)
    most = 2 if small else 16

    def made() -> tuple[int, int]:
        return counters["stats"]["unique_graphs"], recordings_of(network)

    before = made()
    started_s = time.perf_counter()
    warm_up(network, layout, EDITOR, objects=most)
    warm_s, warm = time.perf_counter() - started_s, made()
    tracker = tracker_on(network, ScrollingClip(), objects=most, form="compiled")
    slowest_s = 0.0
    for frame in range(1, 30):
        count = 1 + frame * 7 % most
        started_s = time.perf_counter()
        tracker.track(frame, range(count), backward=False)
        slowest_s = max(slowest_s, time.perf_counter() - started_s)
    after = made()
    yield {
        "case": "recompilations",
        "preset": contest.preset,
        "warm_up_s": round(warm_s, 1),
        "compiled_by_warm_up": warm[0] - before[0],
        "recorded_by_warm_up": warm[1] - before[1],
        "compiled_after": after[0] - warm[0],
        "recorded_after": after[1] - warm[1],
        "slowest_frame_after_s": round(slowest_s, 4),
    }


def _official_click(predictor: Any, state: Any) -> None:
    points, labels = np.array([[30.0, 40.0]], np.float32), np.array([1], np.int32)
    predictor.add_new_points_or_box(state, 0, 0, points=points, labels=labels)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    union = int((one | other).sum())
    return 1.0 if union == 0 else int((one & other).sum()) / union
