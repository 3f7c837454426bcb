"""What is said about one object on one frame, as it is kept: a mask that was drawn by hand is packed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from masklet.types import FramePrompts, Mask, MaskDepth

_CLICK_BYTES = 100


@dataclass(frozen=True)
class DrawnMask:
    """A mask, its alpha compressed with zlib: of a painted one, forty bytes lie in the room of one."""

    width_px: int
    height_px: int
    depth: MaskDepth
    packed: bytes

    @property
    def unpacked_bytes(self) -> int:
        """What its alpha takes."""
        return self.width_px * self.height_px * self.depth.bytes_per_pixel


@dataclass(frozen=True)
class Said:
    """Prompts of one object on one frame; made by :meth:`of`."""

    _bare: FramePrompts
    _drawn: DrawnMask | None

    @staticmethod
    def of(prompts: FramePrompts) -> Said:
        """These prompts, packed."""
        mask = prompts.mask
        if mask is None:
            return Said(prompts, None)
        # The fastest level: a mask is mostly long runs, and an artist waits for the next stroke.
        drawn = DrawnMask(mask.width_px, mask.height_px, mask.depth, zlib.compress(mask.alpha, 1))
        return Said(replace(prompts, mask=None), drawn)

    @staticmethod
    def of_parts(bare: FramePrompts, drawn: DrawnMask | None) -> Said:
        """From what :attr:`bare` and :attr:`drawn` gave."""
        return Said(bare, drawn)

    @property
    def bare(self) -> FramePrompts:
        """The prompts without a drawn mask."""
        return self._bare

    @property
    def drawn(self) -> DrawnMask | None:
        """The drawn mask, packed; None without one."""
        return self._drawn

    @property
    def is_drawn(self) -> bool:
        """True for a mask drawn by hand."""
        return self._drawn is not None

    @property
    def prompts(self) -> FramePrompts:
        """The prompts as they were given, unpacked anew by every call."""
        drawn = self._drawn
        if drawn is None:
            return self._bare
        mask = Mask(drawn.width_px, drawn.height_px, zlib.decompress(drawn.packed), drawn.depth)
        return replace(self._bare, mask=mask)

    @property
    def size_bytes(self) -> int:
        """About what they take in memory."""
        bare = self._bare
        base_bytes = 0 if bare.base is None else len(bare.base.logits) + len(bare.base.pointer)
        drawn_bytes = 0 if self._drawn is None else len(self._drawn.packed)
        points = sum(len(scribble.points_px) for scribble in bare.scribbles)
        return _CLICK_BYTES * (1 + len(bare.clicks) + points) + base_bytes + drawn_bytes
