"""Coverage of one object on one frame, at the depth in which it was drawn.

Needs nothing but the standard library; NumPy only where arrays are asked for.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HALF_ONE = 0x3C00
"""The bits of 1.0 as a half float; those of 0.0 are 0, and all between are in order."""


class MaskDepth(Enum):
    """How a pixel of a mask says how much of it is covered."""

    BITS_8 = "8"
    """One byte: 0 outside, 255 inside."""
    BITS_16 = "16"
    """Two bytes, the lower first: 0 outside, 65535 inside."""
    HALF = "half"
    """A half float, lower byte first: 0.0 outside, 1.0 inside; what OpenEXR holds."""

    @property
    def bytes_per_pixel(self) -> int:
        """1 or 2."""
        return 1 if self is MaskDepth.BITS_8 else 2


@dataclass(frozen=True)
class Mask:
    """Coverage of one object on one frame.

    Attributes:
        width_px: Columns.
        height_px: Rows.
        alpha: Pixels row by row from the top, as :attr:`depth` says. Linear: it is coverage, so no
            transfer function applies.
        depth: How a pixel is written. Masks of results have 8 bits; a drawn one keeps its own depth.
    """

    width_px: int
    height_px: int
    alpha: bytes
    depth: MaskDepth = MaskDepth.BITS_8

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise ValueError(f"a mask needs at least one pixel, got {self.width_px} x {self.height_px}")
        size_bytes = self.width_px * self.height_px * self.depth.bytes_per_pixel
        if len(self.alpha) != size_bytes:
            raise ValueError(
                f"a mask of {self.width_px} x {self.height_px} needs {size_bytes} bytes, "
                f"got {len(self.alpha)}"
            )
        if self.depth is MaskDepth.HALF and max(self._codes()) > _HALF_ONE:
            raise ValueError("coverage lies between 0 and 1: clip the mask and draw it again")

    def as_array(self) -> NDArray[np.uint8]:
        """The coverage as a read-only ``(height, width)`` uint8 array, rounded if need be (needs NumPy)."""
        import numpy as np

        if self.depth is MaskDepth.BITS_8:
            codes = np.frombuffer(self.alpha, np.uint8)
        else:
            codes = np.frombuffer(_bytes_of(self.depth), np.uint8)[np.frombuffer(self.alpha, "<u2")]
            codes.flags.writeable = False
        return codes.reshape(self.height_px, self.width_px)

    def coverage(self) -> NDArray[np.float32]:
        """The coverage as a ``(height, width)`` float32 array, 0 to 1, all of its depth (needs NumPy)."""
        import numpy as np

        if self.depth is MaskDepth.HALF:
            values = np.frombuffer(self.alpha, "<f2").astype(np.float32)
        elif self.depth is MaskDepth.BITS_16:
            values = np.divide(np.frombuffer(self.alpha, "<u2"), 65535, dtype=np.float32)
        else:
            values = np.divide(np.frombuffer(self.alpha, np.uint8), 255, dtype=np.float32)
        return values.reshape(self.height_px, self.width_px)

    def in_8_bits(self) -> Mask:
        """The same mask with 256 steps of coverage, for looking at; itself where it has no more."""
        if self.depth is MaskDepth.BITS_8:
            return self
        alpha = bytes(map(_bytes_of(self.depth).__getitem__, self._codes()))
        return Mask(self.width_px, self.height_px, alpha)

    def in_16_bits(self) -> Mask:
        """The same mask with 65536 steps of coverage: all of an 8-bit one, a half float one rounded."""
        if self.depth is MaskDepth.BITS_16:
            return self
        if self.depth is MaskDepth.BITS_8:
            codes = array("H", (257 * code for code in self.alpha))
        else:
            codes = array("H", map(_words_of_half().__getitem__, self._codes()))
        if sys.byteorder == "big":
            codes.byteswap()
        return Mask(self.width_px, self.height_px, codes.tobytes(), MaskDepth.BITS_16)

    @staticmethod
    def from_array(alpha: NDArray[Any]) -> Mask:
        """A mask of a ``(height, width)`` array: uint8, uint16, float16 or float32.

        Floats are coverage from 0 to 1 and kept as half floats, which is what mattes are written in.
        What lies beyond, as filters leave it, is clipped.

        Raises:
            ValueError: The array has another shape or another type, or a float is not a number.
        """
        import numpy as np

        kind = alpha.dtype.name
        if alpha.ndim != 2 or kind not in ("uint8", "uint16", "float16", "float32"):
            raise ValueError(
                f"a mask must be (height, width) of uint8, uint16, float16 or float32, "
                f"got {alpha.shape} {alpha.dtype}"
            )
        height_px, width_px = alpha.shape
        if kind == "uint8":
            return Mask(width_px, height_px, alpha.tobytes())
        if kind == "uint16":
            return Mask(width_px, height_px, alpha.astype("<u2").tobytes(), MaskDepth.BITS_16)
        if np.isnan(alpha).any():
            raise ValueError("a pixel of the mask is not a number: draw the mask again")
        # Added to zero, the zero with a sign becomes the one without.
        halves = (np.clip(alpha, 0, 1) + 0).astype("<f2")
        return Mask(width_px, height_px, halves.tobytes(), MaskDepth.HALF)

    def _codes(self) -> array[int]:
        """The pixels of two bytes as numbers."""
        codes = array("H")
        codes.frombytes(self.alpha)
        if sys.byteorder == "big":
            codes.byteswap()
        return codes


@cache
def _bytes_of(depth: MaskDepth) -> bytes:
    """By the number that two bytes make: the nearest of 256 steps."""
    if depth is MaskDepth.HALF:
        return bytes(round(255 * value) for value in _halves())
    return bytes((code + 128) // 257 for code in range(65536))


@cache
def _words_of_half() -> array[int]:
    """By the bits of a half float: the nearest of 65536 steps."""
    return array("H", (round(65535 * value) for value in _halves()))


def _halves() -> tuple[float, ...]:
    """All half floats from 0 to 1, in order."""
    count = _HALF_ONE + 1
    return struct.unpack(f"<{count}e", struct.pack(f"<{count}H", *range(count)))
