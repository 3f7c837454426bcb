"""Masks of the overlay: small enough for a graphics card, packed, and no more of them than fit.

Standard library only: bytes are rearranged by slices and translation tables, which run at the speed of C.
"""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from dataclasses import dataclass

from masklet.types import Mask, MaskUpdate, Presence

LIMIT_BYTES = 256 * 2**20
"""Of packed masks in memory."""

_PLANES = tuple(bytes(struct.pack("=f", value / 255.0)[plane] for value in range(256)) for plane in range(4))


@dataclass(frozen=True)
class PackedMask:
    """A mask as it is kept.

    Attributes:
        width_px: Columns of the mask.
        height_px: Rows.
        covers_x: How much of the plate's width the columns stand for, 1 but for what division left over.
        covers_y: The same in height.
        packed: The rows from the top, compressed.
        presence: What the tracker believes.
        is_empty: True where nothing is inside.
        quality: What the tracker thinks of it, 0 to 1; None where nobody has told.
    """

    width_px: int
    height_px: int
    covers_x: float
    covers_y: float
    packed: bytes
    presence: Presence
    is_empty: bool
    quality: float | None = None

    def covers(self, across: float, down: float) -> bool:
        """True where the mask covers a place, told in shares of the plate's width and height."""
        column = int(across / self.covers_x * self.width_px)
        row = int(down / self.covers_y * self.height_px)
        if not (0 <= column < self.width_px and 0 <= row < self.height_px):
            return False
        return zlib.decompress(self.packed)[row * self.width_px + column] > 127


def pack(mask: Mask, presence: Presence, *, max_side_px: int, quality: float | None = None) -> PackedMask:
    """A mask for the overlay: every n-th pixel, so that no side is longer than asked for."""
    mask = mask.in_8_bits()
    step = max(1, -(-max(mask.width_px, mask.height_px) // max_side_px))
    alpha, width_px, height_px = mask.alpha, mask.width_px, mask.height_px
    if step > 1:
        # The middle of each block stands for it, so nothing shifts.
        middle = step // 2
        rows = range(min(middle, height_px - 1), height_px, step)
        columns = len(range(min(middle, width_px - 1), width_px, step))
        first = min(middle, width_px - 1)
        alpha = b"".join(mask.alpha[row * width_px + first : (row + 1) * width_px : step] for row in rows)
        width_px, height_px = columns, len(rows)
    return PackedMask(
        width_px,
        height_px,
        width_px * step / mask.width_px,
        height_px * step / mask.height_px,
        zlib.compress(alpha, 1),
        presence,
        not any(alpha) if step > 1 else not alpha.strip(b"\0"),
        quality,
    )


def share_of(mask: Mask) -> float:
    """How much of the picture a mask covers; half covered counts as covered."""
    alpha = mask.in_8_bits().alpha
    inside = len(alpha) - len(alpha.translate(None, bytes(range(128, 256))))
    return inside / len(alpha)


def packed_for_overlay(update: MaskUpdate, max_side_px: int) -> PackedMask:
    """The mask of an update, packed."""
    quality = update.presence_score * update.predicted_iou
    return pack(update.mask, update.presence, max_side_px=max_side_px, quality=quality)


def filled_box(alpha: bytes, width_px: int) -> tuple[int, int, int, int] | None:
    """The smallest box that holds all coverage; None where there is none.

    Args:
        alpha: Rows from the top, a byte for each pixel.
        width_px: Of a row.

    Returns:
        First column, first row, the column behind the last and the row behind the last.
    """
    before = len(alpha) - len(alpha.lstrip(b"\0"))
    if before == len(alpha):
        return None
    top, bottom = before // width_px, -(-len(alpha.rstrip(b"\0")) // width_px)
    columns = 0
    for row in range(top, bottom):
        columns |= int.from_bytes(alpha[row * width_px : (row + 1) * width_px], "big")
    across = columns.to_bytes(width_px, "big")
    return width_px - len(across.lstrip(b"\0")), top, len(across.rstrip(b"\0")), bottom


def as_floats(packed: PackedMask) -> bytearray:
    """Coverage from 0 to 1 as 32-bit floats of this machine, row by row from the bottom.

    Graphics cards take rows from the bottom, and some hosts take textures only as floats.
    """
    alpha = zlib.decompress(packed.packed)
    width_px = packed.width_px
    flipped = b"".join(
        alpha[start : start + width_px] for start in range(len(alpha) - width_px, -1, -width_px)
    )
    floats = bytearray(4 * len(flipped))
    for plane, table in enumerate(_PLANES):
        floats[plane::4] = flipped.translate(table)
    return floats


class MaskStore:
    """Packed masks by object and frame; those that were not looked at for longest go first.

    Args:
        limit_bytes: Of all packed masks together.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._masks: OrderedDict[tuple[str, int], PackedMask] = OrderedDict()
        self._limit_bytes = limit_bytes
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._masks)

    def put(self, uid: str, frame: int, mask: PackedMask) -> None:
        """Keep a mask in place of the one before."""
        self.drop(uid, frame)
        self._masks[uid, frame] = mask
        self._held_bytes += len(mask.packed)
        while self._held_bytes > self._limit_bytes and len(self._masks) > 1:
            _, oldest = self._masks.popitem(last=False)
            self._held_bytes -= len(oldest.packed)

    def get(self, uid: str, frame: int) -> PackedMask | None:
        """The mask of an object on a frame, None where it is not here."""
        mask = self._masks.get((uid, frame))
        if mask is not None:
            self._masks.move_to_end((uid, frame))
        return mask

    def all(self) -> dict[tuple[str, int], PackedMask]:
        """Every mask that is here, by object and frame; the masks themselves are not copied."""
        return dict(self._masks)

    def drop(self, uid: str, frame: int) -> None:
        """Forget one mask, if it is here."""
        gone = self._masks.pop((uid, frame), None)
        if gone is not None:
            self._held_bytes -= len(gone.packed)

    def drop_object(self, uid: str) -> None:
        """Forget all masks of an object."""
        for owner, frame in [key for key in self._masks if key[0] == uid]:
            self.drop(owner, frame)

    def clear(self) -> None:
        """Forget everything."""
        self._masks.clear()
        self._held_bytes = 0
