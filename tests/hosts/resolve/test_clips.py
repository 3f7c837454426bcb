"""What answers, and the clip that is taken from it."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.resolve.application import FakeFusion, FakeItem, FakeMedia, FakeResolve, FakeScripts, FakeTimeline
from fakes.resolve.compositions import FakeComp
from masklet.errors import BadInputError
from masklet.types import FrameRange
from masklet_resolve.clips import take_comp, take_item
from masklet_resolve.connecting import Edition, connect, current_timeline
from masklet_resolve.retimes import Speed, speed_told
from masklet_resolve.starting import take


def movie(**properties: Any) -> FakeMedia:
    return FakeMedia(
        "plate.mov",
        {
            "File Path": "/a/plate.mov",
            "FPS": 24.0,
            "Type": "Video",
            "Frames": 200,
            "Resolution": "1920x1080",
            **properties,
        },
    )


def timeline_with(item: FakeItem, rate: str = "24.0") -> FakeTimeline:
    return FakeTimeline([item], rate=rate)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("21.1.0", "DaVinci Resolve Studio 21.1.0 answered"),
        ("18.6.4", "from 19.0"),
        ("22.0.0", "newer than any"),
    ],
)
def test_edition_and_version_that_answered_are_told(version: str, words: str) -> None:
    application = connect(FakeScripts(FakeResolve(FakeTimeline([]), version=version)))

    assert application.edition is Edition.RESOLVE_STUDIO
    assert words in str(application.words)


def test_the_free_edition_is_told_in_a_sentence_and_asked_nothing_that_opens_a_dialogue() -> None:
    with pytest.raises(BadInputError, match="free edition of Resolve"):
        connect(FakeScripts(FakeResolve(None, product="DaVinci Resolve")))


def test_nothing_that_runs_is_told_with_the_preference() -> None:
    with pytest.raises(BadInputError, match="External scripting using"):
        connect(FakeScripts())


def test_fusion_studio_alone_is_taken() -> None:
    comp = FakeComp(1001, 50)
    comp.add("{ Tools = { Loader1 = Loader { }, } }")
    comp.comp.tools["Loader1"]["__clip"] = "/a/plate.1001.exr"
    said: list[str] = []

    taken = take(said.append, FakeScripts(fusion=FakeFusion(comp)))

    assert said[0] == "Fusion Studio 20.3.1 answered"
    assert (taken.clip.path, taken.clip.used) == ("/a/plate.%04d.exr", FrameRange(1001, 1050))
    assert taken.clip.time.comp_of(1010) == 1010


def test_a_mediain_begins_with_its_clip_and_that_is_told_as_assumed() -> None:
    comp = FakeComp(0, 20)
    comp.add("{ Tools = { MediaIn1 = MediaIn { }, } }")
    comp.comp.tools["MediaIn1"]["__clip"] = "/a/plate.mov"

    clip = take_comp(comp)

    assert (clip.used, clip.time.comp_first) == (FrameRange(0, 19), 0)
    assert "is taken for 0" in clip.told[0]


def test_a_composition_without_a_plate_is_refused() -> None:
    with pytest.raises(BadInputError, match="neither MediaIn1 nor Loader1"):
        take_comp(FakeComp())


@pytest.mark.parametrize(("project", "sentence"), [(False, "no project"), (True, "no timeline")])
def test_without_a_timeline_it_says_what_to_open(project: bool, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        current_timeline(connect(FakeScripts(FakeResolve(None, project=project))))


def test_a_movie_is_taken_with_its_part_of_the_source() -> None:
    item = FakeItem("plate", movie(), 86410, 86430, (30, 49), track=2)

    clip, found = take_item(timeline_with(item))

    assert found is item
    assert (clip.path, clip.used, clip.rate) == ("/a/plate.mov", FrameRange(30, 49), 24.0)
    assert clip.place is not None
    assert (clip.place.track, clip.place.first, clip.place.frames) == (2, 86410, 20)
    assert not clip.time.is_retimed
    assert clip.time.comp_of(30) == 0
    assert (clip.size_px, clip.whole) == ((1920, 1080), FrameRange(0, 199))
    assert clip.told == ()


@pytest.mark.parametrize(
    ("source", "told"), [((1011, 1030), False), ((10, 29), True)], ids=["its numbers", "from 0"]
)
def test_a_sequence_is_taken_by_its_own_numbers_however_resolve_counts(
    source: tuple[int, int], told: bool
) -> None:
    media = FakeMedia(
        "plate.[1001-1100].exr",
        {"File Path": "/a/plate.[1001-1100].exr", "Start": 1001, "Frames": 100, "FPS": 24.0, "Type": "Video"},
    )

    clip, _ = take_item(timeline_with(FakeItem("plate", media, 86400, 86420, source)))

    assert (clip.path, clip.used) == ("/a/plate.%04d.exr", FrameRange(1011, 1030))
    assert any("counts plate from 0" in sentence for sentence in clip.told) == told


def test_a_retime_is_measured_and_told() -> None:
    clip, _ = take_item(timeline_with(FakeItem("plate", movie(), 86400, 86420, (0, 39))))

    assert clip.time.speed == 2.0
    assert "200 %" in clip.told[0]


STEADY = (("0s", "0s"), ("20/24s", "40/24s"))
RAMP = (("0s", "0s"), ("10/24s", "5/24s"), ("20/24s", "20/24s"))
"""Half the speed first, then more: as long as it was, so that no length tells it."""


@pytest.mark.parametrize(
    ("time_map", "source", "speed"),
    [((), (0, 19), Speed.STEADY), (STEADY, (0, 39), Speed.STEADY), (RAMP, (0, 19), Speed.RAMP)],
)
def test_a_speed_ramp_is_seen_in_what_the_timeline_exports_of_itself(
    time_map: tuple[tuple[str, str], ...], source: tuple[int, int], speed: Speed
) -> None:
    timeline = timeline_with(FakeItem("plate & co", movie(), 86400, 86420, source, time_map=time_map))

    clip, _ = take_item(timeline, FakeResolve(timeline))

    assert clip.speed is speed
    assert ("changes" in " ".join(clip.told)) == (speed is Speed.RAMP)


def test_what_resolve_does_not_say_about_the_speed_is_told() -> None:
    timeline = timeline_with(FakeItem("plate", movie(), 86400, 86420, (0, 19)))
    timeline.exports = False

    clip, _ = take_item(timeline, FakeResolve(timeline))

    assert clip.speed is Speed.UNKNOWN
    assert "look whether it has a speed ramp" in clip.told[-1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<fcpxml",
        "<fcpxml/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
        '<a><clip name="plate" duration="x"/></a>',
        '<a><clip name="plate" duration="20/24s"><timeMap><timept time="0s"/></timeMap></clip></a>',
        '<a><clip name="plate" duration="1/0s"/></a>',
    ],
)
def test_a_timeline_that_says_nothing_of_the_clip_leaves_its_speed_unknown(text: str) -> None:
    assert speed_told(text, name="plate", frames=20, rate=24.0) is Speed.UNKNOWN


def test_of_several_clips_of_one_name_and_length_one_ramp_is_enough() -> None:
    points = "".join(f'<timept time="{time}" value="{value}"/>' for time, value in RAMP)
    clip = '<clip name="plate" duration="20/24s">%s</clip>'
    text = f"<a>{clip % ''}{clip % f'<timeMap>{points}</timeMap>'}</a>"

    assert speed_told(text, name="plate", frames=20, rate=24.0) is Speed.RAMP
    assert speed_told(text, name="plate", frames=30, rate=24.0) is Speed.UNKNOWN


def test_another_rate_than_the_timelines_is_told() -> None:
    clip, _ = take_item(timeline_with(FakeItem("plate", movie(FPS=25.0), 86400, 86420, (0, 19))))

    assert clip.rate == 25.0
    assert "25 frames a second and the timeline 24" in clip.told[0]


@pytest.mark.parametrize("media", [None, FakeMedia("title", {})])
def test_a_title_has_no_file_and_that_is_said(media: FakeMedia | None) -> None:
    with pytest.raises(BadInputError, match="no file of its own"):
        take_item(timeline_with(FakeItem("Title", media, 0, 10)))


def test_an_empty_playhead_is_said() -> None:
    with pytest.raises(BadInputError, match="no clip is under the playhead"):
        take_item(FakeTimeline([]))
