"""Fusion text, executed by the Lua that Fusion speaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    WIDTH_PX,
    draw_paths,
    expected_matte,
    iou,
    random_shapes,
    random_tracks,
    scene,
    similarity,
    true_paths,
    widest_feathers_px,
)
from fakes.fusion_text import executed, plain, read_feathers_px, read_paths, read_tools
from masklet.anchors import AnchorTrack
from masklet.exchange.fusion import write_comp, write_setting
from masklet.exchange.scene import ExchangeScene
from masklet.shapes import ObjectShapes


@settings(max_examples=30, deadline=None)
@given(random_shapes())
def test_every_vertex_and_handle_comes_back_on_every_visible_frame(shapes: ObjectShapes) -> None:
    tools = read_tools(write_setting(ExchangeScene(CLIP, shapes=(shapes,))))

    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        wanted, found = true_paths(shapes, frame), read_paths(tools, frame, WIDTH_PX, HEIGHT_PX)
        assert [hole for hole, _ in found] == [hole for hole, _ in wanted]
        feathers_px = read_feathers_px(tools, frame, WIDTH_PX)
        assert feathers_px == pytest.approx(widest_feathers_px(shapes, frame), abs=1e-3)
        for (_, path), (_, true) in zip(found, wanted, strict=True):
            for vertex, true_vertex in zip(path, true, strict=True):
                assert vertex == pytest.approx(true_vertex, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(random_tracks())
def test_every_number_of_an_anchor_comes_back(track: AnchorTrack) -> None:
    tools = read_tools(write_setting(ExchangeScene(CLIP, anchors=(track,))))
    inputs = tools["any_anchor"]["Inputs"]
    start = track.key_at(track.reference_frame)
    assert start is not None

    def values(given: dict[str, Any]) -> dict[int, float]:
        return {frame: key[1] for frame, key in tools[given["SourceOp"]]["KeyFrames"].items()}

    path = tools[inputs["Center"]["SourceOp"]]["Inputs"]
    x, y = values(path["X"]), values(path["Y"])
    pivot = inputs["Pivot"]["Value"]
    assert pivot[1] * WIDTH_PX == pytest.approx(start.x_px, abs=1e-3)
    assert (1 - pivot[2]) * HEIGHT_PX == pytest.approx(start.y_px, abs=1e-3)
    for key in track.keys:
        assert (x[key.frame] - 0.5) * WIDTH_PX == pytest.approx(key.x_px - start.x_px, abs=1e-3)
        assert (0.5 - y[key.frame]) * HEIGHT_PX == pytest.approx(key.y_px - start.y_px, abs=1e-3)
        if track.is_animated_in_size:
            found = [values(inputs[name])[key.frame] for name in ("Angle", "XSize", "YSize")]
            assert found == pytest.approx([-key.rotation_deg, key.scale_x, key.scale_y], abs=1e-3)
        if track.fades:
            fading = tools["any_anchor_weight"]["Inputs"]
            assert fading["Input"]["SourceOp"] == "any_anchor"
            assert values(fading["Gain"])[key.frame] == pytest.approx(key.weight, abs=1e-3)
    assert ("any_anchor_weight" in tools) == track.fades


def test_what_is_drawn_from_the_text_is_the_matte() -> None:
    shot = scene()
    tools = read_tools(write_setting(shot))

    for frame in (-3, 0, 2, 3, 6, 8):
        assert (
            iou(
                draw_paths(read_paths(tools, frame, WIDTH_PX, HEIGHT_PX)),
                expected_matte(shot.shapes[0], frame),
            )
            > 0.97
        )


def test_every_connection_leads_to_a_tool_that_is_there() -> None:
    tools = read_tools(write_setting(scene()))

    sources = [
        value["SourceOp"]
        for tool in tools.values()
        for value in tool.get("Inputs", {}).values()
        if "SourceOp" in value
    ]

    assert sources
    assert set(sources) <= set(tools)


def test_pieces_of_an_object_are_chained_through_their_effect_masks() -> None:
    tools = read_tools(write_setting(scene()))
    masks = [name for name, tool in tools.items() if tool["__kind"] == "PolylineMask"]
    fed = {tools[name]["Inputs"].get("EffectMask", {}).get("SourceOp") for name in masks}

    assert len(masks) == 4
    assert len(fed - {None}) == 3


def test_a_transform_moves_the_picture_as_the_anchor_moved() -> None:
    tools = read_tools(write_setting(scene()))
    inputs = tools["hero_similarity"]["Inputs"]
    path = tools[inputs["Center"]["SourceOp"]]["Inputs"]
    x = tools[path["X"]["SourceOp"]]["KeyFrames"]
    y = tools[path["Y"]["SourceOp"]]["KeyFrames"]
    angle = tools[inputs["Angle"]["SourceOp"]]["KeyFrames"]

    for key in similarity().keys:
        assert (x[key.frame][1] - 0.5) * WIDTH_PX == pytest.approx(key.x_px - 160, abs=1e-3)
        assert (0.5 - y[key.frame][1]) * HEIGHT_PX == pytest.approx(key.y_px - 140, abs=1e-3)
        assert angle[key.frame][1] == pytest.approx(-key.rotation_deg, abs=1e-3)


def test_a_comp_carries_the_range_and_reads_the_mattes() -> None:
    comp = plain(executed(write_comp(scene())))

    assert (comp["GlobalRange"][1], comp["GlobalRange"][2]) == (-3, 8)
    assert (comp["RenderRange"][1], comp["RenderRange"][2]) == (-2, 7)
    loader = next(tool for tool in comp["Tools"].values() if tool["__kind"] == "Loader")
    clip = loader["Clips"][1]
    # The first file that exists; in a folder's name a percent sign means nothing.
    assert clip["Filename"] == "50%_d [a]/shot_mattes.-002.exr"
    assert (clip["GlobalStart"], clip["GlobalEnd"], clip["Length"]) == (-2, 7, 10)


def test_every_key_says_how_it_is_drawn_so_that_no_default_of_fusions_counts() -> None:
    tools = read_tools(write_setting(scene()))

    splines = [tool for tool in tools.values() if tool["__kind"] == "BezierSpline"]
    assert splines
    for spline in splines:
        for key in spline["KeyFrames"].values():
            flags = key["Flags"]
            assert flags.get("Linear") or flags.get("StepIn")
            assert "LH" not in key
            assert "RH" not in key
