"""What was said and is doubtful: found in a record, without a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.published_shot import FRAMES, PRESENT, UNCERTAIN, make_shot
from masklet.farm.said_checks import SAID, said_checks
from masklet.frame_states import FrameState
from masklet.publish.collected import Collected, collect
from masklet.publish.problems import Repair, accept
from masklet.publish.shot_record import ObjectStates
from masklet.types import Box, Click, FrameRange

_PROMPTED = FrameRange(1001, 1001)


def _collected(folder: Path, states: frozenset[FrameState]) -> Collected:
    rest = ObjectStates("hero", FrameRange(1002, FRAMES.last), PRESENT)
    shot = make_shot(folder, states=(ObjectStates("hero", _PROMPTED, states), rest))
    return collect(shot.mattes, "shot")


def _found(collected: Collected, doubts: dict[str, str] | None = None) -> list[str]:
    return [problem.words for check in said_checks(doubts or {}) for problem in check.problems(collected)]


def test_a_single_click_whose_mask_is_doubtful_is_said_with_what_helps(tmp_path: Path) -> None:
    collected = _collected(tmp_path, UNCERTAIN | {FrameState.CORRECTED})
    (words,) = _found(collected)
    assert words.startswith("the mask of hero on frame 1001 may be poor: draw a box around it, or click once")
    (problem,) = said_checks({})[0].problems(collected)
    assert (problem.check, problem.frames, problem.repair) == ("clicks", (_PROMPTED,), Repair.ACCEPT)
    # Whoever has looked says so.
    assert _found(accept(collected, [problem])) == []


@pytest.mark.parametrize(
    "more", [{"box": Box(0.0, 0.0, 8.0, 8.0)}, {"clicks": (Click(4.0, 4.0), Click(6.0, 4.0))}]
)
def test_more_than_one_click_was_seen_by_its_artist(tmp_path: Path, more: dict[str, object]) -> None:
    collected = _collected(tmp_path, UNCERTAIN | {FrameState.CORRECTED})
    record, shot = collected.record, collected.record.shot
    prompts = (replace(shot.document.prompts[0], **more),)  # type: ignore[arg-type]
    said = replace(shot, document=replace(shot.document, prompts=prompts))
    assert _found(replace(collected, record=replace(record, shot=said))) == []


def test_a_click_whose_mask_is_steady_is_not_talked_about(tmp_path: Path) -> None:
    assert _found(_collected(tmp_path, PRESENT | {FrameState.CORRECTED})) == []


def test_what_was_proposed_and_is_doubtful_waits_for_somebody_to_look(tmp_path: Path) -> None:
    collected = _collected(tmp_path, PRESENT)
    doubts = {"ball": "what was taken for ball lies on juggler: look"}
    assert _found(collected, doubts) == ["what was taken for ball lies on juggler: look"]
    (problem,) = said_checks(doubts)[1].problems(collected)
    assert _found(accept(collected, [problem]), doubts) == []
    assert set(SAID) == {"clicks", "proposed"}
