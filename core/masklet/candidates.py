"""Where an object may be on a frame, after an absence or a cut."""

from __future__ import annotations

from dataclasses import dataclass

from masklet.types import FramePrompts, MaskUpdate

MAX_CANDIDATES = 8
"""More places nobody looks through."""


@dataclass(frozen=True)
class Candidate:
    """A place that looks like the object.

    Attributes:
        prompts: Saying these accepts it: a click, and the frame has no other prompts.
        update: The mask that they would give.
        likeness: How much the place looks like the object on its prompted frames, up to 1.
    """

    prompts: FramePrompts
    update: MaskUpdate
    likeness: float
