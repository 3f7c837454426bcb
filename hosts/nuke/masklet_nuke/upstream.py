"""What feeds a Masklet node: a Read that can be opened as it is, or pictures to be rendered first."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_files import PICTURE_SUFFIXES
from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet_nuke.node_knobs import text
from masklet_nuke.spaces import FrameMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_nuke.api import Node

_PASSES = ("Dot", "NoOp")
"""Classes that hand on the picture as it is."""
_MOST_NODES = 10_000
_STAMPS = 16
"""Into how many parts a range is cut whose files are looked at."""
_COSMETIC = frozenset(
    [
        "name",
        "label",
        "selected",
        "xpos",
        "ypos",
        "tile_color",
        "note_font",
        "note_font_size",
        "note_font_color",
        "hide_input",
        "cached",
        "dope_sheet",
        "postage_stamp",
        "postage_stamp_frame",
        "gl_color",
        "lifetimeStart",
        "lifetimeEnd",
        "useLifetime",
        "bookmark",
        "knobChanged",
        "onCreate",
        "autolabel",
        "updateUI",
        "indicators",
    ]
)
"""Knobs that change no pixel."""
_PLAIN_EXPRESSION = re.compile(r"\s*frame\s*(?:([+-])\s*(\d+))?\s*")


@dataclass(frozen=True)
class PlainRead:
    """A Read whose files are the plate, without anything between that changes its pictures.

    Attributes:
        node: The Read.
        path: Absolute, a pattern or a movie.
        frames: How the script counts them.
        is_movie: True for one file with many pictures, which Nuke counts from 1.
        colour_space: As the Read says; None where it leaves that to the file, or reads raw.
    """

    node: Node
    path: str
    frames: FrameMap
    is_movie: bool
    colour_space: str | None


def plate_input(node: Node) -> Node:
    """What is connected to a Masklet node.

    Raises:
        BadInputError: Nothing is.
    """
    above = node.input(0)
    if above is None:
        raise BadInputError(
            phrase("nothing is connected to {name}: connect the plate to its input", name=node.name())
        )
    return above


def plain_read(node: Node) -> PlainRead | None:
    """The Read that a node shows unchanged; None where anything is between that has to be rendered."""
    shift = 0
    found: Node | None = node
    for _ in range(_MOST_NODES):
        if found is None:
            return None
        kind = found.Class()
        if kind == "Read" and not _is_off(found):
            return _read(found, shift)
        if kind == "TimeOffset" and not _is_off(found):
            if found["reverse_input"].value() or found["time_offset"].isAnimated():
                return None
            offset = float(found["time_offset"].value())
            if offset != int(offset):
                return None
            shift += int(offset)
        elif kind not in _PASSES and not _is_off(found):
            return None
        found = found.input(0)
    return None


def pictures_hash(node: Node) -> str:
    """A word that changes when anything above and at a node changes that may change its pictures.

    The same in every Nuke: it is made of the nodes' own words, not of Nuke's.
    """
    digest = hashlib.sha256()
    numbers: dict[str, int] = {}
    for number, found in enumerate(_all_above(node)):
        numbers[found.fullName()] = number
        digest.update(f"{number} {found.Class()}\n".encode())
        for name, knob in sorted(found.knobs().items()):
            if name not in _COSMETIC and not name.startswith("masklet_"):
                digest.update(f"{name} {knob.toScript()}\n".encode("utf-8", "replace"))
        for index in range(found.inputs()):
            above = found.input(index)
            # By the order of the walk: names change no pixel.
            digest.update(f"{index} {'' if above is None else _key(above, numbers)}\n".encode())
        if found.Class() == "Read":
            digest.update(_files_stamp(found).encode())
    return digest.hexdigest()[:16]


def _key(node: Node, numbers: dict[str, int]) -> str:
    return str(numbers.get(node.fullName(), "below"))


def _all_above(node: Node) -> Iterator[Node]:
    """The node and all that feed it, each once, the same way every time; what they feed comes later."""
    seen: set[str] = set()
    done: list[Node] = []
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        found, is_done = stack.pop()
        if is_done:
            done.append(found)
            continue
        if found.fullName() in seen:
            continue
        seen.add(found.fullName())
        if len(seen) > _MOST_NODES:
            break
        stack.append((found, True))
        for index in reversed(range(found.inputs())):
            above = found.input(index)
            if above is not None:
                stack.append((above, False))
    yield from done


def _files_stamp(node: Node) -> str:
    """When files of a Read changed last, of a few spread over its range: this is asked at every click."""
    folder, _, name = text(node, "file").rpartition("/")
    first, last = int(node["first"].value()), int(node["last"].value())
    stamps = []
    for number in sorted({first + (last - first) * step // _STAMPS for step in range(_STAMPS + 1)}):
        try:
            # Only the name is a pattern: in the folder's, a percent sign is a percent sign.
            status = Path(folder, name % number if "%" in name else name).stat()
            stamps.append(f"{number} {status.st_size} {status.st_mtime_ns}")
        except (OSError, TypeError, ValueError):
            stamps.append(f"{number} -")
    return " ".join(stamps)


def _read(node: Node, shift: int) -> PlainRead | None:
    path = text(node, "file")
    if not path or "[" in path:
        # Nothing, or an expression that Nuke alone can work out.
        return None
    is_movie = Path(path).suffix.lower() not in PICTURE_SUFFIXES
    own = _own_shift(node)
    if own is None:
        return None
    return PlainRead(node, path, FrameMap(shift + own), is_movie, _colour_space(node))


def _own_shift(node: Node) -> int | None:
    """How much later a Read shows its files than their numbers say; None where that is no shift."""
    said = text(node, "frame").strip()
    if not said:
        return 0
    mode = str(node["frame_mode"].value())
    if mode == "expression":
        plain = _PLAIN_EXPRESSION.fullmatch(said)
        if plain is None:
            return None
        sign, number = plain.groups()
        return 0 if number is None else (-int(number) if sign == "+" else int(number))
    try:
        number_said = int(said)
    except ValueError:
        return None
    if mode == "start at":
        return number_said - int(node["first"].value())
    # Scripts that were run agree that an offset is how much later the clip begins.
    return number_said if mode == "offset" else None


def _colour_space(node: Node) -> str | None:
    if node["raw"].value():
        return None
    return spoken_space(str(node["colorspace"].value())) or None


def spoken_space(said: str) -> str:
    """The name of a colour space, as a menu of Nuke says it."""
    # "default (sRGB)", "scene_linear (ACES - ACEScg)": the name in brackets is the one that is taken.
    told = re.fullmatch(r"(?:default|[a-z_]+) \((.*)\)", said)
    name = said if told is None else told.group(1)
    # Menus may hold the space's family before its name.
    return name.rpartition("/")[2].strip()


def _is_off(node: Node) -> bool:
    knob = node.knob("disable")
    return knob is not None and bool(knob.value())
