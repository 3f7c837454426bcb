"""The index of a movie as a value: made of packets, without a file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masklet_server.media.movie_index import expected_order, index_of, without_dropped
from masklet_server.media.movie_packets import PacketMark, StoredPacket


def packets_of(
    *pictures: tuple[int | None, bool], hidden: frozenset[int] = frozenset()
) -> list[StoredPacket]:
    """Packets in storage order, from their times and whether they are keys."""
    return [
        StoredPacket(PacketMark(1000 * number, time, 10), 10 * number, is_key, number in hidden)
        for number, (time, is_key) in enumerate(pictures)
    ]


@st.composite
def groups(draw: st.DrawFn) -> list[tuple[int, bool]]:
    """Groups of pictures: a key, leading ones that need the group before it, and others in any order."""
    pictures: list[tuple[int, bool]] = []
    time = draw(st.integers(-20, 20))
    for group in range(draw(st.integers(1, 5))):
        leading = draw(st.integers(0, 3)) if group else 0
        pictures.append((time + leading, True))
        pictures += [(time + at, False) for at in range(leading)]
        time += leading + 1
        following = draw(st.integers(0, 7))
        pictures += [(time + at, False) for at in draw(st.permutations(range(following)))]
        time += following
    return pictures


@given(groups())
def test_places_follow_the_times_and_starts_hold_all_that_a_picture_needs(
    pictures: list[tuple[int, bool]],
) -> None:
    packets = packets_of(*pictures)
    order = expected_order(packets, intra_only=False, fields=False)
    assert order is not None
    index = index_of(packets, order)

    assert [pictures[number][0] for number in index.numbers] == sorted(time for time, _ in pictures)
    assert index.times == tuple(sorted(time for time, _ in pictures))
    assert index.dropped == 0
    keys = [number for number, (_, is_key) in enumerate(pictures) if is_key]
    for place, number in enumerate(index.numbers):
        own_key = max(key for key in keys if key <= number)
        is_leading = pictures[number][0] < pictures[own_key][0]
        needed = max(key for key in keys if key < own_key) if is_leading else own_key
        starts = list(index.starts_for(place))
        assert starts[0].number == needed
        assert [start.number for start in starts] == sorted(
            (key for key in keys if key <= needed), reverse=True
        )


def test_pictures_before_the_first_key_have_no_place() -> None:
    packets = packets_of((1, False), (0, False), (4, True), (3, False), (5, False))
    order = expected_order(packets, intra_only=False, fields=False)
    assert order == [3, 2, 4]

    # The decoder drops the leading picture of the open group too.
    shown = without_dropped(order, [2, 4], ended=True)
    assert shown == [2, 4]
    index = index_of(packets, shown)
    assert (index.numbers, index.dropped) == ((2, 4), 3)


def test_what_an_edit_list_hides_has_no_place_but_can_be_a_start() -> None:
    packets = packets_of((0, True), (1, False), (2, False), hidden=(0, 1))
    order = expected_order(packets, intra_only=False, fields=False)
    assert order == [2]
    index = index_of(packets, order)
    assert index.dropped == 0
    assert [start.number for start in index.starts_for(0)] == [0]


def test_times_that_are_missing_or_double_or_of_two_clocks_are_not_believed() -> None:
    def order(*pictures: tuple[int | None, bool], fields: bool = False) -> list[int] | None:
        return expected_order(packets_of(*pictures), intra_only=False, fields=fields)

    plain = [(40 * number, number == 0) for number in range(200)]
    assert order(*plain) == list(range(200))
    assert order((0, True), (None, False), (80, False)) is None
    assert order((0, True), (40, False), (40, False)) is None
    assert order(*plain, *plain) is None
    assert order(*plain, *((time - 4004, key) for time, key in plain)) is None
    halves = [(0, True), (40, False), (60, False), (80, False), (120, False), (160, False)]
    assert order(*halves) == list(range(6))
    assert order(*halves, fields=True) is None


def test_pictures_that_stand_for_themselves_need_no_times() -> None:
    packets = packets_of((None, True), (None, True), (None, True))

    order = expected_order(packets, intra_only=True, fields=False)

    assert order == [0, 1, 2]
    index = index_of(packets, order)
    assert index.times is None
    assert [start.number for start in index.starts_for(1)] == [1, 0]


def test_a_decoder_that_shows_something_else_is_believed() -> None:
    expected = [0, 1, 2, 3, 4, 5]

    assert without_dropped(expected, [0, 1, 2], ended=False) == expected
    assert without_dropped(expected, [2, 3], ended=False) == [2, 3, 4, 5]
    assert without_dropped(expected, [0, 2, 4], ended=False) is None
    assert without_dropped(expected, [0, 1, 2], ended=True) is None
    assert without_dropped(expected, [0, 2, 1], ended=False) is None
    assert without_dropped(expected, [], ended=True) is None
    # Of six one is damaged: it keeps its place.
    assert without_dropped(expected, [0, 2, 3], ended=False, failures=1) == expected


def test_marks_that_are_not_unique_are_not_believed() -> None:
    packets = [StoredPacket(PacketMark(-1, None, 10), None, True, False) for _ in range(3)]

    assert index_of(packets, [0, 1, 2]).starts_by_mark == {}
