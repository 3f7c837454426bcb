"""After Effects, JSON and OpenTimelineIO, names and numbers, and which files a tool gets."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.after_effects_text import read_keyframes, read_masks, read_paths
from fakes.exchange_scenes import (
    CLIP,
    draw_paths,
    expected_matte,
    iou,
    position,
    random_shapes,
    random_tracks,
    scene,
    similarity,
    widest_feather_of_px,
)
from fakes.nuke_text import read_nodes
from masklet.anchors import Absence, AnchorTrack
from masklet.errors import BadInputError
from masklet.exchange.after_effects import write_keyframes, write_mask_script
from masklet.exchange.files import TOOLS, exchange_files, file_names
from masklet.exchange.fusion import write_setting
from masklet.exchange.identifiers import Identifiers
from masklet.exchange.json_document import write_json
from masklet.exchange.nuke import write_nk
from masklet.exchange.numbers import decimal
from masklet.exchange.scene import ExchangeScene, MatteSequence
from masklet.exchange.timeline import write_otio
from masklet.holes import Hole, HoleReason
from masklet.shapes import ObjectShapes
from masklet.types import FrameRange

PINS = ("Upper Left #2", "Upper Right #3", "Lower Right #5", "Lower Left #4")
"""Properties of the effect, from the top left clockwise."""


@settings(max_examples=30, deadline=None)
@given(random_shapes())
def test_an_after_effects_script_holds_every_key_of_every_piece(shapes: ObjectShapes) -> None:
    masks = read_masks(write_mask_script(ExchangeScene(CLIP, shapes=(shapes,))))

    drawn = [piece for piece in shapes.pieces if piece.visible]
    by_name = {mask["name"]: mask for mask in masks}
    assert len(masks) == len(drawn)
    for piece in drawn:
        mask = by_name[f"{shapes.name} {piece.name}"]
        frames = [round(units + CLIP.first_frame) for units in mask["units"]]
        assert frames == [key.frame for key in piece.keys]
        assert mask["feather_px"] == pytest.approx(widest_feather_of_px(piece), abs=1e-3)
        for key, path in zip(piece.keys, mask["paths"], strict=True):
            for number, vertex in enumerate(key.vertices):
                found = [
                    *path["vertices"][number],
                    *path["in_tangents"][number],
                    *path["out_tangents"][number],
                ]
                assert found == pytest.approx(vertex.as_tuple()[:6], abs=1e-3)


def test_after_effects_masks_draw_the_matte_and_switch_with_the_visible_ranges() -> None:
    shot = scene()
    masks = read_masks(write_mask_script(shot))

    for frame in (-3, 2, 3, 8):
        drawn = read_paths(masks, frame - CLIP.first_frame)
        assert iou(draw_paths(drawn), expected_matte(shot.shapes[0], frame)) > 0.97


def test_after_effects_keyframes_count_from_the_clips_first_frame() -> None:
    text = write_keyframes(scene(), similarity())

    blocks = read_keyframes(text)
    assert text.startswith("Adobe After Effects 8.0 Keyframe Data\n")
    assert text.endswith("End of Keyframe Data\n")
    for key in similarity().keys:
        at = key.frame - CLIP.first_frame
        assert blocks["Transform/Position"][at] == pytest.approx([key.x_px, key.y_px, 0], abs=1e-3)
        assert blocks["Transform/Rotation"][at] == pytest.approx([key.rotation_deg], abs=1e-3)
        assert blocks["Transform/Scale"][at][0] == pytest.approx(100 * key.scale_x, abs=1e-3)
        assert key.corners is not None
        assert blocks["Effects/Corner Pin #1/Lower Right #5"][at] == pytest.approx(key.corners[2], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(random_tracks())
def test_after_effects_keyframes_hold_every_number_of_an_anchor(track: AnchorTrack) -> None:
    blocks = read_keyframes(write_keyframes(ExchangeScene(CLIP, anchors=(track,)), track))

    assert ("Transform/Opacity" in blocks) == track.fades
    for key in track.keys:
        found = {name: values[key.frame - CLIP.first_frame] for name, values in blocks.items()}
        assert found["Transform/Position"] == pytest.approx([key.x_px, key.y_px, 0], abs=1e-3)
        if track.is_animated_in_size:
            percent = [100 * key.scale_x, 100 * key.scale_y, 100]
            assert found["Transform/Scale"] == pytest.approx(percent, abs=1e-3)
            assert found["Transform/Rotation"] == pytest.approx([key.rotation_deg], abs=1e-3)
        if track.fades:
            assert found["Transform/Opacity"] == pytest.approx([100 * key.weight], abs=1e-3)
        if key.corners is not None:
            places = [found[f"Effects/Corner Pin #1/{pin}"] for pin in PINS]
            assert [tuple(place) for place in places] == [pytest.approx(one, abs=1e-3) for one in key.corners]


@settings(max_examples=30, deadline=None)
@given(random_shapes())
def test_json_holds_every_number_as_it_is(shapes: ObjectShapes) -> None:
    document = json.loads(write_json(ExchangeScene(CLIP, shapes=(shapes,), anchors=(similarity(),))))

    pieces = document["shapes"][0]["pieces"]
    for piece, found in zip(shapes.pieces, pieces, strict=True):
        assert found["visible"] == [[span.first, span.last] for span in piece.visible]
        for key, found_key in zip(piece.keys, found["keys"], strict=True):
            assert found_key["frame"] == key.frame
            assert [tuple(vertex) for vertex in found_key["vertices"]] == [
                one.as_tuple() for one in key.vertices
            ]
    assert document["anchors"][0]["keys"][0]["x_px"] == similarity().keys[0].x_px


def test_states_become_markers_that_opentimelineio_reads() -> None:
    otio = pytest.importorskip("opentimelineio")

    timeline = otio.adapters.read_from_string(write_otio(scene()), "otio_json")

    clip = next(iter(timeline.find_clips()))
    assert [marker.name for marker in clip.markers] == ["hero: locked, corrected, present", "hero: absent"]
    assert clip.markers[1].marked_range.start_time.value == 3
    assert clip.markers[1].marked_range.duration.value == 2
    assert clip.markers[1].color == "RED"
    assert clip.source_range.start_time.rate == 25


def test_mattes_lie_on_tracks_of_their_own_that_are_off_each_file_under_its_frame(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    folder = tmp_path / "mattes 100 %"
    mattes = MatteSequence(
        folder.as_posix(), "shot_%04d.exr", (FrameRange(2, 4), FrameRange(6, 8)), ("hero",)
    )

    written = write_otio(replace(scene(), mattes=(mattes,)))
    plate, above = otio.adapters.read_from_string(written, "otio_json").tracks

    assert (plate.enabled, above.enabled) == (True, False)
    assert [clip.source_range.start_time.value for clip in above.find_clips()] == [2, 6]
    first = scene().clip.first_frame
    for clip, number in zip(above.find_clips(), (2, 6), strict=True):
        # On the timeline it lies as far from the start as the plate's frame of that number.
        at = clip.range_in_parent().start_time.value
        assert at == number - first
        assert clip.media_reference.target_url_for_image_number(0).endswith(f"shot_{number:04d}.exr")
        assert clip.media_reference.target_url_base == f"{folder.as_uri()}/"


@given(st.lists(st.text(max_size=80), unique=True, max_size=12))
def test_identifiers_are_plain_and_differ_where_names_differ(names: list[str]) -> None:
    identifiers = Identifiers()

    given_out = [identifiers.of(name) for name in names]

    assert len({one.lower() for one in given_out}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", one) for one in given_out)
    assert [identifiers.of(name) for name in names] == given_out


@given(st.floats(-1e7, 1e7))
def test_decimals_are_never_in_exponent_form_and_close_to_the_number(value: float) -> None:
    text = decimal(value)

    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert float(text) == pytest.approx(value, abs=6e-6)


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        decimal(math.nan)


def test_every_tool_gets_its_files_and_an_unknown_one_a_sentence() -> None:
    files = exchange_files(scene(), TOOLS, name="shot")

    assert sorted(files) == [
        "shot.comp",
        "shot.json",
        "shot.nk",
        "shot.otio",
        "shot.setting",
        "shot_ae.record.json",
        "shot_fusion.record.json",
        "shot_hero_similarity.txt",
        "shot_hero_top.txt",
        "shot_json.record.json",
        "shot_masks.jsx",
        "shot_nuke.record.json",
        "shot_otio.record.json",
    ]
    planned = file_names(TOOLS, name="shot", shapes=True, anchors=["hero_similarity", "hero_top"])
    assert sorted(planned) == sorted(files)
    with pytest.raises(BadInputError, match="no export for 'flame': choose from nuke, fusion"):
        exchange_files(scene(), ["flame"], name="shot")


def test_what_an_anchor_did_while_its_object_was_away_is_in_every_file_that_can_say_it() -> None:
    away = replace(similarity(), absence=Absence.FADE)
    keys = tuple(
        replace(key, held=1 <= key.frame <= 2, weight=0.5 if key.frame == 2 else 1.0)
        for key in away.keys
        if key.frame != 5
    )
    shot = replace(scene(), anchors=(replace(away, keys=keys),))

    (anchor,) = json.loads(write_json(shot))["anchors"]
    assert anchor["absence"] == "fade"
    assert anchor["gaps"] == [
        {"first_frame": 1, "last_frame": 2, "did": "faded"},
        {"first_frame": 5, "last_frame": 5, "did": "carried"},
    ]
    words = "not seen on 1-2: held and faded out; not seen on 5: without a key"
    assert any(words in str(node.knobs.get("label")) for node in read_nodes(write_nk(shot)))
    assert words in write_setting(shot)


def test_frames_on_which_no_shape_is_drawn_are_named() -> None:
    shot = scene()
    (shapes,) = shot.shapes
    report = replace(shapes.report, gaps=(FrameRange(3, 4),))
    shot = replace(shot, shapes=(replace(shapes, report=report),))

    assert json.loads(write_json(shot))["shapes"][0]["report"]["gaps"] == [[3, 4]]
    words = "no matte on 3-4: nothing is drawn there"
    assert words in write_nk(shot)
    assert words in write_setting(shot)
    assert words in write_mask_script(shot)


def test_json_names_the_files_that_were_written() -> None:
    (mattes,) = json.loads(write_json(scene()))["mattes"]

    assert mattes == {
        "folder": "50%_d [a]",
        "files": "shot_mattes.%04d.exr",
        "format": "exr",
        "layers": ["hero"],
        "first_file": "50%_d [a]/shot_mattes.-002.exr",
        "first_frame": -2,
        "last_frame": 7,
        "frames": [[-2, 2], [5, 7]],
    }


def test_frames_without_a_matte_are_in_json_and_are_markers() -> None:
    hole = Hole(1, "hero", FrameRange(3, 4), HoleReason.BEHIND_CUT, 3)
    shot = replace(scene(), holes=(hole,))

    assert json.loads(write_json(shot))["holes"] == [hole.as_json()]
    markers = json.loads(write_otio(shot))["tracks"]["children"][0]["children"][0]["markers"]
    (marker,) = [one for one in markers if "no matte" in one["name"]]
    assert marker["name"] == "hero: no matte, behind the cut at 3: not tracked"
    assert marker["marked_range"]["start_time"]["value"] == 3


def test_a_frame_rate_is_never_made_up() -> None:
    shot = replace(scene(), clip=replace(CLIP, frames_per_s=None))

    assert json.loads(write_json(shot))["clip"]["frames_per_s"] is None
    assert json.loads(write_otio(shot))["metadata"]["masklet"]["frame_rate"] == "assumed"
    assert "var rate = null || comp.frameRate;" in write_mask_script(shot)
    assert json.loads(write_otio(scene()))["metadata"]["masklet"]["frame_rate"] == "of the clip"
    assert "var rate = 25.0 || comp.frameRate;" in write_mask_script(scene())


# Phones hold pictures back when it is dark: 25 a second, but for two that stay longer.
VARIABLE_US = (
    0,
    40_000,
    80_000,
    160_000,
    200_000,
    240_000,
    280_000,
    320_000,
    440_000,
    480_000,
    520_000,
    560_000,
)


def test_where_the_rate_varies_every_key_lies_at_the_time_of_its_frame() -> None:
    shot = replace(scene(), clip=replace(CLIP, frame_times_us=VARIABLE_US))
    track = similarity()

    blocks = read_keyframes(write_keyframes(shot, track))
    for key, time_us in zip(track.keys, VARIABLE_US, strict=True):
        assert blocks["Transform/Position"][time_us * 25 / 1e6][0] == pytest.approx(key.x_px, abs=1e-3)
    (mask, *_) = read_masks(write_mask_script(shot))
    (shapes,) = shot.shapes
    times = {frame: time_us * 25 / 1e6 for frame, time_us in zip(range(-3, 9), VARIABLE_US, strict=True)}
    assert mask["units"] == [times[key.frame] for key in shapes.pieces[0].keys]
    markers = json.loads(write_otio(shot))["tracks"]["children"][0]["children"][0]["markers"]
    assert markers[1]["marked_range"]["start_time"]["value"] == pytest.approx(-3 + times[3])
    assert json.loads(write_json(shot))["clip"]["frame_times_us"] == list(VARIABLE_US)


_STAGE = """
var keys = [], opacity = [], alerts = [];
function Shape() {}
function CompItem() {}
function alert(text) { alerts.push(text); }
var MaskMode = {ADD: 1, SUBTRACT: 2}, KeyframeInterpolationType = {HOLD: 1};
function property(name) {
    return {
        addProperty: function () { return {property: property}; },
        setValuesAtTimes: function (times) { keys.push(times); },
        setValue: function () {},
        setValueAtTime: function (time, value) { opacity.push([time, value]); this.numKeys += 1; },
        setInterpolationTypeAtKey: function () {},
        numKeys: 0
    };
}
var comp = new CompItem();
comp.frameRate = 50;
comp.selectedLayers = [LAYER];
comp.selectedLayers[0].property = property;
var app = {
    project: {activeItem: comp}, beginUndoGroup: function () {}, endUndoGroup: function () {}
};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the script")
@pytest.mark.parametrize(
    ("layer", "first_s", "frame_s"),
    [
        ("{startTime: 0, stretch: 100}", 0.0, 0.04),
        ("{startTime: 2.5, stretch: 100}", 2.5, 0.04),
        ("{startTime: -1, stretch: 200}", -1.0, 0.08),
    ],
)
def test_masks_follow_a_layer_that_was_slipped_or_stretched(
    layer: str, first_s: float, frame_s: float
) -> None:
    script = _STAGE.replace("LAYER", layer) + write_mask_script(scene())
    script += "console.log(JSON.stringify([keys, opacity, alerts]));"
    ran = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)

    keys, opacity, alerts = json.loads(ran.stdout)
    (shapes,) = scene().shapes
    expected = [first_s + (key.frame - CLIP.first_frame) * frame_s for key in shapes.pieces[0].keys]
    assert keys[0] == pytest.approx(expected)
    assert opacity[0] == [pytest.approx(first_s), 100]
    assert not alerts


def test_pasted_keyframes_have_one_on_every_frame_since_their_text_cannot_say_straight() -> None:
    """Between the anchor's keys on 0 and 4 After Effects would draw by its own default."""
    track = position()

    found = read_keyframes(write_keyframes(ExchangeScene(CLIP, anchors=(track,)), track))[
        "Transform/Position"
    ]

    assert sorted(found) == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    for units, (x_px, y_px, _) in found.items():
        assert (x_px, y_px) == pytest.approx((12.5 + units + CLIP.first_frame, 30.0))


def test_the_mask_script_makes_every_key_of_a_path_straight() -> None:
    script = write_mask_script(scene())

    made, straight = (
        script.index(call)
        for call in (
            "shape.setValuesAtTimes(times, paths)",
            "shape.setInterpolationTypeAtKey(s, KeyframeInterpolationType.LINEAR)",
        )
    )
    assert made < straight
    assert "for (var s = 1; s <= shape.numKeys; s++)" in script
