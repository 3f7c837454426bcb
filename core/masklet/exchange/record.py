"""What an export kept, approximated and lost, in words and as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING

from masklet.exchange.gap_words import anchor_gaps, shape_gaps
from masklet.exchange.pieces import drawn_pieces
from masklet.exchange.redrawing import redrawn, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.anchors import AnchorTrack
    from masklet.exchange.scene import ExchangeScene
    from masklet.shapes import ObjectShapes

FORMAT = "masklet-record"
VERSION = 1

_NATIVE = ("nuke", "fusion", "ae")
_HOLES = {
    "nuke": "cut out by a Roto and a Merge of their own",
    "fusion": "masks that subtract",
    "ae": "masks that subtract",
    "blender": "layers that subtract",
}
_LIFETIMES = {
    "nuke": "a curve with that lifetime for each range",
    "fusion": "a Level that steps between 0 and 1",
    "ae": "a mask opacity that is held at 0 or 100",
    "blender": "a layer's opacity that steps between 0 and 1",
}
_ONE_TRANSFORM = ("fusion", "blender", "blender-track")
"""Tools that get an anchor as a transform alone."""


class Outcome(Enum):
    """What became of something on its way into a file."""

    KEPT = "kept"
    APPROXIMATED = "approximated"
    LOST = "lost"


@dataclass(frozen=True)
class Entry:
    """One line of a record.

    Attributes:
        subject: An object, an anchor, or the clip.
        what: One word or two: "keys", "feather".
        outcome: What became of it.
        words: The same for people, with the figures.
        largest_px: By how much positions may be off at most, where that was measured.
    """

    subject: str
    what: str
    outcome: Outcome
    words: str
    largest_px: float | None = None

    @property
    def sentence(self) -> str:
        """A line to show."""
        return f"{self.subject}: {self.what} {self.outcome.value}: {self.words}"


def record_of(scene: ExchangeScene, tool: str) -> tuple[Entry, ...]:
    """What the files for one tool hold of a scene.

    Args:
        scene: What is written.
        tool: Out of :data:`masklet.exchange.files.TOOLS`; ``blender`` for what its add-on makes, and
            ``blender-track`` for anchors that became tracks of a clip.
    """
    entries: list[Entry] = []
    for shapes in scene.shapes:
        if tool == "otio":
            entries.append(_lost(shapes.name, "shapes", "a time line has no shapes"))
        else:
            entries += _of_shapes(shapes, tool)
    for track in scene.anchors:
        if tool == "otio":
            entries.append(_lost(track.name, "anchor", "a time line has no transforms"))
        else:
            entries += _of_anchor(track, tool)
    clip = scene.clip.name
    if scene.mattes and tool == "ae":
        entries.append(_lost(clip, "mattes", "not linked from this file: import the pictures themselves"))
    elif scene.mattes:
        words = "on tracks of their own, switched off" if tool == "otio" else "by its path"
        entries.append(_kept(clip, "mattes", f"each sequence that was written, {words}"))
    if scene.states:
        kept = tool in ("json", "otio")
        words = "as markers" if tool == "otio" else "by object and range"
        entries.append(
            _kept(clip, "review states", words)
            if kept
            else _lost(clip, "review states", "this file has no place for them: see the JSON or OTIO export")
        )
    return tuple(entries)


def write_record(entries: tuple[Entry, ...], tool: str) -> str:
    """The record as JSON: the lines for people first, then the data."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "tool": tool,
        "words": [entry.sentence for entry in entries],
        "entries": [{**asdict(entry), "outcome": entry.outcome.value} for entry in entries],
    }
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _of_shapes(shapes: ObjectShapes, tool: str) -> Iterator[Entry]:
    name, pieces = shapes.name, drawn_pieces(shapes)
    made = redrawn(shapes, rule_of(tool))
    report = made.shapes.report
    told = (
        f"{report.interpolation.words}; on frames without a key at most "
        f"{report.largest_between_keys_px:.2f} px off the matte's edge, "
        f"{report.largest_distance_px:.2f} px on any frame"
    )
    if made.added_keys:
        told += f"; {made.added_keys} keys added, since the fit was {shapes.report.interpolation.words}"
    outcome = Outcome.APPROXIMATED if made.apart_px > 0 else Outcome.KEPT
    yield Entry(name, "motion", outcome, told, round(report.largest_distance_px, 4))
    yield from _of_feather(shapes, tool)
    if holes := sum(piece.hole for piece in pieces):
        yield _kept(name, "holes", f"{holes}: {_HOLES.get(tool, 'as pieces')}")
    if any(piece.visible for piece in pieces):
        yield _kept(name, "lifetimes", _LIFETIMES.get(tool, "as ranges of frames"))
    if report.left_out:
        words = f"{report.left_out} specks and flickering fragments became no piece, counted on each frame"
        yield _lost(name, "fragments", words)
    if gaps := shape_gaps(shapes):
        yield _kept(name, "frames without a matte", gaps)


def _of_feather(shapes: ObjectShapes, tool: str) -> Iterator[Entry]:
    """Tools that draw take one width for each path."""
    widths_px = [
        (min(each), max(each))
        for piece in drawn_pieces(shapes)
        for each in [[vertex.feather_px for key in piece.keys for vertex in key.vertices]]
    ]
    if not widths_px:
        return
    narrowest_px, widest_px = min(low for low, _ in widths_px), max(high for _, high in widths_px)
    if tool in _NATIVE and any(high - low > 0.01 for low, high in widths_px):
        words = (
            f"one width for each path, its widest; along the edges and over time they run from "
            f"{narrowest_px:.2f} to {widest_px:.2f} px"
        )
        yield Entry(shapes.name, "feather", Outcome.APPROXIMATED, words, round(widest_px - narrowest_px, 4))
    else:
        yield _kept(shapes.name, "feather", "of each path" if tool in _NATIVE else "of each vertex")


def _of_anchor(track: AnchorTrack, tool: str) -> Iterator[Entry]:
    name, keys = track.name, track.keys
    if not keys:
        yield _lost(name, "anchor", "its object was never seen")
        return
    yield _kept(name, "motion", f"a key on each of {len(keys)} frames, exact there under any curve")
    if gaps := anchor_gaps(track):
        yield Entry(name, "frames without a sighting", Outcome.APPROXIMATED, gaps)
    if tool == "json":
        return
    if any(abs(key.shear) > 1e-6 for key in keys):
        if any(key.corners is None for key in keys) or tool in _ONE_TRANSFORM:
            yield _lost(name, "shear", "a transform of this tool has none")
        else:
            yield Entry(name, "shear", Outcome.APPROXIMATED, "not in the transform, but in the corner pin")
    if all(key.corners is not None for key in keys):
        if tool in _ONE_TRANSFORM:
            yield _lost(name, "corners", "only the transform is written")
        else:
            yield _kept(name, "corners", "a corner pin")
    if tool == "blender-track":
        yield _lost(name, "rotation and scale", "a track has a place and nothing else")
    if tool == "nuke":
        yield Entry(name, "confidence", Outcome.APPROXIMATED, "as the error of the Tracker: 1 less it")
    else:
        yield _lost(name, "confidence", "keys of this tool have none")


def _kept(subject: str, what: str, words: str) -> Entry:
    return Entry(subject, what, Outcome.KEPT, words)


def _lost(subject: str, what: str, words: str) -> Entry:
    return Entry(subject, what, Outcome.LOST, words)
