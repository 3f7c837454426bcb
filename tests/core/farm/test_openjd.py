"""Templates against OpenJD's own model: what it takes, and what a hand has spoilt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.anchors import Absence
from masklet.errors import BadInputError
from masklet.farm.request import FarmRequest
from masklet.farm.running.opened_job import open_bundle, task_words
from masklet.farm.running.run import JobRun
from masklet.farm.submitting import TEMPLATE_FILE, submit
from masklet.outputs.extra_exports import ExtraExports

_REQUESTS = {
    "mattes": FarmRequest(),
    "versions": FarmRequest(publish=True),
    "all": FarmRequest(
        extras=ExtraExports(True, 1.0, (), Absence.HOLD, ("nuke",)), publish=True, gpu_memory_gib=8
    ),
}


@pytest.mark.parametrize("kind", _REQUESTS)
def test_openjd_takes_the_template_and_counts_the_tasks(tmp_path: Path, kind: str) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(
        tmp_path / "shot.masklet.json", str(clip), objects={"hero": (1004,), "dog": (1006, 1009)}
    )
    submitted = submit([document], _REQUESTS[kind], tmp_path / "job")
    opened = open_bundle(submitted.bundle)
    pieces = submitted.job.shots[0].pieces
    numbers = [task_words(task)["Piece"] for task in opened.tasks("shot track")]
    assert numbers == [str(piece.number) for piece in pieces]
    assert len(opened.job.steps) == {"mattes": 3, "versions": 4, "all": 5}[kind]
    assert opened.out == submitted.bundle / "out"


def test_a_job_that_was_moved_finds_itself(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    submit([document], FarmRequest(), tmp_path / "job").bundle.rename(tmp_path / "moved")
    opened = open_bundle(tmp_path / "moved")
    assert opened.out == tmp_path / "moved" / "out"
    assert opened.parameters["Job"].value == str(tmp_path / "moved")


def _spoil(bundle: Path, **changes: object) -> None:
    file = bundle / TEMPLATE_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_template_that_openjd_does_not_take_is_a_sentence(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    _spoil(bundle, steps=[{"name": "mine"}])
    with pytest.raises(BadInputError, match=r"OpenJD does not take template\.json"):
        open_bundle(bundle)


def test_a_template_that_lost_a_step_or_a_task_is_refused_before_anything_runs(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    steps = json.loads((bundle / TEMPLATE_FILE).read_text())["steps"]
    _spoil(bundle, steps=steps[:-1])
    with pytest.raises(BadInputError, match=r"not of each other \(shot check\)"):
        JobRun(bundle)
    steps[0]["parameterSpace"]["taskParameterDefinitions"][0]["range"] = "1-7"
    _spoil(bundle, steps=steps)
    with pytest.raises(BadInputError, match="7 tasks that track shot and the job 1"):
        JobRun(bundle)


@pytest.mark.parametrize("name", ["n" * 200, "a {{Param.Out}} {{{b}}} }}", "two\nlines", "\n"])
def test_a_job_may_be_called_what_people_like(tmp_path: Path, name: str) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    submitted = submit([document], FarmRequest(), tmp_path / "job", name=name)
    assert submitted.job.name == name
    taken = open_bundle(submitted.bundle).job.name
    assert 0 < len(taken) <= 128
    assert ("Param.Out" in taken) == ("Param.Out" in name)


def test_weights_that_engines_would_take_for_an_expression_are_refused_at_once(tmp_path: Path) -> None:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    with pytest.raises(BadInputError, match="by a name without them"):
        submit([document], FarmRequest(weights="/w/{{Param.Out}}.safetensors"), tmp_path / "job")
    assert not (tmp_path / "job").exists()
