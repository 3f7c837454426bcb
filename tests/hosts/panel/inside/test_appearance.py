"""What the panel looks like: small pictures in time, backgrounds, a host's palette, fine screens."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Qt import QtCore, QtGui, QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.hosting.shown.overlay_masks import PackedMask
from masklet.hosting.work.connection import Connection
from masklet.types import Presence
from masklet_panel import theme, thumbnails
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.thumbnails import ROUND_S, Thumbnails
from masklet_panel.view_state import Mode
from masklet_panel.viewing.background_button import BackgroundButton

SIZE = QtCore.QSize(64, 36)
RED = (1.0, 0.0, 0.0)


@pytest.fixture
def panel(
    application: QtWidgets.QApplication, server: PanelServer, document: Path, tmp_path: Path
) -> Iterator[PanelWidget]:
    made = PanelWidget(connection=Connection(lambda settings: Server(server)), folder=tmp_path / "own")
    made.resize(1200, 800)
    made.show()
    assert made.open(str(document))
    yield made
    made.shut()


@pytest.fixture
def settle(application: QtWidgets.QApplication, panel: PanelWidget) -> Callable[[], None]:
    def wait() -> None:
        until_s = time.monotonic() + 20.0
        while panel.workspace.model.loop.board.jobs or panel.workspace.model.clip is None:
            application.processEvents()
            assert time.monotonic() < until_s
            time.sleep(0.002)
        application.processEvents()

    return wait


def mask(left: int) -> PackedMask:
    rows = b"".join(bytes(left) + b"\xff" * 40 + bytes(920 - left) for _ in range(540))
    return PackedMask(960, 540, 1.0, 1.0, zlib.compress(rows, 1), Presence.PRESENT, False)


def is_red(picture: QtGui.QPixmap, x: float) -> bool:
    colour = picture.toImage().pixelColor(round(x * picture.width()), picture.height() // 2)
    return bool(colour.red() > 150 and colour.green() < 90)


def test_small_pictures_of_many_objects_are_drawn_a_few_at_a_time(
    application: QtWidgets.QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[PackedMask | None] = []
    draw = thumbnails.thumbnail

    def slowly(size: QtCore.QSize, mask: PackedMask | None, *rest: object, **more: object) -> QtGui.QPixmap:
        drawn.append(mask)
        if mask is not None:
            time.sleep(0.003)
        return draw(size, mask, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails, "thumbnail", slowly)
    asked_again: list[bool] = []
    small = Thumbnails(application, lambda: asked_again.append(True), budget_s=0.006)
    masks = [mask(20 * place) for place in range(12)]

    first = [small.get(str(n), SIZE, each, RED, None, ratio=1.0) for n, each in enumerate(masks)]
    assert is_red(first[0], 0.02)
    assert sum(each is not None for each in drawn) < 6
    assert first[-1].size() == SIZE

    for _ in range(12):
        if None not in drawn:
            break
        until_s = time.monotonic() + 2 * ROUND_S
        while time.monotonic() < until_s:
            application.processEvents()
            time.sleep(0.002)
        assert asked_again
        drawn.clear()
        last = [small.get(str(n), SIZE, each, RED, None, ratio=1.0) for n, each in enumerate(masks)]
    assert all(is_red(each, (20 * n + 20) / 960) for n, each in enumerate(last))


def test_the_background_of_cut_outs_is_chosen_while_they_show(
    panel: PanelWidget, settle: Callable[[], None]
) -> None:
    settle()
    view = panel.workspace.view
    button = panel.findChild(BackgroundButton)
    assert isinstance(button, BackgroundButton)
    assert not button.isEnabled()
    view.change(mode=Mode.CUT_OUT)
    assert button.isEnabled()

    menu = button.menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "White").trigger()

    assert view.look.background == (1.0, 1.0, 1.0)
    shown = panel.viewer.grab().toImage()
    ratio = shown.devicePixelRatio()
    x, y = (round((at + 2) * ratio) for at in panel.viewer.placement.to_view(1.0, 1.0))
    assert shown.pixelColor(x, y).lightness() > 250
    next(action for action in menu.actions() if action.text() == "Checker").trigger()
    assert view.look.background is None


def test_a_hosts_palette_is_followed_by_symbols_too(
    panel: PanelWidget, settle: Callable[[], None], application: QtWidgets.QApplication
) -> None:
    """A light host is followed, and a dark one again."""
    settle()
    light = QtGui.QPalette(QtGui.QColor(230, 230, 230))
    for palette, is_light in ((light, True), (theme.dark_palette(), False)):
        panel.setPalette(palette)
        application.processEvents()
        ground = panel.work.timeline.grab().toImage()
        assert (ground.pixelColor(3, ground.height() - 3).lightnessF() > 0.5) is is_light
        buttons = [one for one in panel.work.findChildren(QtWidgets.QToolButton) if not one.icon().isNull()]
        assert len(buttons) > 20
        for button in buttons:
            if button.accessibleName().startswith(("Clicks add", "Background")):
                # These mean something by their colour.
                continue
            drawn = button.icon().pixmap(24, 24, QtGui.QIcon.Mode.Normal).toImage()
            solid = [
                drawn.pixelColor(x, y).lightnessF()
                for x in range(drawn.width())
                for y in range(drawn.height())
                if drawn.pixelColor(x, y).alpha() > 200
            ]
            assert solid, button.accessibleName()
            middle = sum(solid) / len(solid)
            assert (middle < 0.5) is is_light, (button.accessibleName(), middle)
