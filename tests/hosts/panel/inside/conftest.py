"""For tests that run in a host's Python, where there is Qt and the standard library, and nothing else."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Qt import QtWidgets

from fakes.panel_server import PLATE, PanelServer
from masklet.client import Server
from masklet.hosting.kept_plate import KeptPlate, write
from masklet.hosting.work.connection import Connection
from masklet.prompts import PlateShape
from masklet.said.documents import SaidObject
from masklet.types import Click, FramePrompts
from masklet_panel import theme
from masklet_panel.panel_model import PanelModel

HERO = SaidObject("u1", "hero", (FramePrompts(0, 1005, (Click(20.0, 20.0),)),))
SECOND = SaidObject("u2", "second", (FramePrompts(0, 1005, (Click(20.0, 30.0),)),))
_WAIT_S = 20.0
_FOREIGN = ("numpy", "grpc", "google", "typer", "rich", "torch")
# Its value; the two bindings disagree on how an enumeration becomes a number.
_DEFERRED_DELETE = 52


@pytest.fixture(scope="session")
def application() -> Iterator[QtWidgets.QApplication]:
    """The one application of the process."""
    made = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    made.setStyle("Fusion")
    made.setPalette(theme.dark_palette())
    yield made
    made.closeAllWindows()


@pytest.fixture(autouse=True)
def _nothing_foreign(application: QtWidgets.QApplication) -> Iterator[None]:
    """Whatever the panel does, nothing is imported that a host could have in another version."""
    yield
    # What a test left is deleted here: Python might tidy it up in the thread of a later test's job, and Qt
    # bears no widget that ends in another thread than its own.
    for widget in application.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    application.sendPostedEvents(None, _DEFERRED_DELETE)
    gc.collect()
    assert [name for name in _FOREIGN if name in sys.modules] == []


@pytest.fixture
def server() -> PanelServer:
    """What the panel works with."""
    return PanelServer()


@pytest.fixture
def settle(application: QtWidgets.QApplication, model: PanelModel) -> Callable[[], None]:
    """Lets everything happen that is to happen: timers, jobs, paints."""

    def wait() -> None:
        until_s = time.monotonic() + _WAIT_S
        while True:
            application.processEvents()
            if not model.loop.board.jobs and not model.loop.beat():
                break
            assert time.monotonic() < until_s, "the panel does not come to rest"
            time.sleep(0.002)
        application.processEvents()

    return wait


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The file of a plate with two objects, each prompted on frame 1005."""
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    file = tmp_path / "shot.masklet.json"
    kept = KeptPlate(
        str(tmp_path / "plate.%04d.png"),
        shape=PlateShape(PLATE.width_px, PLATE.height_px, PLATE.frames),
        document=(HERO, SECOND),
    )
    write(file, kept, "")
    return file


@pytest.fixture
def model(application: QtWidgets.QApplication, server: PanelServer, document: Path) -> Iterator[PanelModel]:
    """That plate, and its session is open."""
    made = PanelModel(connection=Connection(lambda settings: Server(server)))
    made.open(str(document))
    yield made
    made.shut()
