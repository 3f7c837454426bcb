"""Anchors as tracks and Empties: they lie over the object in the picture, and other things hang on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blob_mattes import HEIGHT_PX, WIDTH_PX
from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack
from masklet.exchange.json_document import write_json
from masklet.exchange.scene import ExchangeScene
from masklet.types import ClipInfo
from masklet_server.mattes.picture_file import Provenance, encode_png

FIRST, LAST, REFERENCE = 1001, 1012, 1003
HELD = (1006, 1007)
PIXEL_ASPECT = 1.5
CLIP = ClipInfo("plate", WIDTH_PX, HEIGHT_PX, FIRST, LAST, pixel_aspect=PIXEL_ASPECT)
ANCHOR = AnchorTrack(
    "blob_similarity",
    "blob",
    AnchorKind.SIMILARITY,
    REFERENCE,
    tuple(
        AnchorKey(
            frame,
            100.0 + 20 * (frame - FIRST),
            90.0 + 5 * (frame - FIRST),
            rotation_deg=40.0 * (frame - REFERENCE),
            scale_x=1 + 0.1 * (frame - FIRST),
            scale_y=1 + 0.1 * (frame - FIRST),
            weight=0.5 if frame in HELD else 1.0,
            held=frame in HELD,
        )
        for frame in range(FIRST, LAST + 1)
    ),
    PIXEL_ASPECT,
)
KEYS = {key.frame: key for key in ANCHOR.keys}


@pytest.fixture(scope="session")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("anchor-plate")
    picture = encode_png(np.zeros((HEIGHT_PX, WIDTH_PX), np.float32), CLIP, Provenance(), bits=8)
    for frame in range(FIRST, LAST + 1):
        (folder / f"plate.{frame}.png").write_bytes(picture)
    (folder / "document.json").write_text(write_json(ExchangeScene(CLIP, anchors=(ANCHOR,))))
    return folder


@pytest.fixture(scope="module")
def answer(plate: Path, run_script) -> dict[str, Any]:
    return run_script("follow_anchor.py", plate / "document.json", plate / f"plate.{FIRST}.png")


def place_in_view(frame: int) -> tuple[float, float]:
    return (KEYS[frame].x_px / WIDTH_PX, 1 - KEYS[frame].y_px / HEIGHT_PX)


def test_a_track_has_a_marker_a_frame_and_is_off_where_the_object_was_not_seen(
    answer: dict[str, Any],
) -> None:
    markers = {frame + FIRST - 1: (mute, x, y) for frame, mute, x, y in answer["markers"]}

    assert answer["tracks"] == [ANCHOR.name]
    assert sorted(markers) == list(range(FIRST - 1, LAST + 2))
    assert [frame for frame, (mute, _, _) in sorted(markers.items()) if mute] == [FIRST - 1, *HELD, LAST + 1]
    for frame in KEYS:
        assert markers[frame][1:] == pytest.approx(place_in_view(frame), abs=1e-6)


def test_markers_can_be_grabbed_and_tracked_on_from(answer: dict[str, Any]) -> None:
    width_px, usual_px = answer["pattern_px"]

    assert width_px == pytest.approx(usual_px, abs=1e-3)


def test_a_shorter_track_loses_the_markers_that_are_no_longer_meant(answer: dict[str, Any]) -> None:
    assert answer["shorter"] == [[0, True], [1, False], [2, False], [3, False], [4, True]]


def test_what_cannot_be_written_is_told_in_a_sentence(answer: dict[str, Any]) -> None:
    assert "is locked: unlock it" in answer["locked"]
    assert "never seen" in answer["unseen"]
    assert "cannot hang on itself" in answer["itself"]
    assert "cannot hang on itself" in answer["camera_on_its_child"]


def test_without_a_camera_the_empty_lies_on_an_upright_plate(answer: dict[str, Any]) -> None:
    upright, last = answer["upright"], KEYS[LAST]
    width = WIDTH_PX * PIXEL_ASPECT / HEIGHT_PX

    assert upright["location"] == pytest.approx(
        [(last.x_px / WIDTH_PX - 0.5) * width, 0, 0.5 - last.y_px / HEIGHT_PX], abs=1e-5
    )
    assert upright["scale"] == pytest.approx([last.scale_x] * 3)
    # Euler angles read from a matrix know no more than half a turn: 360 degrees are 0.
    assert upright["turn_deg"] == pytest.approx([0, 0, 0], abs=1e-3)
    assert upright["weight"] == 1.0


def test_with_a_camera_the_empty_covers_the_anchor_wherever_the_camera_goes(answer: dict[str, Any]) -> None:
    assert answer["same_empty"]
    for frame, x, y in answer["before_camera"]:
        assert (x, y) == pytest.approx(place_in_view(frame), abs=1e-4)


def test_an_empty_is_led_by_the_track(answer: dict[str, Any]) -> None:
    assert answer["constraints"] == ["FOLLOW_TRACK"]
    for frame, x, y in answer["led"]:
        assert (x, y) == pytest.approx(place_in_view(frame), abs=1e-4)


def test_what_is_attached_stays_where_it_is_and_goes_along_from_there(answer: dict[str, Any]) -> None:
    assert answer["attached"] == pytest.approx([0, 0], abs=1e-5)
    assert answer["goes_along"] > 0.1
    assert answer["attached_later"] == pytest.approx(0, abs=1e-5)
    assert answer["children"] == ["CHILD_OF"]
    assert answer["detached"] == 0


def test_nothing_is_made_twice_also_after_undo(answer: dict[str, Any]) -> None:
    axes = [(path, index) for path in ("location", "rotation_euler", "scale") for index in range(3)]

    assert answer["objects"] == ["Camera", "Cube", "Light", "blob_similarity", "led"]
    assert answer["undone"]
    assert answer["curves"] == [
        ['["weight"]', 0, len(KEYS)],
        *([path, index, len(KEYS)] for path, index in axes),
    ]
