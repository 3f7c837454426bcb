"""A shot in pieces and chunks, stopped and taken up again, gives the mattes of a run in one go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import masklet
from masklet.errors import BadInputError, ClipError, WeightsError
from masklet.farm import pictures, tracking
from masklet.farm.checking import QualityError, check_shot
from masklet.farm.delivering import make_mattes
from masklet.farm.notes import look_home
from masklet.farm.places import JobPlaces
from masklet.farm.request import FarmRequest
from masklet.farm.submitting import submit
from masklet.farm.task import FarmTask, Stop, StoppedError, Teller, find_task
from masklet.farm.task_states import TaskPhase, read_state
from masklet.farm.template import SERVER_VARIABLE
from masklet.farm.tracking import track_piece
from masklet.farm.versions import publish_shot
from masklet.prompts import PlateShape, Shot, read_shot, write_shot
from masklet.transport.local_server import LocalServer
from masklet.types import (
    Click,
    FramePrompts,
    FrameRange,
    MatteSettings,
    ObjectInfo,
    ObjectMatte,
    PromptDocument,
)
from masklet_server.demo.clip_writer import DemoClip


@dataclass
class StopAfter(Stop):
    """Told to end once so much is kept."""

    after: int = 1
    asked_times: int = 0

    def check(self) -> bool:
        self.asked_times += 1
        self.asked = self.asked or self.asked_times > self.after
        return self.asked


def _written(clip: DemoClip, folder: Path) -> Path:
    """A document with two objects that are prompted on different frames, one of them with a soft matte."""
    frame, x_px, y_px = clip.clicks[0]
    infos = (ObjectInfo(1, "duck", (frame + 2,)), ObjectInfo(2, "corner", (frame,)))
    prompts = (
        FramePrompts(1, frame + 2, (Click(x_px, y_px),)),
        FramePrompts(2, frame, (Click(20.0, 20.0),)),
    )
    mattes = (ObjectMatte(1, MatteSettings(calm=0.6)),)
    shot = Shot(
        str(clip.pattern),
        PromptDocument(infos, prompts, mattes=mattes),
        plate=PlateShape(854, 480, FrameRange(frame, frame + 4)),
    )
    write_shot(folder / "shot.masklet.json", shot)
    return folder / "shot.masklet.json"


@pytest.fixture
def document(clip: DemoClip, tmp_path: Path) -> Path:
    return _written(clip, tmp_path)


@pytest.fixture(scope="module")
def in_one_go(
    server: masklet.Server, clip: DemoClip, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The mattes of the same document, tracked and written by nobody but one session."""
    folder = tmp_path_factory.mktemp("one_go")
    shot = read_shot(_written(clip, folder))
    with server.open(shot.clip) as session:
        session.load_prompts(shot.document)
        for _ in session.track():
            pass
        session.export(folder, base_name="shot")
    files = {path.name: path.read_bytes() for path in folder.glob("*.exr")}
    assert len(files) == 5
    return files


def _task(bundle: Path, stage: str, piece: int = 0) -> FarmTask:
    return find_task(bundle, bundle / "out", "shot", stage, piece)


def _track(server: masklet.Server, bundle: Path, stop: Stop | None = None) -> None:
    for piece in find_task(bundle, bundle / "out", "shot", "track").shot.pieces:
        task = _task(bundle, "track", piece.number)
        track_piece(task, server, Teller(task), stop or Stop(task.places))


def _mattes(server: masklet.Server, bundle: Path) -> Path:
    task = _task(bundle, "mattes")
    return make_mattes(task, server, Teller(task), Stop(task.places))


def test_a_shot_that_was_stopped_and_taken_up_again_is_the_same_bytes_as_in_one_go(
    server: masklet.Server,
    document: Path,
    clip: DemoClip,
    in_one_go: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "FIRST_FRAMES", 1)
    bundle = submit(
        [document], FarmRequest(publish=True, accepted=("reviewed", "clicks")), tmp_path / "job"
    ).bundle
    places = JobPlaces(bundle / "out")
    with pytest.raises(StoppedError, match="are kept, and the next attempt goes on"):
        _track(server, bundle, StopAfter(places))
    kept = sorted(path.name for path in places.out.rglob("001.*.json"))
    assert kept
    _track(server, bundle)
    again = _task(bundle, "track", 1)
    teller = Teller(again)
    track_piece(again, server, teller, Stop(places))
    assert teller.state.reused == teller.state.total
    folder = _mattes(server, bundle)
    for name, data in in_one_go.items():
        assert (folder / name).read_bytes() == data, name

    # The clock of whoever wrote the plate may be an hour ahead: its contents count.
    plate = {file: file.stat().st_mtime for file in clip.pattern.parent.glob("duck.*.png")}
    for file, written in plate.items():
        os.utime(file, (written + 3600, written + 3600))

    # The mattes are checked, become one version however often, and come home.
    try:
        for _ in range(2):
            task = _task(bundle, "check")
            assert check_shot(task, Teller(task)).passed
            result = publish_shot(_task(bundle, "publish"), Teller(_task(bundle, "publish")))
    finally:
        # Other tests have the same plate.
        for file, written in plate.items():
            os.utime(file, (written, written))
    assert Path(result.version) == tmp_path / "published" / "shot" / "v001"
    assert len(list((tmp_path / "published" / "shot").iterdir())) == 1
    coming = look_home(document)
    assert coming is not None
    assert (coming.mattes, coming.version, coming.is_news) == (folder, Path(result.version), True)


@pytest.mark.skipif(os.name == "nt", reason="signals that stop a process for a while")
def test_workers_at_one_task_at_once_do_not_mix(
    process: LocalServer, document: Path, in_one_go: dict[str, bytes], tmp_path: Path
) -> None:
    ready = tmp_path / "server.json"
    ready.write_text(json.dumps({"address": process.address, "token": process.token, "keeper": os.getpid()}))
    bundle = submit(
        [document], FarmRequest(publish=True, accepted=("reviewed", "clicks")), tmp_path / "job"
    ).bundle
    places = JobPlaces(bundle / "out")
    workers: list[subprocess.Popen[bytes]] = []

    def begin(stage: str, piece: int = 0) -> subprocess.Popen[bytes]:
        words = ["--job", str(bundle), "--out", str(places.out), "--shot", "shot", "--stage", stage]
        worker = subprocess.Popen(
            [sys.executable, "-m", "masklet", "farm", "task", *words, "--piece", str(piece)],
            env={**os.environ, SERVER_VARIABLE: str(ready)},
            stdout=subprocess.DEVNULL,
        )
        workers.append(worker)
        return worker

    def until(sight: Callable[[], object]) -> None:
        until_s = time.monotonic() + 120
        while not sight() and time.monotonic() < until_s:
            time.sleep(0.01)

    try:
        # The second piece has two chunks. One worker freezes after the first, one is killed, one goes on.
        frozen = begin("track", 2)
        until(lambda: list(places.out.rglob("002.1001_*.json")))
        frozen.send_signal(signal.SIGSTOP)
        killed = begin("track", 2)
        until(lambda: read_state(places.states, "shot", "track", 2).attempt == 2)
        killed.kill()
        third, other = begin("track", 2), begin("track", 1)
        assert (third.wait(200), other.wait(200)) == (0, 0)
        frozen.send_signal(signal.SIGCONT)
        assert frozen.wait(200) == 0
        assert read_state(places.states, "shot", "track", 2).phase is TaskPhase.DONE
        both = begin("mattes"), begin("mattes")
        assert [worker.wait(200) for worker in both] == [0, 0]
        (folder,) = (places.out / "mattes").iterdir()
        assert {path.name: path.read_bytes() for path in folder.glob("*.exr")} == in_one_go
        task = _task(bundle, "check")
        assert check_shot(task, Teller(task)).passed
        both = begin("publish"), begin("publish")
        assert [worker.wait(200) for worker in both] == [0, 0]
        # A worker that looked at them as well, and was slow, takes no version away.
        assert check_shot(task, Teller(task)).version == str(tmp_path / "published" / "shot" / "v001")
        assert [path.name for path in (tmp_path / "published" / "shot").iterdir()] == ["v001"]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def test_mattes_are_whole_or_not_there(server: masklet.Server, document: Path, tmp_path: Path) -> None:
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    places = JobPlaces(bundle / "out")
    with pytest.raises(BadInputError, match="is not tracked on 1001-1002"):
        _mattes(server, bundle)
    _track(server, bundle)
    task = _task(bundle, "mattes")
    with pytest.raises(StoppedError):
        make_mattes(task, server, Teller(task), StopAfter(places, after=len(task.shot.pieces) + 1))
    assert list((places.out / "mattes").iterdir()) == []
    half = places.out / "mattes" / "shot.of_other_weights"
    half.mkdir()
    (half / "shot_mattes.1001.exr").write_bytes(b"half written by another version")
    folder = _mattes(server, bundle)
    assert folder.name != half.name
    assert _mattes(server, bundle) == folder


def test_other_weights_in_the_middle_of_a_job_are_refused(
    server: masklet.Server, document: Path, tmp_path: Path
) -> None:
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    weights = JobPlaces(bundle / "out").weights
    weights.parent.mkdir(parents=True)
    weights.write_text(json.dumps({"name": "large", "sha256": "a" * 64}))
    with pytest.raises(WeightsError, match=r"begun with the weights large .* give all workers the same"):
        _track(server, bundle)


def test_a_plate_that_was_rendered_again_since_is_not_tracked(
    server: masklet.Server, document: Path, clip: DemoClip, tmp_path: Path
) -> None:
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = _task(bundle, "track", 1)
    shot = replace(task.shot, plate={**task.shot.plate, 1002: "other"})
    with pytest.raises(ClipError, match="was written again on 1002 since the job was submitted"):
        track_piece(replace(task, shot=shot), server, Teller(task), Stop(task.places))


def test_a_shot_whose_matte_misses_its_click_fails_in_the_artists_words(
    server: masklet.Server, document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = submit(
        [document], FarmRequest(publish=True, accepted=("reviewed", "clicks")), tmp_path / "job"
    ).bundle
    _track(server, bundle)
    _mattes(server, bundle)
    measured = pictures._measured

    def elsewhere(collected: object) -> object:
        found = measured(collected)  # type: ignore[arg-type]
        found["duck"]["1003"]["under"] = [0.1]
        return found

    monkeypatch.setattr(pictures, "_measured", elsewhere)
    task = _task(bundle, "check")
    with pytest.raises(QualityError, match="duck leaves out places that were clicked as part of it on 1003"):
        check_shot(task, Teller(task))
    with pytest.raises(BadInputError, match="did not pass"):
        publish_shot(_task(bundle, "publish"), Teller(_task(bundle, "publish")))
