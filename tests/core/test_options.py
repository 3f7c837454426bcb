"""Prompts on the command line: the order decides which object they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from masklet.clip_reading import ClipReading
from masklet.commands.options import (
    ClickOption,
    ObjectOption,
    OrderedCommand,
    document_of,
    merged,
    parse_range,
    reading_as_asked,
    typed_prompts,
)
from masklet.commands.roto import shown_frames
from masklet.errors import BadInputError
from masklet.png import write_mask
from masklet.types import Box, Click, FramePrompts, FrameRange, Mask, ObjectInfo, PromptDocument


def test_prompts_belong_to_the_object_before_them() -> None:
    typed = [
        ("objects", "hero"),
        ("clicks", "1001:640,360"),
        ("clicks", "1050:600,300.5:-"),
        ("objects", "car"),
        ("boxes", "1001:10,20,300,400"),
        ("clicks", "1001:15,25:+"),
        ("objects", "hero"),
        ("clicks", "1001:650,370"),
    ]

    document = document_of(typed)

    assert document.objects == (ObjectInfo(1, "hero", (1001, 1050)), ObjectInfo(2, "car", (1001,)))
    assert document.prompts == (
        FramePrompts(1, 1001, (Click(640, 360), Click(650, 370))),
        FramePrompts(1, 1050, (Click(600, 300.5, positive=False),)),
        FramePrompts(2, 1001, (Click(15, 25),), box=Box(10, 20, 300, 400)),
    )


def test_prompts_before_any_object_make_one() -> None:
    assert document_of([("clicks", "-5:1,2")]).objects == (ObjectInfo(1, "object1", (-5,)),)


def test_the_parser_keeps_the_order_of_the_command_line() -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    seen: list[PromptDocument] = []

    @app.command(cls=OrderedCommand)
    def command(
        context: typer.Context,
        clip: str,
        objects: ObjectOption = None,
        clicks: ClickOption = None,
        name: Annotated[str, typer.Option()] = "",
    ) -> None:
        seen.append(typed_prompts(context))

    arguments = [
        "--object",
        "a",
        "--click=1:1,1",
        "clip.mov",
        "--object=b",
        "--name",
        "x",
        "--click",
        "-2:2,2:-",
    ]
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.output
    assert seen[0].prompts == (
        FramePrompts(1, 1, (Click(1, 1),)),
        FramePrompts(2, -2, (Click(2, 2, positive=False),)),
    )


def test_a_mask_is_read_from_its_file(tmp_path: Path) -> None:
    mask = Mask(2, 1, bytes([0, 255]))
    (tmp_path / "m.png").write_bytes(write_mask(mask))

    document = document_of([("masks", f"1001:{tmp_path / 'm.png'}")])

    assert document.prompts == (FramePrompts(1, 1001, mask=mask),)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("clicks", "640,360", "names no frame"),
        ("clicks", "1001:640", "is no click"),
        ("clicks", "1001:640,360:*", "is no click"),
        ("clicks", "1001:a,b", "is no click"),
        ("clicks", "1001:nan,5", "finite coordinates"),
        ("clicks", "1001:5,inf", "finite coordinates"),
        ("boxes", "1001:1,2,3", "is no box"),
        ("boxes", "1001:30,2,3,4", "left < right"),
        ("masks", "1001:/nowhere/m.png", "cannot be read"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_quoted(option: str, value: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        document_of([(option, value)])


def test_a_mask_and_a_click_on_the_same_frame_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(write_mask(Mask(1, 1, b"\xff")))

    with pytest.raises(BadInputError, match="not both"):
        document_of([("masks", f"1:{tmp_path / 'm.png'}"), ("clicks", "1:0,0")])


def test_what_was_typed_replaces_what_was_saved_for_the_same_object_and_frame() -> None:
    saved = document_of([("objects", "hero"), ("clicks", "1:1,1"), ("clicks", "9:9,9")])
    typed = document_of([("objects", "car"), ("clicks", "1:5,5"), ("objects", "hero"), ("clicks", "1:2,2")])

    both = merged(saved, typed)

    assert [info.name for info in both.objects] == ["hero", "car"]
    assert both.prompts == (
        FramePrompts(1, 1, (Click(2, 2),)),
        FramePrompts(1, 9, (Click(9, 9),)),
        FramePrompts(2, 1, (Click(5, 5),)),
    )
    assert merged(both, typed) == both


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001-1100", FrameRange(1001, 1100)),
        ("-5--1", FrameRange(-5, -1)),
        ("-5-3", FrameRange(-5, 3)),
        ("7", FrameRange(7, 7)),
    ],
)
def test_a_range_is_read(text: str, frames: FrameRange) -> None:
    assert parse_range(text) == frames


@pytest.mark.parametrize("text", ["", "a-b", "1001-", "10-1"])
def test_a_wrong_range_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="--range"):
        parse_range(text)


@pytest.mark.parametrize(
    ("typed", "rate"), [("24", 24.0), ("23.976", 23.976), ("24000/1001", 24000 / 1001), (" 25 ", 25.0)]
)
def test_a_rate_is_a_number_or_a_fraction(typed: str, rate: float) -> None:
    assert reading_as_asked(ClipReading(), None, None, typed).frame_rate == rate


@pytest.mark.parametrize("typed", ["24p", "", "24/0", "0", "-25", "1e9", "inf", "nan"])
def test_a_rate_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(BadInputError, match="is no frame rate"):
        reading_as_asked(ClipReading(), None, None, typed)


def test_options_of_reading_go_before_the_document_and_leave_the_rest_of_it() -> None:
    saved = ClipReading("ACEScg", 1001, 25.0)

    assert reading_as_asked(saved, None, None, None) == saved
    assert reading_as_asked(saved, None, 0, None) == ClipReading("ACEScg", 0, 25.0)
    assert reading_as_asked(saved, "sRGB", None, "24") == ClipReading("sRGB", 1001, 24.0)


def test_frames_are_shown_as_ranges() -> None:
    assert shown_frames([1012, 1003, 1010, 1011]) == "1003, 1010-1012"
