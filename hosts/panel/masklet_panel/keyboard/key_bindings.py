"""Keys of the panel: what a control does not use itself is looked up in the table of shortcuts.

Hosts have shortcuts of their own on the same keys. Qt asks whoever has the focus, and what is around it,
whether a key is theirs before a host's shortcut gets it: inside the panel it is the panel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.shortcuts import Action, shortcuts
from masklet_panel.qt import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    from masklet.hosting.shortcuts import Shortcut
    from masklet_panel.keyboard.actions import Actions

_WITH_TEXT = (QtWidgets.QLineEdit, QtWidgets.QAbstractSpinBox, QtWidgets.QTextEdit, QtWidgets.QPlainTextEdit)
_PRESSED = (QtWidgets.QAbstractButton, QtWidgets.QComboBox)


class KeyBindings(QtCore.QObject):
    """Listens to a panel and everything in it.

    Args:
        panel: Whose keys, with those that its controls leave.
        actions: Does what they ask for.
    """

    def __init__(self, panel: QtWidgets.QWidget, actions: Actions) -> None:
        super().__init__(panel)
        self._actions = actions
        self._by_key: dict[str, tuple[Shortcut, int]] = {}
        for shortcut in shortcuts():
            if shortcut.action in actions.known:
                for number, key in enumerate(shortcut.keys, 1):
                    self._by_key[_canonical(key)] = (shortcut, number)
        panel.installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Take a key that reached the panel."""
        kinds = QtCore.QEvent.Type
        if event.type() == kinds.ShortcutOverride and isinstance(event, QtGui.QKeyEvent):
            if self._found(event) is not None:
                event.accept()
                return True
        elif event.type() == kinds.KeyPress and isinstance(event, QtGui.QKeyEvent):
            found = self._found(event)
            if found is not None:
                shortcut, number = found
                if not event.isAutoRepeat() or shortcut.repeats:
                    self._actions.perform(shortcut.action, number)
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def _found(self, event: QtGui.QKeyEvent) -> tuple[Shortcut, int] | None:
        """What a key asks for; None where it is a letter of a text, or presses a button."""
        focus = QtWidgets.QApplication.focusWidget()
        if isinstance(focus, _WITH_TEXT) and not _is_command(event):
            return None
        keys = QtCore.Qt.Key
        if isinstance(focus, _PRESSED) and event.key() in (keys.Key_Space, keys.Key_Up, keys.Key_Down):
            return None
        for written in _written(event):
            if written in self._by_key:
                return self._by_key[written]
        return None


def _is_command(event: QtGui.QKeyEvent) -> bool:
    """True for keys that nobody types into a field: Ctrl with a letter, but not those that edit text."""
    control = QtCore.Qt.KeyboardModifier.ControlModifier
    editing = (QtCore.Qt.Key.Key_Z, QtCore.Qt.Key.Key_Y, QtCore.Qt.Key.Key_Left, QtCore.Qt.Key.Key_Right)
    return bool(event.modifiers() & control) and event.key() not in editing


def _written(event: QtGui.QKeyEvent) -> list[str]:
    """A key as the table writes it; with Shift both as the sign that it makes and as the key."""
    modifiers = QtCore.Qt.KeyboardModifier
    parts = []
    if event.modifiers() & modifiers.ControlModifier:
        parts.append("Ctrl")
    if event.modifiers() & modifiers.AltModifier:
        parts.append("Alt")
    name = QtGui.QKeySequence(int(event.key())).toString(QtGui.QKeySequence.SequenceFormat.PortableText)
    if not name:
        return []
    plain = "+".join([*parts, name])
    if not event.modifiers() & modifiers.ShiftModifier:
        return [plain]
    shifted = "+".join([*parts, "Shift", name])
    # Where "+" and "?" lie is the keyboard's affair.
    return [shifted] if name.isalnum() else [shifted, plain]


def _canonical(key: str) -> str:
    return str(QtGui.QKeySequence(key).toString(QtGui.QKeySequence.SequenceFormat.PortableText))


def missing(actions: Actions) -> frozenset[Action]:
    """Actions of the table that a panel cannot do."""
    return frozenset(Action) - actions.known
