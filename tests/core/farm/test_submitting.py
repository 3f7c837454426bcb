"""From documents to a job, and what is refused at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.anchors import Absence, AnchorKind
from masklet.errors import BadInputError, OutputError
from masklet.farm.job import job_from_json, job_to_json, read_document, read_job
from masklet.farm.request import FarmRequest, request_from_json, request_to_json
from masklet.farm.submitting import submit
from masklet.farm.template import job_template, stages
from masklet.outputs.extra_exports import ExtraExports
from masklet.types import FrameRange

_ALL = FarmRequest(
    extras=ExtraExports(True, 0.5, (AnchorKind.SIMILARITY,), Absence.FADE, ("nuke", "json")),
    publish=True,
    values=(("show", "abc"),),
    accepted=("reviewed",),
    gpu_memory_gib=7.5,
    weights="some weights",
    device="cuda",
)


def _submitted(tmp_path: Path, request: FarmRequest = FarmRequest()) -> Path:  # noqa: B008 (frozen)
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    return submit([document], request, tmp_path / "job").bundle


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = _submitted(tmp_path, _ALL)
    job = read_job(bundle)
    assert job.request == _ALL
    assert job_from_json(json.loads(json.dumps(job_to_json(job)))) == job
    assert read_document(bundle, job.shots[0]).document.objects[0].name == "hero"


def test_a_request_survives_json() -> None:
    assert request_from_json(json.loads(json.dumps(request_to_json(_ALL)))) == _ALL


def test_the_template_has_the_steps_of_every_shot_in_a_row_and_asks_for_the_graphics_card(
    tmp_path: Path,
) -> None:
    job = read_job(_submitted(tmp_path, _ALL))
    template = job_template(job)
    assert stages(job) == ("track", "mattes", "exports", "check", "publish")
    names = [step["name"] for step in template["steps"]]
    assert names == [f"shot {stage}" for stage in stages(job)]
    before = [step.get("dependencies", [{"dependsOn": None}])[0]["dependsOn"] for step in template["steps"]]
    assert before == [None, *names[:-1]]
    amounts = [step["hostRequirements"]["amounts"] for step in template["steps"]]
    assert all(amount == [{"name": "amount.worker.gpu.memory", "min": 7680}] for amount in amounts)
    words = template["jobEnvironments"][0]["script"]["actions"]["onEnter"]["args"]
    assert words[-2:] == ["--gpu-memory", "7.5"]


def test_two_shots_of_one_name_get_two_names(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    documents = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        documents.append(write_document(tmp_path / folder / "the shot.masklet.json", str(clip)))
    job = submit(documents, FarmRequest(), tmp_path / "job").job
    assert [shot.name for shot in job.shots] == ["the_shot", "the_shot_2"]


def test_a_plate_that_is_not_there_is_said_before_anything_is_made(tmp_path: Path) -> None:
    document = write_document(tmp_path / "shot.masklet.json", str(tmp_path / "gone.%04d.png"))
    with pytest.raises(BadInputError, match=r"shot\.masklet\.json: no file matches"):
        submit([document], FarmRequest(), tmp_path / "job")
    assert not (tmp_path / "job").exists()


def test_a_picture_that_is_missing_under_a_prompt_is_said(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    (tmp_path / "plates" / "plate.1004.png").unlink()
    with pytest.raises(BadInputError, match="no picture on 1004, where prompts are"):
        submit([document], FarmRequest(), tmp_path / "job")


def test_a_picture_that_is_missing_elsewhere_is_told(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    (tmp_path / "plates" / "plate.1007.png").unlink()
    notes = submit([document], FarmRequest(), tmp_path / "job").notes
    assert any("no picture on 1007: there will be no matte there" in note for note in notes)


def test_a_plate_that_is_younger_than_the_prompts_is_told(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    said = document.stat().st_mtime
    for path in (tmp_path / "plates").iterdir():
        os.utime(path, (said - 10, said - 10))
    os.utime(tmp_path / "plates" / "plate.1003.png", (said + 10, said + 10))
    notes = submit([document], FarmRequest(), tmp_path / "job").notes
    assert notes == ("shot: the plate was written after the prompts on 1003: see that they still fit",)


def test_a_range_outside_of_the_plate_is_refused(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    with pytest.raises(BadInputError, match="the plate has frames 1001-1012 and not 990-1005"):
        submit([document], FarmRequest(FrameRange(990, 1005)), tmp_path / "job")


def test_a_job_is_never_written_over_another(tmp_path: Path) -> None:
    bundle = _submitted(tmp_path)
    with pytest.raises(OutputError, match="is there already"):
        submit([tmp_path / "shot.masklet.json"], FarmRequest(), bundle)


def test_a_document_that_was_changed_in_the_job_is_refused(tmp_path: Path) -> None:
    bundle = _submitted(tmp_path)
    job = read_job(bundle)
    file = bundle / job.shots[0].document
    file.write_text(file.read_text().replace("20.0", "21.0"))
    with pytest.raises(BadInputError, match="changed by hand"):
        read_document(bundle, job.shots[0])


@pytest.mark.parametrize("place", ["name", "frames", "document", "pieces", "plate"])
def test_a_job_file_that_was_edited_by_hand_is_refused_in_a_sentence(tmp_path: Path, place: str) -> None:
    content = job_to_json(read_job(_submitted(tmp_path)))
    content["shots"][0][place] = "../../../etc/passwd"
    with pytest.raises(BadInputError, match="submit the shots again"):
        job_from_json(content)
