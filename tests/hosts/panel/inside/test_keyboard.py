"""Hands on the keyboard: real keys on the whole panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Qt import QtCompat, QtCore, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.hosting.shortcuts import Action
from masklet.hosting.work.connection import Connection, ConnectionSettings
from masklet.types import FrameRange, Presence
from masklet_panel.keyboard.key_bindings import missing
from masklet_panel.keyboard.shortcut_sheet import ShortcutSheet
from masklet_panel.listing.object_table import Column
from masklet_panel.panel_model import PanelModel
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.settings_dialog import SettingsDialog

KEYS = QtCore.Qt.Key
NONE = QtCore.Qt.KeyboardModifier.NoModifier
SHIFT = QtCore.Qt.KeyboardModifier.ShiftModifier
CONTROL = QtCore.Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def panel(
    application: QtWidgets.QApplication, server: PanelServer, document: Path, tmp_path: Path
) -> Iterator[PanelWidget]:
    made = PanelWidget(connection=Connection(lambda settings: Server(server)), folder=tmp_path / "own")
    made.resize(1200, 800)
    made.show()
    made.activateWindow()
    assert made.open(str(document))
    made.viewer.setFocus()
    application.processEvents()
    yield made
    if QtCompat.isValid(made):
        made.shut()


@pytest.fixture
def model(panel: PanelWidget) -> PanelModel:
    """The panel's own, in place of one without a panel."""
    return panel.workspace.model


@pytest.fixture
def press(panel: PanelWidget, settle: Callable[[], None]) -> Callable[..., None]:
    """Presses a key on whatever has the focus."""
    settle()

    def pressed(key: QtCore.Qt.Key, modifiers: QtCore.Qt.KeyboardModifier = NONE) -> None:
        QtTest.QTest.keyClick(QtWidgets.QApplication.focusWidget() or panel, key, modifiers)
        settle()

    return pressed


def test_everything_in_the_table_is_done_by_the_panel(panel: PanelWidget) -> None:
    assert missing(panel.work.key_actions) == frozenset()


def test_arrows_step_home_and_end_go_to_the_ends_of_the_range(
    model: PanelModel, press: Callable[..., None]
) -> None:
    model.go_to(1010)
    press(KEYS.Key_Right)
    assert model.frame == 1011
    press(KEYS.Key_Left, SHIFT)
    assert model.frame == 1001
    press(KEYS.Key_End)
    assert model.frame == 1040

    model.go_to(1012)
    press(KEYS.Key_I)
    model.go_to(1020)
    press(KEYS.Key_O)
    assert model.span == FrameRange(1012, 1020)
    press(KEYS.Key_Home)
    assert model.frame == 1012
    press(KEYS.Key_I, SHIFT)
    assert model.span is None


def test_j_k_l_and_space_play(panel: PanelWidget, press: Callable[..., None]) -> None:
    playback = panel.workspace.playback
    press(KEYS.Key_L)
    assert playback.speed == 1
    press(KEYS.Key_L)
    assert playback.speed == 2
    press(KEYS.Key_J)
    assert playback.speed == -1
    press(KEYS.Key_K)
    assert playback.speed == 0
    press(KEYS.Key_Space)
    assert playback.speed == 1
    press(KEYS.Key_Space)
    assert playback.speed == 0


def test_numbers_choose_objects_and_letters_hide_them(model: PanelModel, press: Callable[..., None]) -> None:
    press(KEYS.Key_2)
    assert model.active == "u2"
    press(KEYS.Key_H)
    assert [shown.is_shown for shown in model.objects] == [True, False]
    press(KEYS.Key_S)
    assert [shown.is_solo for shown in model.objects] == [False, True]
    press(KEYS.Key_9)
    assert model.active == "u2"


def test_plus_and_minus_say_what_clicks_do(panel: PanelWidget, press: Callable[..., None]) -> None:
    press(KEYS.Key_Minus)
    assert not panel.workspace.view.look.adds
    # On most keyboards plus is made with Shift.
    press(KEYS.Key_Plus, SHIFT)
    assert panel.workspace.view.look.adds


def test_full_stop_and_comma_find_bad_frames_up_and_down_marks(
    model: PanelModel, server: PanelServer, press: Callable[..., None]
) -> None:
    server.presences[("hero", 1020)] = Presence.UNCERTAIN
    press(KEYS.Key_T)
    model.go_to(1010)
    press(KEYS.Key_Period)
    assert model.frame == 1020
    model.go_to(1030)
    press(KEYS.Key_Comma)
    assert model.frame == 1020
    press(KEYS.Key_Down)
    assert model.frame == 1005


def test_escape_stops_a_track_and_undo_takes_back_what_was_said(
    model: PanelModel, server: PanelServer, press: Callable[..., None], application: QtWidgets.QApplication
) -> None:
    server.frame_s = 0.02
    QtTest.QTest.keyClick(QtWidgets.QApplication.focusWidget(), KEYS.Key_T)
    for _ in range(20):
        application.processEvents()
    press(KEYS.Key_Escape)
    assert model.job is None
    assert sum(strip.last - strip.first + 1 for strip in model.strips("u1")) < 40

    press(KEYS.Key_N)
    assert len(model.document) == 3
    press(KEYS.Key_Z, CONTROL)
    assert len(model.document) == 2
    press(KEYS.Key_Z, CONTROL | SHIFT)
    assert len(model.document) == 3


def test_letters_typed_into_a_name_are_letters(
    panel: PanelWidget, model: PanelModel, press: Callable[..., None], settle: Callable[[], None]
) -> None:
    press(KEYS.Key_F2)
    editor = panel.work.objects.view.findChild(QtWidgets.QLineEdit)
    assert editor is not None
    editor.selectAll()
    QtTest.QTest.keyClicks(editor, "jkl 2")
    QtTest.QTest.keyClick(editor, KEYS.Key_Return)
    settle()

    assert model.document[0].name == "jkl 2"
    assert panel.workspace.playback.speed == 0


def test_space_on_a_button_presses_the_button(panel: PanelWidget, press: Callable[..., None]) -> None:
    button = next(
        one
        for one in panel.work.objects.findChildren(QtWidgets.QToolButton)
        if one.accessibleName() == "Duplicate"
    )
    button.setFocus()

    press(KEYS.Key_Space)

    assert panel.workspace.playback.speed == 0
    assert len(panel.workspace.model.document) == 3


def test_space_in_the_list_ticks_and_letters_there_are_shortcuts(
    panel: PanelWidget, model: PanelModel, press: Callable[..., None]
) -> None:
    objects = panel.work.objects
    objects.view.setFocus()
    objects.view.selectionModel().setCurrentIndex(
        objects.table.index(0, Column.SOLO), QtCore.QItemSelectionModel.SelectionFlag.NoUpdate
    )
    press(KEYS.Key_Space)
    assert model.objects[0].is_solo
    assert panel.workspace.playback.speed == 0

    press(KEYS.Key_I)
    assert model.span is not None


def test_a_hosts_own_shortcut_on_the_same_key_waits_outside(
    panel: PanelWidget, model: PanelModel, press: Callable[..., None]
) -> None:
    """In Nuke and Resolve the panel lies in a window that has J, K and L too."""
    pressed = []
    hosts = QtWidgets.QShortcut("L", panel) if hasattr(QtWidgets, "QShortcut") else None
    if hosts is None:
        from Qt import QtGui

        hosts = QtGui.QShortcut("L", panel)
    hosts.activated.connect(lambda: pressed.append(True))

    press(KEYS.Key_L)

    assert pressed == []
    assert panel.workspace.playback.speed == 1


def test_the_sheet_comes_on_a_question_mark_and_any_key_closes_it(
    panel: PanelWidget, press: Callable[..., None], application: QtWidgets.QApplication
) -> None:
    press(KEYS.Key_Question, SHIFT)
    sheet = panel.window().findChild(ShortcutSheet)
    assert sheet is not None
    words = {label.text() for label in sheet.findChildren(QtWidgets.QLabel)}
    assert {"Next bad frame", "Track both ways", "1 … 9"} <= words

    QtTest.QTest.keyClick(sheet, KEYS.Key_A)
    assert not sheet.isVisible()


def test_every_control_has_a_name_and_is_reached_by_tab(
    panel: PanelWidget, settle: Callable[[], None]
) -> None:
    settle()
    assert len(named_and_reached(panel.work)) > 25


def test_every_control_of_every_dialog_has_a_name_and_is_reached_by_tab(
    panel: PanelWidget, settle: Callable[[], None]
) -> None:
    settle()
    dialogs = [
        panel.work.show_export(),
        panel.work.show_worst_frames(),
        panel.work.show_shortcuts(),
        SettingsDialog(ConnectionSettings(), panel),
    ]
    for dialog, least in zip(dialogs, (20, 1, 0, 5)):
        dialog.show()
        assert dialog.windowTitle()
        assert len(named_and_reached(dialog)) >= least, dialog
        dialog.close()


def named_and_reached(top: QtWidgets.QWidget) -> list[QtWidgets.QWidget]:
    """Controls of a window, each of which was seen to have a name and to take the focus."""
    kinds = (
        QtWidgets.QAbstractButton,
        QtWidgets.QComboBox,
        QtWidgets.QAbstractSpinBox,
        QtWidgets.QAbstractSlider,
        QtWidgets.QAbstractItemView,
        QtWidgets.QLineEdit,
    )
    within = (QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox)
    controls = [
        one
        for kind in kinds
        for one in top.findChildren(kind)
        if one.isVisibleTo(top)
        and not isinstance(one, (QtWidgets.QScrollBar, QtWidgets.QHeaderView))
        and not isinstance(one.parentWidget(), (*within, QtWidgets.QTabBar, QtWidgets.QTableView))
        and one.window() is top.window()
    ]
    for one in controls:
        assert one.accessibleName() or (isinstance(one, QtWidgets.QAbstractButton) and one.text()), one
        assert one.focusPolicy() != QtCore.Qt.FocusPolicy.NoFocus, one.accessibleName()
    return controls


def test_a_panel_that_is_shut_is_gone_in_the_thread_that_it_was_made_in(
    panel: PanelWidget, application: QtWidgets.QApplication
) -> None:
    """Whoever holds it longer, Python's tidying up among them, holds nothing of Qt's any more."""
    parts = (panel, panel.viewer, panel.work.timeline, panel.workspace.model, panel.workspace.playback)

    panel.shut()
    application.sendPostedEvents(None, 52)

    assert [part for part in parts if QtCompat.isValid(part)] == []


def test_actions_say_nothing_without_a_plate(panel: PanelWidget, press: Callable[..., None]) -> None:
    panel.workspace.model.close()
    for action in Action:
        if action is not Action.SHORTCUTS:
            panel.work.key_actions.perform(action, 1)

    assert panel.workspace.model.document == ()
