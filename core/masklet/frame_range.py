"""Frame numbers and ranges of them; the convention is that of :mod:`masklet.types`."""

from __future__ import annotations

from dataclasses import dataclass

MAX_FRAME = 2**31 - 1
"""Frame numbers take 32 bits with a sign, from ``-MAX_FRAME - 1``: as on the wire and in the hosts."""


def check_frame(frame: int) -> None:
    """See that a number can be a frame's.

    Raises:
        ValueError: It takes more than 32 bits.
    """
    if not -MAX_FRAME - 1 <= frame <= MAX_FRAME:
        raise ValueError(f"{frame} is no frame number, the largest is {MAX_FRAME}: check the digits")


@dataclass(frozen=True)
class FrameRange:
    """Frames from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        check_frame(self.first)
        check_frame(self.last)
        if self.last < self.first:
            raise ValueError(f"a range needs first <= last, got {self.first}-{self.last}")

    @property
    def shown(self) -> str:
        """For people: ``1001-1100``, or ``1001``."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def worded(self) -> str:
        """The same in a sentence: ``frames 1001-1100``, or ``frame 1001``."""
        return f"frame {self.shown}" if self.first == self.last else f"frames {self.shown}"

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1
