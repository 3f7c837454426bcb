from __future__ import annotations

import numpy as np
import pytest
import torch

from masklet.errors import BadInputError
from masklet.types import Presence
from masklet_server.engine.policies.boxes import MaskBox, box_of
from masklet_server.engine.policies.choosing import kept_to_path
from masklet_server.engine.policies.legs import LegMemory, Note
from masklet_server.engine.policies.motion import BoxMotion
from masklet_server.engine.policies.policy import (
    DISTRACTOR,
    GATED,
    GUARDED,
    MOTION,
    POLICIES,
    Policy,
    policy_named,
)
from masklet_server.engine.policies.rivals import rivalry
from masklet_server.engine.recall import Reach
from masklet_server.model.network import Decoded
from masklet_server.tracking import RIVAL_FROM, ObjectFrame

REACH = Reach(maps=4, pointers=16, recent=2, recent_step=2)
BOX = MaskBox(0.2, 0.2, 0.5, 0.5)


def note(frame: int, *, quality: float = 0.9, rival: float = 0.0, area: float = 0.09) -> Note:
    return Note(frame, quality, quality, rival, area if quality else 0.0, BOX if quality else None)


def leg(policy: Policy, *notes: Note) -> LegMemory:
    made = LegMemory(policy, REACH, 0, note(0))
    for each in notes:
        made.add(each)
    return made


def maps(made: LegMemory, frame: int) -> dict[int, int]:
    return dict(made.recall(frame, (0,), backward=False).maps)


def test_the_newest_frames_that_show_the_object_are_read_however_long_ago_they_are() -> None:
    gone = [note(frame, quality=0.0) for frame in range(6, 106)]
    made = leg(GATED, *[note(frame) for frame in range(1, 6)], *gone)

    found = made.recall(106, (0,), backward=False)

    assert dict(found.maps) == {0: 3, 5: 0, 4: 1}
    assert [frame for frame, _ in found.pointers] == [0, 5, 4, 3, 2, 1]
    # The network was never shown an older pointer than this.
    assert max(age for frame, age in found.pointers if frame) == REACH.pointer_frames
    assert {5, 4} <= made.kept_maps


def test_frames_are_read_as_far_apart_as_the_network_wants_them() -> None:
    assert maps(leg(GATED, *[note(frame) for frame in range(1, 9)]), 9) == {0: 3, 8: 0, 6: 1}


def test_a_frame_of_which_the_network_is_not_sure_is_no_memory() -> None:
    made = leg(GATED, note(1), note(2), note(3, quality=0.1), note(4, quality=0.1))

    assert maps(made, 5) == {0: 3, 2: 0, 1: 1}


def test_a_frame_with_a_rival_beside_a_good_mask_is_kept_for_good() -> None:
    before = [note(frame) for frame in range(1, 10)]
    after = [note(frame) for frame in range(11, 60)]
    made = leg(DISTRACTOR, *before, note(10, rival=0.6), *after)

    assert maps(made, 60)[10] == REACH.maps - 1
    assert 10 in made.kept_maps
    assert 10 not in maps(leg(GATED, *before, note(10, rival=0.6), *after), 60)


def test_all_that_is_read_is_kept_where_anchors_are_the_newest_frames() -> None:
    anchors = (10, 16, 22)
    before = [note(frame) for frame in range(1, 10)]
    after = [
        note(frame, rival=0.6) if frame in anchors else note(frame, quality=0.0) for frame in range(10, 28)
    ]
    made = leg(DISTRACTOR, *before, *after)

    assert maps(made, 28) == {0: 3, 10: 3, 16: 3, 22: 3, 9: 0, 8: 1}
    assert set(maps(made, 28)) - {0} <= made.kept_maps


@pytest.mark.parametrize(
    "refused",
    [
        note(10, rival=RIVAL_FROM - 0.05),
        note(10, rival=0.6, quality=0.5),
        note(10, rival=0.6, area=0.2),
        note(10, rival=0.6, quality=0.0),
        note(4, rival=0.6),
    ],
    ids=["no rival", "doubtful", "suddenly larger", "absent", "too soon"],
)
def test_other_frames_are_no_anchors(refused: Note) -> None:
    before = [note(frame) for frame in range(1, refused.frame)]
    made = leg(DISTRACTOR, *before, refused, *[note(frame) for frame in range(refused.frame + 1, 40)])

    assert refused.frame not in maps(made, 40)


def test_of_many_anchors_the_newest_stay() -> None:
    made = leg(DISTRACTOR, *[note(frame, rival=0.6 if frame % 10 == 0 else 0.0) for frame in range(1, 75)])

    anchors = {frame for frame, slot in maps(made, 75).items() if slot == REACH.maps - 1}
    assert anchors == {0, 50, 60, 70}


def test_backward_legs_read_later_frames() -> None:
    made = LegMemory(GATED, REACH, 50, Note(50, 1, 1, 0, 0.09, BOX))
    for frame in range(49, 40, -1):
        made.add(note(frame))

    found = made.recall(40, (50,), backward=True)
    assert dict(found.maps) == {50: 3, 41: 0, 43: 1}
    assert found.pointers[0] == (50, 10)


def test_a_note_is_what_a_stored_result_says() -> None:
    logits = np.full((10, 20), -5, np.float16)
    logits[2:4, 5:15] = 5
    result = ObjectFrame(1, 7, logits, 9.0, 0.8, Presence.PRESENT, np.zeros(4, np.float16), rival=0.4)

    made = Note.of(result)

    assert made.box == MaskBox(0.25, 0.2, 0.75, 0.4)
    assert made.area == pytest.approx(0.1)
    assert made.quality == pytest.approx(0.8, abs=0.01)
    assert (made.frame, made.rival) == (7, 0.4)


def test_motion_is_foreseen_once_it_has_been_steady_and_a_jump_is_not_believed() -> None:
    def moving(frame: int, left: float) -> Note:
        return Note(frame, 0.9, 0.9, 0.0, 0.04, MaskBox(left, 0.4, left + 0.2, 0.6))

    made = LegMemory(MOTION, REACH, 0, moving(0, 0.1))
    for frame in range(1, 15):
        made.add(moving(frame, 0.1 + 0.02 * frame))
    assert made.foreseen is None

    for frame in range(15, 20):
        made.add(moving(frame, 0.1 + 0.02 * frame))
    foreseen = made.foreseen
    assert foreseen is not None
    assert foreseen.iou(MaskBox(0.5, 0.4, 0.7, 0.6)) > 0.8

    made.add(moving(20, 0.0))
    assert made.foreseen is None


def test_a_filter_at_rest_stays_where_it_is_and_its_doubt_grows() -> None:
    still = BoxMotion.started(BOX)
    later = still
    for _ in range(10):
        later = later.predicted()

    assert later.box.iou(BOX) > 0.99
    assert (np.diag(later.covariance) > np.diag(still.covariance)).all()
    assert later.corrected(MaskBox(0.3, 0.2, 0.6, 0.5)).box.iou(MaskBox(0.3, 0.2, 0.6, 0.5)) > 0.7


def disc(x: int, y: int, radius: int = 6) -> np.ndarray:
    rows, columns = np.mgrid[:60, :60]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def test_another_mask_that_reaches_over_to_something_is_a_rival_and_a_rim_is_none() -> None:
    taken = disc(15, 30)

    assert rivalry(taken, [taken, disc(15, 30, 7)]) < RIVAL_FROM
    assert rivalry(taken, [taken | disc(40, 30), taken]) > RIVAL_FROM
    assert rivalry(taken, [disc(40, 30)]) > rivalry(taken, [disc(28, 30)])
    assert rivalry(taken, [taken | disc(45, 30, 1)]) == 0
    assert rivalry(np.zeros_like(taken), [disc(40, 30)]) == 0


def test_an_empty_mask_has_no_box() -> None:
    assert box_of(np.zeros((4, 4), np.bool_)) is None


def test_a_policy_is_asked_for_by_name_and_not_with_the_official_profiles() -> None:
    assert policy_named("distractor", "leg") is POLICIES["distractor"]
    with pytest.raises(BadInputError, match="there is no policy luck"):
        policy_named("luck", "leg")
    with pytest.raises(BadInputError, match="use the profile editor"):
        policy_named("motion", "all")
    assert policy_named("editor", "all").name == "editor"


def beside(frame: int, left: float, right: float, *, rival: float = 0.0) -> Note:
    return Note(frame, 0.9, 0.9, rival, 0.04, MaskBox(left, 0.4, right, 0.6))


def wary() -> LegMemory:
    """An object at rest at 0.4 to 0.6, and a rival beside it on frame 8."""
    made = LegMemory(GUARDED, REACH, 0, beside(0, 0.4, 0.6))
    for frame in range(1, 9):
        made.add(beside(frame, 0.4, 0.6, rival=0.8 if frame == 8 else 0.0))
    return made


def test_a_mask_keeps_to_its_path_only_while_a_rival_is_near() -> None:
    free = LegMemory(GUARDED, REACH, 0, beside(0, 0.4, 0.6))
    for frame in range(1, 9):
        free.add(beside(frame, 0.4, 0.6))
    assert free.path is None

    made = wary()
    path = made.path
    assert path is not None
    assert path.left < 0.4 < 0.6 < path.right
    assert path.right - path.left < 0.3

    for frame in range(9, 40):
        made.add(beside(frame, 0.4, 0.6))
    assert made.path is None


def test_a_rival_that_runs_through_does_not_take_the_path_along() -> None:
    made = wary()
    for frame in range(9, 20):
        path = made.path
        assert path is not None
        # It comes from the left and goes to the right; what is seen of both ends where the path does.
        passed = (frame - 9) / 10
        left, right = (path.left, 0.6) if passed < 0.5 else (0.4, path.right)
        made.add(beside(frame, left, right))

    path = made.path
    assert path is not None
    assert abs((path.left + path.right) / 2 - 0.5) < 0.04


def test_a_path_that_nothing_confirms_is_given_up() -> None:
    made = wary()
    for frame in range(9, 60):
        path = made.path
        if path is None:
            break
        made.add(beside(frame, path.left, path.right))

    assert made.path is None
    assert 25 <= made.last - 8 <= 45


def test_what_leaves_the_path_is_cut_off_and_nothing_else() -> None:
    logits = torch.full((2, 1, 20, 20), 5.0)
    one, pointer = torch.ones(2, 1), torch.ones(2, 8)
    decoded = Decoded(logits, one, logits, one[:, 0], pointer, pointer[:, None], one)
    made = wary()
    path = made.path
    assert path is not None

    kept = kept_to_path(decoded, [None, made]).best_logits

    assert (kept[0] == 5).all()
    inside = kept[1, 0] > 0
    assert inside[9, 10]
    assert not inside[9, 0]
    assert not inside[0, 10]
    box = box_of(inside.numpy())
    assert box is not None
    assert box.iou(path) > 0.6
    assert kept_to_path(decoded, [None, None]) is decoded
