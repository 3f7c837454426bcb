"""What a run ends with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from masklet.commands.exits import ExitCode
from masklet.commands.summary import RunSummary, failure, listed_files, print_json
from masklet.commands.tracking import Tracked
from masklet.holes import Hole, HoleReason
from masklet.outputs.files import Files
from masklet.types import (
    ClipInfo,
    FrameRange,
    MemoryPolicy,
    ObjectInfo,
    ObjectPolicy,
    Presence,
    SessionInfo,
    StateRange,
)

CLIP = ClipInfo("plate.%04d.exr", 64, 48, 1001, 1060)
ASKED = FrameRange(1001, 1060)
SESSION = SessionInfo(
    "s1",
    CLIP,
    (ObjectInfo(1, "left hand", (1001,)), ObjectInfo(2, "ball", (1001,))),
    (
        StateRange(1, FrameRange(1001, 1040), Presence.PRESENT, prompted=False),
        StateRange(1, FrameRange(1041, 1043), Presence.UNCERTAIN, prompted=False),
        StateRange(1, FrameRange(1044, 1046), Presence.UNCERTAIN, prompted=False, locked=True),
        StateRange(2, FrameRange(1001, 1046), Presence.PRESENT, prompted=False),
    ),
    cuts=(1047,),
)
HOLES = tuple(
    Hole(item.object_id, item.name, FrameRange(1047, 1060), HoleReason.BEHIND_CUT, 1047)
    for item in SESSION.objects
)
MATTES = tuple(Path(f"mattes/plate_mattes.{frame}.exr") for frame in range(1001, 1047))
DONE = RunSummary(SESSION, ASKED, Tracked(46, 4.6), HOLES, ("the prompts were moved",), Files(MATTES))


def test_a_person_is_told_what_was_done_and_what_is_to_be_done() -> None:
    assert DONE.sentences() == [
        "tracked 46 frames in 4.6 s (10.0 fps), 1001-1060 of plate.%04d.exr",
        "left hand: mattes on 46 of 60 frames",
        "ball: mattes on 46 of 60 frames",
        "cuts at 1047",
        "wrote mattes/plate_mattes.%04d.exr 1001-1046",
        "next: look at left hand on 1041-1043, it may be lost there; correct it with --object 'left hand' "
        "--click 1041:X,Y",
        "next: no matte of left hand, ball on 1047-1060, behind the cut at 1047: not tracked; click the "
        "object there",
        "next: add --prompts shot.json, so that corrections build on what was clicked",
    ]


def test_a_script_gets_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(DONE.as_json())
    content = json.loads(capsys.readouterr().out)

    assert (content["ok"], content["exit_code"], content["interrupted"]) == (True, 0, False)
    assert content["frames"] == [1001, 1060]
    assert content["objects"][0] == {
        "name": "left hand",
        "frames_with_matte": 46,
        "uncertain": [[1041, 1043]],
        "absent": [],
        "corrected": [],
        "locked": [[1044, 1046]],
        "stale": [],
        "rival": [],
    }
    assert content["holes"][0]["reason"] == "behind-cut"
    assert content["cuts"] == [1047]
    assert len(content["files"]["mattes"]) == 46
    assert content["told"] == ["the prompts were moved"]
    assert content["next"] == DONE.next_steps()


def test_frames_outside_of_the_range_are_not_mentioned() -> None:
    narrow = replace(DONE, frames=FrameRange(1043, 1050), holes=())

    steps = narrow.next_steps()
    assert steps[0].startswith("look at left hand on 1043, it may be lost there")
    assert replace(DONE, frames=FrameRange(1001, 1040), holes=()).next_steps() == []


def test_nothing_to_do_is_nothing_said() -> None:
    states = tuple(state for state in SESSION.states if state.object_id == 2)
    fine = replace(DONE, session=replace(SESSION, states=states), holes=())

    assert fine.next_steps() == []


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        (DONE, ExitCode.DONE),
        (replace(DONE, files=None), ExitCode.DONE),
        (replace(DONE, files=Files()), ExitCode.FAILED),
        (replace(DONE, tracked=Tracked(5, 1.0, interrupted=True)), ExitCode.INTERRUPTED),
    ],
)
def test_a_run_ends_with_the_code_that_is_documented(summary: RunSummary, code: ExitCode) -> None:
    assert summary.exit_code is code
    assert summary.as_json()["ok"] is (code is ExitCode.DONE)


def test_a_failure_is_json_too() -> None:
    assert failure(ExitCode.NO_SERVER, "server-unreachable", "no server answers") == {
        "masklet_run": 1,
        "ok": False,
        "exit_code": 3,
        "error": {"kind": "server-unreachable", "message": "no server answers"},
    }


def test_sequences_are_one_line_and_other_files_their_own() -> None:
    files = [*(Path(f"a/hero/x_hero.{frame}.png") for frame in (1, 2, 3, 7)), Path("a/x.png")]

    assert listed_files(files) == ["a/hero/x_hero.%d.png 1-3, 7", "a/x.png"]


def test_a_look_alike_and_a_long_absence_are_told_with_what_may_help() -> None:
    states = (
        StateRange(1, FrameRange(1010, 1012), Presence.PRESENT, prompted=False, rival=True),
        StateRange(2, FrameRange(1020, 1045), Presence.ABSENT, prompted=False),
        StateRange(2, FrameRange(1050, 1055), Presence.ABSENT, prompted=False),
    )
    run = replace(DONE, session=replace(SESSION, states=states), holes=())

    steps = run.next_steps()

    assert steps[:2] == [
        "look at left hand on 1010-1012, something that looks like it came near there; if it went wrong, try "
        "--object 'left hand' --policy guarded",
        "ball was gone for long on 1020-1045: see that it was found again behind; if it went wrong, try "
        "--object ball --policy gated",
    ]
    assert run.as_json()["objects"][0]["rival"] == [[1010, 1012]]

    chosen = (ObjectPolicy(1, MemoryPolicy.MOTION),)
    told = replace(run, session=replace(run.session, policies=chosen)).next_steps()
    assert "--policy" not in told[0]
    assert "--policy gated" in told[1]
