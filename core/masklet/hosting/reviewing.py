"""What buttons ask of a track and say of it, and where the next look is needed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from masklet.hosting.work.plate_events import TrackRequest
from masklet.phrases import phrase
from masklet.types import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.hosting.plate_memory import PlateMemory
    from masklet.hosting.ports import P
    from masklet.hosting.shown.frame_book import Strip
    from masklet.phrases import Phrase

_REASONS_TOLD = 2
"""A plate without its files would fill a panel with one sentence for each."""


class Extent(Enum):
    """How far a button tracks."""

    CLIP = "clip"
    """To the ends of the plate."""
    ONE = "one"
    """One frame further."""
    RANGE = "range"
    """Between two frames."""


def track_request(
    extent: Extent,
    direction: Direction,
    frame: int,
    *,
    span: tuple[int, int] | None = None,
    uids: tuple[str, ...] = (),
    stale_only: bool = False,
) -> TrackRequest:
    """What a button asks for.

    Args:
        extent: How far.
        direction: Which way.
        frame: The plate's own number of the picture that shows.
        span: First and last frame for :attr:`Extent.RANGE`.
        uids: Of the objects; none given means all with prompts.
        stale_only: Only what prompts have overtaken.
    """
    first: int | None = None
    last: int | None = None
    if extent is Extent.RANGE and span is not None:
        first, last = span
    elif extent is Extent.ONE:
        first, last = (frame - 1, frame) if direction is Direction.BACKWARD else (frame, frame + 1)
    elif direction is Direction.FORWARD:
        first = frame
    elif direction is Direction.BACKWARD:
        last = frame
    return TrackRequest(first, last, uids, direction, stale_only)


def track_sentence(memory: PlateMemory[P], *, done: int, cuts: Iterable[int]) -> Phrase:
    """How a track went.

    Args:
        memory: Of the plate.
        done: Masks that came.
        cuts: First frames of new shots, as the artist counts.
    """
    sentence = _how_it_went(done, ", ".join(str(cut) for cut in cuts))
    if not memory.left_out:
        return sentence
    reasons = [each.reason for each in memory.left_out[:_REASONS_TOLD]]
    if len(memory.left_out) > _REASONS_TOLD:
        reasons.append("…")
    return phrase("{sentence}; left out: {reasons}", sentence=sentence, reasons="; ".join(reasons))


def _how_it_went(done: int, cuts: str) -> Phrase:
    if cuts:
        return phrase("Tracked up to the cut at frame {cuts}: click the object again there", cuts=cuts)
    return phrase("Tracked") if done else phrase("Every frame is up to date: there was nothing to track")


def bad_frame_sentence(name: str, strip: Strip | None) -> Phrase:
    """Why an object is to be looked at on a frame."""
    if strip is not None and strip.stale:
        return phrase("{name} is out of date: track again", name=name)
    return phrase("{name} is uncertain: check it", name=name)


def no_bad_frame_sentence(*, backward: bool) -> Phrase:
    """That there is nothing to look at."""
    return phrase("No bad frame before this one") if backward else phrase("No bad frame after this one")
