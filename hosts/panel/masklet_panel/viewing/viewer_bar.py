"""The bar above the viewer: what the hand does, how masks are shown, exposure, gamma and zoom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from masklet.hosting.shortcuts import Action, tooltip
from masklet.phrases import phrase
from masklet.pictures import Grade
from masklet_panel.icons import adds_icon, overlay_icon, tool_icon
from masklet_panel.qt import QtCore, QtWidgets
from masklet_panel.view_state import Mode, Tool
from masklet_panel.viewing.background_button import BackgroundButton

if TYPE_CHECKING:
    from masklet_panel.viewing.viewer import Viewer
    from masklet_panel.workspace import Workspace

_STOPS = 8.0


class ViewerBar(QtWidgets.QWidget):
    """Controls of one viewer.

    Args:
        workspace: Whose view.
        viewer: Told what zoom it shows.
    """

    def __init__(self, workspace: Workspace, viewer: Viewer) -> None:
        super().__init__()
        self._view = workspace.view
        self._viewer = viewer
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        row.setSpacing(4)
        self._tools = self._tool_buttons(row)
        self._adds = self._button("", phrase("Clicks add or take away"), checkable=True)
        self._adds.setToolTip(tooltip(phrase("Clicks add; Alt or Shift does the other"), Action.CLICKS_ADD))
        self._adds.toggled.connect(lambda on: self._view.change(adds=not on))
        row.addWidget(self._adds)
        row.addSpacing(8)
        self._mode = QtWidgets.QComboBox()
        self._mode.setAccessibleName(phrase("How masks are shown"))
        self._mode.setToolTip(phrase("How masks are shown"))
        for mode in Mode:
            self._mode.addItem(str(mode.value), mode.name)
        self._mode.activated.connect(lambda place: self._view.change(mode=list(Mode)[place]))
        row.addWidget(self._mode)
        self._opacity = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setFixedWidth(70)
        self._opacity.setAccessibleName(phrase("Opacity of masks"))
        self._opacity.setToolTip(phrase("Opacity of masks"))
        self._opacity.valueChanged.connect(lambda value: self._view.change(opacity=value / 100))
        row.addWidget(self._opacity)
        row.addWidget(BackgroundButton(workspace.view))
        self._overlays = self._overlay_buttons(row)
        row.addSpacing(8)
        self._exposure = self._number(phrase("Exposure"), phrase(" stops"), -_STOPS, _STOPS, 0.25)
        self._gamma = self._number(phrase("Gamma"), "", 0.2, 5.0, 0.05)
        for box in (self._exposure, self._gamma):
            box.valueChanged.connect(self._take_grade)
        row.addWidget(self._label("EV"))
        row.addWidget(self._exposure)
        row.addWidget(self._label("γ"))
        row.addWidget(self._gamma)
        row.addStretch(1)
        self._zoom = self._label("")
        self._zoom.setMinimumWidth(44)
        self._zoom.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._zoom)
        fit = self._button(phrase("Fit"), tooltip(phrase("Fit the plate to the viewer"), Action.FIT))
        fit.clicked.connect(lambda *_: self._view.fit_asked.emit())
        row.addWidget(fit)
        one = self._button("1:1", tooltip(phrase("One pixel for one pixel"), Action.ONE_TO_ONE))
        one.clicked.connect(lambda *_: self._view.scale_asked.emit(1.0))
        row.addWidget(one)
        self._draw_icons()
        self._view.changed.connect(self._show)
        viewer.moved.connect(self._show_zoom)
        self._show()

    def changeEvent(self, event: QtCore.QEvent) -> None:
        """The host's palette may change."""
        if event.type() == QtCore.QEvent.Type.PaletteChange:
            self._draw_icons()
        super().changeEvent(event)

    def _draw_icons(self) -> None:
        for tool, button in self._tools.items():
            button.setIcon(tool_icon(tool, self.palette()))
        for name, button in self._overlays.items():
            button.setIcon(overlay_icon(name, self.palette()))

    def _tool_buttons(self, row: QtWidgets.QHBoxLayout) -> dict[Tool, QtWidgets.QToolButton]:
        group = QtWidgets.QButtonGroup(self)
        made = {}
        for tool in Tool:
            button = self._button("", str(tool.value), checkable=True)
            group.addButton(button)
            button.clicked.connect(self._chooser(tool))
            row.addWidget(button)
            made[tool] = button
        return made

    def _overlay_buttons(self, row: QtWidgets.QHBoxLayout) -> dict[str, QtWidgets.QToolButton]:
        made = {}
        for name, words in (
            ("prompts", phrase("Clicks, boxes and strokes")),
            ("splines", phrase("Splines; fitted while they show")),
            ("anchors", phrase("Anchors; made while they show")),
        ):
            button = self._button("", words, checkable=True)
            button.toggled.connect(self._shower(f"shows_{name}"))
            row.addWidget(button)
            made[name] = button
        return made

    def _shower(self, setting: str) -> Callable[[bool], None]:
        return lambda on: self._view.change(**{setting: on})

    def _chooser(self, tool: Tool) -> Callable[..., None]:
        return lambda *_: self._view.change(tool=tool)

    def _button(self, text: str, words: str, *, checkable: bool = False) -> QtWidgets.QToolButton:
        button = QtWidgets.QToolButton()
        button.setText(text)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setCheckable(checkable)
        button.setAutoRaise(True)
        button.setIconSize(QtCore.QSize(20, 20))
        return button

    def _number(
        self, words: str, unit: str, low: float, high: float, step: float
    ) -> QtWidgets.QDoubleSpinBox:
        box = QtWidgets.QDoubleSpinBox()
        box.setRange(low, high)
        box.setSingleStep(step)
        box.setDecimals(2)
        box.setAccessibleName(words)
        box.setToolTip(f"{words}{unit}")
        box.setFixedWidth(64)
        box.setKeyboardTracking(False)
        box.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.UpDownArrows)
        return box

    def _label(self, text: str) -> QtWidgets.QLabel:
        label = QtWidgets.QLabel(text)
        label.setEnabled(False)
        return label

    def _take_grade(self, value: float) -> None:
        del value
        self._view.change(grade=Grade(self._exposure.value(), self._gamma.value()))

    def _show(self) -> None:
        look = self._view.look
        self._tools[look.tool].setChecked(True)
        self._adds.setIcon(adds_icon(adds=look.adds))
        for widget in (self._adds, self._opacity, self._exposure, self._gamma):
            widget.blockSignals(True)
        self._adds.setChecked(not look.adds)
        self._mode.setCurrentIndex(list(Mode).index(look.mode))
        self._opacity.setValue(round(look.opacity * 100))
        self._exposure.setValue(look.grade.exposure_stops)
        self._gamma.setValue(look.grade.gamma)
        for widget in (self._adds, self._opacity, self._exposure, self._gamma):
            widget.blockSignals(False)
        self._opacity.setEnabled(look.mode is Mode.COLOUR)
        for name, button in self._overlays.items():
            button.setChecked(bool(getattr(look, f"shows_{name}")))

    def _show_zoom(self) -> None:
        percent = self._viewer.placement.scale * self._viewer.devicePixelRatioF() * 100
        self._zoom.setText(f"{percent:.0f} %")
