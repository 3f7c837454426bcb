"""Bad frames are the same ones for whoever asks: a host of its own book, or the server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masklet.bad_frames import is_begun, next_place, untracked
from masklet.hosting.shown.frame_book import FrameBook, from_json, to_json
from masklet.types import ClipInfo, FrameRange, Presence, StateRange

CLIP = ClipInfo("plate.%04d.exr", 64, 48, 1, 30, missing_frames=(9, 10))
flags = st.tuples(
    st.sampled_from(Presence), st.booleans(), st.booleans(), st.booleans(), st.just(True), st.booleans()
)


@st.composite
def states(draw: st.DrawFn) -> tuple[StateRange, ...]:
    """Runs of two objects, as a server tells them: apart, ascending, none longer than it has to be."""
    found: list[StateRange] = []
    for object_id in (0, 1):
        ends = sorted(draw(st.lists(st.integers(1, 30), max_size=8, unique=True)))
        for first, last in zip(ends[::2], ends[1::2], strict=False):
            found.append(StateRange(object_id, FrameRange(first, last), *draw(flags)))
    return tuple(found)


@given(states(), st.integers(0, 31), st.booleans())
def test_a_hosts_book_and_the_servers_states_name_the_same_frame(
    told: tuple[StateRange, ...], after: int, backward: bool
) -> None:
    ranges = list(told)
    for object_id in (0, 1):
        own = [state for state in told if state.object_id == object_id]
        known = [frame for state in own for frame in range(state.frames.first, state.frames.last + 1)]
        prompted = [frame for frame in known if any(s.prompted and frame in s.frames for s in own)]
        ranges += untracked(object_id, CLIP, known) if is_begun(known, prompted) else ()
    book = FrameBook()
    book.replace({str(each): tuple(s for s in told if s.object_id == each) for each in (0, 1)})

    found = book.next_bad(["0", "1"], after, backward=backward, clip=CLIP)

    place = next_place(ranges, after=after, backward=backward)
    assert found == (None if place is None else (str(place.state.object_id), place.frame))
    assert all(from_json(to_json(book.strips(uid))) == book.strips(uid) for uid in ("0", "1"))


def test_a_run_is_one_place_and_what_somebody_looked_at_is_none() -> None:
    uncertain = StateRange(1, FrameRange(5, 20), Presence.UNCERTAIN, prompted=False)
    corrected = StateRange(1, FrameRange(22, 22), Presence.UNCERTAIN, prompted=True)
    rival = StateRange(1, FrameRange(25, 26), Presence.PRESENT, prompted=False, rival=True)
    ranges = (uncertain, corrected, rival)

    ahead = [place and place.frame for place in (next_place(ranges, after=at) for at in (1, 5, 12, 25))]
    back = [
        place and place.frame
        for place in (next_place(ranges, after=at, backward=True) for at in (30, 26, 20))
    ]

    assert ahead == [5, 25, 25, None]
    assert back == [26, 20, None]


def test_of_equally_near_frames_the_first_objects_is_taken_in_whatever_order_they_are_told() -> None:
    first = StateRange(0, FrameRange(18, 18), Presence.UNCERTAIN, prompted=False)
    second = StateRange(1, FrameRange(12, 18), Presence.UNCERTAIN, prompted=False)

    places = [next_place(ranges, after=20, backward=True) for ranges in ((first, second), (second, first))]

    assert [place and place.state.object_id for place in places] == [0, 0]
