"""The panel itself: viewer, objects, work and timeline in one widget, for a window or for a host's pane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.hosting.kept_plate import SUFFIX
from masklet.hosting.notices import notice_of
from masklet.phrases import phrase
from masklet_panel.demo_clip import DemoClip
from masklet_panel.file_finder import FileFinder
from masklet_panel.kept_settings import SETTINGS_FILE, write_settings
from masklet_panel.opening import Opening, found
from masklet_panel.panel_model import PanelModel
from masklet_panel.qt import QtGui, QtWidgets
from masklet_panel.recent_documents import RecentDocuments, own_folder
from masklet_panel.repairing import Repairs
from masklet_panel.start_page import StartPage, dropped_path
from masklet_panel.viewing.notice_bar import NoticeBar
from masklet_panel.viewing.viewer import Viewer
from masklet_panel.weights_offer import WeightsOffer
from masklet_panel.work_page import WorkPage
from masklet_panel.workspace import Workspace

if TYPE_CHECKING:
    from masklet.hosting.work.connection import Connection, ConnectionSettings


class PanelWidget(QtWidgets.QWidget):
    """All of masklet's panel.

    Args:
        settings: The server; None has one started on this machine.
        connection: To it; tests give their own.
        folder: Where the panel keeps what is the user's; None for the system's custom.

    Attributes:
        workspace: What is open, and everything about it.
        viewer: Shows the plate.
        work: Everything around it.
    """

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        connection: Connection | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        own = self._own = folder or own_folder()
        self.workspace = Workspace(PanelModel(settings, connection, own))
        self.recent = RecentDocuments(own / "recent.json")
        self._demo = DemoClip(own / "demo", self.workspace.model.host.settings.helper_python, self)
        self._finder = FileFinder(self)
        self._repairs = Repairs(self.workspace, self._finder, self._ask_plate, self.open_soon)
        self.viewer = Viewer(self.workspace)
        self.offer = WeightsOffer(lambda: self.workspace.model.host.settings, parent=self)
        self.offer.fetched.connect(self._use_weights)
        self._start = StartPage(self.recent, self.offer)
        self._pages = QtWidgets.QStackedWidget()
        self._pages.addWidget(self._start)
        self.work = WorkPage(self.workspace, self.viewer, self)
        self._pages.addWidget(self.work)
        self._notice = NoticeBar(self.workspace.model, self._repairs.all())
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._pages, 1)
        column.addWidget(self._notice)
        self.setAcceptDrops(True)
        self._start.opened.connect(self.open_soon)
        self._start.open_asked.connect(self.ask_to_open)
        self._start.demo_asked.connect(self.open_demo)
        self._demo.ready.connect(self.open_soon)
        self._demo.changed.connect(self._show_demo)
        self.workspace.model.plate_changed.connect(self._show_page)
        self._show_page()

    def open(self, path: str) -> bool:
        """Open a clip or a document, now; True where that was possible."""
        model = self.workspace.model
        if not model.attempt(lambda: model.open(path)):
            return False
        self._note_opened()
        return True

    def open_soon(self, path: str) -> None:
        """Open a clip or a document as soon as its files are found, which a slow disk may take long for."""
        model = self.workspace.model

        def take(opening: Opening) -> None:
            model.take(opening)
            self._note_opened()

        self._finder.ask(lambda: found(path), take, lambda error: model.tell(notice_of(error)))

    def _note_opened(self) -> None:
        file = self.workspace.model.file
        if file is not None:
            self.recent.note(file)
        self.viewer.setFocus()

    def ask_to_open(self) -> None:
        """Ask for a clip or a document."""
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self, phrase("Open Clip or Document"), self._folder(), self._filters()
        )
        if path:
            self.open_soon(path)

    def ask_to_save(self) -> None:
        """Ask where the document is to lie from now on."""
        model = self.workspace.model
        if model.file is None:
            return
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, phrase("Save Document As"), str(model.file), phrase("Documents (*.masklet.json)")
        )
        if path:
            file = Path(path if path.endswith(".json") else f"{path}{SUFFIX}")
            if model.attempt(lambda: model.save_as(file)):
                self.recent.note(file)

    def use_server(self, settings: ConnectionSettings) -> None:
        """Work with another server from now on."""
        model = self.workspace.model
        if settings != model.host.settings:
            model.host.settings = settings
            model.loop.forget_server()
            self._repairs.reconnect()

    def _use_weights(self, name: str) -> None:
        settings = replace(self.workspace.model.host.settings, weights=name)
        write_settings(self._own / SETTINGS_FILE, settings)
        self.use_server(settings)
        self.offer.refresh()

    def open_demo(self) -> None:
        """Open the demo clip; it is rendered the first time."""
        self._demo.ask()

    def shut(self) -> None:
        """The panel goes away: everything said is written, and the server is let go."""
        self._demo.stop()
        self.offer.stop()
        self.workspace.playback.stop()
        self.workspace.model.shut()
        # Left to Python, they might end in whatever thread tidies up, and Qt bears that for no widget.
        for gone in (self, self.workspace.view, self.workspace.model):
            gone.deleteLater()

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        """Take files."""
        if dropped_path(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        """Open what was dropped."""
        path = dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.open_soon(path)

    def _show_page(self) -> None:
        is_open = self.workspace.model.plate is not None
        if not is_open:
            self._start.refresh()
        self._pages.setCurrentIndex(1 if is_open else 0)

    def _show_demo(self) -> None:
        self._start.demo.setEnabled(not self._demo.is_rendering)
        self._start.demo.setText(
            phrase("Rendering the Demo Clip …") if self._demo.is_rendering else phrase("Try the Demo Clip")
        )
        if self._demo.problem:
            self.workspace.model.tell(self._demo.problem)

    def _ask_plate(self) -> str:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self, phrase("Where Is the Plate Now?"), self._folder(), self._filters()
        )
        return str(path)

    def _folder(self) -> str:
        kept = self.workspace.model.kept
        return str(Path.home() if kept is None else Path(kept.path).parent)

    def _filters(self) -> str:
        pictures = "*.exr *.dpx *.cin *.png *.jpg *.jpeg *.tif *.tiff *.tga *.webp"
        movies = "*.mov *.mp4 *.mkv *.mxf *.avi *.webm"
        return phrase(
            "Clips and documents ({all});;All files (*)", all=f"*{SUFFIX} *.json {pictures} {movies}"
        )
