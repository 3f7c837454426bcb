"""What is open in the panel: its document on disk, undo over everything said, and what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from Qt import QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.errors import AccessDeniedError, BadInputError, ServerUnreachableError
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import Look
from masklet.hosting.notices import Remedy
from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import Connection
from masklet.hosting.work.plate_events import TrackRequest
from masklet.matte_settings import MatteSettings
from masklet.said.documents import with_click
from masklet.types import Click
from masklet_panel import panel_widget
from masklet_panel.opening import Opening, moved
from masklet_panel.panel_model import PanelModel


def clicked(model: PanelModel, x_px: float) -> None:
    first, *rest = model.document
    model.edit((with_click(first, 1005, Click(x_px, 20.0)), *rest))


def clicks(model: PanelModel) -> list[float]:
    return [click.x_px for click in model.document[0].at(1005).clicks]


def on_disk(model: PanelModel) -> kept_plate.KeptPlate:
    assert model.write_now()
    assert model.file is not None
    return kept_plate.read(model.file)[0]


def test_what_is_said_is_on_disk_a_moment_later_and_opens_again(
    model: PanelModel, settle: Callable[[], None]
) -> None:
    clicked(model, 30.0)
    settle()
    kept = on_disk(model)
    assert [click.x_px for click in kept.document[0].at(1005).clicks] == [20.0, 30.0]
    assert kept.session.session_id == "s1"
    assert kept.session.fingerprint
    model.open(str(model.file))
    settle()
    assert clicks(model) == [20.0, 30.0]


def test_everything_said_can_be_taken_back_and_said_again(
    model: PanelModel, server: PanelServer, settle: Callable[[], None]
) -> None:
    clicked(model, 30.0)
    uid = model.document[0].uid
    assert model.kept is not None
    colour = model.kept.look(uid).colour
    model.edit(model.document, {uid: Look((0.1, 0.2, 0.3))})
    settle()
    model.undo()
    assert (model.objects[0].colour, clicks(model)) == (colour, [20.0, 30.0])
    model.undo()
    settle()
    assert clicks(model) == [20.0]
    assert [click.x_px for click in server.said[1, 1005].clicks] == [20.0]
    assert not model.can_undo
    model.redo()
    model.redo()
    settle()
    assert (model.objects[0].colour, clicks(model)) == ((0.1, 0.2, 0.3), [20.0, 30.0])
    assert not model.can_redo


def test_a_value_that_is_dragged_makes_one_step_and_is_sent_once_it_rests(
    model: PanelModel, server: PanelServer, settle: Callable[[], None]
) -> None:
    for grow_px in (1.0, 2.0, 3.0):
        first, *rest = model.document
        model.edit((replace(first, matte=MatteSettings(grow_px=grow_px)), *rest), drags=True)
    model.end_drag()
    settle()
    assert [settings.grow_px for _, settings in server.mattes] == [3.0]
    model.undo()
    assert model.document[0].matte == MatteSettings()


def test_what_the_server_refuses_goes_out_of_the_document_with_its_sentence(
    model: PanelModel, server: PanelServer, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise BadInputError("the click lies in the sky: click the object")

    settle()
    monkeypatch.setattr(server, "add_click", refuse)
    clicked(model, 30.0)
    settle()
    assert clicks(model) == [20.0]
    assert model.notice is not None
    assert "in the sky" in model.notice.sentence


def test_a_plate_that_is_deleted_is_told_with_a_button_and_nothing_is_lost(
    model: PanelModel, tmp_path: Path, settle: Callable[[], None]
) -> None:
    (tmp_path / "plate.1001.png").unlink()
    clicked(model, 30.0)
    model.start("Tracking", lambda s, job, server: plate_work.track(s, job, server, TrackRequest()))
    settle()
    assert model.notice is not None
    assert "no longer at" in model.notice.sentence
    assert model.notice.remedy is Remedy.FIND_PLATE
    assert [click.x_px for click in on_disk(model).document[0].at(1005).clicks] == [20.0, 30.0]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plate.1001.png").write_bytes(b"picture")
    assert model.kept is not None
    model.move_plate(*moved(model.kept, str(elsewhere / "plate.1001.png")))
    model.tell(None)
    model.start("Tracking", lambda s, job, server: plate_work.track(s, job, server, TrackRequest()))
    settle()
    assert model.notice is None or not model.notice.is_alarm


@pytest.mark.parametrize("error", [ServerUnreachableError("it is gone"), AccessDeniedError("a wrong token")])
def test_a_server_that_cannot_be_reached_is_told_with_a_button_and_prompts_stay(
    application: QtWidgets.QApplication, tmp_path: Path, error: Exception
) -> None:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")

    def connect(settings: object) -> Server:
        raise error

    made = PanelModel(connection=Connection(connect))
    made.open(str(tmp_path / "plate.1001.png"))
    rest(application, made)
    assert made.notice is not None
    assert made.notice.remedy is Remedy.RECONNECT
    assert made.frames.first == 1001
    made.shut()


def rest(application: QtWidgets.QApplication, model: PanelModel) -> None:
    until_s = time.monotonic() + 20.0
    while model.loop.board.jobs or model.loop.beat():
        application.processEvents()
        assert time.monotonic() < until_s
        time.sleep(0.002)


def told(application: QtWidgets.QApplication, model: PanelModel, words: str) -> None:
    """Wait for a sentence that a thread has to tell."""
    until_s = time.monotonic() + 10.0
    while model.notice is None or words not in model.notice.sentence:
        application.processEvents()
        assert time.monotonic() < until_s, model.notice
        time.sleep(0.005)


def test_a_second_panel_on_a_document_says_so_and_writes_over_nothing(
    model: PanelModel, server: PanelServer, settle: Callable[[], None], application: QtWidgets.QApplication
) -> None:
    model.write_now()
    other = PanelModel(connection=Connection(lambda settings: Server(server)))
    other.open(str(model.file))
    rest(application, other)
    told(application, other, "has this document open")
    clicked(model, 30.0)
    settle()
    assert model.write_now()
    clicked(other, 40.0)
    rest(application, other)
    assert not other.write_now()
    told(application, other, "changed by somebody else")
    assert other.notice is not None
    assert other.notice.remedy is Remedy.OPEN_THEIRS
    assert [click.x_px for click in on_disk(model).document[0].at(1005).clicks] == [20.0, 30.0]
    assert clicks(other) == [20.0, 40.0]
    other.shut()


def test_a_document_that_cannot_be_written_is_told_kept_and_written_later(
    model: PanelModel, tmp_path: Path, application: QtWidgets.QApplication, settle: Callable[[], None]
) -> None:
    model.write_now()
    file = model.file
    assert file is not None
    away = file.parent.rename(tmp_path.parent / f"{tmp_path.name} away")
    clicked(model, 30.0)
    settle()
    assert not model.write_now()
    told(application, model, "cannot be written")
    away.rename(file.parent)
    assert [click.x_px for click in on_disk(model).document[0].at(1005).clicks] == [20.0, 30.0]


def test_the_document_may_lie_where_the_artist_says(
    model: PanelModel, tmp_path: Path, settle: Callable[[], None]
) -> None:
    before = on_disk(model)
    there = tmp_path / "elsewhere.masklet.json"
    model.save_as(there)
    clicked(model, 30.0)
    settle()
    assert [click.x_px for click in on_disk(model).document[0].at(1005).clicks] == [20.0, 30.0]
    assert model.file == there
    assert kept_plate.read(tmp_path / "shot.masklet.json")[0].document == before.document


def test_a_clip_opens_its_document_beside_it_and_a_new_one_makes_none_until_something_is_known(
    model: PanelModel, tmp_path: Path, settle: Callable[[], None]
) -> None:
    fresh = tmp_path / "other"
    fresh.mkdir()
    (fresh / "shot.0007.png").write_bytes(b"picture")
    model.open(str(fresh / "shot.0007.png"))
    assert model.kept is not None
    assert model.kept.path == str(fresh / "shot.%04d.png")
    assert model.file == fresh / "shot.masklet.json"
    settle()
    assert json.loads(on_disk_text(model))["clip"] == "shot.%04d.png"


def on_disk_text(model: PanelModel) -> str:
    assert model.write_now()
    assert model.file is not None
    return model.file.read_text(encoding="utf-8")


def test_closing_in_mid_track_keeps_what_was_said_and_stops(
    model: PanelModel, server: PanelServer, application: QtWidgets.QApplication
) -> None:
    server.frame_s = 0.05
    clicked(model, 30.0)
    job = model.start("Tracking", lambda s, j, x: plate_work.track(s, j, x, TrackRequest()))
    until_s = time.monotonic() + 10.0
    while not server.tracks and time.monotonic() < until_s:
        application.processEvents()
    file = model.file
    assert file is not None
    model.close()
    assert job is not None
    assert job.is_cancelled
    assert (model.plate, model.objects) == (None, ())
    kept, _ = kept_plate.read(file)
    assert [click.x_px for click in kept.document[0].at(1005).clicks] == [20.0, 30.0]


def test_a_disk_that_is_slow_to_list_a_clip_holds_nobody_and_the_last_choice_counts(
    application: QtWidgets.QApplication,
    server: PanelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("slow", "quick"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.0001.png").write_bytes(b"picture")
    find = panel_widget.found

    def slowly(path: str) -> Opening:
        time.sleep(0.4 if "slow" in Path(path).name else 0.0)
        return find(path)

    monkeypatch.setattr(panel_widget, "found", slowly)
    made = panel_widget.PanelWidget(
        connection=Connection(lambda settings: Server(server)), folder=tmp_path / "own"
    )
    began_s = time.monotonic()
    made.open_soon(str(tmp_path / "slow/slow.0001.png"))
    made.open_soon(str(tmp_path / "quick/quick.0001.png"))
    assert time.monotonic() - began_s < 0.3
    until_s = time.monotonic() + 1.0
    while time.monotonic() < until_s:
        application.processEvents()
        time.sleep(0.005)
    kept = made.workspace.model.kept
    assert kept is not None
    assert Path(kept.path).name == "quick.%04d.png"
    made.open_soon(str(tmp_path / "gone.mov"))
    told(application, made.workspace.model, "gone.mov")
    assert made.workspace.model.kept is not None
    made.shut()
