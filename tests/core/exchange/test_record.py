"""Every export says what it kept, approximated and lost, in words and as data, and the words are true."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fakes.exchange_scenes import HEIGHT_PX, scene, similarity, true_paths
from fakes.nuke_text import read_nodes, read_paths
from masklet.exchange.files import TOOLS, exchange_files
from masklet.exchange.record import Entry, Outcome, record_of
from masklet.exchange.redrawing import redrawn
from masklet.exchange.scene import ExchangeScene
from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ShapeKey


def _find(entries: tuple[Entry, ...], what: str, subject: str | None = None) -> Entry:
    return next(one for one in entries if one.what == what and subject in (None, one.subject))


def _with_uneven_feather() -> ExchangeScene:
    shot = scene()
    (shapes,) = shot.shapes
    first = shapes.pieces[0]
    keys = tuple(
        ShapeKey(key.frame, (replace(key.vertices[0], feather_px=7.5), *key.vertices[1:]))
        for key in first.keys
    )
    return replace(shot, shapes=(replace(shapes, pieces=(replace(first, keys=keys), *shapes.pieces[1:])),))


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tools_files_come_with_a_record_in_words_and_as_data(tool: str) -> None:
    files = exchange_files(scene(), [tool], name="shot")

    document = json.loads(files[f"shot_{tool}.record.json"])

    assert (document["format"], document["version"], document["tool"]) == ("masklet-record", 1, tool)
    assert len(document["words"]) == len(document["entries"]) > 0
    for words, entry in zip(document["words"], document["entries"], strict=True):
        assert entry["outcome"] in {"kept", "approximated", "lost"}
        assert words == f"{entry['subject']}: {entry['what']} {entry['outcome']}: {entry['words']}"


@pytest.mark.parametrize("tool", ["nuke", "fusion", "ae"])
def test_a_feather_that_differs_along_a_path_is_said_to_become_its_widest(tool: str) -> None:
    assert _find(record_of(scene(), tool), "feather").outcome is Outcome.KEPT

    entry = _find(record_of(_with_uneven_feather(), tool), "feather")

    assert entry.outcome is Outcome.APPROXIMATED
    assert "from 3.00 to 7.50 px" in entry.words
    assert _find(record_of(_with_uneven_feather(), "json"), "feather").outcome is Outcome.KEPT


def test_holes_lifetimes_fragments_and_frames_without_a_matte_are_told() -> None:
    shot = scene()
    (shapes,) = shot.shapes
    shapes = replace(shapes, report=replace(shapes.report, left_out=5))

    entries = record_of(replace(shot, shapes=(shapes,)), "nuke")

    assert _find(entries, "holes").words == "1: cut out by a Roto and a Merge of their own"
    assert _find(entries, "lifetimes").outcome is Outcome.KEPT
    assert "5 specks" in _find(entries, "fragments").words
    assert _find(entries, "fragments").outcome is Outcome.LOST


def test_blender_gets_layers_and_one_transform_and_says_so() -> None:
    entries = record_of(scene(), "blender")

    assert _find(entries, "holes").words == "1: layers that subtract"
    assert "steps between 0 and 1" in _find(entries, "lifetimes").words
    assert "each vertex" in _find(record_of(_with_uneven_feather(), "blender"), "feather").words
    assert _find(entries, "corners").outcome is Outcome.LOST
    assert _find(entries, "confidence").outcome is Outcome.LOST
    assert "rotation and scale" not in {entry.what for entry in entries}
    assert _find(record_of(scene(), "blender-track"), "rotation and scale").outcome is Outcome.LOST


def test_what_a_tool_has_no_place_for_is_said_to_be_lost() -> None:
    lost = {
        tool: {entry.what for entry in record_of(scene(), tool) if entry.outcome is Outcome.LOST}
        for tool in TOOLS
    }

    assert lost["json"] == set()
    assert lost["otio"] == {"shapes", "anchor"}
    assert "corners" in lost["fusion"]
    assert "corners" not in lost["nuke"] | lost["ae"]
    assert "review states" in lost["nuke"]


def test_an_anchor_whose_corners_carry_its_shear_keeps_it_there() -> None:
    keys = tuple(replace(key, shear=0.1) for key in similarity().keys)
    shot = replace(scene(), anchors=(replace(similarity(), keys=keys),))

    assert _find(record_of(shot, "nuke"), "shear").outcome is Outcome.APPROXIMATED
    assert _find(record_of(shot, "fusion"), "shear").outcome is Outcome.LOST


def test_the_figure_in_the_record_is_what_nuke_would_draw_at_worst() -> None:
    """Every point of the turning ring, drawn by Nuke's curve, against the paths that were given."""
    (shapes,) = scene().shapes
    shapes = replace(shapes, report=replace(shapes.report, tolerance_px=4.0, largest_distance_px=1.0))
    shot = replace(scene(), shapes=(shapes,))
    made = redrawn(shapes, Interpolation.NUKE_SMOOTH)
    entry = _find(record_of(shot, "nuke"), "motion", shapes.name)
    nodes = read_nodes(exchange_files(shot, ["nuke"], name="shot")["shot.nk"])

    worst_px = 0.0
    for frame in range(-3, 9):
        for (_, path), (_, true) in zip(
            read_paths(nodes, frame, HEIGHT_PX), true_paths(shapes, frame), strict=True
        ):
            for one, other in zip(path, true, strict=True):
                worst_px = max(worst_px, ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)

    assert worst_px <= made.apart_px + 1e-3 <= 3.0 + 1e-3
    assert entry.largest_px == pytest.approx(1.0 + made.apart_px, abs=1e-3)
    assert "Nuke's smooth curve" in entry.words


def test_a_bend_in_a_straight_way_gets_keys_until_the_smooth_curve_keeps_to_it() -> None:
    (shapes,) = scene().shapes
    frames = (0, 10, 20)
    corners = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))
    keys = tuple(
        ShapeKey(frame, tuple(BezierVertex(x + shift, y) for x, y in corners))
        for frame, shift in zip(frames, (0.0, 80.0, 0.0), strict=True)
    )
    piece = replace(shapes.pieces[1], keys=keys, visible=(replace(scene().clip.frames, first=0, last=20),))
    bent = replace(shapes, pieces=(piece,))

    made = redrawn(bent, Interpolation.NUKE_SMOOTH)

    assert made.added_keys > 0
    assert made.apart_px <= 0.1
    assert made.shapes.report.keyframes == len(made.shapes.pieces[0].keys)
    # And back: straight ways between the keys of a smooth curve need some of their own.
    back = redrawn(made.shapes, Interpolation.LINEAR)
    for frame in range(21):
        here, there = piece.path_at(frame)[0].x_px, back.shapes.pieces[0].path_at(frame)[0].x_px
        assert there == pytest.approx(here, abs=0.21)
