"""Mattes of objects that nobody expects: files are written, and say what the network said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from masklet.matte_settings import MatteSettings
from masklet.types import ClipInfo, ObjectInfo, Presence
from masklet_server.mattes.export import render_mattes
from masklet_server.mattes.files import write_files
from masklet_server.mattes.refined_alpha import RefinedAlpha
from masklet_server.tracking import ObjectFrame

SIDE = 64
CLIP = ClipInfo("plate.%04d.exr", 2 * SIDE, 2 * SIDE, -10, -10, pixel_aspect=2.0, frames_per_s=24.0)
BUSY = MatteSettings(grow_px=1.0, feather_px=2.0, fill_holes_px=6, drop_specks_px=6)
Logits = NDArray[np.float32]


class Noise:
    """One frame of coloured grain, number -10."""

    info = CLIP

    def read(self, frame: int) -> NDArray[np.uint8]:
        assert frame == -10
        return np.random.default_rng(1).integers(0, 255, (2 * SIDE, 2 * SIDE, 3), np.uint8)


class OneResult:
    """One object on frame -10; absent if there are no logits."""

    def __init__(self, logits: Logits | None) -> None:
        self._presence = Presence.ABSENT if logits is None else Presence.PRESENT
        self._logits = (nothing_at_all() if logits is None else logits).astype(np.float16)

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        pointer = np.zeros(4, np.float16)
        return ObjectFrame(object_id, frame, self._logits, 5.0, 0.9, self._presence, pointer)

    def frames_of(self, object_id: int) -> Sequence[int]:
        return (-10,)


def nothing_at_all() -> Logits:
    """What the network says of an object that it calls absent."""
    return np.full((SIDE, SIDE), -1024, np.float32)


def inside(mask: NDArray[np.bool_]) -> Logits:
    return np.where(mask, np.float32(12), np.float32(-12))


def grid() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    return rows, columns


def nothing() -> Logits:
    return inside(np.zeros((SIDE, SIDE), np.bool_))


def everything() -> Logits:
    return inside(np.ones((SIDE, SIDE), np.bool_))


def three_pixels() -> Logits:
    rows, columns = grid()
    return inside((rows == 20) & (columns >= 30) & (columns < 33))


def a_thousand_fragments() -> Logits:
    rows, columns = grid()
    return inside((rows % 2 == 0) & (columns % 2 == 0))


def two_that_touch_at_a_point() -> Logits:
    rows, columns = grid()
    return inside(((rows < 32) & (columns < 32)) | ((rows >= 32) & (columns >= 32)))


def along_all_borders() -> Logits:
    rows, columns = grid()
    return inside((np.minimum(rows, columns) < 3) | (np.maximum(rows, columns) >= SIDE - 3))


ODD = (nothing, everything, three_pixels, a_thousand_fragments, two_that_touch_at_a_point, along_all_borders)


def exported(folder: Path, logits: Logits | None, settings: MatteSettings) -> tuple[oiio.ImageSpec, Logits]:
    files = render_mattes(
        CLIP,
        [ObjectInfo(1, "odd")],
        OneResult(logits),
        [-10],
        alpha=RefinedAlpha(Noise()),
        settings={1: settings},
    )
    (path,) = write_files(folder, files)
    assert path.name.endswith(".-010.exr")
    reader = oiio.ImageInput.open(str(path))
    assert reader is not None
    specification, pixels = reader.spec(), reader.read_image("float32")
    reader.close()
    return specification, np.asarray(pixels, np.float32)[..., -1]


@pytest.mark.parametrize("draw", ODD)
@pytest.mark.parametrize("settings", [MatteSettings(), BUSY])
def test_every_odd_object_gets_a_whole_matte(tmp_path: Path, draw: object, settings: MatteSettings) -> None:
    assert callable(draw)

    specification, matte = exported(tmp_path, draw(), settings)

    assert matte.shape == (2 * SIDE, 2 * SIDE)
    assert np.isfinite(matte).all()
    assert matte.min() >= 0
    assert matte.max() <= 1
    assert specification.getattribute("PixelAspectRatio") == 2.0


@pytest.mark.parametrize("settings", [MatteSettings(), BUSY])
def test_nothing_stays_nothing_and_everything_everything(tmp_path: Path, settings: MatteSettings) -> None:
    assert exported(tmp_path, nothing(), settings)[1].max() == 0
    assert exported(tmp_path, everything(), settings)[1].min() == 1


@pytest.mark.parametrize("settings", [MatteSettings(), BUSY])
def test_an_object_that_is_never_there_has_a_black_matte(tmp_path: Path, settings: MatteSettings) -> None:
    specification, matte = exported(tmp_path, None, settings)

    assert matte.shape == (2 * SIDE, 2 * SIDE)
    assert matte.max() == 0
    assert specification.getattribute("PixelAspectRatio") == 2.0


def test_three_pixels_are_kept_unless_specks_of_their_size_are_dropped(tmp_path: Path) -> None:
    kept = exported(tmp_path, three_pixels(), MatteSettings())[1]
    dropped = exported(tmp_path, three_pixels(), MatteSettings(drop_specks_px=60))[1]

    assert kept[40:42, 60:66].mean() > 0.3
    assert kept[:34].max() == 0
    assert dropped.max() < 0.5


def test_what_touches_the_border_reaches_it(tmp_path: Path) -> None:
    matte = exported(tmp_path, along_all_borders(), MatteSettings())[1]

    assert min(matte[0].min(), matte[-1].min(), matte[:, 0].min(), matte[:, -1].min()) > 0.5
    assert matte[40:88, 40:88].max() == 0
