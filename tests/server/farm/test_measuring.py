"""Measures of mattes against a plate whose motion is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.errors import BadInputError, ClipError
from masklet.farm.quality import AREA_FACTOR, FLICKER_SHARE
from masklet.types import FrameRange
from masklet_server.farm.measure_request import BoxEdges, MatteFile, MeasureRequest, request_from_json
from masklet_server.farm.measuring import measure

_SIZE = (90, 160)
_STEP_PX = 4
_FRAMES = FrameRange(1001, 1007)


def _disc(frame: int) -> NDArray[np.uint8]:
    mask = np.zeros(_SIZE, np.uint8)
    cv2.circle(mask, (40 + _STEP_PX * (frame - 1001), 45), 20, 255, -1)
    return mask


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A plate on which everything moves to the right, and the mattes of a disc that moves along."""
    noise = np.random.default_rng(7).integers(0, 255, (30, 80), np.uint8)
    wide = cv2.resize(noise, (320, 120), interpolation=cv2.INTER_CUBIC)
    for frame in range(_FRAMES.first, _FRAMES.last + 1):
        left = 80 - _STEP_PX * (frame - 1001)
        picture = np.repeat(wide[:90, left : left + 160, None], 3, -1)
        cv2.imwrite(str(tmp_path / f"plate.{frame}.png"), picture)
        cv2.imwrite(str(tmp_path / f"matte.{frame}.png"), _disc(frame))
    return tmp_path


def _measured(
    shot: Path,
    points: Mapping[int, list[tuple[float, float]]] | None = None,
    boxes: Mapping[int, BoxEdges] | None = None,
    prompted: tuple[int, ...] = (),
) -> dict[int, Any]:
    files = {
        frame: MatteFile(shot / f"matte.{frame}.png", "Y")
        for frame in range(_FRAMES.first, _FRAMES.last + 1)
        if (shot / f"matte.{frame}.png").exists()
    }
    request = MeasureRequest(
        str(shot / "plate.%04d.png"),
        {},
        _FRAMES,
        {"disc": files},
        {"disc": points or {}},
        {"disc": boxes or {}},
        {"disc": prompted},
    )
    return {int(frame): told for frame, told in measure(request)["objects"]["disc"].items()}


def test_a_matte_that_moves_with_its_plate_is_quiet(shot: Path) -> None:
    found = _measured(shot)
    assert sorted(found) == list(range(1001, 1008))
    for frame, told in found.items():
        assert told["area"] == pytest.approx(np.pi * 20**2 / (90 * 160), rel=0.05)
        assert told["x"] * 160 == pytest.approx(40.5 + _STEP_PX * (frame - 1001), abs=0.6)
        if frame > 1001:
            assert told["moved_x"] * 160 == pytest.approx(_STEP_PX, abs=0.7)
        assert (told["flicker"] is None) == (frame in (1001, 1007))
        assert (told["flicker"] or 0.0) < FLICKER_SHARE / 4


def test_a_matte_that_loses_half_of_itself_for_a_frame_flickers_there(shot: Path) -> None:
    half = _disc(1004)
    half[:45] = 0
    cv2.imwrite(str(shot / "matte.1004.png"), half)
    found = _measured(shot)
    assert found[1004]["flicker"] > 2 * FLICKER_SHARE
    assert found[1003]["area"] / found[1004]["area"] > AREA_FACTOR
    assert found[1005]["flicker"] < FLICKER_SHARE


def test_an_empty_matte_has_no_middle_and_one_that_is_missing_no_measure(shot: Path) -> None:
    cv2.imwrite(str(shot / "matte.1004.png"), np.zeros(_SIZE, np.uint8))
    (shot / "matte.1006.png").unlink()
    found = _measured(shot)
    assert found[1004]["area"] == 0
    assert "x" not in found[1004]
    assert 1006 not in found


def test_the_matte_is_read_under_clicks_at_its_own_size(shot: Path) -> None:
    found = _measured(shot, {1002: [(44.5, 45.5), (5.0, 5.0), (1e9, -3.0)]})
    assert found[1002]["under"] == [1.0, 0.0, 0.0]


def test_a_matte_that_cannot_be_read_is_a_sentence(shot: Path) -> None:
    (shot / "matte.1004.png").write_bytes(b"no picture")
    with pytest.raises(ClipError, match=r"matte\.1004\.png cannot be read"):
        _measured(shot)


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(BadInputError, match="no request to measure"):
        request_from_json({"frames": [1, 2], "clip": "x"})


@pytest.mark.parametrize(
    ("edges", "iou", "beside"),
    [
        ((20.0, 25.0, 61.0, 66.0), 0.92, 0.0),
        # With room around it, as people draw.
        ((16.0, 21.0, 65.0, 70.0), 0.67, 0.0),
        ((20.0, 25.0, 40.0, 66.0), 0.49, 0.44),
        ((0.0, 0.0, 160.0, 90.0), 0.12, 0.0),
    ],
)
def test_a_matte_is_held_against_the_box_around_its_object(
    shot: Path, edges: BoxEdges, iou: float, beside: float
) -> None:
    told = _measured(shot, boxes={1001: edges})[1001]["box"]
    assert told["iou"] == pytest.approx(iou, abs=0.08)
    assert told["beside"] == pytest.approx(beside, abs=0.08)


def test_a_box_whose_matte_is_empty_or_missing_says_so_or_nothing(shot: Path) -> None:
    cv2.imwrite(str(shot / "matte.1004.png"), np.zeros(_SIZE, np.uint8))
    (shot / "matte.1005.png").unlink()
    found = _measured(shot, boxes=dict.fromkeys((1004, 1005), (0.0, 0.0, 20.0, 20.0)))
    assert found[1004]["box"] == {"iou": 0.0, "beside": 0.0}
    assert 1005 not in found


def test_a_matte_that_is_left_lying_while_its_object_moves_on_holds_the_surroundings(shot: Path) -> None:
    for frame in range(_FRAMES.first, _FRAMES.last + 1):
        picture = np.full((*_SIZE, 3), (40, 90, 30), np.uint8)
        picture[_disc(frame) > 0] = (30, 30, 200)
        cv2.imwrite(str(shot / f"plate.{frame}.png"), picture)
    followed = _measured(shot, prompted=(1002,))
    assert [told["around"] for told in followed.values()] == pytest.approx([0.0] * 7, abs=0.1)
    for frame in range(1003, _FRAMES.last + 1):
        cv2.imwrite(str(shot / f"matte.{frame}.png"), _disc(1002))
    left = _measured(shot, prompted=(1002,))
    assert left[1002]["around"] < 0.1
    assert left[1007]["around"] > 0.4
    # Nobody has seen it on a frame that has a picture and a matte.
    assert _measured(shot)[1007]["around"] is None
