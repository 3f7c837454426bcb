"""Kept versions of a track: what masks were before they were tracked again, to compare and to go back to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from masklet.hosting.shown.frame_book import Strip
    from masklet.hosting.shown.overlay_masks import MaskStore, PackedMask
    from masklet.said.documents import Document

MOST = 8
"""How many are kept of a plate."""
LIMIT_BYTES = 128 * 2**20
"""Of masks that only versions still hold."""


@dataclass(frozen=True)
class TrackVersion:
    """A track as it was.

    Attributes:
        number: From 1, in the order in which they were kept; never given twice.
        masks: By object and frame, as far as they were in memory.
        strips: By object, ascending.
        document: What had been said when it was tracked; None where that was before the plate was opened.
        kept_s: When, in seconds since 1970.
    """

    number: int
    masks: Mapping[tuple[str, int], PackedMask] = field(repr=False)
    strips: Mapping[str, tuple[Strip, ...]] = field(repr=False)
    document: Document | None = field(repr=False)
    kept_s: float = 0.0

    def mask(self, uid: str, frame: int) -> PackedMask | None:
        """The mask of an object on a frame; None where it had none, or it was not in memory."""
        return self.masks.get((uid, frame))


@dataclass(frozen=True)
class Wipe:
    """Two versions side by side: left of a line one, right of it the other.

    Attributes:
        left: The version that is shown left of the line.
        right: The version right of it; None for the masks as they are now.
        position: Where the line stands, from 0 at the plate's left edge to 1 at its right.
    """

    left: TrackVersion
    right: TrackVersion | None = None
    position: float = 0.5


class TrackVersions:
    """The versions of one plate, oldest first.

    Args:
        limit_bytes: Of masks that only versions still hold; the oldest version goes first.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._versions: list[TrackVersion] = []
        self._limit_bytes = limit_bytes
        self._kept = 0

    @property
    def all(self) -> tuple[TrackVersion, ...]:
        """Oldest first."""
        return tuple(self._versions)

    def keep(
        self, masks: MaskStore, strips: Mapping[str, tuple[Strip, ...]], document: Document | None
    ) -> TrackVersion | None:
        """Keep what is there before it is tracked over; None where nothing was tracked, or nothing anew."""
        there = masks.all()
        held = {uid: own for uid, own in strips.items() if own}
        if not there or not any(strip.held and not strip.prompted for own in held.values() for strip in own):
            return None
        last = self._versions[-1] if self._versions else None
        if last is not None and last.masks == there:
            return None
        self._kept += 1
        made = TrackVersion(self._kept, there, held, document, time.time())
        self._versions.append(made)
        self._make_room(there)
        return made

    def clear(self) -> None:
        """Forget all: the pictures are others now."""
        self._versions = []

    def _make_room(self, live: Mapping[tuple[str, int], PackedMask]) -> None:
        # Versions share most masks with each other and with what is shown: a mask counts once.
        del self._versions[:-MOST]
        while len(self._versions) > 1 and self._own_bytes(live) > self._limit_bytes:
            del self._versions[0]

    def _own_bytes(self, live: Mapping[tuple[str, int], PackedMask]) -> int:
        shown = {id(mask) for mask in live.values()}
        own = {id(mask): mask for version in self._versions for mask in version.masks.values()}
        return sum(len(mask.packed) for key, mask in own.items() if key not in shown)
