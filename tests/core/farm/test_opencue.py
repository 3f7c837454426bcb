"""The same job for OpenCue, taken by a stand-in of its server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.errors import BadInputError, OutputError
from masklet.farm.job import read_job
from masklet.farm.opencue import launch, outline_of
from masklet.farm.request import FarmRequest
from masklet.farm.submitting import submit

outline = pytest.importorskip("outline", reason="pip install 'masklet[opencue]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def cuebot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[object]:
    from opencue.cuebot import Cuebot

    from fakes.cuebot import running

    with running() as (bot, address):
        monkeypatch.setenv("HOME", str(tmp_path))
        Cuebot.setHosts([address])
        monkeypatch.setattr("outline.util.get_uid", lambda: 1000)
        yield bot
        Cuebot.closeChannel()


def _bundle(tmp_path: Path, request: FarmRequest) -> Path:
    clip = write_plate(tmp_path / "plates of today")
    documents = [
        write_document(tmp_path / f"{name}.masklet.json", str(clip), objects={"a": (1003,), "b": (1009,)})
        for name in ("bear", "Wolf-2")
    ]
    bundle = submit(documents, request, tmp_path / "the job").bundle
    job = bundle / "job.json"
    job.write_text(job.read_text().replace('"submitted_by": "root"', '"submitted_by": "anna"'))
    return bundle


def test_opencue_takes_a_layer_for_each_step_and_a_frame_for_each_task(
    tmp_path: Path, cuebot: object
) -> None:
    bundle = _bundle(tmp_path, FarmRequest(publish=True, gpu_memory_gib=8))
    name = launch(bundle)
    (taken,) = cuebot.jobs.values()  # type: ignore[attr-defined]
    assert list(cuebot.jobs) == [name]  # type: ignore[attr-defined]
    stages = ("track", "mattes", "check", "publish")
    assert [layer.name for layer in taken] == [
        f"{shot}_{each}" for shot in ("bear", "wolf_2") for each in stages
    ]
    assert [layer.after for layer in taken[:4]] == [(), ("bear_track",), ("bear_mattes",), ("bear_check",)]
    assert taken[0].frames == "1-2"
    assert [layer.gpu_memory for layer in taken[:4]] == [str(8 << 20), str(8 << 20), "", ""]
    words = shlex.split(taken[4].command.replace("#IFRAME#", "2"))
    assert words[:3] == ["masklet", "farm", "task"]
    assert words[words.index("--job") + 1] == str(bundle)
    assert words[-2:] == ["--piece", "2"]


def test_what_opencue_refuses_is_a_sentence_and_the_job_stays(tmp_path: Path, cuebot: object) -> None:
    del cuebot
    bundle = _bundle(tmp_path, FarmRequest())
    job = bundle / "job.json"
    job.write_text(job.read_text().replace('"submitted_by": "anna"', '"submitted_by": "root"'))
    with pytest.raises(OutputError, match=r"OpenCue did not take the job .*Cannot launch jobs as root"):
        launch(bundle)
    assert read_job(bundle).shots


def test_more_shots_than_opencue_takes_are_refused_before_it_is_asked(tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, FarmRequest())
    job = read_job(bundle)
    many = replace(job, shots=tuple(replace(job.shots[0], name=f"s{count}") for count in range(400)))
    with pytest.raises(BadInputError, match="takes 1000 layers in a job and these 400 shots make 1200"):
        outline_of(bundle, many)
