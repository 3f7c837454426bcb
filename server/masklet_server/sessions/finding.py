"""An object found again: where it may be on a frame, and what would come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet.types import Click, FramePrompts
from masklet_server.tracking import ObjectFrame, Proposal

_SAME_FROM_IOU = 0.5
_PLACES_A_CANDIDATE = 2
"""Two places may lie on one thing: so many more are looked at than candidates asked for."""


@dataclass(frozen=True, eq=False)
class FoundAgain:
    """A place where an object may be.

    Attributes:
        prompts: Saying these accepts it.
        result: What they would give.
        likeness: How much the place looks like the object, up to 1.
    """

    prompts: FramePrompts
    result: ObjectFrame
    likeness: float


async def find_again(
    object_id: int,
    frame: int,
    limit: int,
    propose: Callable[[int], Awaitable[Sequence[Proposal]]],
    preview: Callable[[FramePrompts], Awaitable[ObjectFrame]],
) -> tuple[FoundAgain, ...]:
    """Candidates for an object on a frame, the likeliest first; of places on one thing the likeliest stays.

    Args:
        object_id: Whose.
        frame: Where to look.
        limit: How many at most.
        propose: Tells so many places that look like the object.
        preview: Tells what prompts would give.
    """
    found: list[FoundAgain] = []
    for place in await propose(_PLACES_A_CANDIDATE * limit):
        prompts = FramePrompts(object_id, frame, (Click(place.x_px, place.y_px),))
        result = await preview(prompts)
        mask = result.logits > 0
        if mask.any() and all(iou(mask, other.result.logits > 0) < _SAME_FROM_IOU for other in found):
            found.append(FoundAgain(prompts, result, place.likeness))
        if len(found) == limit:
            break
    return tuple(found)


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Of two masks of one size; 0 where both are empty."""
    either = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / either if either else 0.0
