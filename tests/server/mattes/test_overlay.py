from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.types import ClipInfo, ObjectInfo, Presence
from masklet_server.mattes.overlay import (
    PALETTE,
    encode_contact_sheet,
    encode_movie,
    overlay_pictures,
    paint,
    spread_frames,
)
from masklet_server.media.source import open_clip
from masklet_server.tracking import ObjectFrame


class GreySource:
    """A grey clip of ten frames with a missing one and pixels twice as wide as high."""

    @property
    def info(self) -> ClipInfo:
        return ClipInfo("plate", 100, 90, 1, 10, missing_frames=(4,), pixel_aspect=2.0)

    def read(self, frame: int) -> NDArray[np.uint8]:
        return np.full((90, 100, 3), 100 + frame, np.uint8)


class LeftHalf:
    """One object that covers the left half of every frame."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        logits = np.full((32, 32), -9, np.float16)
        logits[:, :16] = 9
        return ObjectFrame(object_id, frame, logits, 5.0, 0.9, Presence.PRESENT, np.zeros(4, np.float16))

    def frames_of(self, object_id: int) -> Sequence[int]:
        return range(1, 11)


def test_an_object_is_tinted_and_outlined_and_the_rest_stays() -> None:
    picture = np.full((60, 80, 3), 100, np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 20:60] = 255

    shown = paint(picture, [(PALETTE[0], mask)])

    assert (shown[5, 5] == 100).all()
    assert shown[30, 40].tolist() == [round(100 + 0.45 * (part - 100)) for part in PALETTE[0]]
    assert np.abs(shown[20, 40].astype(int) - PALETTE[0]).max() < 60
    assert (picture == 100).all()


def test_pictures_have_square_pixels_even_sides_and_skip_missing_frames() -> None:
    pictures = dict(
        overlay_pictures(GreySource(), [ObjectInfo(1, "hero")], LeftHalf(), range(3, 7), label=False)
    )

    assert list(pictures) == [3, 5, 6]
    assert pictures[3].shape == (90, 200, 3)
    assert (pictures[3][45, 150] == 103).all()
    assert not (pictures[3][45, 50] == 103).all()


def test_pictures_are_no_larger_than_asked() -> None:
    _, picture = next(overlay_pictures(GreySource(), [], LeftHalf(), [1], max_side_px=101))

    assert picture.shape == (46, 102, 3) or picture.shape == (46, 100, 3)


def test_the_movie_plays_what_was_painted(tmp_path: Path) -> None:
    pictures = list(
        overlay_pictures(GreySource(), [ObjectInfo(1, "hero")], LeftHalf(), range(1, 11), label=False)
    )
    (tmp_path / "overlay.mp4").write_bytes(encode_movie(pictures, frames_per_s=23.976))

    with open_clip(tmp_path / "overlay.mp4") as clip:
        assert (len(clip.info.frames), clip.info.width_px, clip.info.height_px) == (9, 200, 90)
        assert clip.info.frames_per_s == pytest.approx(23.976, abs=1e-3)
        assert np.abs(clip.read(8).astype(int) - pictures[8][1]).mean() < 4


def test_a_movie_of_a_clip_whose_rate_varies_shows_each_picture_at_its_time(tmp_path: Path) -> None:
    pictures = [(frame, np.full((90, 160, 3), 20 * frame, np.uint8)) for frame in range(1, 6)]
    times_s = {1: 0.5, 2: 0.54, 3: 0.58, 4: 0.7, 5: 0.74}
    movie = encode_movie(pictures, frames_per_s=20.8, time_s=times_s.get)
    (tmp_path / "overlay.mp4").write_bytes(movie)

    with open_clip(tmp_path / "overlay.mp4") as clip:
        shown_s = [clip.info.time_s(frame) for frame in range(5)]

    assert shown_s == pytest.approx([time - 0.5 for time in times_s.values()], abs=1e-3)


def test_the_contact_sheet_shows_every_picture(tmp_path: Path) -> None:
    pictures = [(n, np.full((90, 160, 3), 20 * n, np.uint8)) for n in range(1, 13)]

    sheet = cv2.imdecode(
        np.frombuffer(encode_contact_sheet(pictures, width_px=640), np.uint8), cv2.IMREAD_COLOR
    )

    assert sheet is not None
    assert sheet.shape[1] == 640
    assert all((sheet == 20 * n).all(axis=-1).sum() > 2000 for n in range(1, 13))


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="an overlay movie needs at least one frame"):
        encode_movie([], frames_per_s=None)
    with pytest.raises(BadInputError, match="a contact sheet needs at least one frame"):
        encode_contact_sheet([])


def test_frames_for_a_sheet_are_spread_over_the_clip() -> None:
    assert spread_frames(range(1001, 1101), 4) == [1001, 1034, 1067, 1100]
    assert spread_frames([5, 7], 4) == [5, 7]
