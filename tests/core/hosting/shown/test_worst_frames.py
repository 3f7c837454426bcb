"""Which frames a contact sheet leads to."""

from __future__ import annotations

from masklet.hosting.shown.frame_book import FrameBook, Strip
from masklet.hosting.shown.worst_frames import Fault, worst_frames
from masklet.types import Presence


def book(*strips: Strip) -> FrameBook:
    made = FrameBook()
    made.recall({"u": strips})
    return made


def strip(first: int, last: int, presence: Presence = Presence.PRESENT, **more: bool) -> Strip:
    return Strip(first, last, presence, **{"prompted": False, "locked": False, "stale": False, **more})


def test_what_is_out_of_date_comes_before_what_is_uncertain_and_each_run_once() -> None:
    known = book(
        *(strip(1, 3), strip(4, 9, Presence.UNCERTAIN), strip(10, 20, stale=True), strip(21, 22, rival=True))
    )

    found = worst_frames(known, ("u",), limit=9)

    assert [(item.fault, item.frame, item.run) for item in found] == [
        (Fault.STALE, 10, (10, 20)),
        (Fault.UNCERTAIN, 4, (4, 9)),
        (Fault.RIVAL, 21, (21, 22)),
    ]


def test_a_run_that_is_told_frame_by_frame_is_one_run() -> None:
    known = book(*(strip(frame, frame, Presence.UNCERTAIN) for frame in range(4, 10)))

    (found,) = worst_frames(known, ("u",), limit=9)

    assert found.run == (4, 9)


def test_a_long_run_is_shown_at_several_places_that_are_apart() -> None:
    known = book(strip(100, 400, Presence.UNCERTAIN))
    for frame in range(100, 401):
        known.rate("u", frame, 0.1 if frame in (150, 151) else 0.5)

    found = [item.frame for item in worst_frames(known, ("u",), limit=20)]

    assert found[0] == 150
    assert len(found) == 4
    assert min(abs(one - other) for one in found for other in found if one != other) >= 12


def test_of_a_run_the_frame_that_the_tracker_thinks_least_of_is_shown() -> None:
    known = book(strip(4, 9, Presence.UNCERTAIN))
    for frame, quality in ((4, 0.5), (7, 0.1), (8, 0.3)):
        known.rate("u", frame, quality)

    (found,) = worst_frames(known, ("u",), limit=9)

    assert (found.frame, found.quality) == (7, 0.1)


def test_a_dip_of_a_present_object_is_shown_and_good_frames_are_not() -> None:
    known = book(strip(1, 20))
    for frame in range(1, 21):
        known.rate("u", frame, 0.4 if frame in (6, 7) else 0.3 if frame == 15 else 0.95)

    found = worst_frames(known, ("u",), limit=9)

    assert [(item.fault, item.frame, item.run) for item in found] == [
        (Fault.DOUBTFUL, 15, (15, 15)),
        (Fault.DOUBTFUL, 6, (6, 7)),
    ]


def test_locked_absent_prompted_and_lost_frames_need_nobody() -> None:
    known = book(
        strip(1, 2, Presence.UNCERTAIN, locked=True),
        strip(3, 4, Presence.ABSENT),
        strip(5, 5, prompted=True),
        strip(6, 9, stale=True, held=False),
    )
    known.rate("u", 5, 0.1)

    assert worst_frames(known, ("u",), limit=9) == ()


def test_a_mask_that_came_anew_is_judged_anew() -> None:
    known = book(strip(1, 3))
    known.rate("u", 2, 0.1)

    known.rate("u", 2, 0.9)

    assert worst_frames(known, ("u",), limit=9) == ()


def test_no_more_than_a_sheet_holds() -> None:
    known = book(*(strip(frame, frame, Presence.UNCERTAIN) for frame in range(1, 40, 2)))

    assert len(worst_frames(known, ("u",), limit=12)) == 12
