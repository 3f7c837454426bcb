"""The line of a wipe, which the hand drags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet_panel.qt import QtCore
    from masklet_panel.view_state import ViewState

_GRIP_PX = 6.0
"""How far beside the line it is still held."""


class WipeHandle:
    """Moves the line of the wipe that is shown.

    Args:
        view: Whose wipe.
    """

    def __init__(self, view: ViewState) -> None:
        self._view = view
        self.is_held = False

    def is_under(self, at: QtCore.QPointF, plate: QtCore.QRectF) -> bool:
        """True where a place in the viewer is on the line; the plate lies in a rectangle."""
        wipe = self._view.look.wipe
        return wipe is not None and abs(at.x() - (plate.left() + plate.width() * wipe.position)) <= _GRIP_PX

    def take(self, at: QtCore.QPointF, plate: QtCore.QRectF) -> bool:
        """Hold the line if it is there; True where it is held now."""
        self.is_held = self.is_under(at, plate)
        return self.is_held

    def drag(self, at: QtCore.QPointF, plate: QtCore.QRectF) -> None:
        """Put the line to where the hand is, no further than the plate's edges."""
        wipe = self._view.look.wipe
        if wipe is not None and plate.width() > 0:
            share = (at.x() - plate.left()) / plate.width()
            self._view.change(wipe=replace(wipe, position=min(1.0, max(0.0, share))))

    def let_go(self) -> None:
        """The hand has let go."""
        self.is_held = False
