from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch

from fakes.tracking import Desk, DiscClip, TinyNetwork
from masklet.types import Click, FramePrompts, Presence
from masklet_server.engine import hypotheses as several
from masklet_server.engine.hypotheses import HINDSIGHT_FRAMES, Hypotheses, NextFrame
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.policies import policy as policies
from masklet_server.engine.policies.appearance import Appearance
from masklet_server.engine.policies.legs import LegMemory, Note
from masklet_server.engine.policies.paths import Branch, branches
from masklet_server.engine.policies.policy import PATHS
from masklet_server.engine.recall import Reach
from masklet_server.tracking import ObjectFrame

FIRST = 1001
REACH = Reach(maps=4, pointers=16, recent=2, recent_step=2)


def masks(*shapes: tuple[int, int]) -> np.ndarray:
    """Squares of 8 cells at these places."""
    found = np.zeros((len(shapes), 40, 40), np.bool_)
    for mask, (row, column) in zip(found, shapes, strict=True):
        mask[row : row + 8, column : column + 8] = True
    return found


def test_the_likeliest_ways_on_are_followed_whichever_path_they_come_from() -> None:
    inside = np.stack((masks((0, 0), (0, 20), (20, 0)), masks((0, 0), (20, 20), (30, 0))))
    ious = np.array([[0.9, 0.8, 0.1], [0.5, 0.95, 0.2]], np.float32)

    found = branches([-1.0, -1.1], ious, inside, limit=3)

    assert [(branch.parent, branch.mask) for branch in found] == [(0, 0), (1, 1), (0, 1)]
    assert found[0].score == pytest.approx(-1.0 + math.log(0.9), abs=1e-3)


def test_masks_of_one_path_that_hardly_differ_are_one_way_and_those_of_two_paths_are_two() -> None:
    same = np.stack((masks((0, 0), (0, 0), (0, 0)),) * 2)
    ious = np.array([[0.9, 0.8, 0.7], [0.6, 0.5, 0.4]], np.float32)

    found = branches([0.0, 0.0], ious, same, limit=3)

    assert [(branch.parent, branch.mask) for branch in found] == [(0, 0), (1, 0)]


def test_an_expected_iou_of_nothing_or_of_more_than_all_is_no_error() -> None:
    found = branches([0.0], np.array([[-0.2, 1.4]], np.float32), masks((0, 0), (20, 20))[None], limit=2)

    assert found[0] == Branch(0, 1, 0.0)
    assert found[1].score < -10


def result(frame: int, column: int) -> ObjectFrame:
    logits = np.where(masks((10, column))[0], 5, -5).astype(np.float16)
    return ObjectFrame(1, frame, logits, 9.0, 0.9, Presence.PRESENT, np.zeros(4, np.float16))


def begun() -> Hypotheses:
    leg = LegMemory(PATHS, REACH, 0, Note.of(result(0, 0)))
    return Hypotheses.begun(ObjectMemory(1, policy=PATHS), leg, backward=False)


def step(frame: int, *ways: tuple[int, float, int]) -> list[NextFrame]:
    """Ways on: parent, score, and the column of its mask."""
    memory = FrameMemory(torch.zeros(4), torch.ones(1), torch.zeros(2, 2, 2))
    return [
        NextFrame(Branch(parent, 0, score), result(frame, column), memory) for parent, score, column in ways
    ]


def columns(results: Sequence[ObjectFrame]) -> dict[int, int]:
    return {each.frame: int(np.flatnonzero((each.logits > 0).any(0))[0]) for each in results}


def test_what_was_said_of_earlier_frames_changes_once_another_path_is_the_likeliest() -> None:
    paths = begun()
    told = [paths.advance(1, step(1, (0, -0.1, 0), (0, -0.2, 20)))]
    told.append(paths.advance(2, step(2, (0, -0.3, 1), (1, -0.4, 21))))
    told.append(paths.advance(3, step(3, (1, -0.5, 22), (0, -0.9, 2))))

    assert [columns(each) for each in told] == [{1: 0}, {2: 1}, {1: 20, 2: 21, 3: 22}]


def test_paths_that_have_become_one_are_followed_once_and_their_common_past_is_settled() -> None:
    paths = begun()
    paths.advance(1, step(1, (0, -0.1, 0), (0, -0.2, 20)))
    for frame in range(2, 12):
        ways = [(account, -0.1 * frame - account, 5) for account in range(len(paths.accounts))]
        paths.advance(frame, step(frame, *ways))
        if frame == 5:
            assert len(paths.accounts) == 2

    assert len(paths.accounts) == 1
    assert not paths.accounts[0].memory.own


def test_a_frame_from_long_ago_changes_no_more() -> None:
    paths = begun()
    paths.advance(1, step(1, (0, -0.1, 0), (0, -0.2, 20)))
    for frame in range(2, HINDSIGHT_FRAMES + 20):
        ways = [(account, -0.1 * frame - account, 20 * account) for account in range(len(paths.accounts))]
        paths.advance(frame, step(frame, *ways))
        assert all(len(account.memory.own) <= HINDSIGHT_FRAMES for account in paths.accounts)

    assert len(paths.accounts) == 1


def test_each_path_remembers_what_it_said_itself() -> None:
    paths = begun()
    paths.advance(1, step(1, (0, -0.1, 0), (0, -0.2, 20)))
    paths.advance(2, step(2, (0, -0.3, 1), (1, -0.4, 21)))

    for account, first in zip(paths.memories, (0, 20), strict=True):
        assert columns([*account.own.values()]) == {1: first, 2: first + 1}
        assert {1, 2} <= account.legs[False].kept_pointers


@pytest.fixture(scope="module")
def network() -> TinyNetwork:
    return TinyNetwork()


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights are never sure."""
    sure = replace(PATHS, least_quality=0.0)
    monkeypatch.setattr(policies, "POLICIES", {**policies.POLICIES, "paths": sure})


def desk(network: TinyNetwork, length_frames: int = 40) -> Desk:
    made = Desk(network, DiscClip(length_frames=length_frames))
    made.tracker.set_policy(1, "paths")
    made.prompt(FramePrompts(1, FIRST, clicks=(Click(20.0, 27.0, True),)))
    return made


@pytest.mark.usefixtures("easy")
def test_three_paths_are_followed_in_one_batch(network: TinyNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk(network)
    made.track(range(FIRST + 1, FIRST + 6), 1)
    batches: list[int] = []
    decode = network.decode
    monkeypatch.setattr(
        network,
        "decode",
        lambda features, seen, **how: (batches.append(len(seen)), decode(features, seen, **how))[1],
    )
    made.track([FIRST + 6], 1)

    assert batches == [3]


@pytest.mark.usefixtures("easy")
def test_paths_of_one_object_are_compared_with_the_picture_once(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masklet_server.engine.follower.RIVAL_LIKENESS", MappingProxyType({"tiny": 0.3}))
    made = desk(network)
    made.track(range(FIRST + 1, FIRST + 6), 1)
    compared: list[Appearance] = []
    alike = Appearance.alike
    monkeypatch.setattr(
        Appearance, "alike", lambda self, features: (compared.append(self), alike(self, features))[1]
    )
    made.track([FIRST + 6], 1)

    assert len(compared) == 1


@pytest.mark.usefixtures("easy")
def test_paths_are_the_same_after_parking_but_for_rounding(network: TinyNetwork) -> None:
    once, parked = desk(network), desk(network)
    for made in (once, parked):
        made.track(range(FIRST + 1, FIRST + 12), 1)
    held = parked.tracker.memory_bytes
    parked.tracker.park()
    assert parked.tracker.memory_bytes < held / 4

    # What is rebuilt is rebuilt one by one, and not in a batch.
    for ours, theirs in zip(once.track([FIRST + 12], 1), parked.track([FIRST + 12], 1), strict=True):
        assert ours.frame == theirs.frame
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=2e-2, rtol=1e-2)


@pytest.mark.usefixtures("easy")
def test_a_leg_that_is_tracked_again_from_its_prompt_is_the_same(network: TinyNetwork) -> None:
    made = desk(network)
    for _ in range(2):
        made.track(range(FIRST + 1, FIRST + 20), 1)
    again = desk(network)
    again.track(range(FIRST + 1, FIRST + 20), 1)

    for frame in range(FIRST + 1, FIRST + 20):
        assert np.array_equal(made.results.held[1, frame].logits, again.results.held[1, frame].logits)


@pytest.mark.usefixtures("easy")
def test_what_paths_hold_does_not_grow_with_the_clip(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several, "HINDSIGHT_FRAMES", 20)
    made = desk(network, 90)
    made.track(range(FIRST + 1, FIRST + 45), 1)
    held = made.tracker.memory_bytes
    made.track(range(FIRST + 45, FIRST + 90), 1)

    assert made.tracker.memory_bytes <= 1.1 * held
