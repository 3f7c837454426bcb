"""A shot in pieces and chunks, stopped and taken up again, gives the mattes of a run in one go."""

from __future__ import annotations

import json
import os
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
from masklet.farm.tracking import track_piece
from masklet.farm.versions import publish_shot
from masklet.prompts import PlateShape, Shot, write_shot
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


@pytest.fixture
def document(clip: DemoClip, tmp_path: Path) -> Path:
    """Two objects that are prompted on different frames, one of them with a soft matte."""
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
    write_shot(tmp_path / "shot.masklet.json", shot)
    return tmp_path / "shot.masklet.json"


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
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "FIRST_FRAMES", 1)
    bundle = submit([document], FarmRequest(publish=True, accepted=("reviewed",)), tmp_path / "job").bundle
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
    shot = _task(bundle, "track").document()
    with server.open(shot.clip) as session:
        session.load_prompts(shot.document)
        for _ in session.track():
            pass
        session.export(tmp_path / "in one go", base_name="shot")
    files = sorted(path.name for path in (tmp_path / "in one go").glob("*.exr"))
    assert len(files) == 5
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / "in one go" / name).read_bytes(), name

    # The clock of whoever wrote the plate may be an hour ahead: its contents count.
    for file in clip.pattern.parent.glob("duck.*.png"):
        ahead = file.stat().st_mtime + 3600
        os.utime(file, (ahead, ahead))

    # The mattes are checked, become one version however often, and come home.
    for _ in range(2):
        task = _task(bundle, "check")
        assert check_shot(task, Teller(task)).passed
        result = publish_shot(_task(bundle, "publish"), Teller(_task(bundle, "publish")))
    assert Path(result.version) == tmp_path / "published" / "shot" / "v001"
    assert len(list((tmp_path / "published" / "shot").iterdir())) == 1
    coming = look_home(document)
    assert coming is not None
    assert (coming.mattes, coming.version, coming.is_news) == (folder, Path(result.version), True)


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
    bundle = submit([document], FarmRequest(publish=True, accepted=("reviewed",)), tmp_path / "job").bundle
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
