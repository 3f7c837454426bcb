"""The exchange document read again: what :mod:`masklet.exchange.json_document` wrote, as values."""

from __future__ import annotations

import json
from typing import Any

from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack, Corners, Matrix
from masklet.errors import BadInputError
from masklet.exchange.json_document import FORMAT, VERSION
from masklet.exchange.scene import ExchangeScene, MatteSequence
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import ClipInfo, FrameRange, FrameState, Presence, StateRange

MAX_CHARACTERS = 1 << 30
_NUMBERS = (
    *("x_px", "y_px", "rotation_deg", "scale_x", "scale_y", "shear"),
    *("confidence", "weight", "jump_px"),
)


def read_json(text: str) -> ExchangeScene:
    """The scene in a document: shapes are straight between keys, reasons of holes stay in the text.

    Raises:
        BadInputError: It is none, of another version, or damaged.
    """
    try:
        content = json.loads(text) if len(text) <= MAX_CHARACTERS else None
    except (ValueError, RecursionError) as error:
        raise BadInputError("this is no exchange document: export one with --export json") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInputError("this is no exchange document: export one with --export json")
    if content.get("version") != VERSION:
        raise BadInputError(
            f"the exchange document has version {content.get('version')} and this masklet reads {VERSION}: "
            "export it again"
        )
    try:
        return _scene(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            f"the exchange document cannot be understood ({error}): export it again"
        ) from error


def _scene(content: dict[str, Any]) -> ExchangeScene:
    clip = content["clip"]
    width_px, height_px = int(clip["width_px"]), int(clip["height_px"])
    aspect = float(clip["pixel_aspect"])
    rate = clip["frames_per_s"]
    info = ClipInfo(
        str(clip["name"]),
        width_px,
        height_px,
        int(clip["first_frame"]),
        int(clip["last_frame"]),
        tuple(int(frame) for frame in clip["missing_frames"]),
        aspect,
        None if rate is None else float(rate),
        frame_times_us=tuple(int(time) for time in clip["frame_times_us"]),
    )
    names = list(dict.fromkeys(str(one["object"]) for one in content["states"]))
    return ExchangeScene(
        info,
        tuple(_shapes(one, width_px, height_px, aspect) for one in content["shapes"]),
        tuple(_anchor(one, aspect) for one in content["anchors"]),
        tuple(
            MatteSequence(
                str(one["folder"]),
                str(one["files"]),
                _ranges(one["frames"]),
                tuple(map(str, one["layers"])),
                str(one["format"]),
            )
            for one in content["mattes"]
        ),
        tuple(_state(one, names.index(str(one["object"])) + 1) for one in content["states"]),
        tuple(enumerate(names, 1)),
    )


def _shapes(content: dict[str, Any], width_px: int, height_px: int, aspect: float) -> ObjectShapes:
    report = content["report"]
    worst = report["worst_frame"]
    return ObjectShapes(
        str(content["object"]),
        width_px,
        height_px,
        aspect,
        tuple(
            Piece(
                str(piece["name"]),
                bool(piece["hole"]),
                _ranges(piece["visible"]),
                tuple(
                    ShapeKey(
                        int(key["frame"]),
                        tuple(BezierVertex(*map(float, vertex)) for vertex in key["vertices"]),
                    )
                    for key in piece["keys"]
                ),
            )
            for piece in content["pieces"]
        ),
        ShapeReport(
            float(report["tolerance_px"]),
            float(report["mean_iou"]),
            float(report["worst_iou"]),
            None if worst is None else int(worst),
            float(report["largest_distance_px"]),
            int(report["vertices"]),
            int(report["keyframes"]),
            int(report["frames"]),
            int(report["left_out"]),
            _ranges(report["gaps"]),
        ),
    )


def _anchor(content: dict[str, Any], aspect: float) -> AnchorTrack:
    keys = []
    for key in content["keys"]:
        corners: Corners | None = None
        if key["corners"] is not None:
            one, two, three, four = ((float(x), float(y)) for x, y in key["corners"])
            corners = (one, two, three, four)
        numbers: dict[str, Any] = {name: float(key[name]) for name in _NUMBERS}
        keys.append(
            AnchorKey(
                frame=int(key["frame"]),
                corners=corners,
                matrix=_matrix(key["matrix"]),
                held=bool(key["held"]),
                keyed=bool(key["keyed"]),
                **numbers,
            )
        )
    return AnchorTrack(
        str(content["name"]),
        str(content["object"]),
        AnchorKind(content["kind"]),
        int(content["reference_frame"]),
        tuple(keys),
        aspect,
        Absence(content["absence"]),
    )


def _matrix(content: Any) -> Matrix | None:
    if content is None:
        return None
    a, b, c, d, e, f, g, h, i = map(float, content)
    return a, b, c, d, e, f, g, h, i


def _state(content: dict[str, Any], object_id: int) -> StateRange:
    words = frozenset(map(FrameState, content["states"]))
    presence = next((one for one in Presence if FrameState(one.value) in words), Presence.PRESENT)
    return StateRange(
        object_id,
        FrameRange(int(content["first_frame"]), int(content["last_frame"])),
        presence,
        FrameState.CORRECTED in words,
        FrameState.LOCKED in words,
        FrameState.STALE in words,
        FrameState.UNTRACKED not in words,
    )


def _ranges(content: Any) -> tuple[FrameRange, ...]:
    return tuple(FrameRange(int(first), int(last)) for first, last in content)
