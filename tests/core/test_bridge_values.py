"""Values over the bridge come back as they were, and bytes stay bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack
from masklet.events import CutsFound, EditKind, ExportFinished, FileChunk, TrackFinished, WorkProgress
from masklet.matte_settings import MatteSettings
from masklet.scopes import Scope
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.transport.bridge_values import decode, encode
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import AnchorRequest, ClipFile, ExportRequest, TrackRequest, Undone
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    Direction,
    FramePrompts,
    FrameRange,
    FrameState,
    LockedRange,
    Mask,
    MaskDepth,
    MaskFormat,
    MaskUpdate,
    ObjectInfo,
    ObjectMatte,
    Presence,
    PromptDocument,
    SessionInfo,
    SessionSummary,
    Share,
    StateRange,
)

MASK = Mask(3, 2, bytes(range(6)))
RANGE = FrameRange(-10, 1001)
PROMPTS = FramePrompts(1, -10, (Click(0.1, 1 / 3), Click(1e-300, 2.5, positive=False)), Box(0, 0, 1, 2))
CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
KEY = AnchorKey(5, 1.5, 2.5, 0.1, corners=CORNERS, matrix=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
VERTICES = tuple(BezierVertex(0.1 * i, 1 / (i + 1), feather_px=2.0) for i in range(200))
SHAPES = ObjectShapes(
    "hero",
    1920,
    1080,
    2.0,
    (Piece("piece 1", False, (RANGE,), (ShapeKey(1, VERTICES), ShapeKey(3, VERTICES))),),
    ShapeReport(1.0, 0.99, 0.98, None, 0.5, 200, 2, 1012),
)
VALUES: dict[str, Any] = {
    "nothing": None,
    "a string": "héros \U0001f3ac",
    "a tuple of tuples": ((1, 2.5), ("a", None, True)),
    "no bytes": b"",
    "a mask": MASK,
    "a deep mask": Mask(1, 1, b"\x00\x3c", MaskDepth.HALF),
    "prompts": PROMPTS,
    "a document": PromptDocument(
        (ObjectInfo(1, "hero", (-10,)),),
        (PROMPTS, FramePrompts(1, 7, mask=MASK), FramePrompts(2, 7, mask=Mask(1, 1, b"\xff"))),
        (LockedRange(1, RANGE),),
        (ObjectMatte(1, MatteSettings(grow_px=-1.5, invert=True)),),
    ),
    "a session": SessionInfo(
        "0f" * 16,
        ClipInfo("a.%04d.exr", 2, 3, -5, 9, (0, 1), 2.0, 23.976, "ACEScg"),
        (ObjectInfo(1, "hero"),),
        (StateRange(1, RANGE, Presence.UNCERTAIN, prompted=True, stale=True),),
        cuts=(3, 8),
    ),
    "an update": MaskUpdate(1, "hero", 1001, MASK, Presence.ABSENT, 0.1, 0.2, prompted=True),
    "what undoing brought": Undone(None, None, 3, 1, EditKind.RENAME_OBJECT, 4),
    "a request to track": TrackRequest(RANGE, (1, 2), Direction.BACKWARD, MaskFormat(512, bits=True), True),
    "a request for an anchor": AnchorRequest(
        1, AnchorKind.POINT, None, 5, (1.0, 2.0), Absence.FADE, 2.5, (KEY,)
    ),
    "a request to export": ExportRequest(RANGE, base_name="sh010", client_folder=Path("/shots/out")),
    "a choice of server": ServerChoice("gpu1:7700", "secret", Path("/etc/ca.pem")),
    "a share": (Share("bob", (Scope.READ, Scope.TRACK)),),
    "a session of another artist": SessionSummary("s1", "a", 2, 1.5, False, "ann", (Scope.READ,)),
    "files": (ClipFile(Path("/shots/a.0001.exr"), 1), ClipFile(Path("b.mov"), None)),
    "a chunk": FileChunk("hero/a.exr", b"\x00\xff" * 500, 1000, last=True),
    "the end of an export": ExportFinished(3, (7, 8)),
    "cuts": CutsFound(WorkProgress(1, 2), (5,)),
    "the end of a track": TrackFinished(3, 3, cancelled=True, cuts=(2,)),
    "an anchor": AnchorTrack(
        "hero_point", "hero", AnchorKind.POINT, 5, (KEY, AnchorKey(6, 0.0, -1.0, held=True))
    ),
    "shapes": SHAPES,
    "few vertices": VERTICES[:3],
}


def travelled(value: object) -> object:
    blobs: list[bytes] = []
    text = json.dumps(encode(value, blobs))
    return decode(json.loads(text), blobs)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_equal(name: str) -> None:
    assert travelled(VALUES[name]) == VALUES[name]


def test_a_set_of_states_comes_back_as_a_tuple() -> None:
    assert travelled(frozenset({FrameState.STALE})) == (FrameState.STALE,)


def test_bytes_of_masks_and_numbers_of_splines_are_not_in_the_json() -> None:
    blobs: list[bytes] = []

    text = json.dumps(encode((Mask(1000, 1000, bytes(1_000_000)), SHAPES), blobs))

    assert len(text) < 2000
    assert [len(blob) for blob in blobs] == [1_000_000, 200 * 7 * 8, 200 * 7 * 8]


def test_what_is_none_of_masklets_values_does_not_travel() -> None:
    with pytest.raises(TypeError, match="object cannot go over the bridge"):
        encode({1: object()} and object(), [])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"d": "Weather", "v": {}},
        {"d": "Popen", "v": {"args": "id"}},
        {"d": "Transport", "v": {}},
        {"d": "Click", "v": {"x_px": 1.0}},
        {"d": "Click", "v": {"x_px": 1.0, "y_px": 1.0, "z_px": 1.0}},
        {"d": "Click", "v": {"x_px": 1.0, "y_px": float("nan")}},
        {"d": "Click", "v": [1.0, 2.0]},
        {"d": "Mask", "v": {"width_px": 2, "height_px": 2, "alpha": {"b": 0}}},
        {"d": ["Click"], "v": {}},
        {"e": "Presence", "v": "perhaps"},
        {"e": "Click", "v": "present"},
        {"b": 1},
        {"b": -1},
        {"b": "0"},
        {"f": "Mask", "b": 0},
        {"f": "BezierVertex", "b": 0},
        {"p": 5},
    ],
    ids=str,
)
def test_unreadable_data_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data, [b"12345678"])
