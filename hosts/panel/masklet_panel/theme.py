"""Colours and sizes that follow the host: its palette, its font, its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.shown.lanes import LaneState
from masklet_panel.qt import QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour
    from masklet_panel.qt import QtWidgets

_STATES = {
    # Far apart in lightness too, and each with a pattern of its own: see lane_painter.
    LaneState.PRESENT: (0.24, 0.62, 0.42),
    LaneState.UNCERTAIN: (0.98, 0.78, 0.20),
    LaneState.RIVAL: (0.95, 0.62, 0.35),
    LaneState.ABSENT: (0.50, 0.50, 0.53),
    LaneState.STALE: (0.86, 0.35, 0.16),
    LaneState.LOST: (0.45, 0.45, 0.50),
}
LOCKED = (0.45, 0.68, 1.0)
CUT = (0.95, 0.45, 0.75)


def qcolour(colour: Colour, opacity: float = 1.0) -> QtGui.QColor:
    """A colour of ours as Qt has them."""
    return QtGui.QColor.fromRgbF(colour[0], colour[1], colour[2], opacity)


def state_colour(state: LaneState) -> QtGui.QColor:
    """Of a run of frames."""
    return qcolour(_STATES[state])


def role(widget: QtWidgets.QWidget, name: QtGui.QPalette.ColorRole) -> QtGui.QColor:
    """A colour of the widget's palette, disabled where the widget is."""
    return widget.palette().color(name)


def mixed(one: QtGui.QColor, other: QtGui.QColor, share: float) -> QtGui.QColor:
    """So much of the second in the first."""
    keep = 1.0 - share
    return QtGui.QColor.fromRgbF(
        one.redF() * keep + other.redF() * share,
        one.greenF() * keep + other.greenF() * share,
        one.blueF() * keep + other.blueF() * share,
    )


def line_px(widget: QtWidgets.QWidget) -> float:
    """Height of a line of text: what all sizes are multiples of, so that they grow with the host's font."""
    return float(widget.fontMetrics().height())


def dark_palette() -> QtGui.QPalette:
    """What the window on the desktop wears; inside a host the host's own palette is left alone."""
    palette = QtGui.QPalette()
    roles = QtGui.QPalette.ColorRole
    for name, grey in (
        (roles.Window, 46),
        (roles.Base, 34),
        (roles.AlternateBase, 40),
        (roles.Button, 62),
        (roles.ToolTipBase, 28),
        (roles.Light, 84),
        (roles.Midlight, 72),
        (roles.Mid, 38),
        (roles.Dark, 28),
        (roles.Shadow, 16),
        (roles.Text, 218),
        (roles.WindowText, 214),
        (roles.ButtonText, 214),
        (roles.ToolTipText, 214),
        (roles.BrightText, 255),
        (roles.PlaceholderText, 128),
    ):
        palette.setColor(name, QtGui.QColor(grey, grey, grey))
    palette.setColor(roles.Highlight, QtGui.QColor(64, 124, 192))
    palette.setColor(roles.HighlightedText, QtGui.QColor(255, 255, 255))
    palette.setColor(roles.Link, QtGui.QColor(120, 176, 240))
    for name in (roles.Text, roles.WindowText, roles.ButtonText):
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, name, QtGui.QColor(118, 118, 118))
    palette.setColor(QtGui.QPalette.ColorGroup.Disabled, roles.Highlight, QtGui.QColor(78, 78, 78))
    return palette
