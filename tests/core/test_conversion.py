"""Prompt documents on plates of another size or numbering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from masklet.commands.shot_request import Fit, ShotRequest, parse_offset, parse_scale
from masklet.commands.typed import Typed, read_typed
from masklet.conversion import check_fits, plate_of, resampled, scaled, shifted
from masklet.errors import BadInputError, NotPromptedError
from masklet.matte_settings import MatteSettings
from masklet.prompts import PlateShape, Shot, from_json, to_json
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    ObjectInfo,
    ObjectMatte,
    PromptDocument,
)

HD = ClipInfo("plate.%04d.exr", 1920, 1080, 1001, 1100)
UHD = ClipInfo("big.%04d.exr", 3840, 2160, 1001, 1100)
MOVIE = ClipInfo("plate.mov", 1920, 1080, 0, 99)
SHOT = Shot(
    "plate.%04d.exr",
    PromptDocument(
        (ObjectInfo(1, "hero", (1001,)),),
        (FramePrompts(1, 1001, (Click(640.0, 360.0),), box=Box(600.0, 300.0, 700.0, 420.0)),),
        (LockedRange(1, FrameRange(1010, 1020)),),
        (ObjectMatte(1, MatteSettings(grow_px=-1.5, fill_holes_px=10)),),
    ),
    frames=FrameRange(1001, 1050),
    plate=plate_of(HD),
)


def asked(saved: Shot | None = SHOT, **words: object) -> ShotRequest:
    return ShotRequest("plate", Typed(PromptDocument()), saved, **words)  # type: ignore[arg-type]


def test_the_plate_is_kept_in_the_document() -> None:
    assert from_json(to_json(SHOT)).plate == PlateShape(1920, 1080, FrameRange(1001, 1100))
    assert from_json(to_json(replace(SHOT, plate=None))).plate is None


def test_another_size_is_refused_with_the_way_to_convert() -> None:
    with pytest.raises(BadInputError, match=r"made on 1920 x 1080 pixels.*3840 x 2160.*roto --scale fit"):
        asked().on(UHD)


def test_a_document_is_converted_to_the_size_of_the_plate_and_says_so() -> None:
    shot, told = asked(scale=Fit.FIT).on(UHD)

    (prompts,) = shot.document.prompts
    assert prompts.clicks == (Click(1280.0, 720.0),)
    assert prompts.box == Box(1200.0, 600.0, 1400.0, 840.0)
    assert shot.document.mattes[0].settings == MatteSettings(grow_px=-3.0, fill_holes_px=40)
    assert shot.plate == plate_of(UHD)
    assert told == ("the prompts were converted from 1920 x 1080 to 3840 x 2160 pixels",)
    # What was converted is saved; the same command again converts nothing.
    assert asked(shot, scale=Fit.FIT).on(UHD) == (replace(shot, clip="plate"), ())


def test_a_factor_converts_a_document_that_does_not_say_its_plate() -> None:
    shot, told = asked(replace(SHOT, plate=None), scale=2.0).on(UHD)

    assert shot.document.prompts[0].clicks == (Click(1280.0, 720.0),)
    assert told == ("the prompts were scaled by 2 to 3840 x 2160 pixels",)
    with pytest.raises(BadInputError, match="does not say the size"):
        asked(replace(SHOT, plate=None), scale=Fit.FIT).on(UHD)


def test_a_drawn_mask_is_resampled_and_named() -> None:
    drawn = FramePrompts(1, 1001, mask=Mask.from_array(np.eye(4, dtype=np.float32)))
    small = replace(
        SHOT, document=replace(SHOT.document, prompts=(drawn,)), plate=PlateShape(4, 4, HD.frames)
    )

    shot, told = asked(small, scale=Fit.FIT).on(replace(HD, width_px=8, height_px=8))

    mask = shot.document.prompts[0].mask
    assert mask is not None
    assert (mask.width_px, mask.height_px) == (8, 8)
    assert "drawn by hand were resampled (frame 1001)" in told[0]


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16"])
@pytest.mark.parametrize("size", [(6, 4), (17, 23), (3, 2)])
def test_resampling_keeps_depth_and_mean(kind: str, size: tuple[int, int]) -> None:
    y, x = np.mgrid[:12, :18]
    coverage = (np.sin(x / 5) * np.cos(y / 4) + 1) / 2
    top = 1 if kind == "float16" else np.iinfo(kind).max
    drawn = Mask.from_array((coverage * top).astype(kind))

    made = resampled(drawn, *size)

    assert (made.width_px, made.height_px, made.depth) == (*size, drawn.depth)
    assert made.coverage().mean() == pytest.approx(drawn.coverage().mean(), abs=0.02)
    assert resampled(drawn, 18, 12) is drawn


def test_frames_that_the_clip_does_not_have_are_refused_with_the_way_to_move_them() -> None:
    with pytest.raises(
        BadInputError, match=r"prompts on frame 1001 and plate.mov has 0-99.*--offset -1001 moves"
    ):
        asked().on(MOVIE)


@pytest.mark.parametrize("offset", [Fit.FIT, -1001])
def test_everything_moves_by_an_offset(offset: int | Fit) -> None:
    shot, told = asked(offset=offset).on(MOVIE)

    document = shot.document
    assert document.prompts[0].frame == 0
    assert document.objects[0].prompted_frames == (0,)
    assert document.locks == (LockedRange(1, FrameRange(9, 19)),)
    assert shot.frames == FrameRange(0, 49)
    assert shot.plate == plate_of(MOVIE)
    assert told == ("the prompts were moved by -1001 frames",)


def test_handles_are_told_and_change_nothing() -> None:
    handles = replace(HD, first_frame=993, last_frame=1108)

    assert asked().on(handles)[0].document == SHOT.document
    assert "made on frames 1001-1100, plate.%04d.exr has 993-1108" in check_fits(SHOT, handles)[0]
    assert check_fits(SHOT, HD) == ()


def test_what_was_typed_counts_in_the_numbers_and_pixels_of_the_clip() -> None:
    typed = read_typed([("objects", "hero"), ("clicks", "7:3000,2000")])

    shot, _ = ShotRequest("x", typed, SHOT, offset=-1001, scale=Fit.FIT).on(
        replace(UHD, first_frame=0, last_frame=99)
    )

    assert [prompts.frame for prompts in shot.document.prompts] == [0, 7]
    assert shot.document.prompts[1].clicks == (Click(3000.0, 2000.0),)


def test_a_request_that_says_nothing_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(NotPromptedError, match="nothing says what to cut out"):
        asked(None).draft()


def test_there_and_back_is_the_same_document() -> None:
    assert shifted(shifted(SHOT, 900), -900) == SHOT
    assert scaled(scaled(SHOT, UHD), HD) == SHOT


@pytest.mark.parametrize("text", ["", "1.5", "later"])
def test_an_offset_is_whole_frames(text: str) -> None:
    with pytest.raises(BadInputError, match="--offset"):
        parse_offset(text)


@pytest.mark.parametrize("text", ["", "0", "-2", "nan", "inf", "big"])
def test_a_scale_is_a_factor(text: str) -> None:
    with pytest.raises(BadInputError, match="--scale"):
        parse_scale(text)


def test_what_fits_is_said_in_a_word() -> None:
    assert (parse_offset("fit"), parse_offset("-1001")) == (Fit.FIT, -1001)
    assert (parse_scale("fit"), parse_scale("0.5")) == (Fit.FIT, 0.5)
