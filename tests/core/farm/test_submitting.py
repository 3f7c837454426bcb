"""From documents to a job, and what is refused at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.anchors import Absence, AnchorKind
from masklet.errors import BadInputError, OutputError
from masklet.farm import submitting
from masklet.farm.job import job_from_json, job_to_json, read_document, read_job
from masklet.farm.request import FarmRequest, request_from_json, request_to_json
from masklet.farm.submitting import ASSETS_FILE, TEMPLATE_FILE, submit
from masklet.farm.task import find_task
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
    quality="best",
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
    said = dict(zip(words[2::2], words[3::2], strict=True))
    assert (said["--weights"], said["--quality"]) == ("some weights", "best")
    assert said["--gpu-memory"] == "7.5"


def test_weights_that_are_a_file_are_named_so_that_other_machines_find_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.safetensors").write_bytes(b"weights")
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    made = submit([document], FarmRequest(weights="own.safetensors"), tmp_path / "job")
    whole = str(tmp_path / "own.safetensors")
    assert made.job.request.weights == whole
    assert made.notes == (f"all workers have to see the weights {whole}",)
    assets = json.loads((made.bundle / ASSETS_FILE).read_text())
    assert assets["assetReferences"]["inputs"]["filenames"] == [whole]
    rules = {"source_path_format": "POSIX", "source_path": str(tmp_path), "destination_path": "/mnt/share"}
    mapping = tmp_path / "rules.json"
    mapping.write_text(json.dumps({"path_mapping_rules": [rules]}))
    task = find_task(made.bundle, made.bundle / "out", "shot", "track", 1, mapping=mapping)
    assert task.job.request.weights == "/mnt/share/own.safetensors"
    assert task.shot.home == "/mnt/share/shot.masklet.json"


def test_a_template_for_versions_holds_wherever_a_worker_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers run in a folder of their engine, which is deleted behind them.
    here = tmp_path / "show {1}"
    here.mkdir()
    monkeypatch.chdir(here)
    request = FarmRequest(publish=True, template="out/{name}/v{version:03d}")
    template = read_job(_submitted(tmp_path, request)).request.template
    assert template.format(name="bear", version=7) == f"{here}/out/bear/v007"


@pytest.mark.parametrize(
    "template", ["{parent}/v{version:03d}", "{folder}/v{version:03d}", "/shows/v{version}"]
)
def test_a_template_that_says_where_it_begins_stays(tmp_path: Path, template: str) -> None:
    request = FarmRequest(publish=True, template=template)
    assert read_job(_submitted(tmp_path, request)).request.template == template


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("/shows/{show}/v{version:03d}", r"asks for \{show\} and nobody said it: add --set show=VALUE"),
        ("/shows/{name}", "has to hold the version once"),
        ("/shows/{name/v{version}", "close every brace"),
    ],
)
def test_a_template_for_versions_that_cannot_be_used_is_said_before_the_night(
    tmp_path: Path, template: str, words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        _submitted(tmp_path, FarmRequest(publish=True, template=template))
    assert not (tmp_path / "job").exists()


def test_a_document_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    again = tmp_path / "plates" / ".." / document.name
    with pytest.raises(BadInputError, match=r"shot\.masklet\.json is named twice"):
        submit([document, again], FarmRequest(), tmp_path / "job")


def test_a_job_is_named_without_detours(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    write_document(tmp_path / "shot.masklet.json", str(clip))
    plates = tmp_path / "plates"
    made = submit([plates / ".." / "shot.masklet.json"], FarmRequest(), plates / ".." / "job")
    assert made.bundle == tmp_path / "job"
    assert made.job.shots[0].home == str(tmp_path / "shot.masklet.json")


def test_a_quality_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no quality 'superb': it is one of own, fast, balanced, best"):
        FarmRequest(quality="superb")


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


def test_a_template_is_as_short_as_it_can_be_and_one_that_is_too_long_for_an_engine_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    made = submit([document], FarmRequest(), tmp_path / "job")
    text = (made.bundle / TEMPLATE_FILE).read_text().strip()
    assert text == json.dumps(json.loads(text), separators=(",", ":"))
    assert made.notes == ()
    monkeypatch.setattr(submitting, "MOST_CHARACTERS", len(text) - 1)
    (told,) = submit([document], FarmRequest(), tmp_path / "again", name="job").notes
    assert told.endswith(f"this one has {len(text)}: for it submit the shots in several jobs")
