"""What this Blender holds while it runs: the loop that hosts share, and what only Blender's interface has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from masklet.hosting.loop import BEAT_S, Loop
from masklet.hosting.work.releasing import release

from .host import BlenderHost
from .openings import Openings
from .plates import PlateBlock

if TYPE_CHECKING:
    from masklet.hosting.work.finding import FoundPlaces


BRUSH_PX = 12.0
"""As the panel's."""


@dataclass(frozen=True)
class Drag:
    """A box that is being drawn, in the pixels of a viewer's region."""

    area: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Stroke:
    """A stroke that is being drawn, in the pixels of a viewer's region."""

    area: int
    points: tuple[tuple[float, float], ...]
    width: float
    positive: bool


class Runtime(Loop[PlateBlock]):
    """The state of masklet in this Blender.

    Attributes:
        server_sentence: What the last test of the connection told.
        pointing: True while clicks in viewers are masklet's.
        drag: The box that is being drawn.
        stroke: The stroke that is being drawn.
        brush_px: How wide strokes are, in pixels of the plate.
        found: What Find Again found last, until one is taken.
        openings: What comes with files, and goes with them.
    """

    def __init__(self) -> None:
        # Blender knows a timer by the very object: each look at a method makes another one.
        self._timer = self._tick
        super().__init__(BlenderHost(self._timer, BEAT_S))
        self.server_sentence = ""
        self.pointing = False
        self.drag: Drag | None = None
        self.stroke: Stroke | None = None
        self.brush_px = BRUSH_PX
        self.found: FoundPlaces | None = None
        self.openings = Openings(self)

    def forget_plates(self) -> None:
        """Another file comes: cancel this one's work, drop what was in memory, give its sessions back."""
        self.found = None
        release(self.openings.closed(self.let_go()))

    def close(self) -> None:
        """End all work, give sessions back that nobody can come back to, and let the server go."""
        closings = self.openings.closed(self.let_go())
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        self.end(closings)

    def _tick(self) -> float | None:
        return BEAT_S if self.beat() else None


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The one of this Blender; made when it is first needed."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
    return _runtime


def close_runtime() -> None:
    """End all work; the next call of :func:`runtime` begins anew."""
    global _runtime
    ended, _runtime = _runtime, None
    if ended is not None:
        ended.close()
