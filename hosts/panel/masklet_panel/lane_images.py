"""Lanes of the timeline: worked out when asked for, drawn a few at a time, kept until they change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union, overload

from masklet.hosting.shown.lanes import Lane, lane_of
from masklet_panel import theme
from masklet_panel.lane_painter import LanePainter
from masklet_panel.qt import QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.frame_book import Strip
    from masklet.said.documents import SaidObject
    from masklet_panel.lane_painter import TimelineLook
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.qt import QtWidgets

BUDGET_S = 0.008
"""Of drawing lanes, each time: with many objects over many frames the rest follows a moment later."""


class Lanes(Sequence[Lane]):
    """A lane for each object, in the artist's order.

    Args:
        model: Whose objects.
    """

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._known: dict[str, tuple[SaidObject, tuple[Strip, ...], Lane]] = {}

    def __len__(self) -> int:
        return len(self._model.document)

    @overload
    def __getitem__(self, place: int) -> Lane: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Lane]: ...

    def __getitem__(self, place: Union[int, slice]) -> Union[Lane, Sequence[Lane]]:
        """One lane; it is made anew where what is said or known of its frames is something else."""
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        said = self._model.document[place]
        strips = self._model.strips(said.uid)
        known = self._known.get(said.uid)
        if known is None or known[0] is not said or known[1] is not strips:
            known = self._known[said.uid] = (said, strips, lane_of(said, strips))
        return known[2]

    def keep(self, uids: Sequence[str]) -> None:
        """Forget other objects."""
        self._known = {uid: known for uid, known in self._known.items() if uid in uids}


@dataclass(frozen=True)
class _Image:
    """A lane as it was drawn, and of what."""

    of: tuple[object, ...]
    said: object
    strips: object
    pixmap: QtGui.QPixmap


class LaneImages:
    """Pictures of lanes.

    Args:
        model: Whose objects.
    """

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._images: dict[str, _Image] = {}
        self._spent_s = 0.0
        self.lacks = False
        """Some could not be drawn in time: they are to be asked for again."""

    def ground(self, widget: QtWidgets.QWidget, look: TimelineLook) -> QtGui.QPixmap:
        """All that stays while the playhead and the pointer move.

        Args:
            widget: The timeline.
            look: What it shows.
        """
        self._begin()
        ratio = widget.devicePixelRatioF()
        ground = QtGui.QPixmap(round(widget.width() * ratio), round(widget.height() * ratio))
        ground.setDevicePixelRatio(ratio)
        painter = QtGui.QPainter(ground)
        painter.setFont(widget.font())
        whole = LanePainter(painter, widget, look)
        whole.paint_below()
        first = look.rows.lane_at(look.rows.head_px + 0.5)
        last = look.rows.lane_at(float(widget.height()))
        for number in range(max(0, first), min(len(look.objects), last + 1)):
            lane = self._lane(number, widget, look, ratio)
            if lane is not None:
                painter.drawPixmap(0, round(look.rows.top_of(number)), lane)
        whole.paint_above()
        painter.end()
        return ground

    def _begin(self) -> None:
        """A new round: there is time to draw again."""
        self._spent_s, self.lacks = 0.0, False
        uids = {said.uid for said in self._model.document}
        self._images = {uid: image for uid, image in self._images.items() if uid in uids}

    def _lane(
        self, number: int, widget: QtWidgets.QWidget, look: TimelineLook, ratio: float
    ) -> QtGui.QPixmap | None:
        """The picture of a lane; where there is no time to draw another, the one before or none."""
        said = self._model.document[number]
        strips = self._model.strips(said.uid)
        size = (round(widget.width() * ratio), round(look.rows.lane_px * ratio))
        style = (ratio, int(widget.palette().cacheKey()), widget.font().toString())
        of = (look.objects[number], look.place, size, *style)
        found = self._images.get(said.uid)
        if found is not None and found.said is said and found.strips is strips and found.of == of:
            return found.pixmap
        if self._spent_s > BUDGET_S:
            self.lacks = True
            return None if found is None else found.pixmap
        began_s = time.perf_counter()
        pixmap = QtGui.QPixmap(*size)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(theme.role(widget, QtGui.QPalette.ColorRole.Base))
        painter = QtGui.QPainter(pixmap)
        painter.setFont(widget.font())
        painter.translate(0, -look.rows.top_of(number))
        LanePainter(painter, widget, look).paint_lane(number)
        painter.end()
        self._images[said.uid] = _Image(of, said, strips, pixmap)
        self._spent_s += time.perf_counter() - began_s
        return pixmap
