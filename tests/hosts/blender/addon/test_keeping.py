"""What the .blend file keeps, in real Blenders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from real_blender import ROOT, blender_wheel

VERSIONS = ("4.2", "5.2")


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: f"blender-{version}")
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script found, once for each Blender."""
    blender = blender_wheel(request.param)
    folder = tmp_path_factory.mktemp("keeping")
    (folder / "plate").mkdir()
    for frame in range(1001, 1013):
        picture = np.full((36, 64, 3), frame % 256, np.uint8)
        cv2.imwrite(str(folder / f"plate/plate.{frame}.png"), picture)
    script = Path(__file__).parent / "scripts/keeping.py"
    return blender.run(script, folder, ROOT, user_folder=folder / "user")


def test_the_first_click_makes_an_object_on_the_plates_own_frame(answer: dict[str, Any]) -> None:
    assert answer["first click"] == [["object1", [[1003, 1]]]]
    assert answer["tracked"] == 12


def test_a_prompt_document_says_its_plate_and_is_not_taken_for_another(answer: dict[str, Any]) -> None:
    assert answer["exported plate"] == {"width_px": 64, "height_px": 36, "first": 1001, "last": 1012}
    assert "made on 128 x 36 pixels and shot has 64 x 36" in answer["prompts of another size"]
    assert answer["after prompts of another size"] == answer["first click"]


def test_what_is_refused_is_told_in_a_sentence_and_leaves_the_document_as_it_was(
    answer: dict[str, Any],
) -> None:
    assert answer["outside"] == "the click lies outside the picture: click inside it"
    assert "which has 1001-1012" in answer["not in the clip"]
    assert answer["after refusals"] == answer["first click"]
    assert answer["locked"].startswith("frame 1005 is locked for object1: unlock it first")


def test_a_file_that_is_opened_again_goes_on_with_its_session(answer: dict[str, Any]) -> None:
    assert answer["kept"] == [["object1", [[1003, 1]]]]
    states = answer["states before the server is asked"]
    assert [first for first, _, locked in states if locked] == [1004, 1005, 1006]
    assert [first for first, _, _ in states] == list(range(1001, 1013))
    assert answer["resumed"] == ["click"]


def test_what_a_click_corrects_and_masks_of_locked_frames_go_from_the_file_to_a_new_server(
    answer: dict[str, Any],
) -> None:
    assert answer["kept for a new server"] == [True, [1004, 1005, 1006], True]
    assert answer["a new server has"] == [[1001, 1009], [1004, 1005, 1006]]


def test_only_what_ctrl_z_can_take_back_is_an_undo_step(answer: dict[str, Any]) -> None:
    assert answer["undo steps"] == ["click", "lock", "mattes"]


def test_a_session_that_the_server_forgot_is_made_again_from_the_file(answer: dict[str, Any]) -> None:
    assert "your prompts were sent again" in answer["forgotten"]
    assert answer["tracks all the same"] == ["FINISHED"]
    assert answer["sent again"] == 3


def test_a_clip_may_be_renamed_and_a_copy_goes_its_own_way(answer: dict[str, Any]) -> None:
    assert answer["renamed"]
    assert answer["copy"] == {
        "own": True,
        "objects": ["object1"],
        "original": ["object1", "ball"],
        "sessions opened": 1,
        "objects are others": True,
    }


def test_the_original_keeps_its_masks_whatever_it_and_its_copy_are_called(answer: dict[str, Any]) -> None:
    assert answer["renamed after copying"] == [True, False]


def test_a_session_that_nobody_can_come_back_to_goes_with_its_file(answer: dict[str, Any]) -> None:
    assert answer["saved session is kept"]
    assert answer["unsaved session is released"]


def test_names_that_cannot_be_used_are_put_back_with_a_sentence(answer: dict[str, Any]) -> None:
    assert answer["bad name"][0] == "object1"
    assert "holds /" in answer["bad name"][1]
    assert answer["taken name"][0] == "object1"
    assert "another object is called 'ball'" in answer["taken name"][1]
    assert answer["rename"] == [["FINISHED"], "hero"]


def test_a_plate_that_is_gone_moved_or_another_is_told_and_the_prompts_stay(answer: dict[str, Any]) -> None:
    assert "Find Missing Files" in answer["plate is gone"]
    assert answer["plate was moved"] == ["", 1, 2]
    assert "another plate than the one these prompts were made on" in answer["another plate"]
    assert answer["accepted"] == [["FINISHED"], ""]


def test_missing_mattes_and_damaged_texts_are_told_with_the_way_on(answer: dict[str, Any]) -> None:
    assert "The mattes of object1 are no longer in" in answer["mattes are gone"]
    assert "is not JSON" in answer["damaged"]


def test_blender_starts_without_what_is_only_needed_later(answer: dict[str, Any]) -> None:
    assert answer["imported at start"] == []
    assert answer["foreign at start"] == []


def test_nothing_of_the_add_on_stays_behind(answer: dict[str, Any]) -> None:
    assert answer["left"] == []
