"""Nuke: nodes as text, to paste into the node graph or to import as a ``.nk`` file.

Per object a Roto with animated shapes (and, where it has holes or islands in them, further ones that
Merges take away and add); per anchor a Transform, a Tracker4 and, where it has corners, a
CornerPin2D, with a Multiply below those that move the picture where the anchor fades; and a Read of
the mattes. Nuke's y grows upwards from the bottom left; rotations turn the other way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.exchange.gap_words import anchor_gaps, shape_gaps
from masklet.exchange.identifiers import Identifiers
from masklet.exchange.nuke_roto import curves_text
from masklet.exchange.numbers import decimal
from masklet.exchange.pieces import runs
from masklet.exchange.redrawing import redrawn
from masklet.frame_runs import shown
from masklet.interpolation import Interpolation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet.shapes import ObjectShapes

_COLUMN_WIDTH_PX = 140

# What Tracker4 keeps of a track: type, visible, column width, name.
_TRACK_COLUMNS = (
    "5 1 20 enable",
    "3 1 75 name",
    "2 1 58 track_x",
    "2 1 58 track_y",
    "2 1 63 offset_x",
    "2 1 63 offset_y",
    "4 1 27 T",
    "4 1 27 R",
    "4 1 27 S",
    "2 0 45 error",
    "1 1 0 error_min",
    "1 1 0 error_max",
    "1 1 0 pattern_x",
    "1 1 0 pattern_y",
    "1 1 0 pattern_r",
    "1 1 0 pattern_t",
    "1 1 0 search_x",
    "1 1 0 search_y",
    "1 1 0 search_r",
    "1 1 0 search_t",
    "2 1 0 key_track",
    "2 1 0 key_search_x",
    "2 1 0 key_search_y",
    "2 1 0 key_search_r",
    "2 1 0 key_search_t",
    "2 1 0 key_track_x",
    "2 1 0 key_track_y",
    "2 1 0 key_track_r",
    "2 1 0 key_track_t",
    "2 1 0 key_centre_offset_x",
    "2 1 0 key_centre_offset_y",
)


_FILLED_IN = re.compile(r"%(?:0?\d*[di]|[vV])|#+")


@dataclass(frozen=True)
class NodeText:
    """One node as text.

    Attributes:
        kind: Its class: ``Transform``.
        name: As people call it; nodes are named by :class:`.identifiers.Identifiers`.
        knobs: One line each, as Nuke's own scripts and ``readKnobs`` have them.
        inputs: How many of the nodes before it feed it.
        column: Where it stands, from the left.
    """

    kind: str
    name: str
    knobs: tuple[str, ...]
    inputs: int = 0
    column: int = 0


def write_nk(scene: ExchangeScene) -> str:
    """All nodes of the scene; those that need a picture are left without one, for the artist to connect."""
    graph = _Graph()
    for mattes in scene.mattes:
        _read(graph, mattes)
    for shapes in scene.shapes:
        _roto(graph, redrawn(shapes, Interpolation.NUKE_SMOOTH).shapes)
    for track in scene.anchors:
        if track.keys:
            _anchor(graph, track, scene.clip.display_height_px)
    return graph.text()


def check_folder(folder: str) -> None:
    """See that a Read finds files in a folder: Nuke fills in frame numbers and views all over a path.

    Raises:
        BadInputError: It would fill something into the folder's name.
    """
    found = _FILLED_IN.search(folder)
    if found is not None:
        raise BadInputError(
            f"Nuke would put a frame number or a view in place of {found[0]} in the folder {folder}: choose "
            "another folder, or leave nuke out of --export"
        )


def anchor_nodes(track: AnchorTrack, height_px: int) -> tuple[NodeText, ...]:
    """The nodes that follow an anchor, as :func:`write_nk` writes them.

    Args:
        track: With at least one key.
        height_px: Of the plate.
    """
    graph = _Graph()
    _anchor(graph, track, height_px)
    return tuple(graph.nodes)


class _Graph:
    """Nodes in order, each in a column of its own."""

    def __init__(self) -> None:
        self.identifiers = Identifiers()
        self.nodes: list[NodeText] = []
        self._column = 0

    def node(self, kind: str, name: str, knobs: Sequence[str], *, inputs: int = 0) -> None:
        self.nodes.append(NodeText(kind, name, tuple(knobs), inputs, self._column))

    def next_column(self) -> None:
        self._column += 1

    def text(self) -> str:
        lines = ["version 13.0 v1"]
        for node in self.nodes:
            lines.append(f"{node.kind} {{")
            lines += [f" {knob}" for knob in (f"inputs {node.inputs}", *node.knobs)]
            lines.append(f" name {self.identifiers.of(node.name)}")
            lines += [f" xpos {node.column * _COLUMN_WIDTH_PX}", f" ypos {node.inputs * 80}", "}"]
        return "\n".join(lines) + "\n"


def _read(graph: _Graph, mattes: MatteSequence) -> None:
    told = ["masklet mattes"]
    if mattes.layers:
        told.append(f"layers: {' '.join(mattes.layers)}")
    if mattes.missing:
        told.append(f"no files on {shown(mattes.missing)}")
    graph.node(
        "Read",
        mattes.files.partition("%")[0].strip("._-") or "mattes",
        [
            f"file {quoted(mattes.pattern)}",
            f"first {mattes.first_frame}",
            f"last {mattes.last_frame}",
            f"origfirst {mattes.first_frame}",
            f"origlast {mattes.last_frame}",
            "origset true",
            # Coverage is linear: a transfer function would bend soft edges.
            "raw true",
            f"label {quoted(chr(10).join(told))}",
        ],
    )
    graph.next_column()


def _roto(graph: _Graph, shapes: ObjectShapes) -> None:
    stretches = runs(shapes) or [[]]
    # Last first: what was pushed last is input 0, the B of a Merge, so that each Merge finds the object so
    # far on top and below it, as its A, what comes next.
    for number, pieces in reversed(list(enumerate(stretches, start=1))):
        kind = "holes" if pieces and pieces[0].hole else "roto"
        name = f"{shapes.name} {kind}" if number <= 2 else f"{shapes.name} {kind} {number}"
        knobs = _roto_knobs(curves_text(shapes, pieces, graph.identifiers))
        if number == 1 and (gaps := shape_gaps(shapes)):
            knobs.append(f"label {quoted(gaps)}")
        graph.node("Roto", name, knobs)
    for number, pieces in enumerate(stretches[1:], start=1):
        name = f"{shapes.name} matte" if number == len(stretches) - 1 else f"{shapes.name} matte {number}"
        graph.node("Merge2", name, [f"operation {'stencil' if pieces[0].hole else 'max'}"], inputs=2)
    graph.next_column()


def _roto_knobs(curves: str) -> list[str]:
    return ["output alpha", "cliptype none", f"curves {curves}"]


def _anchor(graph: _Graph, track: AnchorTrack, height_px: int) -> None:
    keys = track.keys
    reference = track.key_at(track.reference_frame) or keys[0]

    def curve(value: Callable[[AnchorKey], float]) -> str:
        return _curve([key.frame for key in keys], [value(key) for key in keys])

    x, y = curve(lambda key: key.x_px), curve(lambda key: height_px - key.y_px)
    moved_x = curve(lambda key: key.x_px - reference.x_px)
    moved_y = curve(lambda key: reference.y_px - key.y_px)
    knobs = [f"translate {{{moved_x} {moved_y}}}"]
    if track.is_animated_in_size:
        scale_x, scale_y = curve(lambda key: key.scale_x), curve(lambda key: key.scale_y)
        knobs += [f"rotate {{{curve(lambda key: -key.rotation_deg)}}}", f"scale {{{scale_x} {scale_y}}}"]
    knobs.append(f"center {{{decimal(reference.x_px)} {decimal(height_px - reference.y_px)}}}")
    if gaps := anchor_gaps(track):
        knobs.append(f"label {quoted(gaps)}")
    weight = ["channels all", f"value {{{curve(lambda key: key.weight)}}}"] if track.fades else []
    _moving(graph, "Transform", track.name, knobs, weight)
    graph.node("Tracker4", f"{track.name} tracker", _tracker_knobs(track, x, y))
    if all(key.corners is not None for key in keys) and reference.corners is not None:
        _moving(
            graph, "CornerPin2D", f"{track.name} corner pin", _pin_knobs(track, reference, height_px), weight
        )
    graph.next_column()


def _moving(graph: _Graph, kind: str, name: str, knobs: Sequence[str], weight: Sequence[str]) -> None:
    """A node that moves the picture and, where the effect fades, one below it that takes it away."""
    graph.node(kind, name, knobs)
    if weight:
        graph.node("Multiply", f"{name} weight", weight, inputs=1)


def _tracker_knobs(track: AnchorTrack, x: str, y: str) -> list[str]:
    columns = "".join(f" {{ {column} {column.rsplit(' ', 1)[1]} 1 }}" for column in _TRACK_COLUMNS)
    first = track.keys[0].frame
    error = _curve([key.frame for key in track.keys], [1.0 - key.confidence for key in track.keys])
    hold, zero = f"{{curve K x{first} 1}}", f"{{curve K x{first} 0}}"
    row = (
        f"{hold} {quoted(track.name)} {x} {y} {zero} {zero} 1 0 0 {error} 1 0"
        " -32 -32 32 32 -22 -22 22 22" + " {}" * 11
    )
    return [
        f"tracks {{ {{ 1 {len(_TRACK_COLUMNS)} 1 }}\n {{{columns} }}\n {{\n {{ {row} }}\n }}\n }}",
        f"reference_frame {track.reference_frame}",
    ]


def _pin_knobs(track: AnchorTrack, reference: AnchorKey, height_px: int) -> list[str]:
    frames = [key.frame for key in track.keys]
    knobs = []
    # Ours run from the top left clockwise, Nuke's from the bottom left counter-clockwise.
    for number, corner in enumerate((3, 2, 1, 0), start=1):
        ways = [key.corners[corner] for key in track.keys if key.corners is not None]
        across = _curve(frames, [x for x, _ in ways])
        upwards = _curve(frames, [height_px - y for _, y in ways])
        knobs.append(f"to{number} {{{across} {upwards}}}")
        assert reference.corners is not None
        x, y = reference.corners[corner]
        knobs.append(f"from{number} {{{decimal(x)} {decimal(height_px - y)}}}")
    return knobs


def _curve(frames: Sequence[int], values: Sequence[float]) -> str:
    """A curve that runs straight from key to key."""
    return f"{{curve L {' '.join(map(_curve_key, frames, values))}}}"


def _curve_key(frame: int, value: float) -> str:
    return f"x{frame} {decimal(value)}"


def quoted(text: str) -> str:
    """A string of Nuke's language: nothing in it is taken for a command, a variable or a brace."""
    escaped = text.replace("\\", "\\\\")
    for special in '"[]{}$':
        escaped = escaped.replace(special, f"\\{special}")
    return '"' + escaped.replace("\n", "\\n") + '"'
