from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fakes import annotated_sets as sets
from fakes.shift_tracker import ShiftTracker
from masklet.errors import BadInputError
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.protocols import ClipOutcome, ProtocolName, run_protocol
from masklet_server.tracking import FrameSource, ResultReader


class Studio:
    """Runs protocols on a clip and keeps the trackers that were made."""

    def __init__(self, clip: AnnotatedClip, *, drift: int = 0, needed_clicks: int = 1) -> None:
        self.clip = clip
        self.trackers: list[ShiftTracker] = []
        self._drift = drift
        self._needed_clicks = needed_clicks

    def run(self, protocol: ProtocolName, *, images: int | None = None, refined: bool = False) -> ClipOutcome:
        return run_protocol(protocol, self.clip, self._make, images=images, refined=refined)[0]

    def _make(self, source: FrameSource, results: ResultReader) -> ShiftTracker:
        tracker = ShiftTracker(
            source, results, truth=sets.square, drift=self._drift, needed_clicks=self._needed_clicks
        )
        self.trackers.append(tracker)
        return tracker


Open = Callable[[Callable[[Path], Path]], AnnotatedClip]


@pytest.fixture
def open_first(tmp_path: Path) -> Open:
    return lambda write: open_dataset(write(tmp_path))[0]


def test_a_mask_is_prompted_as_it_is_and_the_rest_is_tracked_in_order(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_plain))

    outcome = studio.run(ProtocolName.MASK)

    tracker = studio.trackers[0]
    prompt = tracker.prompts[1, 0].mask
    assert prompt is not None
    assert np.array_equal(prompt.as_array() > 127, sets.square(1, 0))
    assert tracker.calls == [("prompt", 0), *(("track", frame) for frame in range(1, 6))]
    assert outcome.objects[0].j > 0.85
    assert (outcome.frames, outcome.clicks) == (5, 0)


def test_the_first_and_the_last_frame_do_not_count(open_first: Open) -> None:
    outcome = Studio(open_first(sets.write_plain)).run(ProtocolName.MASK)

    assert sorted(outcome.objects[0].frames) == [1, 2, 3, 4]


def test_a_box_is_prompted_around_the_object(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_plain))

    studio.run(ProtocolName.BOX)

    box = studio.trackers[0].prompts[1, 0].box
    assert box is not None
    assert (box.left_px, box.top_px, box.right_px, box.bottom_px) == (10, 8, 26, 28)


@pytest.mark.parametrize(
    ("protocol", "clicks"),
    [(ProtocolName.CLICK, 1), (ProtocolName.THREE_CLICKS, 3), (ProtocolName.FIVE_CLICKS, 5)],
)
def test_clicks_are_given_one_after_the_other(open_first: Open, protocol: ProtocolName, clicks: int) -> None:
    studio = Studio(open_first(sets.write_plain), needed_clicks=9)

    outcome = studio.run(protocol)

    assert outcome.clicks == clicks
    assert [call for call in studio.trackers[0].calls if call[0] == "prompt"] == [("prompt", 0)] * clicks
    assert len(studio.trackers[0].prompts[1, 0].clicks) == clicks


def test_an_object_that_comes_in_late_is_prompted_there_and_judged_from_there(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_youtube_vos))

    outcome = studio.run(ProtocolName.MASK)

    assert set(studio.trackers[0].prompts) == {(1, 0), (2, 4)}
    assert {one.object_id: sorted(one.frames) for one in outcome.objects} == {1: [2, 4, 6], 2: [6]}


def test_offline_clicks_where_it_is_worst_and_gets_better_each_round(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_plain), drift=2)

    outcome = studio.run(ProtocolName.OFFLINE)

    prompted = [frame for kind, frame in studio.trackers[0].calls if kind == "prompt"]
    assert prompted[0] == 0
    assert 5 in prompted
    assert len(outcome.rounds) > 2
    assert outcome.rounds[-1] > outcome.rounds[0] + 20
    assert outcome.annotation_s is not None
    passes, interacted = len(outcome.rounds), len(set(prompted))
    expected_s = passes * 30 * 6 / 300 + interacted * 1 + outcome.clicks * 1.5
    assert outcome.annotation_s == pytest.approx(expected_s)


def test_offline_touches_eight_frames_at_most(tmp_path: Path) -> None:
    clip = open_dataset(sets.write_plain(tmp_path, frames=14))[0]
    studio = Studio(clip, drift=3)

    outcome = studio.run(ProtocolName.OFFLINE)

    prompted = {frame for kind, frame in studio.trackers[0].calls if kind == "prompt"}
    assert len(prompted) == len(outcome.rounds) == 8


def test_online_pauses_only_where_the_overlap_is_low(open_first: Open) -> None:
    clip = open_first(sets.write_plain)
    careful, careless = Studio(clip), Studio(clip, drift=2)

    fine = careful.run(ProtocolName.ONLINE)
    corrected = careless.run(ProtocolName.ONLINE)

    assert {frame for kind, frame in careful.trackers[0].calls if kind == "prompt"} == {0}
    assert len({frame for kind, frame in careless.trackers[0].calls if kind == "prompt"}) > 1
    assert [frame for kind, frame in careless.trackers[0].calls if kind == "track"] == [1, 2, 3, 4, 5]
    assert fine.annotation_s is not None
    assert corrected.annotation_s is not None
    assert corrected.annotation_s > fine.annotation_s
    assert corrected.rounds == ()


def test_interactive_work_takes_one_object_at_a_time(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_davis_2017))

    outcome = studio.run(ProtocolName.ONLINE)

    assert [{one for one, _ in tracker.prompts} for tracker in studio.trackers] == [{1}, {2}]
    assert [one.object_id for one in outcome.objects] == [1, 2]


def test_images_are_judged_after_one_and_after_five_clicks(open_first: Open) -> None:
    studio = Studio(open_first(sets.write_plain), needed_clicks=3)

    outcome = studio.run(ProtocolName.IMAGE, images=3)

    assert {frame for tracker in studio.trackers for _, frame in tracker.prompts} == {0, 2, 5}
    assert outcome.iou_after_clicks[1] < 70
    assert outcome.iou_after_clicks[5] > 85
    assert sorted(outcome.objects[0].frames) == [0, 2, 5]


def test_objects_that_exclude_each_other_share_no_pixel(open_first: Open) -> None:
    clip = open_first(sets.write_davis_2017)
    both = sets.square(1, 2) | sets.square(2, 2)

    def make(source: FrameSource, results: ResultReader) -> ShiftTracker:
        return ShiftTracker(source, results, truth=lambda object_id, frame: both)

    _, masks = run_protocol(ProtocolName.MASK, clip, make)

    first, second = masks(1, 2), masks(2, 2)
    assert (first | second).sum() > 0.8 * both.sum()
    assert not (first & second).any()


def test_a_clip_with_a_single_annotation_cannot_be_judged(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    for path in sorted((root / "walk" / "masks").iterdir())[1:]:
        path.unlink()

    with pytest.raises(BadInputError, match="nothing to judge"):
        Studio(open_dataset(root)[0]).run(ProtocolName.MASK)


@pytest.mark.parametrize("protocol", [ProtocolName.CLICK, ProtocolName.ONLINE])
def test_refined_mattes_are_judged_with_the_edges_of_the_picture(
    open_first: Open, protocol: ProtocolName
) -> None:
    studio = Studio(open_first(sets.write_plain), drift=1)

    coarse, refined = studio.run(protocol), studio.run(protocol, refined=True)

    # The masks drift from frame to frame, so calming, which asks later ones too, costs a part of it.
    assert refined.objects[0].frames[1].j > coarse.objects[0].frames[1].j


def test_objects_that_exclude_each_other_do_so_with_refined_edges_too(open_first: Open) -> None:
    clip = open_first(sets.write_davis_2017)
    tracker = partial(ShiftTracker, truth=lambda _, frame: sets.square(1, frame))

    _, masks = run_protocol(ProtocolName.MASK, clip, tracker, refined=True)

    assert masks(1, 2).any()
    assert not (masks(1, 2) & masks(2, 2)).any()
