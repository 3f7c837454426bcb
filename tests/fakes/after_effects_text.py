"""A reader of the script for After Effects: its data, and what the masks show at a time."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any

from fakes.exchange_scenes import Vertex


def read_masks(script: str) -> list[dict[str, Any]]:
    """The data inside the script, read as the JavaScript literal it is."""
    found = re.search(r"var masks = (\[.*?\n\]|\[\]);\n", script, re.DOTALL)
    assert found is not None
    masks = json.loads(found[1])
    assert isinstance(masks, list)
    return masks


def read_keyframes(text: str) -> dict[str, dict[float, list[float]]]:
    """Keyframe data of the clipboard: values by unit, by property such as ``Transform/Position``."""
    blocks = {}
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if lines[0].startswith(("Transform", "Effects")):
            rows = [[float(cell) for cell in line.split("\t")[1:-1]] for line in lines[2:] if line.strip()]
            blocks[lines[0].replace("\t", "/")] = {row[0]: row[1:] for row in rows}
    return blocks


def read_paths(masks: list[dict[str, Any]], units: float) -> list[tuple[bool, list[Vertex]]]:
    """The paths that are drawn so many units into the clip, in order; True for those that take away."""
    drawn = []
    for mask in masks:
        on = [value for time, value in mask["switches"] if time <= units + 1e-9][-1]
        if on:
            drawn.append((bool(mask["hole"]), _path(mask["units"], mask["paths"], units)))
    return drawn


def _path(times: list[float], paths: list[dict[str, Any]], units: float) -> list[Vertex]:
    """Linear from key to key; the nearest holds outside them."""
    following = bisect_right(times, units + 1e-9)
    before, after = paths[max(following - 1, 0)], paths[min(following, len(paths) - 1)]
    share = 0.0
    if 0 < following < len(times):
        start, end = times[following - 1], times[following]
        share = max(0.0, (units - start) / (end - start))
    path: list[Vertex] = []
    for one, two in zip(_rows(before), _rows(after), strict=True):
        x, y, in_x, in_y, out_x, out_y = (a + (b - a) * share for a, b in zip(one, two, strict=True))
        path.append((x, y, in_x, in_y, out_x, out_y))
    return path


def _rows(path: dict[str, Any]) -> list[tuple[float, ...]]:
    parts = zip(path["vertices"], path["in_tangents"], path["out_tangents"], strict=True)
    return [(*vertex, *tangent_in, *tangent_out) for vertex, tangent_in, tangent_out in parts]
