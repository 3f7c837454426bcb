"""Fusion text, executed by the Lua that Fusion speaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    WIDTH_PX,
    Vertex,
    draw_paths,
    expected_matte,
    iou,
    random_shapes,
    scene,
    similarity,
    true_paths,
)
from masklet.exchange.fusion import write_comp, write_setting
from masklet.exchange.scene import ExchangeScene
from masklet.shapes import ObjectShapes

# What Fusion defines before it reads a setting: constructors keep their type's name, and
# `ordered()` keeps the order of its keys by being called once with a plain table.
_CONSTRUCTORS = """
local kinds = { "Loader", "Clip", "PolylineMask", "Input", "FuID", "BezierSpline", "Polyline", "Transform",
                "XYPath", "Composition" }
for _, kind in ipairs(kinds) do
    _G[kind] = function(body) body.__kind = kind; return body end
end
function ordered() return function(body) return body end end
"""


def _executed(text: str) -> Any:
    lupa = pytest.importorskip("lupa.lua51")
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.execute(_CONSTRUCTORS)
    return lua.eval(text)


def _plain(value: Any) -> Any:
    """A Lua table as a dictionary, all the way down."""
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _tools(text: str) -> dict[str, Any]:
    tools = _plain(_executed(text))["Tools"]
    assert isinstance(tools, dict)
    return tools


def _key_at(keys: dict[int, Any], frame: int) -> tuple[int, int, float]:
    """The keys around a frame and the share of the way between them."""
    frames = sorted(keys)
    before = max((one for one in frames if one <= frame), default=frames[0])
    after = min((one for one in frames if one >= frame), default=frames[-1])
    if after < before:
        after = before
    return before, after, 0.0 if before == after else (frame - before) / (after - before)


def _path(keys: dict[int, Any], frame: int) -> list[Vertex]:
    before, after, share = _key_at(keys, frame)
    path = []
    first, second = keys[before]["Value"]["Points"], keys[after]["Value"]["Points"]
    for index in sorted(first):
        one, two = first[index], second[index]

        def at(name: str, one: Any = one, two: Any = two) -> float:
            return float(one[name] + (two[name] - one[name]) * share)

        path.append(
            (
                (at("X") + 0.5) * WIDTH_PX,
                (0.5 - at("Y")) * HEIGHT_PX,
                at("LX") * WIDTH_PX,
                -at("LY") * HEIGHT_PX,
                at("RX") * WIDTH_PX,
                -at("RY") * HEIGHT_PX,
            )
        )
    return path


def _drawn(tools: dict[str, Any], frame: int) -> list[tuple[bool, list[Vertex]]]:
    """Paths on a frame in the order of the chain, True for those that subtract."""
    masks = {name: tool["Inputs"] for name, tool in tools.items() if tool["__kind"] == "PolylineMask"}
    after = {inputs.get("EffectMask", {}).get("SourceOp"): name for name, inputs in masks.items()}
    drawn = []
    name = after.get(None)
    while name is not None:
        inputs = masks[name]
        levels = tools[inputs["Level"]["SourceOp"]]["KeyFrames"]
        before = max((one for one in levels if one <= frame), default=min(levels))
        if levels[before][1] != 0:
            path = _path(tools[inputs["Polyline"]["SourceOp"]]["KeyFrames"], frame)
            mode = inputs.get("PaintMode", {"Value": {1: "Merge"}})["Value"][1]
            drawn.append((mode == "Subtract", path))
        name = after.get(name)
    return drawn


@settings(max_examples=30, deadline=None)
@given(random_shapes())
def test_every_vertex_and_handle_comes_back_on_every_visible_frame(shapes: ObjectShapes) -> None:
    tools = _tools(write_setting(ExchangeScene(CLIP, shapes=(shapes,))))

    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        wanted, found = true_paths(shapes, frame), _drawn(tools, frame)
        assert [hole for hole, _ in found] == [hole for hole, _ in wanted]
        for (_, path), (_, true) in zip(found, wanted, strict=True):
            for vertex, true_vertex in zip(path, true, strict=True):
                assert vertex == pytest.approx(true_vertex, abs=1e-3)


def test_what_is_drawn_from_the_text_is_the_matte() -> None:
    shot = scene()
    tools = _tools(write_setting(shot))

    for frame in (-3, 0, 2, 3, 6, 8):
        assert iou(draw_paths(_drawn(tools, frame)), expected_matte(shot.shapes[0], frame)) > 0.97


def test_every_connection_leads_to_a_tool_that_is_there() -> None:
    tools = _tools(write_setting(scene()))

    sources = [
        value["SourceOp"]
        for tool in tools.values()
        for value in tool.get("Inputs", {}).values()
        if "SourceOp" in value
    ]

    assert sources
    assert set(sources) <= set(tools)


def test_pieces_of_an_object_are_chained_through_their_effect_masks() -> None:
    tools = _tools(write_setting(scene()))
    masks = [name for name, tool in tools.items() if tool["__kind"] == "PolylineMask"]
    fed = {tools[name]["Inputs"].get("EffectMask", {}).get("SourceOp") for name in masks}

    assert len(masks) == 4
    assert len(fed - {None}) == 3


def test_a_transform_moves_the_picture_as_the_anchor_moved() -> None:
    tools = _tools(write_setting(scene()))
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
    comp = _plain(_executed(write_comp(scene())))

    assert (comp["GlobalRange"][1], comp["GlobalRange"][2]) == (-3, 8)
    loader = next(tool for tool in comp["Tools"].values() if tool["__kind"] == "Loader")
    assert loader["Clips"][1]["Filename"] == "mattes/shot [a].-003.exr"
    assert loader["Clips"][1]["GlobalStart"] == -3
