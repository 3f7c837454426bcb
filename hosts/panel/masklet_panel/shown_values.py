"""What widgets show: values that never change, made anew by the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour


@dataclass(frozen=True)
class ShownObject:
    """An object as lists, lanes and the viewer show it.

    Attributes:
        uid: Of the object in the document, for ever.
        name: Of layers and files.
        colour: Red, green and blue, 0 to 1.
        is_shown: Its eye is open.
        is_visible: Its mask is drawn: the eye is open, and no other object is shown alone.
        is_solo: It is among those that are shown alone.
        is_selected: Buttons work on it.
        is_active: Clicks say something about it.
    """

    uid: str
    name: str
    colour: Colour
    is_shown: bool = True
    is_visible: bool = True
    is_solo: bool = False
    is_selected: bool = False
    is_active: bool = False


@dataclass(frozen=True)
class Progress:
    """How far the work is that an artist waits for.

    Attributes:
        name: "Tracking".
        done: Steps done.
        total: Steps in all; 0 while unknown.
        frames_per_s: Steps a second since it began; 0 while unknown.
        left_s: Until its end; None while unknown.
    """

    name: str
    done: int
    total: int
    frames_per_s: float = 0.0
    left_s: float | None = None
