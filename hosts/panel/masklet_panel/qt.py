"""Qt, as the interpreter has it: PySide6, or PySide2 where a host still brings that one.

Whatever is not the same in both is settled here, and nowhere else in the panel.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Checked twice: for 3.10 against the types of PySide2, for later ones against those of PySide6.
    if sys.version_info >= (3, 11):
        from PySide6 import QtCore, QtGui, QtWidgets

        # What a table is asked and answers; for annotations alone.
        Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex
        Role = int
        ItemFlags = QtCore.Qt.ItemFlag
        DropActions = QtCore.Qt.DropAction
    else:
        from PySide2 import QtCore, QtGui, QtWidgets

        Index = QtCore.QModelIndex
        Role = QtCore.Qt.ItemDataRole
        ItemFlags = QtCore.Qt.ItemFlags
        DropActions = QtCore.Qt.DropActions
    Signal = QtCore.Signal
else:
    from Qt import QtCore, QtGui, QtWidgets

    # Qt.py names it so whatever the binding calls it.
    Signal = QtCore.Signal

__all__ = ["QtCore", "QtGui", "QtWidgets", "Signal", "position_of", "run"]


def run(modal: QtCore.QCoreApplication | QtWidgets.QDialog) -> int:
    """Run an application until it quits, or a dialog until it is closed, and return how that ended."""
    start = getattr(modal, "exec", None) or getattr(modal, "exec_")  # noqa: B009
    return int(start())


def position_of(event: Any) -> QtCore.QPointF:
    """Where a mouse event happened, in the widget's own coordinates."""
    # PySide2 has localPos, PySide6 position.
    found = event.position() if hasattr(event, "position") else event.localPos()
    return QtCore.QPointF(found)
