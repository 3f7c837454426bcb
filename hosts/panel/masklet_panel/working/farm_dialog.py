"""Submitting to a farm from the panel: the sheet that all hosts share, laid out in Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.farm.sheet import FIELDS, FarmSheet
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.work.farming import proposed, submit_job
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.errors import MaskletError
    from masklet_panel.panel_model import PanelModel


class FarmDialog(QtWidgets.QDialog):
    """Asks what is to be asked, and makes a job of the open plate's document.

    Args:
        model: Where the work shows, and where it is told how it went.
        document: Of the plate.
        parent: Above which it lies.

    Attributes:
        lines: The widget of each field, by its name.
    """

    def __init__(self, model: PanelModel, document: Path, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._sheet = proposed(document, model.host.connection_settings())
        self.setWindowTitle(phrase("Submit to the Farm"))
        form = QtWidgets.QFormLayout()
        self.lines: dict[str, QtWidgets.QCheckBox | QtWidgets.QComboBox | QtWidgets.QLineEdit] = {}
        for field in FIELDS:
            label, value = phrase(field.label), self._sheet.value(field.name)
            widget: QtWidgets.QCheckBox | QtWidgets.QComboBox | QtWidgets.QLineEdit
            if isinstance(value, bool):
                widget = QtWidgets.QCheckBox(label)
                widget.setChecked(value)
                form.addRow(widget)
            elif field.choices:
                widget = QtWidgets.QComboBox()
                widget.addItems(list(field.choices))
                widget.setCurrentText(value)
                form.addRow(label, widget)
            else:
                widget = QtWidgets.QLineEdit(value)
                form.addRow(label, widget)
            widget.setAccessibleName(label)
            widget.setToolTip(phrase(field.tip))
            self.lines[field.name] = widget
        self.buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton(phrase("Submit"), QtWidgets.QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.submit)
        self.buttons.rejected.connect(self.reject)
        line = round(theme.line_px(self))
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(line, line, line, line)
        column.addLayout(form)
        column.addWidget(self.buttons)
        self.setMinimumWidth(line * 36)

    @property
    def sheet(self) -> FarmSheet:
        """As it is filled in."""
        sheet = self._sheet
        for name, widget in self.lines.items():
            if isinstance(widget, QtWidgets.QCheckBox):
                sheet = sheet.with_value(name, widget.isChecked())
            elif isinstance(widget, QtWidgets.QComboBox):
                sheet = sheet.with_value(name, widget.currentText())
            else:
                sheet = sheet.with_value(name, widget.text())
        return sheet

    def submit(self) -> None:
        """Make the job, and close; what came of it is told in the panel."""
        model, kept = self._model, self._model.kept

        def ended(error: MaskletError | None) -> None:
            model.work_changed.emit()
            if error is not None:
                model.tell(notice_of(error))

        job = submit_job(
            self.sheet,
            "" if kept is None else kept.uid,
            on_told=lambda told: model.tell(Notice(told, is_alarm=False)),
            on_end=ended,
        )
        model.loop.run(job)
        model.work_changed.emit()
        self.accept()
