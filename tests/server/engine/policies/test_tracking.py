from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from fakes.tracking import Desk, DiscClip, TinyNetwork
from masklet.errors import BadInputError
from masklet.types import Click, FramePrompts, Presence
from masklet_server.engine.policies import policy as policies
from masklet_server.engine.policies.policy import DISTRACTOR, GUARDED, MOTION, Policy
from masklet_server.engine.profile import REFERENCE
from masklet_server.tracking import ObjectFrame

FIRST = 1001
# Random weights are never sure: with the shipped numbers nothing would be an anchor.
EASY = {
    "distractor": replace(DISTRACTOR, least_quality=0.0, anchor_quality=0.0),
    "guarded": replace(GUARDED, least_quality=0.0, anchor_quality=0.0),
    "motion": replace(MOTION, least_quality=0.0, motion_weight=0.9),
}


@pytest.fixture(params=list(EASY))
def easy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Policy:
    policy = EASY[request.param]
    monkeypatch.setattr(policies, "POLICIES", {**policies.POLICIES, policy.name: policy})
    monkeypatch.setattr("masklet_server.engine.policies.legs.RIVAL_FROM", 0.0)
    monkeypatch.setattr("masklet_server.engine.policies.legs._STABLE_FRAMES", 2)
    monkeypatch.setattr("masklet_server.engine.policies.legs._TRUSTED_QUALITY", 0.0)
    monkeypatch.setattr("masklet_server.engine.policies.legs._PATH_FRAMES", 1)
    return policy


@pytest.fixture(scope="session")
def network() -> TinyNetwork:
    return TinyNetwork()


def click(object_id: int, frame: int) -> FramePrompts:
    return FramePrompts(object_id, frame, clicks=(Click(20.0 + 1.5 * (frame - FIRST), 27.0, True),))


def desk_with(network: TinyNetwork, policy: str, *frames: int, ids: Sequence[int] = (1,)) -> Desk:
    desk = Desk(network, DiscClip(length_frames=40))
    for object_id in ids:
        desk.tracker.set_policy(object_id, policy)
        for frame in frames:
            desk.prompt(click(object_id, frame))
    return desk


def same(ours: Sequence[ObjectFrame], theirs: Sequence[ObjectFrame]) -> bool:
    return all(
        one.frame == other.frame and np.array_equal(one.logits, other.logits) and one.rival == other.rival
        for one, other in zip(ours, theirs, strict=True)
    )


def test_a_policy_changes_what_is_read(network: TinyNetwork, easy: Policy) -> None:
    plain, other = (desk_with(network, name, FIRST) for name in ("editor", easy.name))

    frames = range(FIRST + 1, FIRST + 40)
    assert not same(plain.track(frames, 1), other.track(frames, 1))


def test_a_frame_is_the_same_however_often_it_was_tracked_and_after_parking(
    network: TinyNetwork, easy: Policy
) -> None:
    frames = range(FIRST + 1, FIRST + 40)
    desk = desk_with(network, easy.name, FIRST)
    once = desk.track(frames, 1)

    again = desk.track(range(FIRST + 12, FIRST + 40), 1)
    assert same(again, once[11:])

    desk.tracker.park()
    assert same(desk.track(range(FIRST + 20, FIRST + 40), 1), once[19:])

    stopped = desk_with(network, easy.name, FIRST)
    for frame in frames:
        stopped.track([frame], 1)
        if frame % 7 == 0:
            stopped.tracker.park()
    assert same([stopped.results.held[1, frame] for frame in frames], once)


def test_a_frame_behind_a_prompt_reads_nothing_of_what_lies_before_it(
    network: TinyNetwork, easy: Policy
) -> None:
    desk, fresh = (desk_with(network, easy.name, FIRST, FIRST + 20) for _ in range(2))
    desk.track(range(FIRST + 1, FIRST + 10), 1)
    behind = desk.track(range(FIRST + 21, FIRST + 40), 1)

    assert same(behind, fresh.track(range(FIRST + 21, FIRST + 40), 1))


def test_backward_is_as_good_as_forward(network: TinyNetwork, easy: Policy) -> None:
    desk, again = (desk_with(network, easy.name, FIRST + 39) for _ in range(2))
    once = desk.track(range(FIRST + 38, FIRST - 1, -1), 1, backward=True)
    again.track(range(FIRST + 38, FIRST + 20, -1), 1, backward=True)
    again.tracker.park()

    assert same(again.track(range(FIRST + 20, FIRST - 1, -1), 1, backward=True), once[18:])


def test_objects_of_different_policies_share_a_frame(network: TinyNetwork, easy: Policy) -> None:
    frames = range(FIRST + 1, FIRST + 30)
    desk = Desk(network, DiscClip(length_frames=40))
    for object_id, name in ((1, "editor"), (2, easy.name)):
        desk.tracker.set_policy(object_id, name)
        desk.prompt(click(object_id, FIRST))
    together = desk.track(frames, 1, 2)

    for object_id, name in ((1, "editor"), (2, easy.name)):
        alone = desk_with(network, name, FIRST, ids=(object_id,)).track(frames, object_id)
        mine = [result for result in together if result.object_id == object_id]
        for one, other in zip(mine, alone, strict=True):
            np.testing.assert_allclose(one.logits, other.logits, atol=5e-3, rtol=2e-3)


def test_the_editor_policy_is_what_there_is_without_any(network: TinyNetwork) -> None:
    plain = Desk(network, DiscClip(length_frames=40))
    plain.prompt(click(1, FIRST))
    frames = range(FIRST + 1, FIRST + 20)

    assert same(desk_with(network, "editor", FIRST).track(frames, 1), plain.track(frames, 1))


def test_what_is_remembered_does_not_grow_with_the_clip(network: TinyNetwork, easy: Policy) -> None:
    desk = Desk(network, DiscClip(length_frames=90))
    desk.tracker.set_policy(1, easy.name)
    desk.prompt(click(1, FIRST))
    desk.track(range(FIRST + 1, FIRST + 45), 1)
    held = desk.tracker.memory_bytes
    desk.track(range(FIRST + 45, FIRST + 90), 1)

    assert desk.tracker.memory_bytes <= 1.05 * held


def test_official_profiles_take_no_policy(network: TinyNetwork) -> None:
    with pytest.raises(BadInputError, match="use the profile editor"):
        Desk(network, profile=REFERENCE).tracker.set_policy(1, "motion")


@pytest.mark.parametrize("name", ["gated", "distractor", "motion", "guarded", "paths", "rivals"])
def test_nothing_is_written_and_nothing_read_of_frames_that_do_not_show_the_object(
    network: TinyNetwork, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_with(network, name, FIRST)
    desk.track(range(FIRST + 1, FIRST + 4), 1)
    written: list[int] = []
    encode = network.encode_memory
    monkeypatch.setattr(
        network,
        "encode_memory",
        lambda *given, **how: (written.append(len(given[0])), encode(*given, **how))[1],
    )
    read: list[int] = []
    attend = network.attend_memory
    monkeypatch.setattr(
        network,
        "attend_memory",
        lambda *given, **how: (read.append(how["maps"].shape[1]), attend(*given, **how))[1],
    )
    bias = network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias
    with torch.no_grad():
        bias.sub_(60.0)
    try:
        gone = desk.track(range(FIRST + 4, FIRST + 24), 1)
    finally:
        with torch.no_grad():
            bias.add_(60.0)

    assert {result.presence for result in gone} == {Presence.ABSENT}
    assert not written
    # Maps of the prompt and of frames that showed it, however long ago; never more.
    assert max(read) <= 4
