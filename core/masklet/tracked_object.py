"""One object of a session, and what can be said about it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    Mask,
    MaskFormat,
    MaskUpdate,
    Scribble,
    check_frame,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from masklet.candidates import Candidate
    from masklet.found import Found, Look
    from masklet.matte_settings import MatteSettings
    from masklet.transport.interface import Transport
    from masklet.types import LockedMask, MemoryPolicy, ObjectInfo

PLATE_SIZE = MaskFormat()
"""Masks as large as the plate, 256 steps of coverage."""


@contextmanager
def bad_input() -> Iterator[None]:
    """A value that refuses its arguments, as the error that all of the client raises."""
    try:
        yield
    except ValueError as error:
        raise BadInputError(str(error)) from error


class TrackedObject:
    """One object of a session: what the artist points at.

    Every method that says something about the object answers with its mask on that frame, at the
    plate's size. Coordinates are pixels from the plate's top-left corner, pixel centres at
    half-integers; frame numbers are the plate's own.

    Attributes:
        object_id: For ever.
        name: Of EXR layers and files; :meth:`rename` changes it.
    """

    def __init__(self, transport: Transport, session_id: str, info: ObjectInfo) -> None:
        self._transport = transport
        self._session_id = session_id
        self.object_id = info.object_id
        self.name = info.name

    def click(
        self,
        *,
        frame: int,
        x_px: float,
        y_px: float,
        positive: bool = True,
        replace: bool = False,
        mask_format: MaskFormat = PLATE_SIZE,
    ) -> MaskUpdate:
        """Add a click: on the object, or with ``positive=False`` on what must not be part of it.

        Args:
            frame: The plate's own number.
            x_px: From the left edge of the plate.
            y_px: From its top edge.
            positive: False on something that must not be part of the object.
            replace: Start again on this frame: the click takes the place of all that was said there.
            mask_format: How large the mask is that comes back.

        Raises:
            BadInputError: The coordinates are not finite or lie outside the plate, or a mask was drawn on
                this frame and nothing says that it may be replaced.
            FrameMissingError: The clip has no such frame.
        """
        with bad_input():
            check_frame(frame)
            click = Click(x_px, y_px, positive=positive)
        if replace:
            made = self.prompt(
                FramePrompts(self.object_id, frame, (click,)), replace=True, mask_format=mask_format
            )
            assert made is not None
            return made
        return self._transport.add_click(self._session_id, self.object_id, frame, click, mask_format)

    def box(
        self,
        *,
        frame: int,
        left_px: float,
        top_px: float,
        right_px: float,
        bottom_px: float,
        replace: bool = False,
    ) -> MaskUpdate | None:
        """Say that the object fills this rectangle. Replaces what was said on this frame.

        A mask that was drawn there is replaced only with ``replace``.

        Raises:
            BadInputError: An edge is not finite, the box has no area, or a mask was drawn on this frame and
                nothing says that it may be replaced.
        """
        with bad_input():
            prompts = FramePrompts(self.object_id, frame, box=Box(left_px, top_px, right_px, bottom_px))
        return self.prompt(prompts, replace=replace)

    def scribble(
        self,
        *,
        frame: int,
        points_px: Iterable[tuple[float, float]],
        width_px: float,
        positive: bool = True,
        replace: bool = False,
        mask_format: MaskFormat = PLATE_SIZE,
    ) -> MaskUpdate | None:
        """Draw a stroke on the object, or with ``positive=False`` on what must not be part of it.

        What the stroke covers is obeyed on its frame, and says what else belongs to the object. It takes the
        place of all that was said on the frame: give several as :class:`FramePrompts` to :meth:`prompt`.

        Args:
            frame: The plate's own number.
            points_px: ``(x, y)`` along the stroke, from the plate's top-left corner.
            width_px: Of the brush.
            positive: False on something that must not be part of the object.
            replace: A mask that was drawn on this frame may go.
            mask_format: How large the mask is that comes back.

        Raises:
            BadInputError: The stroke has no point, or lies outside the plate, or a mask was drawn on this
                frame and nothing says that it may be replaced.
        """
        with bad_input():
            stroke = Scribble(tuple(points_px), width_px, positive)
            prompts = FramePrompts(self.object_id, frame, scribbles=(stroke,))
        return self.prompt(prompts, replace=replace, mask_format=mask_format)

    def mask(self, *, frame: int, mask: Mask) -> MaskUpdate | None:
        """Say exactly what the object is on this frame. Replaces what was said there."""
        with bad_input():
            prompts = FramePrompts(self.object_id, frame, mask=mask)
        return self.prompt(prompts)

    def prompt(
        self, prompts: FramePrompts, *, replace: bool = False, mask_format: MaskFormat = PLATE_SIZE
    ) -> MaskUpdate | None:
        """Replace all that is said on one frame; None when that is now nothing.

        Clicks, strokes and boxes take the place of a mask drawn by hand only with ``replace``.
        """
        return self._transport.set_prompts(self._session_id, prompts, mask_format, replace_mask=replace)

    def clear(self, *, frame: int) -> None:
        """Take back all that was said on one frame."""
        with bad_input():
            nothing = FramePrompts(self.object_id, frame)
        self.prompt(nothing)

    def find_again(self, *, frame: int, limit: int = 3) -> tuple[Candidate, ...]:
        """Places where the object may be on a frame, the likeliest first; nothing is said yet.

        For after an absence or a cut. :meth:`accept` takes one; tracking then goes both ways from there,
        back into the gap too.

        Args:
            frame: Where to look; one without prompts of the object.
            limit: How many places at most, up to 8.

        Raises:
            BadInputError: The frame has prompts already, or the object has none anywhere.
        """
        check_frame(frame)
        return self._transport.find_again(self._session_id, self.object_id, frame, limit, PLATE_SIZE)

    def look(self, *, frame: int) -> Look:
        """What the object looks like on its prompted frame nearest to this one, to be found elsewhere."""
        check_frame(frame)
        return self._transport.get_look(self._session_id, self.object_id, frame)

    def accept(self, candidate: Candidate | Found) -> MaskUpdate | None:
        """Say what makes a candidate, or a thing that was found, the object; its mask."""
        return self.prompt(replace(candidate.prompts, object_id=self.object_id))

    def lock(self, *, first: int, last: int, masks: tuple[LockedMask, ...] = ()) -> None:
        """Keep tracking from changing these frames, both included; frames without a mask get their first.

        Args:
            first: The plate's own number.
            last: Likewise.
            masks: What some of the frames keep, from a prompt document, in place of what they have.

        Raises:
            BadInputError: The range leaves the clip, or ends before it begins.
        """
        self._set_lock(first, last, locked=True, masks=masks)

    def unlock(self, *, first: int, last: int) -> None:
        """Let tracking change these frames again; errors as in :meth:`lock`."""
        self._set_lock(first, last, locked=False)

    def set_matte(self, settings: MatteSettings) -> None:
        """Choose how the matte is finished: size, softness, levels. Every mask from now on shows it."""
        self._transport.set_matte(self._session_id, self.object_id, settings)

    def set_policy(self, policy: MemoryPolicy) -> None:
        """Choose how the object's memory is used while it is tracked; what was tracked becomes stale.

        Raises:
            BadInputError: The server follows the official predictor, which has no policies.
        """
        self._transport.set_policy(self._session_id, self.object_id, policy)

    def rename(self, name: str) -> None:
        """Give the object another name.

        Raises:
            NameTakenError: Another object of the session has it.
            BadInputError: The name cannot be one of a layer: empty, a slash, a dot in it.
        """
        self.name = self._transport.rename_object(self._session_id, self.object_id, name).name

    def remove(self) -> None:
        """Forget the object with its prompts and masks. The others do not notice."""
        self._transport.remove_object(self._session_id, self.object_id)

    def _set_lock(self, first: int, last: int, *, locked: bool, masks: tuple[LockedMask, ...] = ()) -> None:
        with bad_input():
            frames = FrameRange(first, last)
        self._transport.set_lock(self._session_id, self.object_id, frames, locked=locked, masks=masks)
