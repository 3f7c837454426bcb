"""Publishing from the panel: the sheet that all hosts share, laid out in Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.work.publishing import publish_job, rebuild_job
from masklet.phrases import phrase
from masklet.publish.sheet import PublishSheet, accepting, open_sheet
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from masklet.hosting.work.jobs import Job
    from masklet.publish.problems import Problem
    from masklet.publish.shots_of_files import ShotFolder
    from masklet_panel.panel_model import PanelModel


class PublishDialog(QtWidgets.QDialog):
    """Shows what the checks found, takes what the artist accepts, and publishes.

    Args:
        model: Where the work shows, and where it is told how it went.
        shot: Whose mattes lie in a folder.
        parent: Above which it lies.

    Attributes:
        sheet: As it is now.
        boxes: One for each problem that can be accepted.
        comment: For the manifest.

    Raises:
        MaskletError: The folder's record is damaged, or there is no place for a version.
    """

    def __init__(self, model: PanelModel, shot: ShotFolder, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.sheet = open_sheet(shot)
        self.boxes: list[tuple[QtWidgets.QCheckBox, Problem]] = []
        self.comment = QtWidgets.QLineEdit()
        self.comment.setAccessibleName(phrase("Comment"))
        self.comment.setPlaceholderText(phrase("For those who take the version"))
        self._lines = QtWidgets.QVBoxLayout()
        self._place = QtWidgets.QLabel()
        self._place.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._place.setWordWrap(True)
        roles = QtWidgets.QDialogButtonBox.ButtonRole
        self.buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Cancel)
        self.rebuild = self.buttons.addButton(phrase("Make Mattes Again"), roles.ActionRole)
        self.go = self.buttons.addButton(phrase("Publish"), roles.AcceptRole)
        self.buttons.accepted.connect(self.publish)
        self.buttons.rejected.connect(self.reject)
        self.rebuild.clicked.connect(lambda *_: self.make_again())
        line = round(theme.line_px(self))
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(line, line, line, line)
        column.addLayout(self._lines)
        column.addSpacing(line // 2)
        column.addWidget(self.comment)
        column.addWidget(self._place)
        column.addWidget(self.buttons)
        self.setMinimumWidth(line * 40)
        self._show()

    def publish(self) -> None:
        """Accept what is ticked; publish where nothing is left, else show what is."""
        ticked = [problem for box, problem in self.boxes if box.isChecked()]
        try:
            self.sheet = accepting(self.sheet, ticked)
        except MaskletError as error:
            self._model.tell(notice_of(error))
            return
        if not self.sheet.is_ready:
            self._show()
            return
        self._run(
            publish_job(
                self.sheet,
                self._uid,
                comment=self.comment.text().strip(),
                on_told=lambda told: self._model.tell(Notice(told, is_alarm=False)),
                on_end=self._ended,
            )
        )

    def make_again(self) -> None:
        """Track and write the mattes again, from the record of their run."""
        self._run(rebuild_job(self.sheet, self._uid, on_sheet=self._made_again, on_end=self._ended))

    @property
    def _uid(self) -> str:
        kept = self._model.kept
        return "" if kept is None else kept.uid

    def _run(self, job: Job) -> None:
        self._model.loop.run(job)
        self._model.work_changed.emit()
        self.accept()

    def _made_again(self, sheet: PublishSheet) -> None:
        again = phrase("The mattes were made again: publish them now")
        self._model.tell(Notice(again if sheet.is_ready else sheet.text, is_alarm=not sheet.is_ready))

    def _ended(self, error: MaskletError | None) -> None:
        self._model.work_changed.emit()
        if error is not None:
            self._model.tell(notice_of(error))

    def _show(self) -> None:
        """Lay out the checks anew."""
        sheet = self.sheet
        self.setWindowTitle(sheet.title)
        while self._lines.count():
            taken = self._lines.takeAt(0)
            widget = None if taken is None else taken.widget()
            if widget is not None:
                widget.deleteLater()
        self.boxes = []
        acceptable = sheet.acceptable
        for line in sheet.lines:
            mark = "✗" if line.problems else "✓"
            self._lines.addWidget(QtWidgets.QLabel(f"{mark}  {line.label}"))
            for problem in line.problems:
                words = QtWidgets.QLabel(problem.words)
                words.setWordWrap(True)
                words.setIndent(round(theme.line_px(self)) * 2)
                self._lines.addWidget(words)
                if problem in acceptable:
                    box = QtWidgets.QCheckBox(phrase("I have looked: it is right so"))
                    box.setAccessibleDescription(problem.words)
                    self.boxes.append((box, problem))
                    self._lines.addWidget(box)
        self.rebuild.setVisible(sheet.can_rebuild)
        self._place.setText(phrase("Goes to {folder}", folder=sheet.folder))
