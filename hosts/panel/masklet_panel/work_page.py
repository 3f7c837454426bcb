"""The page on which a plate is worked on: viewer, objects, mattes, tracking and timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.shortcuts import Action
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.keyboard.actions import Actions
from masklet_panel.keyboard.key_bindings import KeyBindings
from masklet_panel.keyboard.shortcut_sheet import ShortcutSheet
from masklet_panel.listing.object_list import ObjectList
from masklet_panel.looking.contact_sheet import ContactSheet
from masklet_panel.looking.versions_panel import VersionsPanel
from masklet_panel.qt import QtCore, QtWidgets
from masklet_panel.symbols import Symbol
from masklet_panel.timeline import Timeline
from masklet_panel.viewing.viewer_bar import ViewerBar
from masklet_panel.working.export_dialog import ExportDialog
from masklet_panel.working.finding import Finding
from masklet_panel.working.matte_panel import MattePanel
from masklet_panel.working.track_bar import TrackBar
from masklet_panel.working.tracking import Tracking

if TYPE_CHECKING:
    from masklet_panel.viewing.viewer import Viewer
    from masklet_panel.workspace import Workspace


class WorkPage(QtWidgets.QWidget):
    """Everything around a viewer.

    Args:
        workspace: What is open.
        viewer: Of the plate.
        keys: Widget whose keys are the page's too: the panel around it.

    Attributes:
        objects: The list of objects.
        mattes: How their mattes are finished.
        tracking: Starts tracks.
        track_bar: Its buttons.
        timeline: The lanes.
        versions: What was tracked before.
        finding: Looks for the object on a frame.
        found_menu: What it found last.
        key_actions: What keys do.
    """

    def __init__(self, workspace: Workspace, viewer: Viewer, keys: QtWidgets.QWidget) -> None:
        super().__init__()
        model = workspace.model
        self._viewer = viewer
        self.objects = ObjectList(model, workspace.pictures.get)
        self.mattes = MattePanel(model)
        self.tracking = Tracking(model)
        self.track_bar = TrackBar(model, self.tracking)
        self.timeline = Timeline(model)
        self.versions = VersionsPanel(workspace)
        self.finding = Finding(model, viewer.hover.show)
        self.found_menu: QtWidgets.QMenu | None = None
        self._buttons: dict[Action, QtWidgets.QWidget] = {}
        self._workspace = workspace
        self.key_actions = Actions(
            workspace,
            self.objects,
            self.tracking,
            self.track_bar,
            {
                Action.SHORTCUTS: self.show_shortcuts,
                Action.CONTACT_SHEET: self.show_worst_frames,
                Action.FIND_AGAIN: self.finding.look,
                Action.WIPE: self.versions.toggle_wipe,
                Action.EXPORT: self.show_export,
            },
        )
        for symbol, words, pressed, action in (
            (Symbol.SHEET, phrase("Worst frames"), self.show_worst_frames, Action.CONTACT_SHEET),
            (Symbol.FIND, phrase("Find again"), self.finding.look, Action.FIND_AGAIN),
            (Symbol.WIPE, phrase("Wipe"), self.versions.toggle_wipe, Action.WIPE),
            (Symbol.EXPORT, phrase("Export"), self.show_export, Action.EXPORT),
        ):
            self._buttons[action] = self.track_bar.add_button(symbol, words, pressed, action)
        self.finding.found.connect(self.show_found)
        self._bindings = KeyBindings(keys, self.key_actions)
        workspace.pictures.arrived.connect(lambda *_: self.objects.redraw_pictures())
        self._lay_out(workspace)

    def show_shortcuts(self) -> ShortcutSheet:
        """Show the sheet of all shortcuts."""
        sheet = ShortcutSheet(self.window())
        sheet.show()
        return sheet

    def show_worst_frames(self) -> ContactSheet:
        """Show the frames that need a look most."""
        sheet = ContactSheet(self._workspace, self.window())
        sheet.show()
        return sheet

    def show_found(self, menu: object) -> None:
        """Open the menu of what was found, above its button."""
        assert isinstance(menu, QtWidgets.QMenu)
        self.found_menu = menu
        button = self._buttons[Action.FIND_AGAIN]
        menu.popup(button.mapToGlobal(QtCore.QPoint(0, -menu.sizeHint().height())))
        # The likeliest is seen at once: Enter takes it.
        menu.setActiveAction(menu.actions()[0])

    def show_export(self) -> ExportDialog:
        """Ask what is exported, and where to."""
        dialog = ExportDialog(self._workspace.model, self.window())
        dialog.show()
        return dialog

    def _lay_out(self, workspace: Workspace) -> None:
        line = round(theme.line_px(self))
        viewing = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(viewing)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(ViewerBar(workspace, self._viewer))
        column.addWidget(self._viewer, 1)
        mattes = QtWidgets.QScrollArea()
        mattes.setWidget(self.mattes)
        mattes.setWidgetResizable(True)
        mattes.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        mattes.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        tabs = QtWidgets.QTabWidget()
        tabs.setDocumentMode(True)
        tabs.setAccessibleName(phrase("Matte and versions"))
        tabs.addTab(mattes, phrase("Matte"))
        tabs.addTab(self.versions, phrase("Versions"))
        side = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        side.addWidget(self.objects)
        side.addWidget(tabs)
        side.setStretchFactor(0, 1)
        side.setSizes([line * 16, line * 15])
        upper = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        upper.addWidget(viewing)
        upper.addWidget(side)
        upper.setStretchFactor(0, 1)
        upper.setSizes([line * 60, line * 19])
        lower = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(lower)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.track_bar)
        rows.addWidget(self.timeline, 1)
        whole = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        whole.addWidget(upper)
        whole.addWidget(lower)
        whole.setStretchFactor(0, 1)
        whole.setSizes([line * 38, line * 12])
        for splitter, name in ((side, phrase("Objects and matte")), (upper, phrase("Viewer and objects"))):
            splitter.setAccessibleName(name)
            splitter.setChildrenCollapsible(False)
        page = QtWidgets.QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(whole)
