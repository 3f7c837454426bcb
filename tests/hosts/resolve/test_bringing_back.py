"""Results of a run in a Resolve of our own that refuses what the real one refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from fakes.exchange_scenes import CLIP, random_shapes, scene
from fakes.resolve.application import FakeFusion, FakeItem, FakeMedia, FakeResolve, FakeScripts, FakeTimeline
from fakes.resolve.compositions import FakeComp, imported
from masklet.errors import BadInputError
from masklet.exchange.json_document import write_json
from masklet.exchange.json_reading import read_json
from masklet.exchange.scene import ExchangeScene, MatteSequence
from masklet.shapes import ObjectShapes
from masklet.types import FrameRange, Presence, StateRange
from masklet_resolve import starting
from masklet_resolve.bringing_back import Wanted, bring_to_timeline, read_results
from masklet_resolve.connecting import connect
from masklet_resolve.fusion_comps import OpenComp, attach
from masklet_resolve.matte_clips import MatteWay
from masklet_resolve.selftest import run, table
from masklet_resolve.starting import Taken, take

FIRST = 86500
"""Of the clip on the timeline; the plate's frame 0 is its first."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a run: mattes of frames 0 to 8, and the exchange document."""
    for frame in range(9):
        (tmp_path / f"shot_mattes.{frame:04d}.exr").write_bytes(b"matte")
    mattes = MatteSequence(tmp_path.as_posix(), "shot_mattes.%04d.exr", (FrameRange(0, 8),), ("hero",))
    states = (
        StateRange(1, FrameRange(0, 2), Presence.PRESENT, prompted=True),
        StateRange(1, FrameRange(3, 4), Presence.UNCERTAIN, prompted=False),
        StateRange(1, FrameRange(5, 8), Presence.PRESENT, prompted=False),
    )
    shot = replace(scene(), mattes=(mattes,), states=states)
    (tmp_path / "shot.json").write_text(write_json(shot), encoding="utf-8")
    return tmp_path


@pytest.fixture
def item() -> FakeItem:
    """Frames 0 to 8 of a movie."""
    media = FakeMedia("plate.mov", {"File Path": "/a/plate.mov", "FPS": 24.0, "Type": "Video", "Frames": 100})
    return FakeItem("plate", media, FIRST, FIRST + 9, (0, 8))


@pytest.fixture
def resolve(item: FakeItem) -> FakeResolve:
    """With the clip on its timeline."""
    return FakeResolve(FakeTimeline([item]))


def taken_from(resolve: FakeResolve) -> Taken:
    return take(lambda _: None, FakeScripts(resolve))


def timeline_of(resolve: FakeResolve) -> FakeTimeline:
    project = resolve.GetProjectManager().GetCurrentProject()
    assert project is not None
    assert project.timeline is not None
    return project.timeline


@settings(max_examples=25, deadline=None)
@given(random_shapes())
def test_the_exchange_document_is_read_as_it_was_written(shapes: ObjectShapes) -> None:
    shot = replace(scene(), shapes=(shapes,))
    text = write_json(shot)

    read = read_json(text)

    assert write_json(replace(read, holes=shot.holes)) == text
    assert [one.pieces for one in read.shapes] == [one.pieces for one in shot.shapes]
    assert [one.keys for one in read.anchors] == [one.keys for one in shot.anchors]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "masklet-exchange", "version": 99}'])
def test_a_damaged_exchange_document_is_one_sentence(text: str) -> None:
    with pytest.raises(BadInputError, match="exchange document"):
        read_json(text)


def test_everything_comes_to_the_clip(folder: Path, item: FakeItem, resolve: FakeResolve) -> None:
    said: list[str] = []

    assert starting.bring(said.append, folder, Wanted(), FakeScripts(resolve))

    assert item.media is not None
    assert item.media.mattes == [str(folder / "shot_mattes.0000.exr")]
    assert [one.name for one in resolve.pool.root.folders] == ["masklet"]
    assert resolve.pool.current is resolve.pool.root
    (comp,) = item.comps
    assert comp.way[0] == "MediaOut1"
    assert comp.way[-1] == "MediaIn1"
    assert [(frame, one["name"]) for frame, one in timeline_of(resolve).markers.items()] == [
        (100, "hero corrected"),
        (103, "hero uncertain"),
    ]
    assert "DaVinci Resolve Studio 21.1.0 answered" in said[0]


def test_mattes_on_the_track_above_lie_frame_for_frame(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.source, item.start, item.end = (3, 8), FIRST, FIRST + 6
    taken = taken_from(resolve)
    found, _ = read_results(folder)

    brought = bring_to_timeline(
        taken.application, taken.clip, item, found, folder, Wanted(MatteWay.TRACK, comp=False, markers=False)
    )

    assert brought.failed == []
    (above,) = [one for one in timeline_of(resolve).items if one.track == 2]
    assert (above.start, above.end, above.source) == (FIRST, FIRST + 6, (3, 8))


def test_mattes_go_above_what_lies_on_the_next_track(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    timeline = timeline_of(resolve)
    timeline.tracks = 2
    timeline.items.append(FakeItem("title", None, FIRST + 2, FIRST + 4, track=2))
    taken = taken_from(resolve)
    found, _ = read_results(folder)

    bring_to_timeline(
        taken.application, taken.clip, item, found, folder, Wanted(MatteWay.TRACK, comp=False, markers=False)
    )

    assert [one.name for one in timeline.items if one.track == 3] == ["shot_mattes.%04d.exr"]


def test_what_one_part_refuses_keeps_no_other_from_coming(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    (folder / "shot_mattes.0004.exr").unlink()
    item.refuses_comps = True
    said: list[str] = []

    assert not starting.bring(said.append, folder, Wanted(), FakeScripts(resolve))

    assert sum(sentence.startswith("not done:") for sentence in said) == 2
    assert len(timeline_of(resolve).markers) == 2
    assert resolve.pool.current is resolve.pool.root


def test_a_composition_that_counts_from_elsewhere_gets_its_keys_there(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.comp_start = 86400
    taken = taken_from(resolve)
    found, _ = read_results(folder)

    bring_to_timeline(
        taken.application, taken.clip, item, found, folder, Wanted(None, comp=True, markers=False)
    )

    (comp,) = item.comps
    keys = comp.body("masklet_hero_similarity_X")["KeyFrames"].keys()
    assert min(keys) >= 86400
    assert comp.way[-1] == "MediaIn1"


def test_a_second_run_replaces_markers_and_tools_of_the_first_and_none_of_the_artists(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    timeline = timeline_of(resolve)
    assert timeline.AddMarker(103, "Pink", "look here", "", 1, "artist")
    taken = taken_from(resolve)
    found, _ = read_results(folder)

    for _ in range(2):
        brought = bring_to_timeline(taken.application, taken.clip, item, found, folder, Wanted(None))
        assert brought.failed == []
        once = dict(timeline.markers), item.comps[0].names

    assert (dict(timeline.markers), item.comps[0].names) == once
    assert timeline.markers[103]["customData"] == "artist"
    # Ours began a frame later instead.
    assert (timeline.markers[104]["name"], timeline.markers[104]["duration"]) == ("hero uncertain", 1)


def test_a_retimed_clips_mattes_are_no_clip_of_their_own(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.end = FIRST + 4
    taken = taken_from(resolve)
    found, _ = read_results(folder)

    brought = bring_to_timeline(
        taken.application, taken.clip, item, found, folder, Wanted(MatteWay.TRACK, comp=False, markers=False)
    )

    assert "retimed" in brought.failed[0]


def test_a_clip_with_a_speed_ramp_gets_its_matte_and_nothing_that_would_lie_beside_the_object(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.time_map = (("0s", "0s"), ("4/24s", "2/24s"), ("9/24s", "9/24s"))
    said: list[str] = []

    assert not starting.bring(said.append, folder, Wanted(), FakeScripts(resolve))

    assert item.media is not None
    assert len(item.media.mattes) == 1
    assert item.comps == []
    assert timeline_of(resolve).markers == {}
    assert sum("the speed of plate changes: what is keyed" in sentence for sentence in said) >= 2


def test_what_was_kept_approximated_and_lost_is_told_and_lies_beside_the_mattes(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.end, item.refuses_comps = FIRST + 4, False
    said: list[str] = []

    assert starting.bring(said.append, folder, Wanted(), FakeScripts(resolve))

    record = json.loads((folder / "shot_resolve.record.json").read_text(encoding="utf-8"))
    assert (record["format"], record["tool"]) == ("masklet-record", "resolve")
    outcomes = {(entry["what"], entry["outcome"]) for entry in record["entries"]}
    assert {
        ("mattes", "kept"),
        ("review states", "kept"),
        ("retime", "approximated"),
        ("mattes as tools", "approximated"),
        ("confidence", "lost"),
    } <= outcomes
    assert any("retime approximated: the nearest picture" in sentence for sentence in said)
    assert said[-1].endswith("shot_resolve.record.json")


def test_what_did_not_come_is_lost_in_the_record_with_its_reason(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.refuses_comps = True

    starting.bring(lambda _: None, folder, Wanted(), FakeScripts(resolve))

    record = json.loads((folder / "shot_resolve.record.json").read_text(encoding="utf-8"))
    (lost,) = [entry for entry in record["entries"] if entry["what"] == "composition"]
    assert lost["outcome"] == "lost"
    assert "did not import" in lost["words"]


def test_fusion_studio_gets_its_tools_behind_the_loader(folder: Path) -> None:
    comp = FakeComp(CLIP.first_frame, len(CLIP.frames))
    comp.add(
        "{ Tools = { Loader1 = Loader { }, Saver1 = Saver { Inputs = { Input = Input { "
        'SourceOp = "Loader1", Source = "Output" } } } } }'
    )
    comp.comp.tools["Loader1"]["__clip"] = "/a/plate.0000.exr"

    assert starting.bring(lambda _: None, folder, Wanted(), FakeScripts(fusion=FakeFusion(comp)))

    assert comp.way[0] == "Saver1"
    assert comp.way[-1] == "Loader1"
    assert "masklet_hero_matte" in comp.names
    assert (folder / "shot_resolve.record.json").is_file()


def test_a_value_is_never_written_under_a_lock() -> None:
    comp = FakeComp()
    comp.add("{ Tools = { Blur = Transform { }, } }")
    opened = OpenComp(comp)

    with opened.connecting(), pytest.raises(RuntimeError, match="not rendered"):
        opened.write_keys("Blur", "Size", "BezierSpline", {0: 1.0})
    opened.write_keys("Blur", "Size", "BezierSpline", {0: 1.0, 10: 2.0})

    assert comp.unrendered == []
    # The stand-in does what was measured, and so the rule is worth its test.
    comp.Lock()
    tool = comp.FindTool("Blur")
    assert tool is not None
    tool.SetInput("Size", 3.0, 5.0)
    assert comp.unrendered == ["Blur.Size"]


def test_keys_are_written_behind_their_modifier_and_a_tool_of_the_artists_follows() -> None:
    comp = FakeComp()
    comp.add("{ Tools = { Glow = Transform { }, } }")

    attach(OpenComp(comp), "Glow", {0: (0.5, 0.5), 10: (0.6, 0.4)})

    tool = comp.FindTool("Glow")
    assert tool is not None
    assert tool.keys("Center") == {0.0: [0.5, 0.5], 10.0: [0.6, 0.4]}
    with pytest.raises(BadInputError, match="takes no keys"):
        OpenComp(comp).write_keys("Glow", "Comments", "BezierSpline", {0: 1.0})
    with pytest.raises(BadInputError, match="no tool Gone"):
        OpenComp(comp).write_keys("Gone", "Size", "BezierSpline", {0: 1.0})


def test_files_for_the_free_edition_hold_the_same_tools(folder: Path) -> None:
    said: list[str] = []

    files = starting.write_only(said.append, folder, FrameRange(2, 8))

    assert [file.suffix for file in files] == [".setting", ".comp", ".otio"]
    comp = imported(str(files[1]), 0, 7)
    assert comp is not None
    assert comp.way[-1] == "MediaIn1"
    # The clip's first frame is 0 in its composition.
    assert min(comp.body("masklet_hero_similarity_X")["KeyFrames"].keys()) >= 0
    assert len(said) == 3


def test_a_folder_without_an_exchange_document_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--export json"):
        read_results(tmp_path)


def test_the_selftest_prints_a_line_for_everything_and_all_hold(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    lines = run(folder, FakeScripts(resolve))

    assert [one.what for one in lines if not one.holds] == []
    assert len(lines) == 9
    assert table(lines).count("\nok ") == 9


def test_the_selftest_tells_what_does_not_hold_and_goes_on(
    folder: Path, item: FakeItem, resolve: FakeResolve
) -> None:
    item.refuses_comps = True

    lines = run(folder, FakeScripts(resolve))

    bad = [one.what for one in lines if not one.holds]
    assert "the composition is there" in bad
    assert "markers are set" not in bad
    assert len(lines) == 9


def test_connecting_and_nothing_else_tells_the_edition() -> None:
    assert connect(FakeScripts(FakeResolve(None))).version == "21.1.0"


def test_no_scene_is_needed_to_make_a_scene() -> None:
    assert read_json(write_json(ExchangeScene(CLIP))).shapes == ()
