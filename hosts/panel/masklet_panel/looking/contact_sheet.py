"""The worst frames side by side; a click goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.shown.worst_frames import Fault, worst_frames
from masklet.hosting.work import view_work
from masklet.phrases import phrase
from masklet.pictures import Picture, PictureRequest
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui, QtWidgets
from masklet_panel.thumbnails import Thumbnails

if TYPE_CHECKING:
    from masklet.hosting.shown.worst_frames import WorstFrame
    from masklet_panel.workspace import Workspace

_MOST = 24
_PICTURE_SIDE_PX = 256
_SETTLE_MS = 250
"""While a track runs, the sheet is not made anew with every mask."""
_FAULTS = {
    Fault.STALE: phrase("out of date"),
    Fault.UNCERTAIN: phrase("uncertain"),
    Fault.RIVAL: phrase("a look-alike is near"),
    Fault.DOUBTFUL: phrase("doubtful"),
}
_PLACE = QtCore.Qt.ItemDataRole.UserRole


class ContactSheet(QtWidgets.QDialog):
    """The frames that need an artist most.

    Args:
        workspace: Whose plate.
        parent: Above which it lies.
    """

    def __init__(self, workspace: Workspace, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model = workspace.model
        self._pictures = workspace.pictures
        self._own: dict[int, QtGui.QImage] = {}
        self._asked: set[int] = set()
        self._shown: tuple[WorstFrame, ...] = ()
        self.setWindowTitle(phrase("Worst Frames"))
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._thumbnails = Thumbnails(self, self.refresh)
        self._words = QtWidgets.QLabel()
        self._words.setWordWrap(True)
        self.list = QtWidgets.QListWidget()
        self._dress_list()
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self.list, 1)
        line = round(theme.line_px(self))
        self.resize(line * 50, line * 34)
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        for signal in (
            model.states_changed,
            model.document_changed,
            model.masks_changed,
            model.plate_changed,
        ):
            signal.connect(self._later)
        self.refresh()

    @property
    def frames(self) -> tuple[WorstFrame, ...]:
        """What is on it, the worst first."""
        return self._shown

    def refresh(self) -> None:
        """Show what is worst now."""
        model = self._model
        memory = model.memory
        uids = [said.uid for said in model.document]
        found = () if memory is None else worst_frames(memory.book, uids, limit=_MOST)
        if found != self._shown or self.list.count() != len(found):
            self._shown = found
            self.list.clear()
            for place, _ in enumerate(found):
                item = QtWidgets.QListWidgetItem()
                item.setData(_PLACE, place)
                self.list.addItem(item)
        for place, worst in enumerate(found):
            self._dress(self.list.item(place), worst)
        self._words.setText(
            phrase("The frames that need a look most. A click goes there.")
            if found
            else phrase("Nothing needs a look: no frame is out of date, uncertain or doubtful.")
        )
        self._ask({worst.frame for worst in found})

    def words_of(self, worst: WorstFrame) -> str:
        """What is wrong with a frame."""
        said = self._model.said(worst.uid)
        name = "" if said is None else said.name
        first, last = worst.run
        many = "" if first == last else phrase(", {count} frames", count=last - first + 1)
        return phrase(
            "{frame}  {name}\n{fault}{many}",
            frame=worst.frame,
            name=name,
            fault=_FAULTS[worst.fault],
            many=many,
        )

    def _dress_list(self) -> None:
        line = round(theme.line_px(self))
        self._size = QtCore.QSize(line * 11, round(line * 11 * 9 / 16))
        self.list.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.list.setIconSize(self._size)
        self.list.setGridSize(QtCore.QSize(self._size.width() + line, self._size.height() + line * 3))
        self.list.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.list.setMovement(QtWidgets.QListView.Movement.Static)
        self.list.setWordWrap(True)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.list.setAccessibleName(phrase("Worst frames"))
        self.list.itemClicked.connect(self._go_to)
        self.list.itemActivated.connect(self._go_to)

    def _dress(self, item: QtWidgets.QListWidgetItem, worst: WorstFrame) -> None:
        words = self.words_of(worst)
        item.setText(words)
        item.setData(QtCore.Qt.ItemDataRole.AccessibleTextRole, words.replace("\n", ", "))
        kept = self._model.kept
        if kept is None:
            return
        picture = self._pictures.get(worst.frame) or self._own.get(worst.frame)
        small = self._thumbnails.get(
            f"{worst.uid} {worst.frame}",
            self._size,
            self._model.mask(worst.uid, worst.frame),
            kept.look(worst.uid).colour,
            picture,
            ratio=self.devicePixelRatioF(),
        )
        item.setIcon(QtGui.QIcon(small))

    def _go_to(self, item: QtWidgets.QListWidgetItem) -> None:
        worst = self._shown[int(item.data(_PLACE))]
        self._model.select((worst.uid,))
        self._model.go_to(worst.frame)

    def _later(self) -> None:
        if not self._settle.isActive():
            self._settle.start()

    def _ask(self, frames: set[int]) -> None:
        """Have small pictures come of frames that the viewer has not shown."""
        lacking = tuple(
            frame
            for frame in sorted(frames)
            if frame not in self._asked and self._pictures.get(frame) is None
        )
        if not lacking or self._model.plate is None:
            return
        self._asked.update(lacking)
        request = PictureRequest(lacking, _PICTURE_SIDE_PX)
        self._model.start(
            phrase("Reading pictures"),
            lambda session, job, server: view_work.pictures(session, job, server, request),
            on_made=self._take,
            is_long=False,
        )

    def _take(self, value: object) -> None:
        if isinstance(value, Picture) and value.jpeg:
            self._own[value.frame] = QtGui.QImage.fromData(value.jpeg)
            self._later()
