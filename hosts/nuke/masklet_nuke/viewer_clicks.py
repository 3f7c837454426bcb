"""Clicks in Nuke's viewer while a Masklet node is selected and its *edit* is on.

Nuke has no call that says where in the picture a mouse is, but its own Ctrl-click samples a pixel and writes
the place into the viewer's ``colour_sample_bbox``, true at any zoom, pan and proxy. So a Ctrl-click is let
through and read afterwards; for Ctrl-right-click and both corners of a Shift-drag such a click is made in
their place.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet_nuke import node_knobs, prompting
from masklet_nuke.node_knobs import is_masklet
from masklet_nuke.plates import space_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_nuke.api import Node, Nuke
    from masklet_nuke.runtime import Runtime

BBOX = "colour_sample_bbox"


class Gesture(Enum):
    """What a press in the viewer begins."""

    NONE = "none"
    ADD = "add"
    TAKE_AWAY = "take away"
    BOX = "box"


@dataclass(frozen=True)
class Press:
    """A mouse button with the keys that are held."""

    is_left: bool
    ctrl: bool
    shift: bool
    alt: bool = False


def gesture_of(press: Press) -> Gesture:
    """Ctrl-click adds, Ctrl-right-click takes away, Shift-drag draws a box; all else is Nuke's."""
    if press.alt or press.ctrl == press.shift:
        return Gesture.NONE
    if press.shift:
        return Gesture.BOX if press.is_left else Gesture.NONE
    return Gesture.ADD if press.is_left else Gesture.TAKE_AWAY


def edited_node(nuke: Nuke) -> Node | None:
    """The Masklet node that clicks go to: the only one selected, with its *edit* on."""
    chosen = [node for node in nuke.selectedNodes() if node.Class() == "Group" and is_masklet(node)]
    if len(chosen) != 1:
        return None
    edit = chosen[0].knob(node_knobs.EDIT)
    return chosen[0] if edit is not None and edit.value() else None


def sampled_place(nuke: Nuke, node: Node) -> tuple[float, float] | None:
    """Where on the plate the viewer was sampled last, in its pixels; None where it was not."""
    viewer = nuke.activeViewer()
    knob = None if viewer is None else viewer.node().knob(BBOX)
    if knob is None:
        return None
    left, low, right, high = (float(value) for value in knob.value())
    return space_of(node).of_sample((left + right) / 2, (low + high) / 2)


class ViewerClicks:
    """Turns presses, drags and releases in the viewer into prompts.

    Args:
        runtime: Of this Nuke.
        sample: Makes a Ctrl-click of Nuke's own at the mouse, so that the viewer tells where that is.
    """

    def __init__(self, runtime: Runtime, sample: Callable[[], None]) -> None:
        self._runtime = runtime
        self._sample = sample
        self._corner: tuple[float, float] | None = None

    def press(self, press: Press) -> bool:
        """A button went down; True where the press is ours and Nuke is not to see it."""
        node, gesture = edited_node(self._runtime.nuke), gesture_of(press)
        if node is None or gesture in (Gesture.NONE, Gesture.ADD):
            return False
        self._sample()
        place = sampled_place(self._runtime.nuke, node)
        if gesture is Gesture.BOX:
            self._corner = place
        elif place is not None:
            self._say(node, lambda: prompting.add_click(self._runtime, node, *place, positive=False))
        return True

    def release(self, press: Press) -> bool:
        """It went up, and Nuke has seen the press if it was its own; True where Nuke is not to see this."""
        node, corner = edited_node(self._runtime.nuke), self._corner
        self._corner = None
        if node is None:
            return False
        if corner is not None:
            self._sample()
            other = sampled_place(self._runtime.nuke, node)
            if other is not None:
                self._say(node, lambda: prompting.set_box(self._runtime, node, corner, other))
            return True
        if gesture_of(press) is Gesture.ADD:
            place = sampled_place(self._runtime.nuke, node)
            if place is not None:
                self._say(node, lambda: prompting.add_click(self._runtime, node, *place, positive=True))
        return False

    def _say(self, node: Node, act: Callable[[], None]) -> None:
        try:
            act()
        except MaskletError as error:
            self._runtime.tell(node, notice_of(error))


_filter: Any = None


def listen(runtime: Runtime) -> None:
    """Begin to listen to the mouse, if it is not listened to yet; only in a window."""
    global _filter
    if _filter is None and runtime.host.has_interface:
        core, gui, widgets = _qt()
        application = widgets.QApplication.instance()
        if application is not None:
            _filter = _make_filter(runtime, core, gui, widgets)
            application.installEventFilter(_filter)


def stop_listening() -> None:
    """Give the mouse back."""
    global _filter
    ended, _filter = _filter, None
    if ended is not None:
        _, _, widgets = _qt()
        application = widgets.QApplication.instance()
        if application is not None:
            application.removeEventFilter(ended)


def _qt() -> tuple[Any, Any, Any]:
    """The Qt that Nuke brings: PySide6 from 16, PySide2 before."""
    for name in ("PySide6", "PySide2"):
        try:
            return (
                importlib.import_module(f"{name}.QtCore"),
                importlib.import_module(f"{name}.QtGui"),
                importlib.import_module(f"{name}.QtWidgets"),
            )
        except ImportError:
            continue
    raise ImportError("this Nuke has no PySide")


def is_viewer(target: Any, at: Any, core: Any, widgets: Any) -> bool:
    """True where an event goes to the picture of a viewer.

    Older Nukes draw it in an OpenGL widget below one that is named after the viewer; later ones in a window
    of its own, in a container below such a widget.

    Args:
        target: Whom the event goes to.
        at: Where, on the screen.
        core: QtCore.
        widgets: QtWidgets.
    """
    kind = str(target.metaObject().className())
    if isinstance(target, widgets.QWidget):
        return ("GL" in kind or "GL" in type(target).__name__) and _is_below_viewer(target)
    if not target.isWindowType() or kind == "QWidgetWindow":
        # The latter hands the event on to a widget, where it is seen again.
        return False
    containers = [
        found
        for found in widgets.QApplication.allWidgets()
        if found.metaObject().className() == "QWindowContainer"
        if found.isVisible() and _is_below_viewer(found)
    ]
    return any(
        core.QRect(found.mapToGlobal(core.QPoint(0, 0)), found.size()).contains(at) for found in containers
    )


def _screen_place(event: Any) -> Any:
    return event.globalPosition().toPoint() if hasattr(event, "globalPosition") else event.globalPos()


def _is_below_viewer(widget: Any) -> bool:
    above = widget
    while above is not None:
        if str(above.objectName()).startswith("Viewer"):
            return True
        above = above.parent()
    return False


def _make_filter(runtime: Runtime, core: Any, gui: Any, widgets: Any) -> Any:
    kinds, buttons, keys = core.QEvent.Type, core.Qt.MouseButton, core.Qt.KeyboardModifier

    class Filter(core.QObject):  # type: ignore[misc]
        """Sees the events of all widgets before they do."""

        def __init__(self) -> None:
            super().__init__()
            self._is_ours = False
            self._at: tuple[Any, Any] | None = None
            self._clicks = ViewerClicks(runtime, self._sample)

        def eventFilter(self, widget: Any, event: Any) -> bool:  # noqa: N802
            """True where Nuke is not to see the event."""
            kind = event.type()
            if self._is_ours or kind not in (kinds.MouseButtonPress, kinds.MouseButtonRelease):
                return False
            if not is_viewer(widget, _screen_place(event), core, widgets):
                return False
            self._at = widget, event
            held = event.modifiers()
            press = Press(
                event.button() == buttons.LeftButton,
                bool(held & keys.ControlModifier),
                bool(held & keys.ShiftModifier),
                bool(held & keys.AltModifier),
            )
            if kind == kinds.MouseButtonPress:
                return self._clicks.press(press)
            if gesture_of(press) is Gesture.ADD:
                # Once Nuke has seen the release as well.
                core.QTimer.singleShot(0, lambda: self._clicks.release(press))
                return False
            return self._clicks.release(press)

        def _sample(self) -> None:
            """A Ctrl-click of Nuke's own, where the mouse is."""
            if self._at is None:
                return
            widget, event = self._at
            place = core.QPointF(event.position() if hasattr(event, "position") else event.localPos())
            far = core.QPointF(_screen_place(event))
            self._is_ours = True
            try:
                for kind, held in (
                    (kinds.MouseButtonPress, buttons.LeftButton),
                    (kinds.MouseButtonRelease, buttons.NoButton),
                ):
                    made = gui.QMouseEvent(kind, place, far, buttons.LeftButton, held, keys.ControlModifier)
                    widgets.QApplication.sendEvent(widget, made)
            finally:
                self._is_ours = False

    return Filter()
