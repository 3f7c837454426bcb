from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from masklet.types import FramePrompts, Presence
from masklet_server.evaluation.presence import (
    GeneratedClip,
    PresenceCounts,
    generate_clips,
    measure_presence,
)
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader, Tracker
from masklet_server.training.clips import ClipBatch

SIDE = 32
FRAMES = 12
GONE = range(4, 8)


def leaving() -> NDArray[np.bool_]:
    """``(T, 1, h, w)``: a square that is gone on frames 4 to 7 and a sliver on frame 8."""
    masks = np.zeros((FRAMES, 1, SIDE, SIDE), np.bool_)
    masks[:, 0, 8:24, 8:24] = True
    masks[GONE.start : GONE.stop] = False
    masks[8] = False
    masks[8, 0, 8:10, 8:12] = True
    return masks


class Believer:
    """Sees the object on the frames it is told to, exactly."""

    def __init__(self, seen: set[int]) -> None:
        self._seen = seen

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        return self._result(prompts.object_id, prompts.frame)

    def forget_prompts(self, object_id: int, frame: int) -> None:
        raise AssertionError("nothing asks for this")

    def track(self, frame: int, object_ids: Sequence[int], *, backward: bool) -> Sequence[ObjectFrame]:
        return [self._result(object_id, frame) for object_id in object_ids]

    def remove(self, object_id: int) -> None:
        raise AssertionError("nothing asks for this")

    def park(self) -> None:
        raise AssertionError("nothing asks for this")

    @property
    def memory_bytes(self) -> int:
        return 0

    def _result(self, object_id: int, frame: int) -> ObjectFrame:
        seen = frame in self._seen
        square = np.zeros((SIDE, SIDE), np.bool_)
        square[8:24, 8:24] = seen
        logits = np.where(square, 9, -9).astype(np.float16)
        verdict = Presence.PRESENT if seen else Presence.ABSENT
        return ObjectFrame(object_id, frame, logits, 3.0, 0.9, verdict, np.zeros(2, np.float16))


def measure(seen: set[int]) -> PresenceCounts:
    clip = GeneratedClip("leaving", np.zeros((FRAMES, SIDE, SIDE, 3), np.float32), leaving())

    def make(source: FrameSource, results: ResultReader) -> Tracker:
        return Believer(seen)

    return measure_presence(clip, make)


def test_one_who_knows_all_scores_fully() -> None:
    counts = measure(set(range(FRAMES)) - set(GONE))

    assert (counts.precision, counts.recall, counts.found_share) == (1.0, 1.0, 1.0)
    assert counts.mean_iou == pytest.approx(1.0)
    # Frame 0 is prompted, and the sliver on frame 8 is neither present nor absent.
    assert (counts.objects, counts.present, counts.absent, counts.returns) == (1, 6, 4, 1)


def test_one_who_always_sees_it_has_no_recall() -> None:
    counts = measure(set(range(FRAMES)))

    assert (counts.precision, counts.recall, counts.found_share) == (None, 0.0, 1.0)


def test_one_who_gives_up_is_precise_no_more_and_finds_nothing() -> None:
    counts = measure(set(range(4)))

    assert counts.recall == 1.0
    assert counts.precision == pytest.approx(4 / 7)
    assert counts.found_share == 0.0


def test_counts_add_up() -> None:
    once = measure(set(range(FRAMES)))

    twice = once + once

    assert (twice.objects, twice.absent, twice.iou_sum) == (2, 8, pytest.approx(2 * once.iou_sum))


class OneClip:
    """Composes the same clip each time; its second slot cannot be prompted."""

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        masks = torch.zeros(batch, frames, objects, side_px, side_px, dtype=torch.bool)
        masks[:, :, 0, 4:12, 4:12] = True
        masks[:, 2:, 2, 20:28, 20:28] = True
        masks[:, :, 1, 14:18] = True
        images = torch.linspace(0, 1, 3).view(1, 1, 3, 1, 1).expand(batch, frames, 3, side_px, side_px)
        valid = torch.tensor([[True, True, False]]).expand(batch, 3)
        return ClipBatch(images, masks, masks.to(torch.uint8) * 255, valid)

    def state(self) -> Tensor:
        return torch.zeros(1, dtype=torch.uint8)

    def restore(self, state: Tensor) -> None:
        raise AssertionError("nothing asks for this")


def test_generated_clips_hold_only_objects_that_can_be_prompted() -> None:
    clips = list(generate_clips(OneClip(), clips=2, frames=5, side_px=SIDE))

    assert len(clips) == 2
    assert clips[0].masks.shape == (5, 2, SIDE, SIDE)
    assert clips[0].read(3)[0, 0].tolist() == [0.0, 0.5, 1.0]
    assert (clips[0].info.width_px, clips[0].info.last_frame) == (SIDE, 4)
