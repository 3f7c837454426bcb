"""What a night meets that a day did not: each is a sentence with a repair, for people and for the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.errors import BadInputError, MaskletError
from masklet.farm import performing
from masklet.farm.chunks import Chunk, keep_chunk, read_chunks
from masklet.farm.model_mark import ModelMark, read_mark
from masklet.farm.performing import perform
from masklet.farm.places import result_key
from masklet.farm.request import FarmRequest
from masklet.farm.submitting import submit
from masklet.farm.task import FarmTask, find_task
from masklet.farm.task_states import TaskPhase, read_state
from masklet.types import LockedMask, TrackedMask

_WEIGHTS = "a" * 64
_SETTINGS = '{"profile": "editor"}'
_MARK = ModelMark("small", _WEIGHTS, _SETTINGS)


class OpenedError(MaskletError):
    """The task got as far as opening the clip."""


class _Server:
    """A server that knows its weights and opens nothing."""

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def info(self) -> Any:
        model = SimpleNamespace(name="small", sha256=_WEIGHTS)
        return SimpleNamespace(device="cpu", model=model, settings=_SETTINGS)

    def open(self, *clip: object, **reading: object) -> None:
        raise OpenedError("opened")


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarmTask:
    """The one that tracks a shot."""
    monkeypatch.setattr(performing, "connect_to_kept", _Server)
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    return find_task(bundle, bundle / "out", "shot", "track", 1)


def _pictures(task: FarmTask) -> list[Path]:
    return sorted(Path(task.shot.clip).parent.glob("plate.*.png"))


def _gone(task: FarmTask) -> None:
    for picture in _pictures(task):
        picture.unlink()


def _one_gone(task: FarmTask) -> None:
    _pictures(task)[4].unlink()


def _written_again(task: FarmTask) -> None:
    _pictures(task)[4].write_bytes(b"\x89PNG\r\n\x1a\n" + b"new " * 50)


def _prompts_changed(task: FarmTask) -> None:
    document = task.bundle / task.shot.document
    document.write_text(document.read_text().replace("20.0", "21.0"))


def _other_weights(task: FarmTask) -> None:
    task.places.weights.parent.mkdir(parents=True)
    task.places.weights.write_text('{"name": "large", "sha256": "' + "b" * 64 + '"}')


def _other_settings(task: FarmTask) -> None:
    task.places.weights.parent.mkdir(parents=True)
    told = {"name": "small", "sha256": _WEIGHTS, "settings": '{"profile": "editor", "quality": "best"}'}
    task.places.weights.write_text(json.dumps(told))


def _half_a_mark(task: FarmTask) -> None:
    task.places.weights.parent.mkdir(parents=True)
    task.places.weights.write_text('{"name": "small"}')


@pytest.mark.parametrize(
    ("mishap", "words"),
    [
        (_gone, r"this worker does not find the plate .*plate\.%04d\.png.*: see that it sees that disk"),
        (_one_gone, "has no picture on 1005, where it had some when the job was submitted: put them back"),
        (_written_again, "was written again on 1005 since the job was submitted"),
        (_prompts_changed, "the prompts of shot in the job were changed by hand: submit the shot again"),
        (_other_weights, "give all workers the same, then run masklet farm retry"),
        (
            _other_settings,
            "begun by a server with profile editor, quality best and this worker's has profile editor, which "
            "makes other masks: give all workers the same settings",
        ),
        (
            _half_a_mark,
            "weights.json of the job has no 'sha256', it was changed by hand: delete it, then run",
        ),
    ],
)
def test_what_changed_since_the_submission_is_said_and_nothing_is_tracked(
    task: FarmTask, capsys: pytest.CaptureFixture[str], mishap: Callable[[FarmTask], None], words: str
) -> None:
    mishap(task)
    with pytest.raises(MaskletError, match=words):
        perform(task)
    state = read_state(task.places.states, "shot", "track", 1)
    assert state.phase is TaskPhase.FAILED
    assert f"openjd_fail: {state.words}" in capsys.readouterr().out
    assert not (task.places.out / "work" / "tracks").exists()
    assert state.words in unescape(task.places.report.read_text())


def test_a_job_that_was_begun_before_servers_told_their_settings_goes_on_with_this_ones(
    task: FarmTask, capsys: pytest.CaptureFixture[str]
) -> None:
    task.places.weights.parent.mkdir(parents=True)
    task.places.weights.write_text(json.dumps({"name": "small", "sha256": _WEIGHTS}))
    mask = LockedMask(1, 1004, TrackedMask(4, 4, bytes(60)))
    untold = task.places.chunks(task.shot, result_key(task.job, task.shot, replace(_MARK, settings="")))
    keep_chunk(untold, task.shot.piece(1), Chunk(task.shot.frames, {"hero": (mask,)}))
    for _ in range(2):
        with pytest.raises(OpenedError):
            perform(task)
    told = "the job was begun by a server that told no settings: from here on they are profile editor"
    assert capsys.readouterr().out.count(told) == 1
    assert read_mark(task.places.weights) == _MARK
    assert read_state(task.places.states, "shot", "track", 1).reused == 0


@pytest.mark.parametrize("hours", [1, -1])
def test_clocks_that_are_an_hour_apart_make_no_other_plate(task: FarmTask, hours: int) -> None:
    for picture in [*_pictures(task), task.bundle / task.shot.document]:
        told_s = picture.stat().st_mtime + 3600 * hours
        os.utime(picture, (told_s, told_s))
    with pytest.raises(OpenedError):
        perform(task)


def test_tracked_frames_of_another_version_and_half_files_are_as_if_they_were_not_there(
    task: FarmTask,
) -> None:
    mask = LockedMask(1, 1004, TrackedMask(4, 4, bytes(60)))
    whole = Chunk(task.shot.frames, {"hero": (mask,)})
    piece = task.shot.piece(1)
    other = replace(_MARK, sha256="b" * 64)
    keep_chunk(task.places.chunks(task.shot, result_key(task.job, task.shot, other)), piece, whole)
    own = task.places.chunks(task.shot, result_key(task.job, task.shot, _MARK))
    own.mkdir(parents=True)
    (own / "001.1001_1012.json").write_text('{"masklet_farm_chunk": 1, "piece": 1, "frames": [1001, 10')
    (own / ".001.1001_1012.json.5f").write_text("half")
    assert read_chunks(own, piece) == ()
    with pytest.raises(OpenedError):
        perform(task)
    assert read_state(task.places.states, "shot", "track", 1).reused == 0
    keep_chunk(own, piece, whole)
    perform(task)
    assert read_state(task.places.states, "shot", "track", 1).phase is TaskPhase.DONE


@pytest.mark.parametrize(
    ("shot", "stage", "piece", "words"),
    [
        ("other", "track", 1, "the job has no shot 'other', but shot"),
        ("shot", "track", 7, "has no piece 7: the template was changed by hand"),
        ("shot", "melt", 0, "there is no stage 'melt': the template was changed by hand"),
        ("../shot", "track", 1, "the job has no shot"),
    ],
)
def test_a_template_that_names_what_is_not_there_does_nothing(
    task: FarmTask, shot: str, stage: str, piece: int, words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        perform(find_task(task.bundle, task.places.out, shot, stage, piece))
    assert not (task.places.out / "mattes").exists()
