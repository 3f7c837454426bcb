"""Masks as tracking made them, packed: what a document keeps beside what was said."""

from __future__ import annotations

from dataclasses import dataclass

from masklet.frame_states import Presence

MAX_GRID_SIDE = 1024
MAX_POINTER_BYTES = 4096


@dataclass(frozen=True)
class TrackedMask:
    """A mask as tracking made it, on the network's own grid, packed: to be kept and given back, not drawn.

    Attributes:
        columns: Of the grid, to which the whole plate is stretched.
        rows: Of the grid.
        logits: Packed by the server; positive inside.
        presence: What the tracker believed.
        presence_logit: Positive when the object was believed visible.
        predicted_iou: The network's estimate of its own mask, 0 to 1.
        pointer: The network's summary of the object, little-endian float16; opaque.
        rival: How near something that looks like the object came, 0 to 1.
    """

    columns: int
    rows: int
    logits: bytes
    presence: Presence = Presence.PRESENT
    presence_logit: float = 0.0
    predicted_iou: float = 0.0
    pointer: bytes = b""
    rival: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.columns <= MAX_GRID_SIDE and 0 < self.rows <= MAX_GRID_SIDE):
            raise ValueError(
                f"a tracked mask has 1 to {MAX_GRID_SIDE} columns and rows, got {self.columns} x {self.rows}"
            )
        if len(self.logits) > 4 * self.columns * self.rows + 1024 or len(self.pointer) > MAX_POINTER_BYTES:
            raise ValueError("a tracked mask has more bytes than its size allows: save the document again")


@dataclass(frozen=True)
class CloseLook:
    """A second look at an object through a window of the plate, on a grid of its own.

    Attributes:
        left_px: Of the window, in whole pixels of the picture that is matted.
        top_px: The same.
        width_px: The same.
        height_px: The same.
        columns: Of the grid.
        rows: Of the grid.
        logits: Packed like those of a :class:`TrackedMask`.
    """

    left_px: int
    top_px: int
    width_px: int
    height_px: int
    columns: int
    rows: int
    logits: bytes

    def __post_init__(self) -> None:
        if min(self.left_px, self.top_px) < 0 or min(self.width_px, self.height_px) < 1:
            raise ValueError("a second look lies outside the picture: save the document again")
        if not (0 < self.columns <= MAX_GRID_SIDE and 0 < self.rows <= MAX_GRID_SIDE):
            raise ValueError(
                f"a second look has 1 to {MAX_GRID_SIDE} columns and rows, got {self.columns} x {self.rows}"
            )
        if len(self.logits) > 4 * self.columns * self.rows + 1024:
            raise ValueError("a second look has more bytes than its size allows: save the document again")


@dataclass(frozen=True)
class NearMask:
    """What was seen of an object beside a locked frame when that was approved: it calms the locked one.

    Attributes:
        frame: The plate's own number.
        mask: As it was then.
        looks: Second looks at it; empty where there were none.
    """

    frame: int
    mask: TrackedMask
    looks: tuple[CloseLook, ...] = ()


@dataclass(frozen=True)
class LockedMask:
    """The mask of a locked frame, as it was approved, with all that its delivery is made of.

    Attributes:
        object_id: Whose.
        frame: The plate's own number.
        mask: What stays.
        stale: Prompts have changed since in a way that would reach here: seen once the frame is unlocked.
        around: What calms it, ascending; None where nobody wrote it down, as in earlier versions.
        looks: Second looks at it; None where nobody has looked yet.
    """

    object_id: int
    frame: int
    mask: TrackedMask
    stale: bool = False
    around: tuple[NearMask, ...] | None = None
    looks: tuple[CloseLook, ...] | None = None
