"""What the hand in the viewer says: clicks, boxes, strokes, masks drawn around the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.hosting.notices import notice_of
from masklet.hosting.prompting import box_inside, check_inside, stroke, taken_back
from masklet.phrases import phrase
from masklet.said.documents import (
    SaidObject,
    find,
    new_uid,
    with_box,
    with_click,
    with_prompts,
    with_scribble,
)
from masklet.types import Click, FramePrompts, Mask
from masklet_panel.panel_model import new_name
from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_panel.panel_model import PanelModel

Points = Sequence[tuple[float, float]]
"""In pixels of the plate."""


class Saying:
    """Says things about the object that is active; about a new one where none is.

    Args:
        model: What is said is its document.
    """

    def __init__(self, model: PanelModel) -> None:
        self._model = model

    def click(self, x_px: float, y_px: float, *, positive: bool) -> bool:
        """Click on the frame that shows; True where it was taken."""

        def said(item: SaidObject, frame: int) -> SaidObject:
            self._check_inside(x_px, y_px)
            return with_click(item, frame, Click(x_px, y_px, positive))

        return self._say(said)

    def box(self, left_px: float, top_px: float, right_px: float, bottom_px: float) -> bool:
        """Draw a box around the object."""
        width_px, height_px = self._model.size_px

        def said(item: SaidObject, frame: int) -> SaidObject:
            box = box_inside(left_px, top_px, right_px, bottom_px, width_px=width_px, height_px=height_px)
            return with_box(item, frame, box)

        return self._say(said)

    def scribble(self, points_px: Points, width_px: float, *, positive: bool) -> bool:
        """Draw a stroke over the object, or over what is not part of it."""

        def said(item: SaidObject, frame: int) -> SaidObject:
            return with_scribble(item, frame, stroke(points_px, width_px, positive=positive))

        return self._say(said)

    def lasso(self, points_px: Points, *, positive: bool) -> bool:
        """Draw a line around what is the object: a mask drawn by hand, in place of what was said.

        Where the frame has a mask drawn by hand already, the new area is added to it, or taken away.
        """
        width_px, height_px = self._model.size_px

        def said(item: SaidObject, frame: int) -> SaidObject:
            if item.is_locked(frame):
                raise BadInputError(
                    phrase(
                        "frame {frame} is locked for {name}: unlock it first, then correct it",
                        frame=frame,
                        name=item.name,
                    )
                )
            before = item.at(frame).mask
            if before is None and not positive:
                raise BadInputError(
                    phrase("there is no drawn mask on this frame to take from: draw one, or click instead")
                )
            mask = _filled(points_px, width_px, height_px, before, positive=positive)
            return with_prompts(item, FramePrompts(0, frame, mask=mask))

        return self._say(said)

    def clear_frame(self) -> bool:
        """Take back all that was said about the active object on this frame."""
        return self._say(taken_back, makes_object=False)

    def preview_prompts(self, click: Click | None) -> FramePrompts | None:
        """All that would be said about the active object on this frame; None where it may not be."""
        if click is None:
            return None
        item = find(self._model.document, self._model.active)
        frame = self._model.frame
        if item is None:
            return FramePrompts(0, frame, (click,)) if click.positive else None
        if item.is_locked(frame) or item.at(frame).mask is not None:
            return None
        prompts = item.at(frame)
        return replace(prompts, clicks=(*prompts.clicks, click))

    def _say(self, say: Callable[[SaidObject, int], SaidObject], *, makes_object: bool = True) -> bool:
        model = self._model
        if model.plate is None:
            return False
        document, frame = model.document, model.frame
        item = find(document, model.active)
        is_new = item is None
        try:
            if item is None:
                if not makes_object:
                    return False
                item = SaidObject(new_uid(), new_name(document))
            made = say(item, frame)
        except (MaskletError, ValueError) as error:
            model.tell(notice_of(error if isinstance(error, MaskletError) else BadInputError(str(error))))
            return False
        if is_new:
            model.edit((*document, made))
            model.select((made.uid,))
        else:
            model.edit(tuple(made if each.uid == made.uid else each for each in document))
        return True

    def _check_inside(self, x_px: float, y_px: float) -> None:
        width_px, height_px = self._model.size_px
        check_inside(x_px, y_px, width_px=width_px, height_px=height_px)


def _filled(points_px: Points, width_px: int, height_px: int, before: Mask | None, *, positive: bool) -> Mask:
    """The area inside a line, with what was drawn before or without it."""
    grey = QtGui.QImage.Format.Format_Grayscale8
    image = QtGui.QImage(width_px, height_px, grey)
    image.fill(0)
    painter = QtGui.QPainter(image)
    if before is not None:
        known = before.in_8_bits()
        drawn = QtGui.QImage(known.alpha, known.width_px, known.height_px, known.width_px, grey)
        painter.drawImage(QtCore.QRect(0, 0, width_px, height_px), drawn)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(QtCore.Qt.PenStyle.NoPen)
    painter.setBrush(QtGui.QColor("white" if positive else "black"))
    path = QtGui.QPainterPath()
    path.addPolygon(QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in points_px]))
    path.closeSubpath()
    path.setFillRule(QtCore.Qt.FillRule.WindingFill)
    painter.drawPath(path)
    painter.end()
    data, stride = bytes(image.constBits()), int(image.bytesPerLine())
    alpha = b"".join(data[row * stride : row * stride + width_px] for row in range(height_px))
    if not alpha.strip(b"\0"):
        raise BadInputError(phrase("the line holds nothing of the picture: draw it around the object"))
    return Mask(width_px, height_px, alpha)
