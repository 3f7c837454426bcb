"""Kept versions of a track: a wipe between one and the other, and the way back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from masklet.hosting.notices import Notice
from masklet.hosting.shortcuts import Action, tooltip
from masklet.hosting.shown.track_versions import Wipe
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from masklet.hosting.shown.track_versions import TrackVersion
    from masklet_panel.workspace import Workspace

_STEPS = 1000


class VersionsPanel(QtWidgets.QWidget):
    """What the masks were before they were tracked again.

    Args:
        workspace: Whose plate and view.
        parent: As ever.
    """

    def __init__(self, workspace: Workspace, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._view = workspace.model, workspace.view
        self._versions: tuple[TrackVersion, ...] = ()
        self._plate: object = None
        self.list = QtWidgets.QListWidget()
        self.list.setAccessibleName(phrase("Versions of the track"))
        self.list.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.list.setToolTip(phrase("What the masks were before each track; the newest is last"))
        self.list.currentRowChanged.connect(lambda row: self._chosen())
        self.wipe = QtWidgets.QCheckBox(phrase("Wipe: this version left, now right"))
        self.wipe.setToolTip(tooltip(phrase("Wipe between the track before and this one"), Action.WIPE))
        self.wipe.toggled.connect(lambda on: self._show_wipe())
        self.position = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.position.setRange(0, _STEPS)
        self.position.setValue(_STEPS // 2)
        self.position.setAccessibleName(phrase("Where the wipe stands"))
        self.position.setToolTip(phrase("Where the wipe stands"))
        self.position.valueChanged.connect(lambda value: self._show_wipe())
        self.back = QtWidgets.QPushButton(phrase("Say again what was said then"))
        self.back.setToolTip(
            phrase("Prompts, locks and matte settings of this version again; track again for its masks")
        )
        self.back.clicked.connect(lambda *_: self.go_back())
        self._nothing = QtWidgets.QLabel(phrase("A track that is tracked over is kept here, to compare."))
        self._nothing.setWordWrap(True)
        self._nothing.setEnabled(False)
        column = QtWidgets.QVBoxLayout(self)
        gap = round(theme.line_px(self) * 0.35)
        column.setContentsMargins(gap * 2, gap, gap * 2, gap)
        column.setSpacing(gap)
        for widget in (self._nothing, self.list, self.wipe, self.position, self.back):
            column.addWidget(widget)
        column.addStretch(1)
        for signal in (self._model.states_changed, self._model.plate_changed, self._model.work_changed):
            signal.connect(self.refresh)
        self._view.changed.connect(self._follow)
        self.refresh()

    @property
    def version(self) -> TrackVersion | None:
        """The version that is chosen; None for none."""
        row = self.list.currentRow()
        return self._versions[row] if 0 <= row < len(self._versions) else None

    def toggle_wipe(self) -> None:
        """Wipe, or not any more."""
        if self._versions:
            self.wipe.setChecked(not self.wipe.isChecked())
        else:
            words = phrase("There is no version to compare with yet: one is kept when you track again")
            self._model.tell(Notice(words, is_alarm=False))

    def go_back(self) -> None:
        """Say again what had been said when the version was tracked: one step of undo."""
        version = self.version
        if version is None or version.document is None:
            return
        self._model.edit(version.document)
        words = phrase(
            "What was said then is said again: track again for the masks of version {number}",
            number=version.number,
        )
        self._model.tell(Notice(words, is_alarm=False))

    def refresh(self) -> None:
        """Show what versions there are now."""
        versions = self._model.versions
        if self._plate is not self._model.plate:
            self._plate = self._model.plate
            self.wipe.setChecked(False)
        if versions != self._versions:
            self._versions = versions
            self.list.blockSignals(True)
            self.list.clear()
            for version in versions:
                self.list.addItem(_words(version))
            self.list.setCurrentRow(len(versions) - 1)
            self.list.blockSignals(False)
            if not versions:
                self.wipe.setChecked(False)
            self._show_wipe()
        self._nothing.setVisible(not versions)
        for widget in (self.list, self.wipe, self.position, self.back):
            widget.setVisible(bool(versions))
        self._chosen(wipes=False)

    def _chosen(self, *, wipes: bool = True) -> None:
        version = self.version
        self.back.setEnabled(version is not None and version.document is not None)
        self.position.setEnabled(self.wipe.isChecked())
        if wipes:
            self._show_wipe()

    def _show_wipe(self) -> None:
        version = self.version
        wipe = None
        if self.wipe.isChecked() and version is not None:
            wipe = Wipe(version, None, self.position.value() / _STEPS)
        self.position.setEnabled(self.wipe.isChecked())
        self._view.change(wipe=wipe, before=version)

    def _follow(self) -> None:
        """The line of the wipe may be dragged in the viewer."""
        wipe = self._view.look.wipe
        if wipe is not None and round(wipe.position * _STEPS) != self.position.value():
            self.position.blockSignals(True)
            self.position.setValue(round(wipe.position * _STEPS))
            self.position.blockSignals(False)


def _words(version: TrackVersion) -> str:
    kept = time.strftime("%H:%M:%S", time.localtime(version.kept_s))
    frames = sorted({frame for _, frame in version.masks})
    return phrase(
        "Version {number}, until {time}\n{count} masks, frames {first}-{last}",
        number=version.number,
        time=kept,
        count=len(version.masks),
        first=frames[0],
        last=frames[-1],
    )
