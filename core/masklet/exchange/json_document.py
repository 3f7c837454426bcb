"""Plain JSON for whatever has no writer of its own; the schema is in ``docs/exchange.md``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from masklet.exchange.redrawing import redrawn
from masklet.interpolation import Interpolation

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet.shapes import ObjectShapes, Piece

FORMAT = "masklet-exchange"
VERSION = 2


def write_json(scene: ExchangeScene) -> str:
    """The whole scene in the plate's coordinates (origin top left, y downwards, pixels)."""
    clip = scene.clip
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "clip": {
            "name": clip.name,
            "width_px": clip.display_width_px,
            "height_px": clip.display_height_px,
            "pixel_aspect": clip.pixel_aspect,
            "first_frame": clip.first_frame,
            "last_frame": clip.last_frame,
            "missing_frames": list(clip.missing_frames),
            "frames_per_s": clip.frames_per_s,
            "frame_times_us": list(clip.frame_times_us),
        },
        "mattes": [_mattes(mattes) for mattes in scene.mattes],
        "holes": [hole.as_json() for hole in scene.holes],
        "shapes": [_shapes(redrawn(shapes, Interpolation.LINEAR).shapes) for shapes in scene.shapes],
        "anchors": [_anchor(track) for track in scene.anchors],
        "states": [
            {
                "object": scene.name_of(one.object_id),
                "first_frame": one.frames.first,
                "last_frame": one.frames.last,
                "states": sorted(state.value for state in one.states),
            }
            for one in scene.states
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _mattes(mattes: MatteSequence) -> dict[str, Any]:
    return {
        "folder": mattes.folder,
        "files": mattes.files,
        "format": mattes.kind,
        "layers": list(mattes.layers),
        "first_file": mattes.first_file,
        "first_frame": mattes.first_frame,
        "last_frame": mattes.last_frame,
        "frames": [[span.first, span.last] for span in mattes.frames],
    }


def _shapes(shapes: ObjectShapes) -> dict[str, Any]:
    return {
        "object": shapes.name,
        "report": {
            **asdict(shapes.report),
            "interpolation": shapes.report.interpolation.value,
            "gaps": [[gap.first, gap.last] for gap in shapes.report.gaps],
        },
        "pieces": [_piece(piece) for piece in shapes.pieces],
    }


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "name": piece.name,
        "hole": piece.hole,
        "visible": [[span.first, span.last] for span in piece.visible],
        "keys": [
            {"frame": key.frame, "vertices": [list(vertex.as_tuple()) for vertex in key.vertices]}
            for key in piece.keys
        ],
    }


def _anchor(track: AnchorTrack) -> dict[str, Any]:
    return {
        "name": track.name,
        "object": track.object,
        "kind": track.kind.value,
        "reference_frame": track.reference_frame,
        "absence": track.absence.value,
        "gaps": [
            {"first_frame": gap.frames.first, "last_frame": gap.frames.last, "did": gap.way.value}
            for gap in track.gaps
        ],
        "keys": [asdict(key) for key in track.keys],
    }
