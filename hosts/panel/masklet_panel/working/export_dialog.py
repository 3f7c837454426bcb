"""What is exported, and where to: mattes, shapes, anchors and files for every tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Existing
from masklet.errors import BadInputError, MaskletError
from masklet.events import MatteFormat
from masklet.exchange.files import TOOLS
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.work import plate_output
from masklet.hosting.work.plate_output import Written
from masklet.names import checked_stem, clip_stem
from masklet.outputs.extra_exports import DEFAULT_TOOL, ExtraExports
from masklet.outputs.output import Output
from masklet.phrases import phrase
from masklet.publish.shots_of_files import shots_of_folder
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtWidgets
from masklet_panel.working.farm_dialog import FarmDialog
from masklet_panel.working.publish_dialog import PublishDialog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet_panel.panel_model import PanelModel

_FORMATS = {
    MatteFormat.EXR_LAYERS: phrase("EXR, a layer for each object"),
    MatteFormat.EXR_PER_OBJECT: phrase("EXR, a sequence for each object"),
    MatteFormat.CRYPTOMATTE: phrase("Cryptomatte"),
    MatteFormat.PNG16: phrase("PNG, 16 bits"),
    MatteFormat.PNG8: phrase("PNG, 8 bits"),
}
_TOOL_NAMES = {
    "nuke": phrase("Nuke"),
    "fusion": phrase("Fusion"),
    "ae": phrase("After Effects"),
    "json": phrase("JSON"),
    "otio": phrase("OpenTimelineIO"),
}
_ANCHOR_NAMES = {
    AnchorKind.SIMILARITY: phrase("Similarity"),
    AnchorKind.AFFINE: phrase("Affine"),
    AnchorKind.PLANAR: phrase("Planar"),
    AnchorKind.CENTROID: phrase("Centroid"),
    AnchorKind.BOX: phrase("Box"),
    AnchorKind.TOP: phrase("Top"),
    AnchorKind.BOTTOM: phrase("Bottom"),
    AnchorKind.LEFT: phrase("Left"),
    AnchorKind.RIGHT: phrase("Right"),
}
_ABSENCES = {
    Absence.HOLD: phrase("hold"),
    Absence.EXTRAPOLATE: phrase("go on"),
    Absence.FADE: phrase("fade"),
    Absence.CUT: phrase("cut"),
}
_MOST_TOLD = 2


class ExportDialog(QtWidgets.QDialog):
    """Asks, and starts the export.

    Args:
        model: Whose plate.
        parent: Above which it lies.
    """

    def __init__(self, model: PanelModel, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setWindowTitle(phrase("Export"))
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        kept = model.kept
        path = Path.home() if kept is None else Path(kept.path)
        self.folder = QtWidgets.QLineEdit(str(path.parent / "mattes"))
        self.name = QtWidgets.QLineEdit()
        self.name.setPlaceholderText("" if kept is None else clip_stem(path.name))
        self.format = _choice(phrase("Format of mattes"), _FORMATS.values())
        self.whom = _choice(phrase("Whom"), (phrase("All objects"), phrase("Chosen objects")))
        span = model.span
        ranges = [phrase("The whole plate")]
        if span is not None:
            ranges.append(phrase("{first} to {last}", first=span.first, last=span.last))
        self.range = _choice(phrase("Frames"), ranges)
        self.range.setCurrentIndex(len(ranges) - 1)
        self.raw = QtWidgets.QCheckBox(phrase("Edges as tracked, not as the plate's pixels say"))
        self.overlay = QtWidgets.QCheckBox(phrase("Also a movie and a sheet to look at"))
        self.shapes = QtWidgets.QCheckBox(phrase("Shapes, off the edge by at most"))
        self.tolerance = QtWidgets.QDoubleSpinBox()
        self.tolerance.setRange(0.1, 50.0)
        self.tolerance.setSingleStep(0.1)
        self.tolerance.setValue(1.0)
        self.tolerance.setSuffix(phrase(" px"))
        self.anchors = {kind: QtWidgets.QCheckBox(words) for kind, words in _ANCHOR_NAMES.items()}
        self.absence = _choice(phrase("While the object is not seen"), _ABSENCES.values())
        self.tools = {tool: QtWidgets.QCheckBox(_TOOL_NAMES.get(tool, tool)) for tool in TOOLS}
        self.version = QtWidgets.QRadioButton(phrase("write into the next version: v001, v002, …"))
        self.keep = QtWidgets.QRadioButton(phrase("stop, and write nothing"))
        self.replace = QtWidgets.QRadioButton(phrase("replace what masklet wrote there"))
        self.keep.setChecked(True)
        self.buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Cancel)
        self._export = self.buttons.addButton(
            phrase("Export"), QtWidgets.QDialogButtonBox.ButtonRole.AcceptRole
        )
        self._publish = self.buttons.addButton(
            phrase("Publish …"), QtWidgets.QDialogButtonBox.ButtonRole.ActionRole
        )
        self._publish.setToolTip(phrase("Check what lies in the folder and publish it as the next version"))
        self._publish.clicked.connect(lambda *_: self.show_publish())
        self._farm = self.buttons.addButton(
            phrase("To the Farm …"), QtWidgets.QDialogButtonBox.ButtonRole.ActionRole
        )
        self._farm.setToolTip(phrase("Make a job of this shot, for the farm or the night"))
        self._farm.clicked.connect(lambda *_: self.show_farm())
        self.buttons.accepted.connect(self.export)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._name_all()

    def output(self) -> Output:
        """What is asked for.

        Raises:
            BadInputError: The name cannot be one of files.
        """
        anchors = tuple(kind for kind, box in self.anchors.items() if box.isChecked())
        tools = tuple(tool for tool, box in self.tools.items() if box.isChecked())
        if (self.shapes.isChecked() or anchors) and not tools:
            tools = (DEFAULT_TOOL,)
        absence = list(_ABSENCES)[self.absence.currentIndex()]
        stem = self.name.text().strip()
        return Output(
            Path(self.folder.text().strip()).expanduser(),
            list(_FORMATS)[self.format.currentIndex()],
            checked_stem(stem) if stem else None,
            self.raw.isChecked(),
            ExtraExports(self.shapes.isChecked(), self.tolerance.value(), anchors, absence, tools),
            self.overlay.isChecked(),
            Existing.REPLACE if self.replace.isChecked() else Existing.KEEP,
        )

    def export(self) -> None:
        """Start it, and close; how it goes is told in the panel."""
        model = self._model
        try:
            output = self.output()
        except MaskletError as error:
            model.tell(notice_of(error))
            return
        uids = model.selected if self.whom.currentIndex() else ()
        frames = model.span if self.range.currentIndex() else None
        next_version = self.version.isChecked()
        started = model.start(
            phrase("Exporting"),
            lambda session, job, server: plate_output.write(
                session, job, server, output, uids=uids, frames=frames, next_version=next_version
            ),
            on_made=lambda value: tell(model, value),
        )
        if started is not None:
            self.accept()

    def show_publish(self) -> PublishDialog | None:
        """Ask what is to be asked about the mattes in the folder, and publish them; None where none are."""
        folder = Path(self.folder.text().strip()).expanduser()
        try:
            shots = shots_of_folder(folder)
            if not shots:
                raise BadInputError(
                    phrase("{folder} holds no mattes to publish yet: export them first", folder=folder)
                )
            wanted = [shot for shot in shots if shot.name == self.name.text().strip()] or shots
            dialog = PublishDialog(self._model, wanted[0], self.parentWidget())
        except MaskletError as error:
            self._model.tell(notice_of(error))
            return None
        dialog.show()
        self.reject()
        return dialog

    def show_farm(self) -> FarmDialog | None:
        """Ask what is to be asked about a job of this shot; None where nothing is open."""
        if self._model.file is None:
            return None
        dialog = FarmDialog(self._model, self._model.file, self.parentWidget())
        dialog.show()
        self.reject()
        return dialog

    def ask_folder(self) -> None:
        """Ask where to."""
        chosen = QtWidgets.QFileDialog.getExistingDirectory(self, phrase("Export Into"), self.folder.text())
        if chosen:
            self.folder.setText(str(chosen))

    def _lay_out(self) -> None:
        line = round(theme.line_px(self))
        browse = QtWidgets.QPushButton(phrase("Choose …"))
        browse.clicked.connect(lambda *_: self.ask_folder())
        form = QtWidgets.QFormLayout()
        form.setLabelAlignment(QtCore.Qt.AlignmentFlag.AlignRight)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(phrase("Folder"), _beside(self.folder, browse))
        form.addRow(phrase("Names begin with"), self.name)
        form.addRow(phrase("Mattes"), self.format)
        form.addRow(phrase("Whom"), self.whom)
        form.addRow(phrase("Frames"), self.range)
        form.addRow("", self.raw)
        form.addRow("", self.overlay)
        form.addRow("", _beside(self.shapes, self.tolerance, stretches=False))
        anchors = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(anchors)
        grid.setContentsMargins(0, 0, 0, 0)
        for place, box in enumerate(self.anchors.values()):
            grid.addWidget(box, place // 3, place % 3)
        form.addRow(phrase("Anchors"), anchors)
        form.addRow(phrase("Unseen, anchors"), self.absence)
        form.addRow(phrase("Files for"), _beside(*self.tools.values(), stretches=False))
        there = QtWidgets.QVBoxLayout()
        for button in (self.keep, self.version, self.replace):
            there.addWidget(button)
        form.addRow(phrase("If files are there"), there)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(line, line, line, line)
        column.addLayout(form)
        column.addSpacing(line // 2)
        column.addWidget(self.buttons)
        self.setMinimumWidth(line * 44)

    def _name_all(self) -> None:
        """Screen readers hear labels beside fields only where they are told."""
        self.folder.setAccessibleName(phrase("Folder"))
        self.name.setAccessibleName(phrase("Names begin with"))
        self.tolerance.setAccessibleName(phrase("How far shapes may lie off the edge"))
        for kind, box in self.anchors.items():
            box.setAccessibleName(phrase("Anchor: {kind}", kind=_ANCHOR_NAMES[kind]))


def tell(model: PanelModel, value: object) -> None:
    """Say what was written."""
    if not isinstance(value, Written):
        return
    files = value.files
    count = len(files.mattes) + len(files.exports) + len(files.overlays)
    sentence: str = (
        phrase("1 file is in {folder}", folder=value.folder)
        if count == 1
        else phrase("{count} files are in {folder}", count=count, folder=value.folder)
    )
    if value.holes:
        sentence = phrase("{sentence}; {count} frames have no matte", sentence=sentence, count=value.holes)
    told = list(value.told[:_MOST_TOLD])
    if len(value.told) > _MOST_TOLD:
        told.append("…")
    if told:
        sentence = phrase("{sentence}; {told}", sentence=sentence, told="; ".join(told))
    model.tell(Notice(sentence, is_alarm=False))


def _choice(words: str, items: Iterable[str]) -> QtWidgets.QComboBox:
    made = QtWidgets.QComboBox()
    made.setAccessibleName(words)
    made.addItems([str(item) for item in items])
    return made


def _beside(*widgets: QtWidgets.QWidget, stretches: bool = True) -> QtWidgets.QWidget:
    made = QtWidgets.QWidget()
    row = QtWidgets.QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if stretches and place == 0 else 0)
    if not stretches:
        row.addStretch(1)
    return made
