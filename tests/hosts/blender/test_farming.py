"""In a real Blender: a shot goes to the farm, and what the farm made is told when the file opens again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from masklet.farm.job import read_job
from masklet.hosting import kept_plate
from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/farming.py"


@pytest.fixture(scope="module", params=["4.2", "5.2"], ids=lambda version: f"blender-{version}")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> Any:
    """What one version of Blender did, and where."""
    folder = tmp_path_factory.mktemp("farming")
    frame, x_px, y_px = clip.clicks[0]
    answer = blender_wheel(request.param).run(
        SCRIPT,
        "masklet_blender",
        str(clip.pattern) % frame,
        folder,
        str(x_px),
        str(y_px),
        user_folder=folder / "user",
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )
    return {**answer, "folder": folder}


def test_what_cannot_be_submitted_says_what_to_do(made: dict[str, Any]) -> None:
    assert made["not saved"] == "save this file first: what the farm gets lies beside it"
    assert made["no such tool"] == "there is no export for paint"


def test_the_job_holds_what_was_said_and_chosen(made: dict[str, Any], clip: DemoClip) -> None:
    bundle = made["folder"] / "masklet/shot010/farm/duck_001"
    assert made["told"].startswith(f"The job is {bundle}: start it with masklet farm run")
    job = read_job(bundle)
    assert (job.request.publish, job.request.comment) == (True, "for the night")
    assert job.request.accepted == ("reviewed",)
    kept, _ = kept_plate.read(Path(made["document"]))
    (click,) = kept.document[0].at(1001).clicks
    assert (click.x_px, click.y_px) == pytest.approx(clip.clicks[0][1:], abs=0.01)


def test_a_second_job_has_a_folder_of_its_own(made: dict[str, Any]) -> None:
    assert "farm/duck_002" in made["again"]


def test_the_farm_works_as_the_preferences_say(made: dict[str, Any]) -> None:
    jobs = made["folder"] / "masklet/shot010/farm"
    qualities = [read_job(jobs / name).request.quality for name in ("duck_001", "duck_002")]
    assert qualities == ["own", "best"]


def test_a_model_that_is_cleared_is_that_of_the_workers(made: dict[str, Any]) -> None:
    jobs = made["folder"] / "masklet/shot010/farm"
    models = [read_job(jobs / name).request.weights for name in ("duck_002", "duck_003")]
    assert models == ["own.safetensors", None]


def test_another_plate_of_the_same_name_has_another_document(made: dict[str, Any]) -> None:
    assert made["document of another"] == made["document"].replace("duck", "duck_2")


def test_results_are_told_once_when_the_file_opens_again(made: dict[str, Any]) -> None:
    mattes = made["folder"] / "masklet/shot010/farm/duck_003/out/mattes/shot.k"
    assert "farm" not in made["not done yet"]
    assert made["home"] == f"The farm has made the mattes: {mattes}"
    assert "farm" not in made["once"]
