"""Which files each tool gets, under names people recognise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.exchange.after_effects import write_keyframes, write_mask_script
from masklet.exchange.fusion import write_comp, write_setting
from masklet.exchange.identifiers import Identifiers
from masklet.exchange.json_document import write_json
from masklet.exchange.nuke import write_nk
from masklet.exchange.record import record_of, write_record
from masklet.exchange.timeline import write_otio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.exchange.scene import ExchangeScene


def _nuke(scene: ExchangeScene, name: str) -> dict[str, str]:
    return {f"{name}.nk": write_nk(scene)}


def _fusion(scene: ExchangeScene, name: str) -> dict[str, str]:
    return {f"{name}.setting": write_setting(scene), f"{name}.comp": write_comp(scene)}


def _after_effects(scene: ExchangeScene, name: str) -> dict[str, str]:
    files = {}
    if scene.shapes:
        files[f"{name}_masks.jsx"] = write_mask_script(scene)
    tracks = [track for track in scene.anchors if track.keys]
    for track, file in zip(tracks, _anchor_files(name, [track.name for track in tracks])):  # noqa: B905 (3.9)
        files[file] = write_keyframes(scene, track)
    return files


def _anchor_files(name: str, anchors: Sequence[str]) -> list[str]:
    identifiers = Identifiers()
    return [f"{name}_{identifiers.of(anchor)}.txt" for anchor in anchors]


def _json(scene: ExchangeScene, name: str) -> dict[str, str]:
    return {f"{name}.json": write_json(scene)}


def _otio(scene: ExchangeScene, name: str) -> dict[str, str]:
    return {f"{name}.otio": write_otio(scene)}


_WRITERS: dict[str, Callable[[ExchangeScene, str], dict[str, str]]] = {
    "nuke": _nuke,
    "fusion": _fusion,
    "ae": _after_effects,
    "json": _json,
    "otio": _otio,
}

TOOLS = tuple(_WRITERS)
"""What a scene can be written for."""

SHAPE_TOOLS = ("nuke", "fusion", "ae", "json")
"""Those of them that get shapes."""


def exchange_files(scene: ExchangeScene, tools: Sequence[str], *, name: str) -> dict[str, str]:
    """Texts by file name, for the tools asked for, each with a record of what was kept and what was not.

    Args:
        scene: What is written.
        tools: Out of :data:`TOOLS`.
        name: The start of every file's name.

    Raises:
        BadInputError: There is no writer for one of the tools.
    """
    unknown = [tool for tool in tools if tool not in _WRITERS]
    if unknown:
        raise BadInputError(f"There is no export for '{unknown[0]}': choose from {', '.join(TOOLS)}.")
    files: dict[str, str] = {}
    for tool in dict.fromkeys(tools):
        files.update(_WRITERS[tool](scene, name))
        files[record_file(tool, name)] = write_record(record_of(scene, tool), tool)
    return files


def file_names(tools: Sequence[str], *, name: str, shapes: bool, anchors: Sequence[str]) -> dict[str, str]:
    """The tool by the name of each file that :func:`exchange_files` may write, before there is a scene.

    Args:
        tools: Out of :data:`TOOLS`.
        name: The start of every file's name.
        shapes: Whether there will be shapes.
        anchors: Names of the anchors.
    """
    known = {
        "nuke": [f"{name}.nk"],
        "fusion": [f"{name}.setting", f"{name}.comp"],
        "ae": [*([f"{name}_masks.jsx"] if shapes else []), *_anchor_files(name, anchors)],
        "json": [f"{name}.json"],
        "otio": [f"{name}.otio"],
    }
    return {file: tool for tool in dict.fromkeys(tools) for file in (*known[tool], record_file(tool, name))}


def record_file(tool: str, name: str) -> str:
    """Where the record of an export lies: what was kept, approximated and lost."""
    return f"{name}_{tool}.record.json"
