"""A reader of Fusion's text: executed by the Lua that Fusion speaks, then followed from tool to tool."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.exchange_scenes import Vertex

# What Fusion defines before it reads a setting: constructors keep their type's name, and
# `ordered()` keeps the order of its keys by being called once with a plain table.
_CONSTRUCTORS = """
local kinds = { "Loader", "Clip", "PolylineMask", "Input", "FuID", "BezierSpline", "Polyline", "Transform",
                "XYPath", "BrightnessContrast", "Composition" }
for _, kind in ipairs(kinds) do
    _G[kind] = function(body) body.__kind = kind; return body end
end
function ordered() return function(body) return body end end
"""


def executed(text: str) -> Any:
    """What Fusion makes of a setting or a composition."""
    lupa = pytest.importorskip("lupa.lua51")
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.execute(_CONSTRUCTORS)
    return lua.eval(text)


def plain(value: Any) -> Any:
    """A Lua table as a dictionary, all the way down."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


def read_tools(text: str) -> dict[str, Any]:
    """The tools of a setting by name."""
    tools = plain(executed(text))["Tools"]
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


def _path(keys: dict[int, Any], frame: int, width_px: int, height_px: int) -> list[Vertex]:
    before, after, share = _key_at(keys, frame)
    path = []
    first, second = keys[before]["Value"]["Points"], keys[after]["Value"]["Points"]
    for index in sorted(first):
        one, two = first[index], second[index]

        def at(name: str, one: Any = one, two: Any = two) -> float:
            return float(one[name] + (two[name] - one[name]) * share)

        path.append(
            (
                (at("X") + 0.5) * width_px,
                (0.5 - at("Y")) * height_px,
                at("LX") * width_px,
                -at("LY") * height_px,
                at("RX") * width_px,
                -at("RY") * height_px,
            )
        )
    return path


def read_paths(
    tools: dict[str, Any], frame: int, width_px: int, height_px: int
) -> list[tuple[bool, list[Vertex]]]:
    """Paths on a frame in the order of the chain, True for those that subtract."""
    return [
        (
            inputs.get("PaintMode", {"Value": {1: "Merge"}})["Value"][1] == "Subtract",
            _path(tools[inputs["Polyline"]["SourceOp"]]["KeyFrames"], frame, width_px, height_px),
        )
        for inputs in _shown(tools, frame)
    ]


def read_feathers_px(tools: dict[str, Any], frame: int, width_px: int) -> list[float]:
    """The full width of the soft band of each of these paths: twice the SoftEdge, a share of the width."""
    return [2 * inputs["SoftEdge"]["Value"] * width_px for inputs in _shown(tools, frame)]


def _shown(tools: dict[str, Any], frame: int) -> list[dict[str, Any]]:
    """Inputs of the masks that show on a frame, in the order of the chain."""
    masks = {name: tool["Inputs"] for name, tool in tools.items() if tool["__kind"] == "PolylineMask"}
    after = {inputs.get("EffectMask", {}).get("SourceOp"): name for name, inputs in masks.items()}
    drawn = []
    name = after.get(None)
    while name is not None:
        inputs = masks[name]
        levels = tools[inputs["Level"]["SourceOp"]]["KeyFrames"]
        before = max((one for one in levels if one <= frame), default=min(levels))
        if levels[before][1] != 0:
            drawn.append(inputs)
        name = after.get(name)
    return drawn
