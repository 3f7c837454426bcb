"""What was said before each edit: the panel's own undo, over everything said and how objects look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.hosting.kept_plate import KeptPlate, Look
    from masklet.said.documents import Document

_STEPS = 500


@dataclass(frozen=True)
class Step:
    """What one step brings back."""

    document: Document
    looks: Mapping[str, Look]

    @staticmethod
    def of(kept: KeptPlate) -> Step:
        """What is said and shown now."""
        return Step(kept.document, dict(kept.looks))


class EditHistory:
    """Steps back and forth. A value that is dragged makes one step, however many edits it takes."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._is_dragging = False

    def note(self, before: Step, *, drags: bool) -> None:
        """Something else is said from now on than before."""
        if not (drags and self._is_dragging):
            self._done = [*self._done, before][-_STEPS:]
        self._is_dragging = drags
        self._undone = []

    def end_drag(self) -> None:
        """The value was let go: the next one is a step of its own."""
        self._is_dragging = False

    @property
    def can_undo(self) -> bool:
        """True where something can be taken back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """True where something that was taken back can be said again."""
        return bool(self._undone)

    def undo(self, now: Step) -> Step | None:
        """What is to be said instead of now; None where there is nothing to take back."""
        return self._move(self._done, self._undone, now)

    def redo(self, now: Step) -> Step | None:
        """The same the other way."""
        return self._move(self._undone, self._done, now)

    def _move(self, source: list[Step], target: list[Step], now: Step) -> Step | None:
        self._is_dragging = False
        if not source:
            return None
        target.append(now)
        return source.pop()
