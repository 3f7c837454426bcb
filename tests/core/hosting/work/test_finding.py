"""An object is looked for on a frame after an absence: places come, nothing is said, one is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.errors import BadInputError
from masklet.hosting.found_places import accepted, found_sentence, place_label
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.prompting import stroke
from masklet.hosting.work.finding import FoundPlaces, find_again
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import PlateRequest, ResultCame
from masklet.hosting.work.plate_session import PlateSession
from masklet.prompt_kinds import MAX_SCRIBBLE_POINTS
from masklet.said.documents import SaidObject, with_click, with_lock
from masklet.types import Click, FramePrompts, FrameRange

HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (Click(20.0, 18.0),)),))


def looked(tmp_path: Path, transport: PromptedServer, said: SaidObject, frame: int) -> FoundPlaces:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    plate = PlateSource("plate", str(tmp_path / "plate.%04d.png"), 64, 36)
    session = PlateSession(PlateRequest(plate, (said,), "", "", 64))
    job = Job("Finding again", lambda job: iter(()), on_event=lambda event: None)
    events = list(find_again(session, job, Server(transport), said.uid, frame))
    (value,) = [event.value for event in events if isinstance(event, ResultCame)]
    assert isinstance(value, FoundPlaces)
    return value


def test_places_come_and_nothing_is_said_by_looking(tmp_path: Path) -> None:
    transport = PromptedServer()

    found = looked(tmp_path, transport, HERO, 1010)

    assert transport.calls == ["add", "click"]
    assert (found.uid, found.frame) == ("u1", 1010)
    assert [(place.click, place.likeness) for place in found.places] == [(Click(3.0, 1.0), 0.9)]
    assert found.places[0].mask is not None
    assert str(place_label(found, 1)) == "1: 90 % alike"
    assert str(found_sentence("hero", 10, found)).startswith("One place on frame 10 looks like hero")
    assert "Nothing on frame 10 looks like hero" in found_sentence("hero", 10, FoundPlaces("u1", 1010, ()))


def test_a_place_that_is_taken_is_one_click(tmp_path: Path) -> None:
    found = looked(tmp_path, PromptedServer(), HERO, 1010)

    assert accepted(HERO, found, 1) == with_click(HERO, 1010, Click(3.0, 1.0))


def test_what_cannot_be_taken_is_a_sentence_and_changes_nothing(tmp_path: Path) -> None:
    found = looked(tmp_path, PromptedServer(), HERO, 1010)
    other = SaidObject("u2", "other")

    for said, number, words in (
        (HERO, 2, "there is no such place"),
        (other, 1, "there is no such place"),
        (with_click(HERO, 1010, Click(1.0, 1.0)), 1, "something is said about hero on frame 1010 now"),
        (with_lock(HERO, FrameRange(1010, 1010), locked=True), 1, "is locked for hero"),
    ):
        with pytest.raises(BadInputError, match=words):
            accepted(said, found, number)


def test_nothing_is_looked_for_where_it_would_answer_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="something is said about hero on frame 1001 already"):
        looked(tmp_path, PromptedServer(), HERO, 1001)
    with pytest.raises(BadInputError, match="nothing is known of this object yet"):
        looked(tmp_path, PromptedServer(), SaidObject("u2", "other"), 1001)


def test_a_stroke_keeps_as_many_points_as_show_where_the_hand_went() -> None:
    still = stroke([(5.0, 5.0)] * 50 + [(30.0, 5.0)], 16.0, positive=False)
    long = stroke([(float(step), 0.0) for step in range(3 * MAX_SCRIBBLE_POINTS)], 1.0, positive=True)

    assert (still.points_px, still.width_px, still.positive) == (((5.0, 5.0), (30.0, 5.0)), 16.0, False)
    assert len(long.points_px) == MAX_SCRIBBLE_POINTS
