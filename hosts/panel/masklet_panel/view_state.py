"""How the viewer shows things and what the hand does in it; nothing of it is said about the plate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from masklet.phrases import phrase
from masklet.pictures import AS_IT_IS, Grade
from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour
    from masklet.hosting.shown.track_versions import TrackVersion, Wipe


class Mode(Enum):
    """How masks are shown."""

    COLOUR = phrase("Colour")
    OUTLINE = phrase("Outline")
    ALPHA = phrase("Alpha")
    MATTE = phrase("Matte")
    CUT_OUT = phrase("Cut out")
    DIFFERENCE = phrase("Difference")
    PLATE = phrase("Plate")


class Tool(Enum):
    """What the hand does."""

    POINT = phrase("Click or drag a box")
    SCRIBBLE = phrase("Scribble")
    LASSO = phrase("Lasso")
    PAN = phrase("Pan")


@dataclass(frozen=True)
class ViewLook:
    """All of it.

    Attributes:
        mode: How masks are shown.
        opacity: Of colours over the plate, 0 to 1.
        background: Behind what is cut out; None for a checker.
        grade: Exposure and gamma.
        tool: What the hand does.
        adds: Clicks add to the object; otherwise they take away.
        brush_px: Width of a scribble, in pixels of the plate.
        shows_prompts: Clicks, boxes and strokes are drawn.
        shows_splines: Splines of the objects are drawn.
        shows_anchors: Their anchors are drawn.
        wipe: Two versions of a track side by side; None for none.
        before: The version that differences are shown to; None for the last one that was kept.
    """

    mode: Mode = Mode.COLOUR
    opacity: float = 0.5
    background: Colour | None = None
    grade: Grade = AS_IT_IS
    tool: Tool = Tool.POINT
    adds: bool = True
    brush_px: float = 12.0
    shows_prompts: bool = True
    shows_splines: bool = False
    shows_anchors: bool = False
    wipe: Wipe | None = None
    before: TrackVersion | None = None


class ViewState(QtCore.QObject):
    """The look that the viewer has now, and its changes."""

    changed = Signal()
    fit_asked = Signal()
    """The plate is to be fitted to the viewer."""
    scale_asked = Signal(float)
    """Viewer pixels for one pixel of the plate; 1.0 for one to one."""
    zoom_asked = Signal(float)
    """By notches of a wheel; negative is further away."""

    def __init__(self) -> None:
        super().__init__()
        self._look = ViewLook()

    @property
    def look(self) -> ViewLook:
        """As it is now."""
        return self._look

    def change(self, **values: Any) -> None:
        """Change some of it, by the names of :class:`ViewLook`."""
        look = replace(self._look, **values)
        if look != self._look:
            self._look = look
            self.changed.emit()
