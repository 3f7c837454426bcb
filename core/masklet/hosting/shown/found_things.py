"""Things that were found on a frame, to be shown and taken: each with a colour that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.hosting.shown.palette import PALETTE

if TYPE_CHECKING:
    from collections.abc import Collection

    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour
    from masklet.types import FramePrompts


@dataclass(frozen=True)
class FoundThing:
    """A thing in a picture.

    Attributes:
        number: From 1, the best first.
        prompts: Saying these of an object makes it this thing.
        mask: Packed for the overlay.
        share: Of the picture.
        score: How sure the network is, 0 to 1.
    """

    number: int
    prompts: FramePrompts
    mask: PackedMask
    share: float
    score: float

    @property
    def colour(self) -> Colour:
        """Of its number: it stays when others are taken."""
        return PALETTE[(self.number - 1) % len(PALETTE)]


@dataclass(frozen=True)
class FoundThings:
    """What was found on one frame.

    Attributes:
        frame: The plate's own number.
        things: Those that were not taken yet, the best first.
    """

    frame: int
    things: tuple[FoundThing, ...] = ()

    def at(self, across: float, down: float) -> FoundThing | None:
        """The smallest thing under a place, in shares of the plate's width and height: what lies on top."""
        under = (thing for thing in self.things if thing.mask.covers(across, down))
        return min(under, key=lambda thing: thing.share, default=None)

    def on(self, frame: int, across: float, down: float) -> FoundThing | None:
        """The same, where it is this frame that they were found on."""
        return self.at(across, down) if frame == self.frame else None

    def without(self, numbers: Collection[int]) -> FoundThings:
        """The same, some of them taken."""
        return FoundThings(self.frame, tuple(each for each in self.things if each.number not in numbers))
