from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fakes.replay import RerunRecorder
from fakes.tracking import TINY, Desk, DiscClip, TinyNetwork
from masklet.errors import BadInputError, ClipError, FrameMissingError, NotPromptedError
from masklet.types import Box, Click, FramePrompts, FrameRange, Mask, Presence
from masklet_server.engine import segmenter
from masklet_server.engine.accelerate import compile_network, fixed_layout, recordings_of, replay_network
from masklet_server.engine.handover import hand_over
from masklet_server.engine.presence import STEADY_CLICKS
from masklet_server.engine.profile import BENCHMARK, EDITOR, REFERENCE, Profile
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.model.network import build_network
from masklet_server.sessions.masks import result_of
from masklet_server.tracking import ObjectFrame

FIRST = 1001


def click(object_id: int, frame: int, *places: tuple[float, float, bool]) -> FramePrompts:
    return FramePrompts(object_id, frame, clicks=tuple(Click(x, y, positive) for x, y, positive in places))


def on_disc(object_id: int, frame: int) -> FramePrompts:
    return click(object_id, frame, (20.0 + 1.5 * (frame - FIRST), 27.0, True))


def assert_same(ours: Sequence[ObjectFrame], theirs: Sequence[ObjectFrame], *, atol: float = 5e-3) -> None:
    assert [(one.object_id, one.frame) for one in ours] == [(one.object_id, one.frame) for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=atol, rtol=2e-3)
        np.testing.assert_allclose(one.presence_logit, other.presence_logit, atol=atol)


def of(object_id: int, results: Sequence[ObjectFrame]) -> list[ObjectFrame]:
    return [result for result in results if result.object_id == object_id]


def differs(one: ObjectFrame, other: ObjectFrame) -> bool:
    return float(np.abs(one.logits.astype(np.float32) - other.logits.astype(np.float32)).max()) > 0.02


def test_a_click_gives_a_mask_on_its_frame(network: TinyNetwork) -> None:
    result = Desk(network).prompt(on_disc(7, FIRST))

    assert (result.object_id, result.frame, result.prompted) == (7, FIRST, True)
    assert result.logits.shape == (16, 16)
    assert result.logits.dtype == np.float16
    assert result.pointer.shape == (32,)
    assert 0 <= result.predicted_iou <= 1
    assert result.presence is not Presence.ABSENT


@pytest.mark.parametrize("profile", [EDITOR, REFERENCE, BENCHMARK], ids=lambda profile: profile.name)
def test_frames_are_tracked_both_ways_from_a_prompt_in_the_middle(
    network: TinyNetwork, profile: Profile
) -> None:
    desk = Desk(network, profile=profile)
    desk.prompt(on_disc(1, FIRST + 10))

    forward = desk.track(range(FIRST + 10, FIRST + 24), 1)
    backward = desk.track(range(FIRST + 9, FIRST - 1, -1), 1, backward=True)

    assert [result.frame for result in forward] == list(range(FIRST + 10, FIRST + 24))
    assert [result.frame for result in backward] == list(range(FIRST + 9, FIRST - 1, -1))
    assert [result.prompted for result in forward] == [True] + 13 * [False]
    assert all(np.isfinite(result.logits).all() for result in forward + backward)


def test_a_frame_is_the_same_whatever_was_tracked_before_it_on_the_other_side(network: TinyNetwork) -> None:
    desk, alone = Desk(network), Desk(network)
    for each in (desk, alone):
        each.prompt(on_disc(1, FIRST + 10))
    desk.track(range(FIRST + 11, FIRST + 24), 1)

    after = desk.track(range(FIRST + 9, FIRST + 4, -1), 1, backward=True)
    again = desk.track(range(FIRST + 11, FIRST + 24), 1)

    assert_same(after, alone.track(range(FIRST + 9, FIRST + 4, -1), 1, backward=True), atol=0)
    assert_same(again, alone.track(range(FIRST + 11, FIRST + 24), 1), atol=0)


def test_tracking_reads_the_neighbouring_prompts_and_no_others(network: TinyNetwork) -> None:
    desk, more = Desk(network), Desk(network)
    for each in (desk, more):
        each.prompt(on_disc(1, FIRST + 6))
        each.prompt(on_disc(1, FIRST + 12))
    more.prompt(click(1, FIRST, (80.0, 40.0, True)))
    more.prompt(click(1, FIRST + 20, (80.0, 40.0, True)))

    frames = range(FIRST + 7, FIRST + 12)
    assert_same(more.track(frames, 1), desk.track(frames, 1), atol=0)
    assert differs(more.track([FIRST + 13], 1)[0], desk.track([FIRST + 13], 1)[0])


def test_objects_in_one_batch_get_what_they_get_alone(network: TinyNetwork) -> None:
    given = {
        1: [on_disc(1, FIRST)],
        2: [click(2, FIRST + 3, (80.0, 40.0, True))],
        3: [FramePrompts(3, FIRST, box=Box(4.0, 4.0, 40.0, 50.0)), on_disc(3, FIRST + 5)],
    }
    desk = Desk(network)
    for prompts in given.values():
        for one in prompts:
            desk.prompt(one)

    together = desk.track(range(FIRST, FIRST + 12), 1, 2, 3)

    for object_id, prompts in given.items():
        alone = Desk(network)
        for one in prompts:
            alone.prompt(one)
        assert_same(of(object_id, together), alone.track(range(FIRST, FIRST + 12), object_id))


def test_fixed_shapes_change_no_result(network: TinyNetwork) -> None:
    exact, fixed = Desk(network), Desk(network)
    fixed.tracker = NetworkTracker(network, fixed.clip, fixed.results, layout=fixed_layout(network.config))
    for each in (exact, fixed):
        each.prompt(on_disc(1, FIRST))
        each.prompt(on_disc(1, FIRST + 6))
        each.prompt(click(2, FIRST + 2, (80.0, 40.0, True)))
        each.prompt(click(3, FIRST, (50.0, 10.0, True)))

    frames = range(FIRST, FIRST + 10)
    assert_same(fixed.track(frames, 1, 2, 3), exact.track(frames, 1, 2, 3))


# Tracing is the slowest thing here by far: four minutes at a load of fifteen on two cores.
@pytest.mark.timeout(900)
def test_a_compiled_network_gives_the_same_results(network: TinyNetwork) -> None:
    twin = TinyNetwork()
    twin.load_state_dict(network.state_dict())
    # The tracer decides whether the code can be compiled; a real back end would only cost time here.
    compile_network(twin, backend="eager")
    exact, compiled = Desk(network), Desk(twin)
    compiled.tracker = NetworkTracker(
        twin, compiled.clip, compiled.results, layout=fixed_layout(network.config)
    )
    for each in (exact, compiled):
        each.prompt(on_disc(1, FIRST))

    frames = range(FIRST, FIRST + 4)
    assert_same(compiled.track(frames, 1), exact.track(frames, 1))


def test_a_replayed_network_gives_the_same_results_while_objects_come_and_go(network: TinyNetwork) -> None:
    twin = TinyNetwork()
    twin.load_state_dict(network.state_dict())
    record = RerunRecorder()
    replay_network(twin, record)
    exact, replayed = Desk(network), Desk(twin)
    replayed.tracker = NetworkTracker(
        twin, replayed.clip, replayed.results, layout=fixed_layout(network.config)
    )
    for each in (exact, replayed):
        for object_id in range(1, 6):
            each.prompt(click(object_id, FIRST, (15.0 * object_id, 27.0, True)))

    for frames, object_ids in (
        (range(FIRST, FIRST + 20), (1, 2, 3, 4, 5)),
        (range(FIRST + 20, FIRST + 24), (1, 4, 5)),
    ):
        assert_same(replayed.track(frames, *object_ids), exact.track(frames, *object_ids))
    assert record.replayed > record.recorded > 0
    assert recordings_of(twin) == record.recorded


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_work_done_ahead_on_a_device_changes_no_result(network: TinyNetwork, backward: bool) -> None:
    clips = [DiscClip(width_px=64, height_px=64, missing_frames=(FIRST + 9,)) for _ in range(2)]
    plain, ahead = (Desk(network, clip) for clip in clips)
    ahead.tracker = NetworkTracker(network, ahead.clip, ahead.results, by_device=True)
    middle = FIRST + 12
    for each in (plain, ahead):
        each.prompt(on_disc(1, middle))
        each.prompt(click(2, middle, (50.0, 10.0, True)))

    last = middle - 10 if backward else middle + 10
    frames = [frame for frame in range(middle, last, -1 if backward else 1) if frame != FIRST + 9]
    encoded = network.encoded
    expected = plain.track(frames, 1, 2, backward=backward)
    needed = network.encoded - encoded

    assert_same(ahead.track(frames, 1, 2, backward=backward), expected)
    # At most the frame behind the last one is encoded for nothing.
    assert needed <= network.encoded - encoded - needed <= needed + 1


def test_objects_come_and_go_without_the_others_noticing(network: TinyNetwork) -> None:
    desk, alone = Desk(network), Desk(network)
    for each in (desk, alone):
        each.prompt(on_disc(1, FIRST))

    together = desk.track(range(FIRST, FIRST + 5), 1)
    desk.prompt(click(2, FIRST + 4, (70.0, 12.0, True)))
    together += of(1, desk.track(range(FIRST + 5, FIRST + 10), 1, 2))
    desk.tracker.remove(2)
    together += desk.track(range(FIRST + 10, FIRST + 15), 1)

    assert_same(together, alone.track(range(FIRST, FIRST + 15), 1))
    with pytest.raises(NotPromptedError):
        desk.tracker.track(FIRST + 15, [2], backward=False)


def test_an_object_without_prompts_is_refused_with_a_way_out(network: TinyNetwork) -> None:
    with pytest.raises(NotPromptedError, match="click on it"):
        Desk(network).tracker.track(FIRST, [1], backward=False)


def test_tracking_over_a_prompted_frame_keeps_what_the_prompts_gave(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    given = desk.prompt(on_disc(1, FIRST + 4))

    results = desk.track(range(FIRST, FIRST + 8), 1)

    assert results[4] is given


def test_a_frame_that_cannot_be_read_leaves_the_memory_as_it_was(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network, DiscClip(failing={FIRST + 4})), Desk(network)
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))
        each.track(range(FIRST, FIRST + 4), 1)

    with pytest.raises(ClipError, match="damaged"):
        desk.tracker.track(FIRST + 4, [1], backward=False)
    desk.clip.failing.clear()

    rest = range(FIRST + 4, FIRST + 9)
    assert_same(desk.track(rest, 1), untroubled.track(rest, 1), atol=0)


def test_a_prompt_on_an_unreadable_frame_adds_no_object(network: TinyNetwork) -> None:
    desk = Desk(network, DiscClip(failing={FIRST}))

    with pytest.raises(ClipError):
        desk.tracker.prompt(on_disc(1, FIRST))

    with pytest.raises(NotPromptedError):
        desk.tracker.track(FIRST + 1, [1], backward=False)


def test_tracking_goes_on_behind_a_missing_frame(network: TinyNetwork) -> None:
    desk = Desk(network, DiscClip(missing_frames=(FIRST + 3,)))
    desk.prompt(on_disc(1, FIRST))

    desk.track(range(FIRST, FIRST + 3), 1)
    with pytest.raises(FrameMissingError):
        desk.tracker.track(FIRST + 3, [1], backward=False)

    assert len(desk.track(range(FIRST + 4, FIRST + 8), 1)) == 4


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_memory_does_not_grow_with_the_clip(network: TinyNetwork, backward: bool) -> None:
    desk = Desk(network, DiscClip(length_frames=100))
    frames = list(range(FIRST, FIRST + 100))
    if backward:
        frames.reverse()
    desk.prompt(click(1, frames[0], (20.0, 27.0, True)))
    desk.prompt(click(2, frames[0], (80.0, 40.0, True)))

    sizes = []
    for frame in frames:
        desk.track([frame], 1, 2, backward=backward)
        sizes.append(desk.tracker.memory_bytes)

    assert max(sizes[30:]) <= max(sizes[20:30])


def test_a_parked_tracker_holds_nothing_and_goes_on_as_if_it_had(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network), Desk(network)
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))
        each.prompt(click(2, FIRST + 2, (80.0, 40.0, True)))
        each.track(range(FIRST, FIRST + 12), 1, 2)

    desk.tracker.park()

    assert desk.tracker.memory_bytes == 0
    rest = range(FIRST + 12, FIRST + 20)
    assert_same(desk.track(rest, 1, 2), untroubled.track(rest, 1, 2))


@pytest.mark.parametrize("profile", [EDITOR, REFERENCE], ids=lambda profile: profile.name)
def test_a_new_tracker_that_is_told_what_was_said_goes_on_as_the_one_before(
    network: TinyNetwork, profile: Profile
) -> None:
    desk, untroubled = Desk(network, profile=profile), Desk(network, profile=profile)
    alpha = np.zeros((54, 96), np.uint8)
    alpha[10:30, 60:90] = 255
    drawn = FramePrompts(2, FIRST + 2, mask=Mask.from_array(alpha))
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))
        each.prompt(drawn)
        each.track(range(FIRST, FIRST + 6), 1, 2)
        each.prompt(click(1, FIRST + 4, (20.0, 27.0, True), (30.0, 30.0, False)))
    encoded = network.encoded

    desk.tracker = NetworkTracker(network, desk.clip, desk.results, profile=profile)
    for key, prompts in desk.said.items():
        desk.tracker.restore(prompts, desk.results.held[key])

    if profile is EDITOR:
        # What is known costs the network nothing.
        assert network.encoded == encoded
        rest = range(FIRST + 5, FIRST + 14)
        assert_same(desk.track(rest, 1, 2), untroubled.track(rest, 1, 2), atol=0)
        more = click(1, FIRST + 4, (20.0, 27.0, True), (30.0, 30.0, False), (22.0, 24.0, True))
        assert_same([desk.prompt(more)], [untroubled.prompt(more)], atol=0)
    else:
        # An official tracker remembers what no result tells: it is prompted anew, and tracks.
        assert network.encoded > encoded
        assert len(desk.track(range(FIRST + 5, FIRST + 8), 1, 2)) == 6


def test_a_tracker_that_is_dropped_is_gone_without_the_cyclic_collector(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 4), 1)
    gc.collect()
    gc.disable()
    try:
        tracker, results = weakref.ref(desk.tracker), weakref.ref(desk.results)
        desk.tracker.park()
        del desk

        assert (tracker(), results()) == (None, None)
    finally:
        gc.enable()


def test_prompts_given_before_parking_still_count(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network), Desk(network)
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))

    desk.tracker.park()

    assert_same(desk.track(range(FIRST, FIRST + 4), 1), untroubled.track(range(FIRST, FIRST + 4), 1), atol=0)


def test_clicks_one_by_one_give_what_they_give_at_once(network: TinyNetwork) -> None:
    first, second, third = (20.0, 27.0, True), (30.0, 30.0, False), (22.0, 22.0, True)
    one_by_one, at_once = Desk(network), Desk(network)

    one_by_one.prompt(click(1, FIRST, first))
    one_by_one.prompt(click(1, FIRST, first, second))
    late = one_by_one.prompt(click(1, FIRST, first, second, third))

    assert_same([late], [at_once.prompt(click(1, FIRST, first, second, third))], atol=0)


def test_a_preview_gives_what_the_click_would_and_changes_nothing(network: TinyNetwork) -> None:
    looked, untouched = Desk(network), Desk(network)
    first, second = (20.0, 27.0, True), (30.0, 30.0, False)
    for each in (looked, untouched):
        each.prompt(click(1, FIRST, first))

    ahead = [looked.tracker.preview(click(1, FIRST, first, second)) for _ in range(2)]
    looked.tracker.preview(click(0, FIRST + 3, first))
    looked.tracker.preview(click(1, FIRST + 3, first))

    assert_same(looked.track(range(FIRST, FIRST + 4), 1), untouched.track(range(FIRST, FIRST + 4), 1), atol=0)
    said = untouched.prompt(click(1, FIRST, first, second))
    assert differs(said, untouched.prompt(click(1, FIRST, first)))
    assert_same(ahead, [said, said], atol=0)


def test_taking_a_click_back_gives_what_was_there_before(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 9), 1)
    once = desk.prompt(click(1, FIRST + 6, (30.0, 30.0, True)))
    twice = desk.prompt(click(1, FIRST + 6, (30.0, 30.0, True), (50.0, 10.0, False)))

    again = desk.prompt(click(1, FIRST + 6, (30.0, 30.0, True)))

    assert differs(once, twice)
    assert_same([again], [once], atol=0)


def test_a_correction_starts_from_what_tracking_gave(network: TinyNetwork) -> None:
    tracked, fresh = Desk(network), Desk(network)
    for each in (tracked, fresh):
        each.prompt(on_disc(1, FIRST))
    tracked.track(range(FIRST, FIRST + 9), 1)

    corrected = tracked.prompt(click(1, FIRST + 6, (30.0, 30.0, True)))

    assert differs(corrected, fresh.prompt(click(1, FIRST + 6, (30.0, 30.0, True))))


def test_a_box_on_a_tracked_frame_starts_anew(network: TinyNetwork) -> None:
    tracked, fresh = Desk(network), Desk(network)
    for each in (tracked, fresh):
        each.prompt(on_disc(1, FIRST))
    tracked.track(range(FIRST, FIRST + 5), 1)
    box = FramePrompts(1, FIRST + 4, box=Box(10.0, 10.0, 40.0, 44.0))

    assert_same([tracked.prompt(box)], [fresh.prompt(box)], atol=0)


def test_a_click_where_tracking_found_nothing_starts_anew(network: TinyNetwork) -> None:
    tracked = Desk(network)
    tracked.prompt(on_disc(1, FIRST))
    lost = tracked.track(range(FIRST, FIRST + 5), 1)[4]
    nothing = replace(lost, logits=np.full_like(lost.logits, -1024.0))
    tracked.results.held[1, FIRST + 4] = nothing

    again = tracked.prompt(on_disc(1, FIRST + 4))

    assert_same([again], [Desk(network).prompt(on_disc(1, FIRST + 4))], atol=0)


def test_only_what_corrects_no_mask_is_cleaned_by_shares_and_judged_by_its_steadiness(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noting(*given: Any, **words: Any) -> Any:
        asked.append((words["share"], words["least_steadiness"]))
        return hand_over(*given, **words)

    desk = Desk(network)
    with monkeypatch.context() as listening:
        listening.setitem(STEADY_CLICKS, TINY.name, 0.5)
        listening.setattr(segmenter, "hand_over", noting)
        desk.prompt(click(1, FIRST, (20.0, 27.0, True), (60.0, 10.0, False)))
        assert asked == [(EDITOR.first_share, 0.5), (EDITOR.first_share, 0.0)]
    desk.track(range(FIRST + 1, FIRST + 4), 1)
    with monkeypatch.context() as listening:
        listening.setitem(STEADY_CLICKS, TINY.name, 0.5)
        listening.setattr(segmenter, "hand_over", noting)
        desk.prompt(click(1, FIRST + 3, (30.0, 30.0, True)))

    assert asked[2:] == [(0.0, 0.0)]


def test_a_click_on_a_frame_that_was_not_tracked_corrects_what_other_prompts_make_of_it(
    network: TinyNetwork,
) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    seen = desk.tracker.look(1, FIRST + 4)

    clicked = desk.prompt(click(1, FIRST + 4, (30.0, 30.0, True)))

    base = desk.said[1, FIRST + 4].base
    assert base is not None
    assert np.array_equal(result_of(base, 1, FIRST + 4).logits > 0, seen.logits > 0)
    assert differs(clicked, Desk(network).prompt(click(1, FIRST + 4, (30.0, 30.0, True))))


def test_a_correction_depends_on_picture_base_and_prompts_alone(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 20), 1)
    corrected = desk.prompt(click(1, FIRST + 10, (40.0, 30.0, True), (60.0, 10.0, False)))
    fresh = Desk(network)

    replayed = fresh.tracker.prompt(desk.said[1, FIRST + 10])

    assert_same([replayed], [corrected], atol=0)


def test_a_leg_reads_nothing_of_what_was_tracked_before_its_prompt(network: TinyNetwork) -> None:
    desk, fresh = Desk(network), Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 20), 1)
    desk.prompt(click(1, FIRST + 10, (40.0, 30.0, True)))
    for said in desk.said.values():
        fresh.prompt(said)

    frames = range(FIRST + 11, FIRST + 20)
    assert_same(desk.track(frames, 1), fresh.track(frames, 1), atol=0)


def test_what_lies_before_a_cut_is_no_memory_behind_it(network: TinyNetwork) -> None:
    desk, short = Desk(network), Desk(network)
    for each in (desk, short):
        each.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST + 1, FIRST + 6), 1)

    (behind,) = desk.tracker.track(FIRST + 6, [1], backward=False, since=FIRST + 6)

    assert_same([behind], short.track([FIRST + 6], 1), atol=0)
    assert differs(behind, desk.track([FIRST + 6], 1)[0])


def test_a_correction_changes_what_is_tracked_after_it(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    before = desk.track(range(FIRST, FIRST + 12), 1)

    desk.prompt(click(1, FIRST + 6, (80.0, 10.0, True), (30.0, 27.0, False)))
    after = desk.track(range(FIRST + 7, FIRST + 12), 1)

    assert all(differs(one, other) for one, other in zip(before[7:], after, strict=True))


def test_in_the_reference_profile_a_correction_is_lost_as_in_the_official_code(network: TinyNetwork) -> None:
    exact = replace(REFERENCE, memory_type="float32", keep_logits=True, slack_frames=24)
    desk = Desk(network, profile=exact)
    desk.prompt(on_disc(1, FIRST))
    before = desk.track(range(FIRST, FIRST + 12), 1)

    desk.prompt(click(1, FIRST + 6, (80.0, 10.0, True), (30.0, 27.0, False)))
    after = desk.track(range(FIRST + 6, FIRST + 12), 1)

    assert_same(after, before[6:])


def test_a_click_that_only_takes_away_needs_no_tracked_frame(network: TinyNetwork) -> None:
    desk, tracked = Desk(network), Desk(network)
    for each in (desk, tracked):
        each.prompt(on_disc(1, FIRST))
    tracked.track([FIRST, FIRST + 1], 1)

    result = desk.prompt(click(1, FIRST + 1, (80.0, 10.0, False)))

    assert_same([result], [tracked.prompt(click(1, FIRST + 1, (80.0, 10.0, False)))], atol=0.05)


def test_forgotten_prompts_leave_no_trace(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network), Desk(network)
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))
    desk.prompt(click(1, FIRST + 3, (80.0, 10.0, True)))

    desk.tracker.forget_prompts(1, FIRST + 3)

    assert_same(desk.track(range(FIRST, FIRST + 8), 1), untroubled.track(range(FIRST, FIRST + 8), 1), atol=0)


def test_what_was_tracked_from_forgotten_prompts_is_forgotten_too(network: TinyNetwork) -> None:
    desk, fresh = Desk(network), Desk(network)
    desk.prompt(click(1, FIRST, (80.0, 10.0, True)))
    desk.track(range(FIRST, FIRST + 6), 1)
    desk.tracker.forget_prompts(1, FIRST)
    del desk.results.held[1, FIRST], desk.said[1, FIRST]

    for each in (desk, fresh):
        each.prompt(on_disc(1, FIRST + 8))

    assert_same(
        desk.track(range(FIRST + 9, FIRST + 12), 1), fresh.track(range(FIRST + 9, FIRST + 12), 1), atol=0
    )


def test_officially_what_was_tracked_from_other_prompts_is_kept(network: TinyNetwork) -> None:
    desk = Desk(network, profile=REFERENCE)
    desk.prompt(on_disc(1, FIRST))
    desk.prompt(on_disc(1, FIRST + 10))
    desk.track(range(FIRST, FIRST + 15), 1)

    desk.tracker.forget_prompts(1, FIRST + 10)

    assert desk.tracker.memory(1, FIRST + 5) is not None
    assert [desk.tracker.memory(1, FIRST + index) for index in (6, 10, 14)] == [None, None, None]


@pytest.mark.parametrize("profile", [EDITOR, REFERENCE], ids=lambda profile: profile.name)
def test_a_new_tracker_goes_on_from_prompts_and_stored_results(
    network: TinyNetwork, profile: Profile
) -> None:
    desk = Desk(network, profile=profile)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 20), 1)
    successor, beginner = Desk(network, profile=profile), Desk(network, profile=profile)
    successor.results.held.update(desk.results.held)
    for each in (successor, beginner):
        each.prompt(on_disc(1, FIRST))

    [wanted], [ours], [without] = (each.track([FIRST + 20], 1) for each in (desk, successor, beginner))

    assert distance(ours, wanted) < 0.2 * distance(without, wanted)


def distance(one: ObjectFrame, other: ObjectFrame) -> float:
    return float(np.abs(one.logits.astype(np.float32) - other.logits.astype(np.float32)).mean())


def test_many_prompted_frames_do_not_keep_as_many_maps(network: TinyNetwork) -> None:
    desk = Desk(network, DiscClip(length_frames=120))
    sizes = []
    for start in range(FIRST, FIRST + 120, 3):
        desk.prompt(click(1, start, (40.0, 27.0, True)))
        desk.track(range(start, start + 3), 1)
        sizes.append(desk.tracker.memory_bytes)

    assert max(sizes[20:]) <= 1.02 * max(sizes[10:20])


def test_forgetting_the_only_prompt_stops_tracking(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 4), 1)

    desk.tracker.forget_prompts(1, FIRST)

    with pytest.raises(NotPromptedError):
        desk.tracker.track(FIRST + 4, [1], backward=False)


def test_new_prompts_on_a_frame_replace_the_old_ones(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network), Desk(network)
    desk.prompt(click(1, FIRST, (80.0, 10.0, True)))
    for each in (desk, untroubled):
        each.prompt(on_disc(1, FIRST))

    assert_same(desk.track(range(FIRST, FIRST + 5), 1), untroubled.track(range(FIRST, FIRST + 5), 1), atol=0)


def test_a_drawn_mask_is_the_result_on_its_frame(network: TinyNetwork) -> None:
    alpha = np.zeros((54, 96), np.uint8)
    alpha[10:40, 24:72] = 255

    result = Desk(network).prompt(FramePrompts(1, FIRST, mask=Mask.from_array(alpha)))

    rows, columns = np.nonzero(result.logits > 0)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 11, 4, 11)
    assert result.presence is Presence.PRESENT
    assert result.predicted_iou == 1.0


def test_an_empty_drawn_mask_says_that_the_object_is_absent(network: TinyNetwork) -> None:
    empty = Mask.from_array(np.zeros((54, 96), np.uint8))

    result = Desk(network).prompt(FramePrompts(1, FIRST, mask=empty))

    assert result.presence is Presence.ABSENT


def test_clicks_replace_a_drawn_mask_without_a_trace(network: TinyNetwork) -> None:
    desk, untroubled = Desk(network), Desk(network)
    desk.prompt(FramePrompts(1, FIRST, mask=Mask.from_array(np.full((54, 96), 255, np.uint8))))

    assert_same([desk.prompt(on_disc(1, FIRST))], [untroubled.prompt(on_disc(1, FIRST))], atol=0)


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (FramePrompts(1, FIRST), "has no prompt"),
        (click(1, FIRST, (96.5, 10.0, True)), "outside the picture of 96 x 54"),
        (click(1, FIRST, (10.0, -0.5, True)), "outside the picture of 96 x 54"),
        (FramePrompts(1, FIRST, box=Box(100.0, 0.0, 120.0, 20.0)), "the box lies outside"),
    ],
    ids=["empty", "right of it", "above it", "box"],
)
def test_prompts_that_make_no_sense_are_refused(
    network: TinyNetwork, prompts: FramePrompts, message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        Desk(network).tracker.prompt(prompts)


def test_further_clicks_on_a_frame_do_not_encode_it_again(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    encoded = network.encoded

    desk.prompt(click(1, FIRST, (20.0, 27.0, True), (40.0, 20.0, False)))
    desk.prompt(click(2, FIRST, (80.0, 20.0, True)))

    assert network.encoded == encoded


def test_a_correction_far_from_the_heads_encodes_its_own_frame_alone(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))
    desk.track(range(FIRST, FIRST + 24), 1)
    encoded = network.encoded

    desk.prompt(click(1, FIRST + 9, (30.0, 30.0, True)))

    assert network.encoded == encoded + 1


def test_pictures_are_read_by_one_thread_at_a_time_and_once_each(network: TinyNetwork) -> None:
    desk = Desk(network)
    desk.prompt(on_disc(1, FIRST))

    desk.track(range(FIRST, FIRST + 10), 1)
    desk.tracker.park()

    assert desk.clip.most_inside == 1
    assert sorted(set(desk.clip.reads)) == sorted(desk.clip.reads)


def test_a_network_in_training_mode_is_refused() -> None:
    desk = Desk(TinyNetwork())

    with pytest.raises(ValueError, match="evaluation mode"):
        NetworkTracker(build_network(TINY), desk.clip, desk.results)


def test_memory_is_made_anew_of_a_result_that_was_replaced(network: TinyNetwork) -> None:
    desk, fresh = Desk(network), Desk(network)
    for each in (desk, fresh):
        each.prompt(on_disc(1, FIRST))
        each.track(range(FIRST + 1, FIRST + 6), 1)
    other = replace(
        desk.results.held[1, FIRST + 5], logits=desk.results.held[1, FIRST + 1].logits[::-1].copy()
    )
    for each in (desk, fresh):
        each.results.held[1, FIRST + 5] = other
    fresh.tracker.park()

    desk.tracker.forget_tracked(1, FrameRange(FIRST + 5, FIRST + 5))
    desk.tracker.forget_tracked(99, FrameRange(FIRST, FIRST))

    assert_same(desk.track([FIRST + 6], 1), fresh.track([FIRST + 6], 1))


def test_clicks_that_are_drafted_one_by_one_give_the_same_as_all_at_once(network: TinyNetwork) -> None:
    places = [
        (40.0, 40.0, True),
        (30.0, 30.0, True),
        (80.0, 40.0, False),
        (44.0, 36.0, True),
        (8.0, 8.0, False),
    ]
    prompts = click(1, FIRST, *places)
    desk, at_once = Desk(network), Desk(network)
    decodes = 0
    decode = network.decode

    def counting(*given: object, **named: object) -> object:
        nonlocal decodes
        decodes += 1
        return decode(*given, **named)  # type: ignore[arg-type]

    object.__setattr__(network, "decode", counting)
    try:
        drafts = 0
        while desk.tracker.draft(prompts):
            drafts += 1
            assert decodes == drafts
        assert decodes == len(places) - 1
        drafted = desk.prompt(prompts)
        assert decodes == len(places)
    finally:
        object.__delattr__(network, "decode")

    assert_same([drafted], [at_once.prompt(prompts)], atol=0)
    assert_same(
        desk.track(range(FIRST + 1, FIRST + 4), 1), at_once.track(range(FIRST + 1, FIRST + 4), 1), atol=0
    )


def test_a_draft_that_others_came_between_is_used_only_where_it_fits(network: TinyNetwork) -> None:
    prompts = click(1, FIRST, (40.0, 40.0, True), (30.0, 30.0, True), (80.0, 40.0, False))
    other = click(1, FIRST, (80.0, 40.0, True), (44.0, 36.0, True))
    desk, alone = Desk(network), Desk(network)
    desk.tracker.draft(prompts)
    desk.tracker.draft(other)

    assert_same([desk.prompt(prompts)], [alone.prompt(prompts)], atol=0)
