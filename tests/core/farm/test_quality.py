"""What of a shot's pictures an artist has to look at, in words."""

from __future__ import annotations

from masklet.farm.quality import Agreement, BoxFit, Measure, Point, findings

_GOOD = {frame: Measure(0.1, (0.5, 0.3), (0.0, 0.0), 0.01) for frame in range(1001, 1011)}


def _found(
    changes: dict[int, Measure], *said: Agreement, prompted: frozenset[int] = frozenset()
) -> list[str]:
    found = findings("hero", {**_GOOD, **changes}, said, prompted)
    return [f"{one.check}: {one.words}" for one in found]


def test_quiet_mattes_are_not_talked_about() -> None:
    assert _found({}, Point(1003, True, 0.9), Point(1003, False, 0.1)) == []


def test_a_matte_that_leaves_a_click_out_says_so() -> None:
    (said,) = _found({}, Point(1003, True, 0.2))
    assert said.startswith(
        "prompts: the matte of hero leaves out places that were clicked as part of it on 1003"
    )


def test_a_matte_over_a_click_beside_the_object_says_so() -> None:
    (said,) = _found({}, Point(1003, False, 0.8))
    assert "covers places that were clicked as not part of it on 1003" in said


def test_an_object_that_is_nowhere_is_named_with_its_frames() -> None:
    (said,) = _found({1004: Measure(0.0), 1005: Measure(0.0)})
    assert said.startswith("absent: hero is nowhere on 1004-1005")


def test_a_sudden_size_is_named_and_what_an_artist_prompted_is_not() -> None:
    big = {1005: Measure(0.3, (0.5, 0.3), (0.0, 0.0), 0.01)}
    said = _found(big)
    assert [one.split(":")[0] for one in said] == ["area"]
    assert "on 1005-1006" in said[0]
    assert _found(big, prompted=frozenset({1005, 1006})) == []


def test_a_jump_counts_beside_the_motion_of_the_plate_alone() -> None:
    jumped = {frame: Measure(0.1, (0.8, 0.3), (0.0, 0.0), 0.01) for frame in range(1006, 1011)}
    (said,) = _found(jumped)
    assert said.startswith("jump: the matte of hero jumps on 1006")
    carried = {**jumped, 1006: Measure(0.1, (0.8, 0.3), (0.3, 0.0), 0.01)}
    assert _found(carried) == []


def test_flicker_is_named_but_not_that_of_a_few_pixels() -> None:
    (said,) = _found({1007: Measure(0.1, (0.5, 0.3), (0.0, 0.0), 0.3)})
    assert said.startswith("flicker: the matte of hero flickers on 1007 more than the plate moves")
    tiny = {frame: Measure(1e-4, (0.5, 0.3), (0.0, 0.0), 0.5) for frame in range(1001, 1011)}
    assert _found(tiny) == []


def test_an_object_may_be_called_as_people_like() -> None:
    measures = {1001: Measure(0.1, (0.5, 0.3)), 1002: Measure(0.0)}
    (found,) = findings("{hero} {", measures, (), frozenset())
    assert found.words.startswith("{hero} { is nowhere on 1002:")


def test_a_matte_beyond_the_box_around_its_object_says_so_even_if_it_is_the_same_on_all_frames() -> None:
    (said,) = _found({}, BoxFit(1003, iou=0.6, beside=0.3))
    assert said.startswith(
        "prompts: the matte of hero reaches beyond the box that was drawn around it on 1003"
    )


def test_a_matte_of_a_part_of_what_the_box_is_around_says_so() -> None:
    (said,) = _found({}, BoxFit(1003, iou=0.2, beside=0.0))
    assert "fills only a part of the box that was drawn around it on 1003: click what is missing" in said


def test_a_box_with_room_around_the_object_is_not_talked_about() -> None:
    assert _found({}, BoxFit(1003, iou=0.5, beside=0.02)) == []


def _looking_around(*shares: float | None) -> dict[int, Measure]:
    return {
        1001 + place: Measure(0.1, (0.5, 0.3), (0.0, 0.0), 0.01, around=share)
        for place, share in enumerate(shares)
    }


def test_a_matte_that_slides_into_the_surroundings_is_named_from_there_on() -> None:
    slid = _looking_around(0.1, 0.1, 0.15, 0.3, 0.5, 0.6)
    (said,) = _found(slid, prompted=frozenset({1001, 1002}))
    assert said.startswith("surroundings: the matte of hero holds on 1005-1006 much that looks like")


def test_an_object_that_always_looks_like_its_surroundings_is_measured_by_itself() -> None:
    alike = _looking_around(0.5, 0.6, 0.7, 0.7, None)
    assert _found(alike, prompted=frozenset({1001})) == []
    # Where nobody saw it on a frame of the range, nobody knows.
    assert _found(_looking_around(0.1, 0.9), prompted=frozenset({7})) == []
