"""A mask drawn by hand is the artist's work: clicks and boxes never take its place unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from masklet.types import FramePrompts


def check_mask_stays(before: FramePrompts | None, after: FramePrompts, name: str) -> None:
    """Refuse clicks and boxes on a frame with a mask drawn by hand; one rule for all ways in.

    They cannot correct the mask either: what comes of a click passes through the network's square, and fine
    edges would be lost. Drawing again and clearing the frame are said plainly enough and always allowed.

    Args:
        before: What is said on the frame; None where nothing is.
        after: What shall be said there in its place.
        name: Of the object.

    Raises:
        BadInputError: Anything else would replace a drawn mask.
    """
    if before is None or before.mask is None or after.mask is not None or after.is_empty:
        return
    raise BadInputError(
        f"{name} has a mask drawn by hand on frame {before.frame}, which clicks, strokes and boxes would "
        "replace: draw the mask again, click another frame, or clear this frame first (--only on the "
        "command line, replace=True in the library)"
    )
