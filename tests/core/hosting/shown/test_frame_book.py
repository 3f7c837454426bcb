from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.errors import BadInputError
from masklet.hosting.shown import frame_book
from masklet.hosting.shown.frame_book import FrameBook, Known, Strip
from masklet.hosting.shown.strips import COLOURS, LOCKED, PROMPTED, STALE, rectangles
from masklet.types import FrameRange, Presence, StateRange


def state(
    first: int,
    last: int,
    presence: Presence = Presence.PRESENT,
    *,
    prompted: bool = False,
    locked: bool = False,
    stale: bool = False,
) -> StateRange:
    return StateRange(1, FrameRange(first, last), presence, prompted, locked, stale)


def book(*ranges: StateRange) -> FrameBook:
    made = FrameBook()
    made.replace({"u": ranges})
    return made


def test_what_a_track_reports_joins_what_the_server_told() -> None:
    made = book(state(1001, 1001, prompted=True), state(1002, 1010, stale=True))
    for frame in (1002, 1003, 1004):
        made.report("u", frame, Presence.PRESENT)
    made.report("u", 1005, Presence.UNCERTAIN)
    assert made.strips("u") == (
        Strip(1001, 1001, Presence.PRESENT, True, False, False),
        Strip(1002, 1004, Presence.PRESENT, False, False, False),
        Strip(1005, 1005, Presence.UNCERTAIN, False, False, False),
        Strip(1006, 1010, Presence.PRESENT, False, False, True),
    )


def test_the_servers_word_replaces_what_was_reported() -> None:
    made = book()
    made.report("u", 1001, Presence.UNCERTAIN)
    made.replace({"u": (state(1001, 1001),)})
    strip = made.at("u", 1001)
    assert strip is not None
    assert strip.presence is Presence.PRESENT
    assert made.at("u", 1002) is None
    assert made.at("stranger", 1001) is None


def test_the_next_bad_frame_is_the_nearest_of_any_object_and_none_that_is_locked() -> None:
    made = FrameBook()
    made.replace(
        {
            "a": (state(1001, 1004), state(1005, 1008, Presence.UNCERTAIN), state(1020, 1022, stale=True)),
            "b": (state(1003, 1003, stale=True, locked=True), state(1006, 1006, stale=True)),
        }
    )
    both = ("a", "b")
    assert made.next_bad(both, 1001, backward=False) == ("a", 1005)
    assert made.next_bad(both, 1005, backward=False) == ("b", 1006)
    assert made.next_bad(both, 1006, backward=False) == ("a", 1020)
    assert made.next_bad(both, 1020, backward=False) is None
    assert made.next_bad(both, 1020, backward=True) == ("a", 1008)
    assert made.next_bad(both, 1005, backward=True) is None


def test_states_survive_the_file() -> None:
    made = book(state(-5, 3, Presence.ABSENT), state(4, 4, prompted=True, locked=True))
    text = frame_book.to_json(made.strips("u"))
    again = FrameBook()
    again.recall({"u": frame_book.from_json(text)})
    assert again.strips("u") == made.strips("u")
    assert frame_book.from_json("") == ()


@pytest.mark.parametrize("text", ["{", "[[1]]", '[[1, 2, "gone", false, false, false]]', "7"])
def test_damaged_states_are_told_with_the_way_on(text: str) -> None:
    with pytest.raises(BadInputError, match="track again"):
        frame_book.from_json(text)


def test_a_row_shows_presence_then_locks_then_prompts() -> None:
    row = list(
        rectangles(
            (
                Strip(1001, 1001, Presence.PRESENT, True, False, False),
                Strip(1002, 1009, Presence.UNCERTAIN, False, True, False),
                Strip(1010, 1011, Presence.PRESENT, False, False, True),
            )
        )
    )
    colours = [part.colour for part in row]
    assert colours == [
        COLOURS[Presence.PRESENT],
        COLOURS[Presence.UNCERTAIN],
        LOCKED,
        STALE,
        PROMPTED,
    ]
    assert [(part.first, part.last) for part in row[:2]] == [(1000.5, 1001.5), (1001.5, 1009.5)]


def test_frames_that_the_server_lost_are_remembered_until_they_have_a_mask_again() -> None:
    made = book(state(1001, 1012))
    made.lose()
    made.replace({"u": (state(1003, 1003, prompted=True),)})

    assert made.known(["u"])["u"] == Known(
        held=(FrameRange(1003, 1003),), lost=(FrameRange(1001, 1002), FrameRange(1004, 1012))
    )

    made.report("u", 1004, Presence.PRESENT)
    assert made.known(["u"])["u"].lost == (FrameRange(1001, 1002), FrameRange(1005, 1012))


def test_what_is_lost_is_still_known_to_be_lost_after_the_file_was_saved_and_opened() -> None:
    made = book(state(1001, 1004))
    made.lose()
    again = FrameBook()
    again.recall({"u": frame_book.from_json(frame_book.to_json(made.strips("u")))})

    assert again.known(["u"])["u"].lost == (FrameRange(1001, 1004),)


def test_a_server_that_still_holds_the_session_is_believed_when_it_holds_fewer_frames() -> None:
    made = FrameBook()
    made.recall({"u": (Strip(1001, 1012, Presence.PRESENT, False, False, False),)})
    made.replace({"u": (state(1001, 1003),)})

    assert made.known(["u"])["u"] == Known(held=(FrameRange(1001, 1003),))


def test_lost_frames_are_drawn_paler_and_are_no_bad_frames() -> None:
    made = book(state(1001, 1002, Presence.UNCERTAIN))
    made.lose()

    (part,) = rectangles(made.strips("u"))
    assert part.colour[3] < COLOURS[Presence.UNCERTAIN][3]
    assert made.next_bad(["u"], 1000, backward=False) is None


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3), st.booleans(), st.booleans()), max_size=8),
    st.dictionaries(st.integers(1, 60), st.sampled_from(list(Presence)), max_size=30),
)
def test_reports_laid_over_what_was_told_are_what_every_frame_by_itself_would_be(
    lengths: list[tuple[int, int, bool, bool]], reports: dict[int, Presence]
) -> None:
    first, ranges, frames = 1, [], {}
    for length, gap, prompted, stale in lengths:
        first += gap
        ranges.append(state(first, first + length - 1, prompted=prompted, stale=stale))
        for frame in range(first, first + length):
            frames[frame] = (Presence.PRESENT, prompted, stale)
        first += length
    made = book(*ranges)
    for frame, presence in reports.items():
        made.report("u", frame, presence)
        prompted = frames[frame][1] if frame in frames else False
        frames[frame] = (presence, prompted, False)

    strips = made.strips("u")

    told = {
        frame: (strip.presence, strip.prompted, strip.stale)
        for strip in strips
        for frame in range(strip.first, strip.last + 1)
    }
    assert told == frames
    assert [strip.first for strip in strips] == sorted(strip.first for strip in strips)


@given(
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from(Presence)), max_size=40),
    st.sets(st.integers(1, 30)),
    st.sets(st.integers(1, 30)),
)
def test_whoever_looks_after_each_report_sees_what_is_seen_after_all_of_them(
    reports: list[tuple[int, Presence]], prompted: set[int], locked: set[int]
) -> None:
    told = tuple(
        StateRange(
            1, FrameRange(frame, frame), Presence.PRESENT, frame in prompted, frame in locked, frame % 3 == 0
        )
        for frame in range(5, 25)
        if frame % 7
    )
    looking, waiting = FrameBook(), FrameBook()
    for book in (looking, waiting):
        book.replace({"u": told})
    for frame, presence in reports:
        looking.report("u", frame, presence)
        looking.strips("u")
        waiting.report("u", frame, presence)
    assert looking.strips("u") == waiting.strips("u")
