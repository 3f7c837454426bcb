"""What tasks keep between them: chunks, states, results, notes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.errors import BadInputError, OutputError
from masklet.farm.checking import accepted_later, made_mattes
from masklet.farm.chunks import Chunk, keep_chunk, left_of, read_chunks
from masklet.farm.model_mark import ModelMark
from masklet.farm.notes import look_home, note_path, note_told
from masklet.farm.pieces import Piece, Way
from masklet.farm.places import JobPlaces, result_key
from masklet.farm.report import page, shot_reports, summed_up
from masklet.farm.request import FarmRequest
from masklet.farm.results import ShotResult, keep_result
from masklet.farm.retrying import make_ready
from masklet.farm.submitting import submit
from masklet.farm.task import find_task
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state
from masklet.types import FrameRange, LockedMask, Presence, TrackedMask

_MARK = ModelMark("small", "a", '{"profile": "editor"}')
_PIECE = Piece(3, ("hero",), (Way(FrameRange(1001, 1012), backward=False),))


def _chunk(first: int, last: int) -> Chunk:
    masks = tuple(
        LockedMask(1, frame, TrackedMask(4, 4, b"%d" % frame, Presence.UNCERTAIN, -1.5, 0.25, b"pp", 0.5))
        for frame in range(first, last + 1)
    )
    return Chunk(FrameRange(first, last), {"hero": masks})


def test_chunks_come_back_as_they_were_and_tell_what_is_left(tmp_path: Path) -> None:
    for first, last in ((1001, 1004), (1007, 1008)):
        keep_chunk(tmp_path, _PIECE, _chunk(first, last))
    found = read_chunks(tmp_path, _PIECE)
    assert found == (_chunk(1001, 1004), _chunk(1007, 1008))
    assert [run.shown for run in left_of(FrameRange(1001, 1012), found)] == ["1005-1006", "1009-1012"]


def test_a_chunk_that_was_cut_off_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    keep_chunk(tmp_path, _PIECE, _chunk(1001, 1004))
    keep_chunk(tmp_path, _PIECE, _chunk(1005, 1008))
    (file,) = tmp_path.glob("*.1005_*")
    file.write_bytes(file.read_bytes()[:100])
    (tmp_path / ".003.1009_1012.json.half").write_text("half written by a worker that is gone")
    assert read_chunks(tmp_path, _PIECE) == (_chunk(1001, 1004),)


def test_a_share_that_takes_no_more_is_a_sentence_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_chunk(tmp_path, _PIECE, _chunk(1001, 1004))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"1005-1008 cannot be kept \(No space left on device\): make room"):
        keep_chunk(tmp_path, _PIECE, _chunk(1005, 1008))
    assert [path.name for path in tmp_path.iterdir()] == ["003.1001_1004.json"]


def test_other_weights_settings_or_another_plate_have_other_places(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    job = submit([document], FarmRequest(), tmp_path / "job").job
    shot = job.shots[0]
    keys = {
        result_key(job, shot, _MARK),
        result_key(job, shot, replace(_MARK, sha256="b")),
        result_key(job, shot, replace(_MARK, settings='{"profile": "editor", "quality": "best"}')),
        result_key(job, replace(shot, plate={**shot.plate, 1001: "other"}), _MARK),
        result_key(job, replace(shot, document_sha256="other"), _MARK),
        result_key(replace(job, request=replace(job.request, raw_edges=True)), shot, _MARK),
    }
    assert len(keys) == 6
    assert result_key(replace(job, name="other"), shot, _MARK) == result_key(job, shot, _MARK)


def test_a_state_that_cannot_be_read_is_that_of_a_task_that_waits(tmp_path: Path) -> None:
    state = keep_state(tmp_path, TaskState("shot", "track", 2, TaskPhase.RUNNING, 3, 9, "tracking"))
    assert read_state(tmp_path, "shot", "track", 2) == state
    assert state.beat == 1
    (tmp_path / state.file_name).write_text("{")
    assert read_state(tmp_path, "shot", "track", 2).phase is TaskPhase.WAITING


def test_retry_begins_with_the_first_task_that_is_not_done(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    submitted = submit([document], FarmRequest(publish=True), tmp_path / "job")
    places = JobPlaces(submitted.bundle / "out")
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.DONE, attempt=1))
    keep_state(places.states, TaskState("shot", "mattes", 0, TaskPhase.FAILED, words="full", attempt=2))
    make_ready(submitted.job, places, (), ())
    state = read_state(places.states, "shot", "mattes")
    assert (state.phase, state.attempt) == (TaskPhase.WAITING, 2)


def test_the_page_shows_what_was_found_and_trusts_no_name(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(
        tmp_path / "shot.masklet.json", str(clip), objects={"<script>alert(1)</script>"[:8]: (1004,)}
    )
    submitted = submit([document], FarmRequest(), tmp_path / "job", name="<b>night</b>")
    places = JobPlaces(submitted.bundle / "out")
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.DONE))
    keep_state(places.states, TaskState("shot", "mattes", 0, TaskPhase.DONE))
    keep_state(places.states, TaskState("shot", "check", 0, TaskPhase.FAILED, words="hero flickers"))
    keep_result(
        places,
        ShotResult("shot", "k", False, "x", (("flicker", "<i>hero</i> flickers"),), "mattes/a b", "s.png"),
    )
    reports = shot_reports(submitted.job, places)
    text = page(submitted.job, reports)
    assert summed_up(reports) == "0 of 1 shots are done, 1 need somebody"
    assert "&lt;i&gt;hero&lt;/i&gt; flickers" in text
    assert 'src="mattes/a%20b/s.png"' in text
    assert "<script" not in text
    assert "<b>night" not in text


def test_results_come_home_once_when_the_document_opens(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    assert look_home(document) is None
    bundle = submit([document], FarmRequest(publish=True), tmp_path / "job").bundle
    assert look_home(document) is None
    places = JobPlaces(bundle / "out")
    (places.out / "mattes" / "shot.k").mkdir(parents=True)
    keep_result(places, ShotResult("shot", "k", True, "checked: nothing is wrong", (), "mattes/shot.k", ""))
    coming = look_home(document)
    assert coming is not None
    assert (coming.is_news, coming.passed, coming.mattes) == (True, True, places.out / "mattes" / "shot.k")
    note_told(document, coming)
    again = look_home(document)
    assert again is not None
    assert not again.is_news


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"masklet_farm_note": 1, "job": 7, "shot": []}'])
def test_a_document_opens_whatever_its_note_says(tmp_path: Path, spoilt: str) -> None:
    document = tmp_path / "shot.masklet.json"
    note_path(document).write_text(spoilt)
    assert look_home(document) is None


def test_a_note_that_points_elsewhere_shows_nothing(tmp_path: Path) -> None:
    document = tmp_path / "shot.masklet.json"
    note_path(document).write_text(json.dumps({"masklet_farm_note": 1, "job": "/etc", "shot": "passwd"}))
    assert look_home(document) is None


@pytest.mark.parametrize("elsewhere", ["../../others", "/"])
def test_a_result_that_leads_out_of_the_job_brings_no_mattes(tmp_path: Path, elsewhere: str) -> None:
    (tmp_path / "others").mkdir()
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    places = JobPlaces(submit([document], FarmRequest(), tmp_path / "job").bundle / "out")
    keep_result(places, ShotResult("shot", "k", True, "checked: nothing is wrong", (), elsewhere))
    coming = look_home(document)
    assert coming is not None
    assert coming.mattes is None


def test_files_of_a_job_that_hold_other_json_are_a_sentence(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = find_task(bundle, bundle / "out", "shot", "check")
    for path, read in (
        (task.places.weights, made_mattes),
        (task.places.accepted("shot"), accepted_later),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")
        with pytest.raises(BadInputError, match="is damaged"):
            read(task)
    keep_result(task.places, ShotResult("shot", "k", True, "checked: nothing is wrong"))
    coming = look_home(document)
    assert coming is not None
    task.places.result("shot").write_text("[]")
    assert look_home(document) is None
    note_told(document, coming)
