from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.evaluation.hard.judging import Counts, Judge

SIDE = 40
NOTHING = np.zeros((SIDE, SIDE), np.bool_)


def square(left: int) -> NDArray[np.bool_]:
    mask = NOTHING.copy()
    mask[10:20, left : left + 10] = True
    return mask


HERE, RIVAL = square(2), square(25)


def judged(*frames: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Counts:
    """Counts after pairs of a mask and the truth, beside a rival."""
    judge = Judge(HERE)
    for mask, truth in frames:
        judge.add(mask, truth, [RIVAL])
    return judge.counts


def test_right_masks_have_no_errors() -> None:
    counts = judged(*[(HERE, HERE)] * 3, *[(NOTHING, NOTHING)] * 4, *[(HERE, HERE)] * 3)

    assert counts.j_and_f == 100
    assert (counts.present, counts.absent, counts.returns) == (6, 4, 1)
    assert (counts.lost, counts.ghosts, counts.missed, counts.switches, counts.on_rival) == (0, 0, 0, 0, 0)


def test_a_mask_where_nothing_is_counts_on_every_such_frame() -> None:
    assert judged((HERE, NOTHING), (NOTHING, NOTHING), (RIVAL, NOTHING)).ghosts == 2


@pytest.mark.parametrize(("late_frames", "missed"), [(0, 0), (4, 0), (5, 1), (9, 1)])
def test_a_return_is_missed_unless_it_is_found_within_five_frames(late_frames: int, missed: int) -> None:
    gone = [(NOTHING, NOTHING)] * 3
    late = [(NOTHING, HERE)] * late_frames

    counts = judged(*gone, *late, *[(HERE, HERE)] * 3)

    assert (counts.returns, counts.missed) == (1, missed)
    assert counts.lost == late_frames


def test_a_single_frame_without_the_object_is_no_absence() -> None:
    assert judged((NOTHING, NOTHING), (HERE, HERE)).returns == 0


def test_going_over_to_a_rival_counts_once_each_time() -> None:
    counts = judged((HERE, HERE), (RIVAL, HERE), (RIVAL, HERE), (HERE, HERE), (RIVAL, NOTHING))

    assert (counts.switches, counts.on_rival) == (2, 3)


def test_a_mask_of_both_is_with_whom_it_covers_more() -> None:
    most_of_rival = RIVAL | (HERE & (np.arange(SIDE)[:, None] < 15))

    assert judged((most_of_rival, HERE)).switches == 1
    assert judged((HERE | (RIVAL & (np.arange(SIDE)[:, None] < 15)), HERE)).switches == 0


def test_counts_of_clips_add_up() -> None:
    both = judged((HERE, HERE)) + judged((NOTHING, HERE))

    assert (both.clips, both.frames, both.lost) == (2, 2, 1)
    assert both.j_and_f == 50
