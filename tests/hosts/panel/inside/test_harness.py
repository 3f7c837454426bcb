"""That tests run where they claim to: a host's Python, its Qt, real events, and letters that can be read."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys

import pytest
import Qt
from Qt import QtCore, QtGui, QtTest, QtWidgets

_BINDINGS = {(3, 9): "PySide2", (3, 10): "PySide2", (3, 11): "PySide6", (3, 13): "PySide6"}


def test_this_is_the_hosts_python_with_the_hosts_qt() -> None:
    assert Qt.__binding__ == _BINDINGS[sys.version_info[:2]]


@pytest.mark.parametrize("name", ["numpy", "grpc", "google", "typer"])
def test_what_the_client_needs_elsewhere_is_not_even_there(name: str) -> None:
    assert importlib.util.find_spec(name) is None


@pytest.mark.parametrize("name", ["masklet.hosting", "masklet.outputs", "masklet.said", "masklet_panel"])
def test_every_module_of_ours_can_be_imported_here(name: str) -> None:
    """Each by itself, so that one which nobody needs yet is not found out in an artist's hands."""
    package = importlib.import_module(name)

    found = [info.name for info in pkgutil.walk_packages(package.__path__, f"{name}.")]

    assert len(found) > 1
    for module in found:
        importlib.import_module(module)


def test_a_click_of_the_mouse_reaches_a_button(application: QtWidgets.QApplication) -> None:
    clicks = []
    button = QtWidgets.QPushButton("Track")
    button.clicked.connect(lambda *_: clicks.append(True))
    button.show()

    QtTest.QTest.mouseClick(button, QtCore.Qt.MouseButton.LeftButton)

    assert clicks == [True]


def test_letters_are_drawn_and_not_boxes(application: QtWidgets.QApplication) -> None:
    def drawn(text: str) -> bytes:
        image = QtGui.QImage(60, 20, QtGui.QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QtGui.QPainter(image)
        painter.setPen(QtGui.QColor("white"))
        painter.drawText(2, 15, text)
        painter.end()
        return bytes(image.constBits())

    assert len({drawn(letter) for letter in "AEO"}) == 3
