"""How the mattes of the chosen objects are finished, live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.hosting import object_edits
from masklet.hosting.notices import notice_of
from masklet.matte_settings import MAX_GAMMA, MIN_GAMMA, MatteSettings
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from masklet_panel.panel_model import PanelModel

_PX = phrase(" px")
_WHOLE: tuple[tuple[str, str, str, int, int], ...] = (
    ("fill_holes_px", phrase("Fill holes"), phrase("Holes of up to this area are filled"), 100_000, 25),
    ("drop_specks_px", phrase("Drop specks"), phrase("Pieces of up to this area are dropped"), 100_000, 25),
)
_DECIMAL: tuple[tuple[str, str, str, float, float, float], ...] = (
    (
        "grow_px",
        phrase("Grow"),
        phrase("How far the edge moves outwards; below 0 shrinks"),
        -100,
        100,
        0.5,
    ),
    ("feather_px", phrase("Feather"), phrase("How wide the edge is softened"), 0.0, 200.0, 0.5),
    ("black", phrase("Black"), phrase("Coverage up to here becomes 0"), 0.0, 1.0, 0.01),
    ("white", phrase("White"), phrase("Coverage from here on becomes 1"), 0.0, 1.0, 0.01),
    ("gamma", phrase("Gamma"), phrase("Above 1 makes soft edges denser"), MIN_GAMMA, MAX_GAMMA, 0.05),
    ("calm", phrase("Calm"), phrase("How much flicker of the edge is evened out, 0 to 1"), 0.0, 1.0, 0.05),
)
_TICKS = (
    ("exclusive", phrase("Exclusive"), phrase("Exclusive objects never overlap")),
    ("invert", phrase("Invert"), phrase("What is inside becomes outside")),
)


class MattePanel(QtWidgets.QWidget):
    """Fields of :class:`masklet.matte_settings.MatteSettings`; the viewer follows while a value is dragged.

    Args:
        model: Whose objects.
        parent: As ever.
    """

    def __init__(self, model: PanelModel, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._fields: dict[str, Any] = {}
        form = QtWidgets.QFormLayout(self)
        line = round(theme.line_px(self) * 0.35)
        form.setContentsMargins(line * 2, line, line * 2, line)
        form.setSpacing(line)
        form.setLabelAlignment(QtCore.Qt.AlignmentFlag.AlignRight)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.setAccessibleName(phrase("Matte"))
        for name, words, tip, most, jump in _WHOLE:
            whole = QtWidgets.QSpinBox()
            whole.setRange(0, most)
            whole.setSingleStep(jump)
            whole.setSuffix(_PX)
            self._add(form, name, words, tip, whole)
            whole.valueChanged.connect(lambda value, name=name: self._take(name, int(value)))
        for name, words, tip, low, high, step in _DECIMAL:
            decimal = QtWidgets.QDoubleSpinBox()
            decimal.setRange(low, high)
            decimal.setDecimals(2 if step < 0.5 else 1)
            decimal.setSingleStep(step)
            decimal.setSuffix(_PX if name.endswith("_px") else "")
            self._add(form, name, words, tip, decimal)
            decimal.valueChanged.connect(lambda value, name=name: self._take(name, float(value)))
        for name, words, tip in _TICKS:
            tick = QtWidgets.QCheckBox(words)
            tick.setAccessibleName(words)
            tick.setToolTip(tip)
            form.addRow("", tick)
            self._fields[name] = tick
            tick.toggled.connect(lambda on, name=name: self._take(name, bool(on)))
        self._reset = QtWidgets.QPushButton(phrase("As tracked"))
        self._reset.setToolTip(phrase("Leave the mattes as they come"))
        self._reset.clicked.connect(lambda *_: self._set(MatteSettings()))
        form.addRow("", self._reset)
        for signal in (model.document_changed, model.selection_changed, model.plate_changed):
            signal.connect(self._show)
        self._show()

    @property
    def settings(self) -> MatteSettings:
        """Of the object that clicks are about."""
        said = self._model.said(self._model.active)
        return MatteSettings() if said is None else said.matte

    def field(self, name: str) -> Any:
        """The control of a setting, by its name."""
        return self._fields[name]

    def _add(
        self, form: QtWidgets.QFormLayout, name: str, words: str, tip: str, box: QtWidgets.QAbstractSpinBox
    ) -> None:
        box.setAccessibleName(words)
        box.setToolTip(tip)
        box.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        box.editingFinished.connect(self._model.end_drag)
        form.addRow(words, box)
        self._fields[name] = box

    def _take(self, name: str, value: object) -> None:
        try:
            settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        except ValueError as error:
            self._model.tell(notice_of(BadInputError(str(error))))
            self._show()
            return
        self._set(settings, drags=True)

    def _set(self, settings: MatteSettings, *, drags: bool = False) -> None:
        model = self._model
        if model.selected and settings != self.settings:
            model.edit(object_edits.with_matte(model.document, model.selected, settings), drags=drags)

    def _show(self) -> None:
        settings = self.settings
        self.setEnabled(bool(self._model.selected))
        for name, field in self._fields.items():
            value = getattr(settings, name)
            field.blockSignals(True)
            if isinstance(field, QtWidgets.QCheckBox):
                field.setChecked(value)
            elif field.value() != value:
                field.setValue(value)
            field.blockSignals(False)
        self._reset.setEnabled(not settings.is_plain)
