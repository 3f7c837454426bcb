"""Looks at disks in a thread: one that hangs, or holds many files, must not hold the interface."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from masklet.errors import MaskletError
from masklet_panel.qt import QtCore, Signal

ValueT = TypeVar("ValueT")


def _ignore(error: MaskletError) -> None:
    del error


class FileFinder(QtCore.QObject):
    """Answers the last question that was put to it, in the thread of whoever asks.

    Args:
        parent: As ever.
    """

    _answered = Signal(int, object)

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._asked = 0
        self._is_waiting = False
        self._take: Callable[[Any], None] = _ignore
        self._refused: Callable[[MaskletError], None] = _ignore
        self._answered.connect(self._take_answer)

    @property
    def is_waiting(self) -> bool:
        """True until the last question is answered."""
        return self._is_waiting

    def ask(
        self,
        look: Callable[[], ValueT],
        take: Callable[[ValueT], None],
        refused: Callable[[MaskletError], None] = _ignore,
    ) -> None:
        """Look in a thread, then have the answer taken; that of a question before it is not waited for.

        Args:
            look: Called in the thread.
            take: Given what it returns.
            refused: Given the error that it raises.
        """
        self._asked, self._is_waiting = self._asked + 1, True
        number, self._take, self._refused = self._asked, take, refused

        def find() -> None:
            try:
                answer: object = look()
            except MaskletError as error:
                answer = error
            # The panel may have gone meanwhile.
            with suppress(RuntimeError):
                self._answered.emit(number, answer)

        threading.Thread(target=find, daemon=True, name="masklet-files").start()

    def forget(self) -> None:
        """Nobody waits for the answer any more."""
        self._asked, self._is_waiting = self._asked + 1, False

    def _take_answer(self, number: int, answer: object) -> None:
        if number != self._asked:
            return
        self._is_waiting = False
        if isinstance(answer, MaskletError):
            self._refused(answer)
        else:
            self._take(answer)
