"""The bar of tracking: which way, whom, how far it is, and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.reviewing import bad_frame_sentence, no_bad_frame_sentence
from masklet.hosting.sentences import short_progress_text
from masklet.hosting.shortcuts import Action, tooltip
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.controls import SymbolButton
from masklet_panel.qt import QtCore, QtWidgets
from masklet_panel.symbols import Symbol

if TYPE_CHECKING:
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.working.tracking import Tracking

_LONG_S = 90.0


class TrackBar(QtWidgets.QWidget):
    """Buttons of tracking on the left, what runs on the right.

    Args:
        model: Whose plate.
        tracking: Does it.
        parent: As ever.
    """

    def __init__(
        self, model: PanelModel, tracking: Tracking, parent: QtWidgets.QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model, self._tracking = model, tracking
        self._tracks = (
            self._button(Symbol.BACKWARD, phrase("Track backward"), tracking.backward, Action.TRACK_BACKWARD),
            self._button(Symbol.BOTH, phrase("Track both ways"), tracking.both, Action.TRACK_BOTH),
            self._button(Symbol.FORWARD, phrase("Track forward"), tracking.forward, Action.TRACK_FORWARD),
            self._button(Symbol.ONE, phrase("Track one frame"), tracking.one, Action.TRACK_ONE),
            self._button(
                Symbol.STALE,
                phrase("Track again what is out of date"),
                tracking.stale,
                Action.TRACK_STALE,
            ),
        )
        self._whom = QtWidgets.QComboBox()
        self._whom.setAccessibleName(phrase("Whom to track"))
        self._whom.setToolTip(phrase("Whom to track"))
        self._whom.addItems([phrase("All objects"), phrase("Chosen objects")])
        self._whom.activated.connect(lambda place: tracking.set_all_objects(on=place == 0))
        self._bad_back = self._button(
            Symbol.BAD_BACK, phrase("Bad frame before this one"), self.bad_back, Action.BAD_FRAME_BACK
        )
        self._bad_on = self._button(Symbol.BAD_ON, phrase("Next bad frame"), self.bad_on, Action.BAD_FRAME_ON)
        self._undo = self._button(Symbol.UNDO, phrase("Undo"), model.undo, Action.UNDO)
        self._redo = self._button(Symbol.REDO, phrase("Redo"), model.redo, Action.REDO)
        self._others: list[SymbolButton] = []
        self._try = QtWidgets.QPushButton(phrase("Try Policy"))
        self._try.setAccessibleName(phrase("Try Policy"))
        self._try.clicked.connect(lambda *_: tracking.try_policy())
        self._words = QtWidgets.QLabel()
        self._words.setAccessibleName(phrase("What runs"))
        self._words.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setAccessibleName(phrase("How far it is"))
        self._bar.setTextVisible(False)
        line = theme.line_px(self)
        self._bar.setFixedHeight(round(line * 0.5))
        self._bar.setMinimumWidth(round(line * 6))
        self._bar.setMaximumWidth(round(line * 14))
        self._stop = QtWidgets.QPushButton(phrase("Stop"))
        self._stop.setAccessibleName(phrase("Stop"))
        self._stop.setToolTip(tooltip(phrase("Stop and keep what is done"), Action.CANCEL))
        self._stop.clicked.connect(lambda *_: model.cancel())
        self._lay_out()
        for signal in (
            model.work_changed,
            model.plate_changed,
            model.document_changed,
            model.selection_changed,
            tracking.changed,
        ):
            signal.connect(self._show)
        self._show()

    def add_button(self, symbol: Symbol, words: str, pressed: object, action: Action) -> SymbolButton:
        """One more button, at the end of those on the left; it is off while no plate is open."""
        made = self._button(symbol, words, pressed, action)
        self._others.append(made)
        made.setEnabled(self._model.plate is not None)
        row = self.layout()
        assert isinstance(row, QtWidgets.QHBoxLayout)
        row.insertWidget(row.indexOf(self._redo) + len(self._others), made)
        return made

    def bad_on(self) -> None:
        """Go to the next frame that needs a look, and make its object the active one."""
        self._go_to_bad(backward=False)

    def bad_back(self) -> None:
        """The same before this one."""
        self._go_to_bad(backward=True)

    def text(self) -> str:
        """What runs, in words: how far, how fast, until when, or which place in line."""
        job, progress = self._model.job, self._model.progress
        if job is None or progress is None:
            return ""
        text: str = short_progress_text(job)
        if job.waiting is None and progress.frames_per_s > 0 and progress.total:
            text = phrase("{text}, {rate} per second", text=text, rate=_rate(progress.frames_per_s))
            if progress.left_s is not None:
                text = phrase("{text}, {time} left", text=text, time=_time(progress.left_s))
        return text

    def _button(self, symbol: Symbol, words: str, pressed: object, action: Action) -> SymbolButton:
        assert callable(pressed)
        return SymbolButton(symbol, words, pressed, action, self)

    def _lay_out(self) -> None:
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(2)
        gap = round(theme.line_px(self) * 0.6)
        for button in self._tracks:
            row.addWidget(button)
        row.addSpacing(gap)
        row.addWidget(self._whom)
        row.addSpacing(gap)
        for button in (self._bad_back, self._bad_on):
            row.addWidget(button)
        row.addSpacing(gap)
        for button in (self._undo, self._redo):
            row.addWidget(button)
        row.addWidget(self._try)
        row.addStretch(1)
        row.addWidget(self._words)
        row.addSpacing(gap)
        row.addWidget(self._bar)
        row.addSpacing(gap)
        row.addWidget(self._stop)

    def _show(self) -> None:
        model, job = self._model, self._model.job
        is_open = model.plate is not None
        self._words.setText(self.text())
        self._bar.setVisible(job is not None)
        self._stop.setVisible(job is not None)
        if job is not None:
            waits = job.waiting is not None or not job.total
            self._bar.setRange(0, 0 if waits else job.total)
            self._bar.setValue(job.done)
            self._stop.setEnabled(not job.is_cancelled)
        has_words = any(said.frames for said in model.document)
        for button in self._tracks:
            button.setEnabled(is_open and job is None and has_words)
        for button in (self._bad_back, self._bad_on, *self._others):
            button.setEnabled(is_open)
        advice = "" if job is not None else self._tracking.advice
        self._try.setVisible(bool(advice))
        self._try.setToolTip(advice)
        self._undo.setEnabled(model.can_undo)
        self._redo.setEnabled(model.can_redo)
        self._whom.setCurrentIndex(0 if self._tracking.all_objects else 1)

    def _go_to_bad(self, *, backward: bool) -> None:
        from masklet.hosting.notices import Notice

        model = self._model
        memory = model.memory
        if memory is None:
            return
        uids = [said.uid for said in model.document]
        found = memory.book.next_bad(uids, model.frame, backward=backward, clip=memory.clip)
        if found is None:
            model.tell(Notice(no_bad_frame_sentence(backward=backward), is_alarm=False))
            return
        uid, frame = found
        model.select((uid,))
        model.go_to(frame)
        said = model.said(uid)
        name = "" if said is None else said.name
        model.tell(Notice(bad_frame_sentence(name, memory.book.at(uid, frame)), is_alarm=False))


def _rate(frames_per_s: float) -> str:
    return f"{frames_per_s:.0f}" if frames_per_s >= 9.5 else f"{frames_per_s:.1f}"


def _time(left_s: float) -> str:
    if left_s < _LONG_S:
        return phrase("{seconds} s", seconds=max(1, round(left_s)))
    if left_s < 60 * _LONG_S:
        return phrase("{minutes} min", minutes=round(left_s / 60))
    return phrase("{hours} h {minutes} min", hours=int(left_s // 3600), minutes=round(left_s % 3600 / 60))
