"""The list of objects under a real mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from Qt import QtCore, QtGui, QtTest, QtWidgets

from masklet.hosting.work import plate_work
from masklet.hosting.work.plate_events import TrackRequest
from masklet.types import FrameRange
from masklet_panel import symbols
from masklet_panel.controls import SymbolButton
from masklet_panel.listing.object_list import ObjectList
from masklet_panel.listing.object_table import Column
from masklet_panel.panel_model import PanelModel

LEFT = QtCore.Qt.MouseButton.LeftButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier
CONTROL = QtCore.Qt.KeyboardModifier.ControlModifier
CHECK = QtCore.Qt.ItemDataRole.CheckStateRole


@pytest.fixture
def objects(model: PanelModel, settle: Callable[[], None]) -> Iterator[ObjectList]:
    made = ObjectList(model)
    made.resize(320, 300)
    made.show()
    settle()
    yield made
    made.close()


def names(model: PanelModel) -> list[str]:
    return [said.name for said in model.document]


def place(objects: ObjectList, row: int, column: Column) -> QtCore.QPoint:
    return objects.view.visualRect(objects.table.index(row, column)).center()


def click(
    objects: ObjectList, row: int, column: Column, modifiers: QtCore.Qt.KeyboardModifier = NONE
) -> None:
    QtTest.QTest.mouseClick(objects.view.viewport(), LEFT, modifiers, place(objects, row, column))


def button(objects: ObjectList, words: str) -> SymbolButton:
    return next(one for one in objects.findChildren(QtWidgets.QToolButton) if one.accessibleName() == words)


def test_a_click_on_a_name_chooses_the_object_and_with_ctrl_one_more(
    model: PanelModel, objects: ObjectList
) -> None:
    click(objects, 1, Column.NAME)
    assert model.selected == ("u2",)

    click(objects, 0, Column.NAME, CONTROL)
    assert model.selected == ("u1", "u2")
    assert model.active == "u1"


def test_what_is_chosen_elsewhere_is_chosen_in_the_list(model: PanelModel, objects: ObjectList) -> None:
    model.select(("u2",))

    rows = {index.row() for index in objects.view.selectionModel().selectedRows()}
    assert rows == {1}
    assert objects.view.currentIndex().row() == 1


def test_eye_solo_and_padlock_do_what_they_show_and_choose_nothing(
    model: PanelModel, objects: ObjectList, settle: Callable[[], None]
) -> None:
    click(objects, 1, Column.SHOWN)
    assert [shown.is_shown for shown in model.objects] == [True, False]

    click(objects, 1, Column.SOLO)
    assert [shown.is_visible for shown in model.objects] == [False, True]

    model.set_span(FrameRange(1010, 1012))
    click(objects, 1, Column.LOCKED)
    settle()
    assert model.document[1].locks == (FrameRange(1010, 1012),)
    assert objects.table.data(objects.table.index(1, Column.LOCKED), CHECK) == QtCore.Qt.CheckState.Checked
    model.set_span(None)
    state = objects.table.data(objects.table.index(1, Column.LOCKED), CHECK)
    assert state == QtCore.Qt.CheckState.PartiallyChecked

    assert model.selected == ("u1",)


def test_symbols_are_ticked_from_the_keyboard_too(model: PanelModel, objects: ObjectList) -> None:
    objects.view.setFocus()
    objects.view.selectionModel().setCurrentIndex(
        objects.table.index(0, Column.SHOWN), QtCore.QItemSelectionModel.SelectionFlag.NoUpdate
    )

    QtTest.QTest.keyClick(objects.view, QtCore.Qt.Key.Key_Space)

    assert [shown.is_shown for shown in model.objects] == [False, True]


def test_letters_and_digits_are_left_to_the_panel(model: PanelModel, objects: ObjectList) -> None:
    objects.view.setFocus()
    for key in (QtCore.Qt.Key.Key_S, QtCore.Qt.Key.Key_2, QtCore.Qt.Key.Key_J):
        event = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, key, NONE, "s")
        objects.view.keyPressEvent(event)
        assert not event.isAccepted()

    assert model.selected == ("u1",)


def test_a_name_is_typed_in_place_and_one_that_is_taken_is_refused_in_a_sentence(
    model: PanelModel, objects: ObjectList, settle: Callable[[], None]
) -> None:
    objects.rename()
    editor = objects.view.findChild(QtWidgets.QLineEdit)
    editor.selectAll()
    QtTest.QTest.keyClicks(editor, "left hand")
    QtTest.QTest.keyClick(editor, QtCore.Qt.Key.Key_Return)
    settle()
    assert names(model) == ["left hand", "second"]

    objects.table.setData(objects.table.index(0, Column.NAME), "second")
    assert names(model) == ["left hand", "second"]
    assert model.notice is not None
    assert "second" in model.notice.sentence


def test_copies_merging_and_deleting_are_steps_of_undo(
    model: PanelModel, objects: ObjectList, settle: Callable[[], None]
) -> None:
    button(objects, "Duplicate").click()
    settle()
    assert names(model) == ["hero", "hero 2", "second"]
    assert [shown.name for shown in model.objects if shown.is_selected] == ["hero 2"]

    model.select(("u1", "u2"))
    button(objects, "Make one object of those chosen").click()
    settle()
    assert names(model) == ["hero", "hero 2"]
    assert len(model.document[0].at(1005).clicks) == 2
    assert model.notice is None

    button(objects, "Delete").click()
    assert names(model) == ["hero 2"]
    for _ in range(3):
        model.undo()
    settle()
    assert names(model) == ["hero", "second"]


def test_locked_objects_are_not_merged_and_nothing_changes(model: PanelModel, objects: ObjectList) -> None:
    click(objects, 1, Column.LOCKED)
    model.select(("u1", "u2"))

    objects.merge()

    assert names(model) == ["hero", "second"]
    assert model.notice is not None
    assert "unlock it first" in model.notice.sentence


def test_objects_are_moved_by_buttons_and_by_dragging(model: PanelModel, objects: ObjectList) -> None:
    button(objects, "Move down").click()
    assert names(model) == ["second", "hero"]

    dragged = objects.table.mimeData([objects.table.index(1, Column.NAME)])
    move = QtCore.Qt.DropAction.MoveAction
    objects.table.dropMimeData(dragged, move, 0, 0, QtCore.QModelIndex())
    assert names(model) == ["hero", "second"]


def test_buttons_that_can_do_nothing_are_off(model: PanelModel, objects: ObjectList) -> None:
    assert not button(objects, "Make one object of those chosen").isEnabled()
    model.select(())
    assert not button(objects, "Delete").isEnabled()
    assert button(objects, "New object").isEnabled()


def test_a_colour_is_given_to_all_that_are_chosen_and_taken_back(
    model: PanelModel, objects: ObjectList
) -> None:
    before = [shown.colour for shown in model.objects]
    model.select(("u1", "u2"))

    objects.paint_in((0.5, 0.5, 0.5))
    assert [shown.colour for shown in model.objects] == [(0.5, 0.5, 0.5)] * 2

    model.undo()
    assert [shown.colour for shown in model.objects] == before


def test_small_pictures_show_the_mask_in_the_objects_colour(
    model: PanelModel, objects: ObjectList, settle: Callable[[], None]
) -> None:
    model.start(
        "Tracking", lambda session, job, server: plate_work.track(session, job, server, TrackRequest())
    )
    settle()
    model.go_to(1010)
    settle()

    picture = objects.grab().toImage()
    area = objects.view.visualRect(objects.table.index(0, Column.NAME))
    red, green, blue = model.objects[0].colour
    wanted = QtGui.QColor.fromRgbF(red, green, blue)
    scale = picture.devicePixelRatio()
    found = sum(
        picture.pixelColor(round(x * scale), round(y * scale)).name() == wanted.name()
        for x in range(area.left() + 16, area.left() + 70)
        for y in range(area.top(), area.bottom())
    )
    assert found > 20


def test_every_control_has_a_name_for_a_screen_reader(objects: ObjectList) -> None:
    for one in objects.findChildren(QtWidgets.QToolButton):
        assert one.accessibleName()
        assert one.toolTip().startswith(one.accessibleName())
    index = objects.table.index(0, Column.SHOWN)
    assert index.data(QtCore.Qt.ItemDataRole.AccessibleTextRole) == "Hide hero"


def test_every_symbol_can_be_drawn(application: QtWidgets.QApplication) -> None:
    drawn = set()
    for symbol in symbols.Symbol:
        image = symbols.icon(symbol, application.palette()).pixmap(32, 32).toImage()
        drawn.add(bytes(image.convertToFormat(QtGui.QImage.Format.Format_ARGB32).constBits()))

    assert len(drawn) == len(symbols.Symbol)
