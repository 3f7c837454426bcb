"""Prompts on the command line: the order decides which object they belong to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from masklet.commands.prompt_words import parse_range
from masklet.commands.typed import OrderedCommand, read_typed, typed_in
from masklet.commands.typed_options import ClickOption, ObjectOption
from masklet.commands.typed_over import merged
from masklet.errors import BadInputError
from masklet.matte_settings import MatteSettings
from masklet.png import write_mask
from masklet.prompts import Shot, from_json, to_json
from masklet.prompts_digest import prompts_sha256
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    MemoryPolicy,
    ObjectInfo,
    ObjectMatte,
    ObjectPolicy,
    PromptDocument,
    Scribble,
)


def document_of(typed: list[tuple[str, str]]) -> PromptDocument:
    return read_typed(typed).prompts


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
        seen.append(typed_in(context).prompts)

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


def test_strokes_are_drawn_through_their_points_and_added_to_those_that_are_there() -> None:
    first = read_typed([("scribbles", "1001:12:600,300/640,320/660,330.5"), ("clicks", "1001:1,2")])
    on, off = Scribble(((600, 300), (640, 320), (660, 330.5)), 12), Scribble(((5, 5),), 8, positive=False)

    assert first.prompts.prompts == (FramePrompts(1, 1001, (Click(1, 2),), scribbles=(on,)),)
    name = first.prompts.objects[0].name
    again = read_typed([("objects", name), ("scribbles", "1001:8:5,5:-")])
    both = merged(first.prompts, again)
    assert both.prompts == (FramePrompts(1, 1001, (Click(1, 2),), scribbles=(on, off)),)
    assert merged(both, again) == both


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
        ("scribbles", "1001:5,5/6,6", "is no stroke"),
        ("scribbles", "1001:12:5,5/6", "is no stroke"),
        ("scribbles", "1001:12:5,5/6,6:x", "is no stroke"),
        ("scribbles", "1001:0:5,5", "wider than 0"),
        ("scribbles", "1001:4:nan,5", "finite coordinates"),
        ("masks", "1001:/nowhere/m.png", "cannot be read"),
        ("objects", "a/b", "holds /"),
        ("locks", "5-", "--lock '5-' is no range"),
        ("unlocks", "9-5", "--unlock '9-5' ends before"),
        ("mattes", "grwo=2", "'grwo' is no setting, choose from grow, feather"),
        ("mattes", "grow=wide", "grow needs a number"),
        ("mattes", "fill-holes=1.5", "whole number"),
        ("mattes", "exclusive=maybe", "on or off"),
        ("mattes", "calm=2", "calm lies between"),
        ("mattes", "grow=nan", r"--matte 'grow=nan': grow is nan, which is no size: give a number"),
        ("mattes", "gamma=inf", "gamma is inf"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_quoted(option: str, value: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        document_of([(option, value)])


def test_a_mask_and_a_click_on_the_same_frame_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(write_mask(Mask(1, 1, b"\xff")))

    with pytest.raises(BadInputError, match="not both"):
        document_of([("masks", f"1:{tmp_path / 'm.png'}"), ("clicks", "1:0,0")])


NOTHING = PromptDocument()


def said(*typed: tuple[str, str], saved: PromptDocument = NOTHING, only: bool = False) -> PromptDocument:
    return merged(saved, read_typed(typed), only=only)


def test_what_was_typed_is_added_to_what_the_document_says_of_the_same_frame() -> None:
    saved = said(("objects", "hero"), ("boxes", "1:0,0,9,9"), ("clicks", "1:1,1"), ("clicks", "9:9,9"))
    typed = (("objects", "car"), ("clicks", "1:5,5"), ("objects", "hero"), ("clicks", "1:2,2:-"))

    both = said(*typed, saved=saved)

    assert [info.name for info in both.objects] == ["hero", "car"]
    assert both.prompts == (
        FramePrompts(1, 1, (Click(1, 1), Click(2, 2, positive=False)), box=Box(0, 0, 9, 9)),
        FramePrompts(1, 9, (Click(9, 9),)),
        FramePrompts(2, 1, (Click(5, 5),)),
    )
    # Running the same command again says nothing new.
    assert said(*typed, saved=both) == both


def test_only_replaces_and_a_box_takes_the_place_of_a_box() -> None:
    saved = said(("objects", "hero"), ("boxes", "1:0,0,9,9"), ("clicks", "1:1,1"), ("clicks", "9:9,9"))

    only = said(("objects", "hero"), ("clicks", "1:2,2"), saved=saved, only=True)
    boxed = said(("objects", "hero"), ("boxes", "1:5,5,7,7"), saved=saved)

    assert only.prompts == (FramePrompts(1, 1, (Click(2, 2),)), FramePrompts(1, 9, (Click(9, 9),)))
    assert boxed.prompts[0] == FramePrompts(1, 1, (Click(1, 1),), box=Box(5, 5, 7, 7))


def test_nothing_takes_the_place_of_a_drawn_mask_or_of_clicks_unasked(tmp_path: Path) -> None:
    for name, value in (("a.png", 255), ("b.png", 128)):
        (tmp_path / name).write_bytes(write_mask(Mask(1, 1, bytes([value]))))
    drawn = said(("masks", f"1:{tmp_path / 'a.png'}"))
    clicked = said(("clicks", "1:0,0"))

    with pytest.raises(BadInputError, match=r"mask drawn by hand on frame 1.*--only"):
        said(("clicks", "1:0,0"), saved=drawn)
    with pytest.raises(BadInputError, match=r"strokes or a box on frame 1.*--only"):
        said(("masks", f"1:{tmp_path / 'a.png'}"), saved=clicked)
    assert said(("clicks", "1:0,0"), saved=drawn, only=True) == clicked
    assert said(("masks", f"1:{tmp_path / 'b.png'}"), saved=drawn).prompts[0].mask == Mask(1, 1, b"\x80")


def test_locks_are_added_and_taken_away_by_object_or_for_all() -> None:
    saved = said(("objects", "hero"), ("clicks", "1:1,1"), ("objects", "car"), ("clicks", "2:1,1"))

    locked = said(("objects", "hero"), ("locks", "5-9"), ("locks", "10-12"), saved=saved)
    opened = said(("locks", "1-3"), ("objects", "hero"), ("unlocks", "7-20"), saved=locked)

    assert locked.locks == (LockedRange(1, FrameRange(5, 12)),)
    assert opened.locks == (
        LockedRange(1, FrameRange(1, 3)),
        LockedRange(1, FrameRange(5, 6)),
        LockedRange(2, FrameRange(1, 3)),
    )


def test_a_locked_frame_takes_no_prompts_and_says_how_to_open_it() -> None:
    saved = said(("clicks", "1:1,1"), ("locks", "1-5"))

    with pytest.raises(BadInputError, match="frame 3 is locked for object1: add --unlock 3"):
        said(("clicks", "3:1,1"), saved=saved)
    assert said(("clicks", "1:1,1"), saved=saved) == saved
    assert len(said(("unlocks", "3"), ("clicks", "3:1,1"), saved=saved).prompts) == 2


def test_matte_settings_are_changed_one_by_one() -> None:
    saved = said(("clicks", "1:1,1"), ("mattes", "grow=-1.5,feather=2"))

    changed = said(("objects", "object1"), ("mattes", "feather=3, exclusive"), saved=saved)

    assert changed.mattes == (ObjectMatte(1, MatteSettings(grow_px=-1.5, feather_px=3, exclusive=True)),)
    assert said(("mattes", "plain"), saved=changed).mattes == ()


def test_a_policy_is_chosen_by_object_or_for_all_and_stays_in_the_document() -> None:
    both = said(
        ("objects", "hero"),
        ("clicks", "1:5,5"),
        ("policies", "guarded"),
        ("objects", "ball"),
        ("clicks", "1:9,9"),
    )
    assert both.policies == (ObjectPolicy(1, MemoryPolicy.GUARDED),)
    assert from_json(to_json(Shot("a.mov", both))).document.policies == both.policies
    assert prompts_sha256(both) != prompts_sha256(replace(both, policies=()))

    assert said(("objects", "ball"), ("policies", "motion"), saved=both).policies == (
        ObjectPolicy(1, MemoryPolicy.GUARDED),
        ObjectPolicy(2, MemoryPolicy.MOTION),
    )
    assert said(("policies", "editor"), saved=both).policies == ()
    with pytest.raises(BadInputError, match="there is no policy luck"):
        said(("policies", "luck"), saved=both)


def test_an_object_that_nobody_clicked_is_a_slip_of_the_finger() -> None:
    saved = said(("objects", "hero"), ("clicks", "1:1,1"))

    with pytest.raises(BadInputError, match=r"nothing is known of 'heor'.*or name one of hero"):
        said(("objects", "heor"), ("locks", "1-5"), saved=saved)


def test_an_accent_in_two_pieces_is_the_same_object() -> None:
    saved = said(("objects", "caf\u00e9"), ("clicks", "1:1,1"))

    assert len(said(("objects", "cafe\u0301"), ("clicks", "1:2,2"), saved=saved).objects) == 1


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
