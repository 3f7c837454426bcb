"""The buttons below sentences, pressed; and a disk that is full."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from Qt import QtCore, QtGui, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.errors import WeightsError
from masklet.hosting import kept_plate
from masklet.hosting.work.connection import Connection, ConnectionSettings
from masklet.said.documents import with_click
from masklet.types import Click
from masklet_panel import panel_widget
from masklet_panel.opening import Opening
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.viewing.notice_bar import NoticeBar
from small_disk import fill, small_disk

LEFT = QtCore.Qt.MouseButton.LeftButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier


def connector(server: PanelServer) -> Callable[[ConnectionSettings], Server]:
    """A server of one's own that has no weights but the embedded ones."""

    def connect(settings: ConnectionSettings) -> Server:
        if settings.weights:
            raise WeightsError(f"the weights {settings.weights} are not there")
        return Server(server)

    return connect


@pytest.fixture
def panel(
    application: QtWidgets.QApplication, server: PanelServer, document: Path, tmp_path: Path
) -> Iterator[PanelWidget]:
    made = PanelWidget(connection=Connection(connector(server)), folder=tmp_path / "own")
    made.resize(1100, 700)
    made.show()
    yield made
    made.shut()


@pytest.fixture
def until(application: QtWidgets.QApplication, panel: PanelWidget) -> Callable[[Callable[[], object]], None]:
    """Waits until something is true."""

    def shown() -> object:
        return told(panel), [str(job.name) for job in panel.workspace.model.loop.board.jobs]

    def wait(happened: Callable[[], object]) -> None:
        until_s = time.monotonic() + 20.0
        while not happened():
            application.processEvents()
            assert time.monotonic() < until_s, shown()
            time.sleep(0.002)

    return wait


def told(panel: PanelWidget) -> str:
    notice = panel.workspace.model.notice
    return "" if notice is None else str(notice.sentence)


def is_at_rest(panel: PanelWidget) -> bool:
    model = panel.workspace.model
    return model.clip is not None and not model.loop.board.jobs


def press(panel: PanelWidget, words: str) -> None:
    """Press the button below the sentence."""
    bar = panel.findChild(NoticeBar)
    assert isinstance(bar, NoticeBar)
    button = next(each for each in bar.findChildren(QtWidgets.QPushButton) if each.isVisible())
    assert button.text() == words
    QtTest.QTest.mouseClick(button, LEFT, NONE, button.rect().center())


def clicked(panel: PanelWidget, x_px: float) -> None:
    model = panel.workspace.model
    first, *rest = model.document
    model.edit((with_click(first, 1005, Click(x_px, 20.0)), *rest))


def clicks(panel: PanelWidget) -> list[float]:
    document = panel.workspace.model.document
    return [click.x_px for click in document[0].at(1005).clicks] if document else []


def clicks_on_disk(file: Path) -> list[float]:
    kept, _ = kept_plate.read(file)
    return [click.x_px for click in kept.document[0].at(1005).clicks]


def test_the_embedded_model_is_used_where_weights_are_missing(
    panel: PanelWidget, document: Path, until: Callable[..., None]
) -> None:
    model = panel.workspace.model
    model.host.settings = replace(model.host.settings, weights="/show/weights.pt")
    panel.open_soon(str(document))
    until(lambda: "/show/weights.pt" in told(panel))

    press(panel, "Use the Embedded Model")
    until(lambda: is_at_rest(panel))

    assert model.host.settings.weights == ""
    assert not told(panel)
    assert model.mask("u1", 1005) is not None


def test_a_plate_that_was_moved_is_found_where_the_dialog_says(
    panel: PanelWidget,
    document: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "plate.1001.png").rename(elsewhere / "plate.1001.png")
    panel.open_soon(str(document))
    until(lambda: "no longer at" in told(panel))
    answers = iter([str(tmp_path / "empty" / "plate.1001.png"), str(elsewhere / "plate.1001.png")])
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))

    # Where nothing is, that is told, and the button stays.
    press(panel, "Find Plate …")
    until(lambda: "there is no clip" in told(panel))
    press(panel, "Find Plate …")
    until(lambda: is_at_rest(panel) and not told(panel))

    kept = panel.workspace.model.kept
    assert kept is not None
    assert kept.path == str(elsewhere / "plate.%04d.png")
    assert [said.name for said in kept.document] == ["hero", "second"]


def test_their_document_is_looked_for_beside_the_interface_and_opened(
    panel: PanelWidget, document: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]
) -> None:
    panel.open_soon(str(document))
    until(lambda: is_at_rest(panel))
    theirs, stamp = kept_plate.read(document)
    first, *rest = theirs.document
    kept_plate.write(
        document, replace(theirs, document=(with_click(first, 1005, Click(50.0, 20.0)), *rest)), stamp
    )
    clicked(panel, 30.0)
    until(lambda: "changed by somebody else" in told(panel))
    threads = []
    find = panel_widget.found

    def found(path: str) -> Opening:
        threads.append(threading.current_thread())
        return find(path)

    monkeypatch.setattr(panel_widget, "found", found)

    press(panel, "Open Theirs")
    until(lambda: clicks(panel) == [20.0, 50.0] and is_at_rest(panel))

    assert threads[0] is not threading.main_thread()
    assert clicks_on_disk(document) == [20.0, 50.0]


def drag_of(data: QtCore.QMimeData, place: QtCore.QPoint) -> QtGui.QDragEnterEvent:
    """A drag that enters the panel, as the newest Qt wants it made or as those before it."""
    copy = QtCore.Qt.DropAction.CopyAction
    with warnings.catch_warnings():
        # Deprecated in the newest, the only way in the oldest.
        warnings.simplefilter("ignore", DeprecationWarning)
        return QtGui.QDragEnterEvent(place, copy, data, LEFT, NONE)


@pytest.mark.parametrize("dropped", ["shot.masklet.json", "plate.1001.png", ""])
def test_a_document_a_picture_or_a_folder_that_is_dropped_is_opened(
    panel: PanelWidget, document: Path, dropped: str, until: Callable[..., None]
) -> None:
    data, path = QtCore.QMimeData(), document.parent / dropped
    data.setUrls([QtCore.QUrl.fromLocalFile(str(path))])
    place, copy = QtCore.QPoint(300, 300), QtCore.Qt.DropAction.CopyAction
    enters = drag_of(data, place)
    QtWidgets.QApplication.sendEvent(panel, enters)
    assert enters.isAccepted()

    drops = QtGui.QDropEvent(QtCore.QPointF(place), copy, data, LEFT, NONE)
    QtWidgets.QApplication.sendEvent(panel, drops)
    until(lambda: is_at_rest(panel))

    kept = panel.workspace.model.kept
    assert kept is not None
    assert kept.path == str(document.parent / "plate.%04d.png" if dropped else document.parent)
    assert panel.workspace.model.frames.first == 1001


def test_words_that_are_dropped_are_not_taken(panel: PanelWidget) -> None:
    data = QtCore.QMimeData()
    data.setText("no file")
    enters = drag_of(data, QtCore.QPoint(300, 300))
    enters.ignore()
    QtWidgets.QApplication.sendEvent(panel, enters)

    assert not enters.isAccepted()


def test_on_a_full_disk_what_is_said_is_kept_and_written_once_there_is_room(
    panel: PanelWidget, document: Path, tmp_path: Path, until: Callable[..., None]
) -> None:
    with small_disk(tmp_path / "small", kilobytes=128) as disk:
        if disk is not None:
            # Elsewhere a folder that is moved away stands in: test_panel_model.
            work_on_a_full_disk(panel, document, disk, until)


def work_on_a_full_disk(panel: PanelWidget, document: Path, disk: Path, until: Callable[..., None]) -> None:
    (disk / "plate.1001.png").write_bytes(b"picture")
    file = disk / document.name
    file.write_bytes(document.read_bytes())
    panel.open_soon(str(file))
    until(lambda: is_at_rest(panel))
    assert panel.workspace.model.write_now()
    filler = fill(disk)

    clicked(panel, 30.0)
    until(lambda: "No space left on device" in told(panel))

    assert "check folder, rights and space" in told(panel)
    assert clicks(panel) == [20.0, 30.0]
    assert clicks_on_disk(file) == [20.0]
    assert not panel.workspace.model.attempt(
        lambda: panel.workspace.model.save_as(disk / "other.masklet.json")
    )
    assert panel.workspace.model.file == file

    filler.unlink()
    assert panel.workspace.model.write_now()
    assert clicks_on_disk(file) == [20.0, 30.0]
    assert sorted(path.name for path in disk.iterdir() if not path.name.startswith(".")) == [
        "plate.1001.png",
        "shot.masklet.json",
    ]
