"""What hosts ask for the farm, and what they tell when results come home."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.anchors import AnchorKind
from masklet.errors import BadInputError
from masklet.farm.job import read_job
from masklet.farm.notes import look_home
from masklet.farm.places import JobPlaces
from masklet.farm.results import ShotResult, keep_result
from masklet.farm.sheet import FIELDS, FarmSheet, sheet_for, submit_sheet
from masklet.farm.task_states import TaskPhase, TaskState, keep_state
from masklet.hosting.work.connection import ConnectionSettings
from masklet.hosting.work.farming import homecoming, proposed, submit_job
from masklet.prompts import read_shot


def _document(tmp_path: Path) -> Path:
    clip = write_plate(tmp_path / "plates")
    return write_document(tmp_path / "shot.masklet.json", str(clip))


def test_a_dialog_asks_for_all_that_a_sheet_holds_but_the_document() -> None:
    assert [each.name for each in FIELDS] == [each.name for each in fields(FarmSheet)][1:]


def test_what_was_chosen_is_what_is_asked_of_the_farm(tmp_path: Path) -> None:
    sheet = sheet_for(_document(tmp_path), "nuke")
    said = {"shapes": True, "anchors": True, "reviewed": True, "comment": " hair ", "quality": "best"}
    for name, value in said.items():
        sheet = sheet.with_value(name, value)
    submitted, told = submit_sheet(sheet)
    request = read_job(submitted.bundle).request
    assert request.extras.tools == ("nuke",)
    assert request.extras.anchors == (AnchorKind.SIMILARITY,)
    assert (request.publish, request.accepted, request.comment) == (True, ("reviewed",), "hair")
    assert (request.weights, request.quality) == (None, "best")
    assert told.startswith(f"The job is {tmp_path / 'farm' / 'shot_001'}: start it with masklet farm run")


def test_what_a_host_works_with_is_proposed_for_the_farm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _document(tmp_path)
    own = proposed(document, ConnectionSettings(weights="large", quality="best"), "nuke")
    assert (own.weights, own.quality, own.tool) == ("large", "best", "nuke")
    # A server elsewhere has a model of its own, which is asked for.
    elsewhere = proposed(document, ConnectionSettings("farm:7700", weights="large", quality="best"))
    assert (elsewhere.weights, elsewhere.quality) == ("", "own")
    monkeypatch.setenv("MASKLET_MODEL", "small")
    monkeypatch.setenv("MASKLET_QUALITY", "fast")
    by_environment = proposed(document, ConnectionSettings())
    assert (by_environment.weights, by_environment.quality) == ("small", "fast")


def test_a_quality_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="there is no quality superb"):
        submit_sheet(sheet_for(_document(tmp_path)).with_value("quality", "superb"))


def test_the_next_job_of_a_document_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    document = _document(tmp_path)
    submit_sheet(sheet_for(document))
    assert Path(sheet_for(document).job).name == "shot_002"


def test_a_sheet_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no job folder is named"):
        submit_sheet(sheet_for(_document(tmp_path)).with_value("job", "  "))


def test_a_job_tells_in_the_main_thread_and_the_results_are_told_once(tmp_path: Path) -> None:
    document = _document(tmp_path)
    told: list[str] = []
    ended: list[object] = []
    job = submit_job(sheet_for(document), "uid", on_told=told.append, on_end=ended.append)
    job.run_here()
    assert ended == [None]
    assert told[0].startswith("The job is")
    assert homecoming(document) is None
    places = JobPlaces(tmp_path / "farm" / "shot_001" / "out")
    keep_result(places, ShotResult("shot", "k", False, "hero flickers on 1003", mattes="", sheet=""))
    notice = homecoming(document)
    assert notice is not None
    assert notice.is_alarm
    assert notice.sentence == "The farm's check did not pass: hero flickers on 1003"
    assert homecoming(document) is None
    version = tmp_path / "published" / "v001"
    version.mkdir(parents=True)
    keep_result(places, ShotResult("shot", "k", True, "published", version=str(version)))
    notice = homecoming(document)
    assert notice is not None
    assert (notice.sentence, notice.is_alarm) == (f"The farm has made a version of this: {version}", False)


def test_results_of_prompts_that_were_changed_since_say_so(tmp_path: Path) -> None:
    document = _document(tmp_path)
    bundle = submit_sheet(sheet_for(document))[0].bundle
    plate = read_shot(document).clip
    keep_result(JobPlaces(bundle / "out"), ShotResult("shot", "k", False, "hero flickers on 1003"))
    # The same written anew, as hosts do, is no change.
    write_document(document, plate)
    coming = look_home(document)
    assert coming is not None
    assert not coming.is_outdated
    write_document(document, plate, objects={"hero": (1004, 1006)})
    notice = homecoming(document)
    assert notice is not None
    assert notice.sentence == (
        "The farm's check did not pass: hero flickers on 1003 (the prompts were changed since they were "
        "submitted)"
    )


def test_a_shot_that_failed_before_it_was_checked_comes_home_too(tmp_path: Path) -> None:
    document = _document(tmp_path)
    bundle = submit_sheet(sheet_for(document))[0].bundle
    places = JobPlaces(bundle / "out")
    words = "plate.%04d.png was written again on 1005 since the job was submitted"
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.FAILED, words=words))
    notice = homecoming(document)
    assert notice is not None
    assert (notice.sentence, notice.is_alarm) == (f"The farm could not make this: {words}", True)
    assert homecoming(document) is None
    # Somebody begins it again: nothing is news until it ends.
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.RUNNING))
    assert homecoming(document) is None
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.DONE))
    keep_result(places, ShotResult("shot", "k", False, "hero flickers on 1003"))
    notice = homecoming(document)
    assert notice is not None
    assert notice.sentence == "The farm's check did not pass: hero flickers on 1003"
