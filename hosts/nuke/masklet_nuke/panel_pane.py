"""The shared panel in a pane of Nuke: live masks, strips and all, on a document that follows the node.

The panel works on a file, as it does everywhere. What is said in it goes into the node at once, as a step of
Nuke's undo; what is said in Nuke goes to the panel, which sends it: one of both speaks to the server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet_nuke import documents, panel_seam
from masklet_nuke.plate_document import write_document
from masklet_nuke.prompting import refresh
from masklet_nuke.rendering import ensure_rendered
from masklet_nuke.undoing import no_step, one_step

if TYPE_CHECKING:
    from masklet.said.documents import Document
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime

PANEL_ID = "org.masklet.Panel"
_BESIDE = "Properties.1"
_MAKE = "masklet_nuke.panel_pane.made_widget()"
_ABSENT = (
    "masklet's panel cannot be opened in this Nuke ({fault}): the node's own buttons do the same, without "
    "live masks"
)

_made: list[Any] = []


def open_panel(runtime: Runtime, node: Node) -> None:
    """Dock the panel beside the properties, with the node's plate in it.

    Raises:
        BadInputError: There is no panel, or nothing is connected to the node.
        MaskletError: The plate cannot be read, or its document cannot be written.
    """
    ensure_rendered(runtime.nuke, node)
    uid = runtime.host.adopt(node)
    try:
        widgets: Any = importlib.import_module("masklet_panel.panel_widget")
        panels: Any = importlib.import_module("nukescripts.panels")
    except ImportError as error:
        raise BadInputError(phrase(_ABSENT, fault=str(error))) from error
    file = write_document(runtime.nuke, node, runtime.host.source(node), uid)
    settings = runtime.host.connection_settings()
    widget = widgets.PanelWidget(settings, runtime.connection)
    widget.open(str(file))
    Panel(runtime, uid, widget)
    _made[:] = [widget]
    pane = panels.registerWidgetAsPanel(_MAKE, "masklet", PANEL_ID, True)
    pane.addToPane(runtime.nuke.getPaneFor(_BESIDE))


def made_widget() -> Any:
    """The widget that was made last: Nuke asks for it by name."""
    return _made[-1]


class Panel:
    """Keeps a node and a panel's document the same.

    Args:
        runtime: Of this Nuke.
        uid: Of the plate.
        widget: The panel, with the plate's document open.
    """

    def __init__(self, runtime: Runtime, uid: str, widget: Any) -> None:
        self._runtime, self._uid, self._model = runtime, uid, widget.workspace.model
        self._model.document_changed.connect(self.take)
        self._model.states_changed.connect(self.take_states)
        widget.destroyed.connect(lambda *_: panel_seam.undock(uid))
        panel_seam.dock(uid, self)

    def say(self, document: Document) -> None:
        """Have the panel show and send what the script says."""
        if self._model.document != document:
            self._model.edit(document)

    def take(self) -> None:
        """Have the script say what the panel says, in one step of undo."""
        node, kept = self._runtime.host.find(self._uid), self._model.kept
        if node is None or kept is None or documents.document(node) == kept.document:
            return
        with one_step(self._runtime.nuke, "masklet: panel"):
            documents.take(node, kept.document)
        # What the server holds was changed by the panel: Nuke's own work looks at it anew.
        self._runtime.memory(node).session = None
        refresh(self._runtime, node)

    def take_states(self) -> None:
        """Have the script know the states of frames that the panel knows, and its session."""
        node, kept = self._runtime.host.find(self._uid), self._model.kept
        if node is None or kept is None:
            return
        with no_step(self._runtime.nuke):
            documents.keep_states(node, kept.states)
            if kept.session.session_id and kept.shape is not None:
                documents.keep_session(node, kept.session, (kept.shape.width_px, kept.shape.height_px))
        self._runtime.memory(node).recall(node)
        self._runtime.redraw()
