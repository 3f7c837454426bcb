from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fakes.tracking import Desk, DiscClip, TinyNetwork
from masklet.types import Click, FramePrompts, Presence
from masklet_server.engine.company import Company, RivalTrack, contested, place_beside, place_by_masks
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.policies import policy as policies
from masklet_server.engine.policies.boxes import MaskBox
from masklet_server.engine.policies.legs import LegMemory, Note
from masklet_server.engine.policies.policy import RIVAL_TRACK, RIVALS
from masklet_server.engine.recall import Reach
from masklet_server.model.network import Decoded
from masklet_server.tracking import ObjectFrame

FIRST = 1001
REACH = Reach(maps=4, pointers=16, recent=2, recent_step=2)


def decoded(*levels: tuple[float, float, float]) -> Decoded:
    """Objects on a picture of three cells."""
    logits = torch.tensor(levels)[:, None, None]  # (B, 1, 1, 3)
    one, pointer = torch.ones(len(levels), 1), torch.zeros(len(levels), 8)
    return Decoded(logits, one, logits, one[:, 0], pointer, pointer[:, None], one)


def test_a_pixel_that_an_object_and_its_rival_claim_goes_to_the_surer_one() -> None:
    given = decoded((5, 3, -6), (-6, 4, 5), (9, 9, 9))

    found = contested(given, [(0, 1), (2, 0)], [None] * 3).best_logits[:, 0, 0]

    assert (found[0] > 0).tolist() == [True, False, False]
    assert (found[1] > 0).tolist() == [False, True, True]
    assert found[2].tolist() == [9, 9, 9]


def test_where_their_ways_are_known_these_decide_as_they_look_alike() -> None:
    ways = [MaskBox(0.0, 0.0, 0.4, 1.0), MaskBox(0.6, 0.0, 1.0, 1.0)]

    found = contested(decoded((3, -6, 9), (9, -6, 3)), [(0, 1)], ways).best_logits[:, 0, 0]

    assert (found[0] > 0).tolist() == [True, False, False]
    assert (found[1] > 0).tolist() == [False, False, True]


def test_objects_of_a_session_that_nobody_set_against_each_other_keep_what_they_claim() -> None:
    given = decoded((5, 3, -6), (-6, 4, 5))

    assert contested(given, [(0, 0), (1, 0)], [None, None]) is given


def alike(*things: tuple[int, int]) -> NDArray[np.float32]:
    """A picture of 20 cells a side; things of 4 by 4 cells, at their first row and column, look alike."""
    likeness = np.full((20, 20), 0.3, np.float32)
    for row, column in things:
        likeness[row : row + 4, column : column + 4] = 0.8
        # Features of one cell of it are the most alike, and that is at its rim.
        likeness[row, column] = 0.95
    return likeness


OWN = MaskBox(0.1, 0.1, 0.3, 0.3)


def test_a_rival_is_boxed_as_large_as_the_object_about_the_middle_of_what_looks_like_it() -> None:
    place = place_beside(alike((3, 8)), OWN, 0.84)

    assert place is not None
    assert place.iou(MaskBox(0.4, 0.15, 0.6, 0.35)) > 0.7
    assert place.right - place.left == pytest.approx(0.22)


def test_of_a_crowd_the_one_beside_the_object_is_taken_and_none_far_away() -> None:
    likeness = alike((2, 8), (14, 15))
    likeness[14, 15] = 1.0

    near = place_beside(likeness, OWN, 0.84)

    assert near is not None
    assert near.iou(MaskBox(0.4, 0.1, 0.6, 0.3)) > 0.7
    assert place_beside(alike((14, 15)), OWN, 0.84) is None
    assert place_beside(np.full((20, 20), -np.inf, np.float32), OWN, 0.84) is None


def test_a_network_whose_features_were_not_measured_says_by_its_other_masks_where_a_rival_is() -> None:
    def mask(*columns: int) -> NDArray[np.bool_]:
        made = np.zeros((20, 20), np.bool_)
        for column in columns:
            made[5:10, column : column + 5] = True
        return made

    rim, both, all_three = np.roll(mask(0), 1, axis=0), mask(0, 7), mask(0, 7, 14)
    own, known = result(1, 0), result(1, 7)

    near = place_by_masks(np.stack((mask(0), both, all_three)), own, [])
    assert near == MaskBox(0.35, 0.25, 0.6, 0.5)
    assert place_by_masks(np.stack((both, all_three)), own, [known]) == MaskBox(0.7, 0.25, 0.95, 0.5)
    assert place_by_masks(rim[None], own, []) is None
    assert place_by_masks(both[None], own, [known]) is None


def result(frame: int, column: int, presence_logit: float = 9.0) -> ObjectFrame:
    logits = np.full((20, 20), -5, np.float16)
    logits[5:10, column : column + 5] = 5
    return ObjectFrame(1, frame, logits, presence_logit, 0.9, Presence.PRESENT, np.zeros(4, np.float16))


def company() -> Company:
    memory = ObjectMemory(1, policy=RIVAL_TRACK, unseen=True)
    memory.legs[False] = LegMemory(RIVAL_TRACK, REACH, 0, Note.of(result(0, 12)))
    return Company((0, None), False, 0, [RivalTrack(memory)])


def advance(among: Company, frame: int, theirs: ObjectFrame) -> None:
    memory = FrameMemory(torch.zeros(4), torch.ones(1), None)
    among.advance(frame, result(frame, 0), [(theirs, memory)] * len(among.rivals))


def test_a_rival_keeps_its_own_past_as_far_back_as_it_is_read() -> None:
    among = company()
    for frame in range(1, 60):
        advance(among, frame, result(frame, 12))

    (rival,) = among.rivals
    assert 59 in rival.memory.own
    assert len(rival.memory.own) <= REACH.pointers + 2


@pytest.mark.parametrize(
    "theirs",
    [lambda frame: result(frame, 12, presence_logit=-3.0), lambda frame: result(frame, 0)],
    ids=["gone", "turned out to be the object"],
)
def test_a_rival_is_let_go(theirs) -> None:  # type: ignore[no-untyped-def]
    among = company()
    for frame in range(1, 12):
        advance(among, frame, theirs(frame))

    assert not among.rivals


class TwinDiscs(DiscClip):
    """A second disc of the same kind, at rest on the right."""

    def _picture(self, index: int) -> np.ndarray:
        picture = super()._picture(index)
        rows, columns = np.mgrid[: self.height_px, : self.width_px]
        picture[(rows - 27) ** 2 + (columns - 76) ** 2 < 12**2] = (220, picture[27, 20, 1], 40)
        return picture


@pytest.fixture(scope="module")
def network() -> TinyNetwork:
    return TinyNetwork()


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights know no likeness that was measured, and are never sure."""
    sure = replace(RIVALS, least_quality=0.0, anchor_quality=0.0)
    monkeypatch.setattr(policies, "POLICIES", {**policies.POLICIES, "rivals": sure})
    monkeypatch.setattr("masklet_server.engine.follower.RIVAL_LIKENESS", MappingProxyType({"tiny": 0.3}))
    # Their masks cover half of the picture.
    monkeypatch.setattr("masklet_server.engine.company.covered", lambda logits, features: torch.zeros(4, 4))
    monkeypatch.setattr("masklet_server.engine.company.RIVAL_FROM", 0.0)
    monkeypatch.setattr("masklet_server.engine.follower.RIVAL_FROM", 0.0)
    monkeypatch.setattr("masklet_server.engine.company._SMALLEST", 0.0)
    monkeypatch.setattr("masklet_server.engine.company._LARGEST", 100.0)
    monkeypatch.setattr("masklet_server.engine.company._MOST_SHARED", 1.0)


def desk(network: TinyNetwork) -> Desk:
    made = Desk(network, TwinDiscs(length_frames=40))
    made.tracker.set_policy(1, "rivals")
    made.prompt(FramePrompts(1, FIRST, clicks=(Click(20.0, 27.0, True),)))
    return made


@pytest.mark.usefixtures("easy")
def test_a_look_alike_is_tracked_along_and_nobody_sees_it(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk(network)
    batches: list[int] = []
    decode = network.decode
    monkeypatch.setattr(
        network,
        "decode",
        lambda features, seen, **how: (batches.append(len(seen)), decode(features, seen, **how))[1],
    )

    found = made.track(range(FIRST + 1, FIRST + 12), 1)

    assert max(batches[1:]) > 1
    assert [each.frame for each in found] == [*range(FIRST + 1, FIRST + 12)]
    assert {object_id for object_id, _ in made.results.held} == {1}


@pytest.mark.usefixtures("easy")
def test_with_any_network_of_the_family_a_look_alike_is_tracked_along(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masklet_server.engine.follower.RIVAL_LIKENESS", MappingProxyType({}))
    seen: list[tuple[int, ...]] = []

    def place(masks: NDArray[np.bool_], *_: object) -> MaskBox:
        seen.append(masks.shape)
        return MaskBox(0.65, 0.25, 0.95, 0.75)

    monkeypatch.setattr("masklet_server.engine.follower.place_by_masks", place)
    made = desk(network)
    made.track(range(FIRST + 1, FIRST + 4), 1)

    assert {shape[0] for shape in seen} == {3}
    company = made.tracker._objects[1].company[False]
    assert len(company.memories) > 0


@pytest.mark.usefixtures("easy")
def test_rivals_are_the_same_after_parking_but_for_rounding(network: TinyNetwork) -> None:
    once, parked = desk(network), desk(network)
    for made in (once, parked):
        made.track(range(FIRST + 1, FIRST + 12), 1)
    parked.tracker.park()

    (ours,), (theirs,) = once.track([FIRST + 12], 1), parked.track([FIRST + 12], 1)
    np.testing.assert_allclose(ours.logits, theirs.logits, atol=2e-2, rtol=1e-2)


@pytest.mark.usefixtures("easy")
def test_the_other_objects_of_the_session_do_not_notice(network: TinyNetwork) -> None:
    frames = range(FIRST + 1, FIRST + 12)
    both, alone = desk(network), Desk(network, TwinDiscs(length_frames=40))
    other = FramePrompts(2, FIRST, clicks=(Click(76.0, 27.0, True),))
    both.prompt(other)
    alone.prompt(other)
    both.track(frames, 1, 2)
    alone.track(frames, 2)

    for frame in frames:
        np.testing.assert_allclose(
            both.results.held[2, frame].logits, alone.results.held[2, frame].logits, atol=5e-3, rtol=2e-3
        )
