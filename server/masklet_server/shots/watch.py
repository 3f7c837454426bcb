"""A clip that notices its cuts while it is read."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from masklet.errors import MaskletError
from masklet_server.aside import waiting_for_disk
from masklet_server.shots.cuts import PASSING_FRAMES, Look, is_cut, look_of

if TYPE_CHECKING:
    from masklet.types import ClipInfo

Picture = NDArray[np.uint8] | NDArray[np.float32]

AROUND_FRAMES = 3
"""Neighbouring pairs on either side that say how much this shot moves anyway."""


class PictureSource(Protocol):
    """Gives pictures of one clip; see :class:`masklet_server.tracking.FrameSource`."""

    @property
    def info(self) -> ClipInfo:
        """Size, range and numbering of the clip."""
        ...

    def read(self, frame: int) -> Picture:
        """The picture of ``frame``."""
        ...

    def close(self) -> None:
        """Give back what is open; the next read opens it again."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """A clip that can use frames again that were mended."""

    def refresh(self) -> frozenset[int]:
        """Use frames again whose files have changed since they could not be used; which ones."""
        ...


class ShotWatch:
    """Stands between a clip and whoever reads it; keeps some three kilobytes of each frame that passes.

    So the cut guard reads no frame twice: what tracking reads is looked at on the way, and a picture
    that the guard had to read first is kept until tracking asks for it. Safe to use from any thread.

    Args:
        source: The clip; it is entered by one thread at a time.
    """

    def __init__(self, source: PictureSource) -> None:
        self._source = source
        self._reading = threading.Lock()
        self._looks: dict[int, Look] = {}
        self._waiting: tuple[int, Picture] | None = None
        self._verdicts: dict[tuple[int, int], bool] = {}
        self._met: frozenset[tuple[int, int]] = frozenset()

    @property
    def info(self) -> ClipInfo:
        """Size, range and numbering of the clip."""
        return self._source.info

    @property
    def cuts(self) -> tuple[int, ...]:
        """First frames of new shots, as far as they were met, ascending."""
        return tuple(sorted(after for _, after in self._met))

    @property
    def met(self) -> frozenset[tuple[int, int]]:
        """The neighbouring frames between which these shots begin."""
        return self._met

    def restore(self, met: frozenset[tuple[int, int]]) -> None:
        """Know cuts again that were met before."""
        self._met = met
        self._verdicts.update(dict.fromkeys(met, True))

    def read(self, frame: int) -> Picture:
        """The picture of ``frame``; errors are those of the clip."""
        with waiting_for_disk(), self._reading:
            waiting, self._waiting = self._waiting, None
            if waiting is not None and waiting[0] == frame:
                return waiting[1]
            picture = self._source.read(frame)
            if frame not in self._looks:
                self._looks[frame] = look_of(picture)
            return picture

    def refresh(self) -> frozenset[int]:
        """Use frames again whose files have changed since they could not be used; which ones."""
        with waiting_for_disk(), self._reading:
            mended = self._source.refresh() if isinstance(self._source, Refreshable) else frozenset()
        for pair in [pair for pair in self._verdicts if not mended.isdisjoint(pair)]:
            # Of a frame that could not be read it was said that there is no cut.
            del self._verdicts[pair]
        return mended

    def close(self) -> None:
        """Give back what the clip holds open and pictures that wait; the next read opens it again."""
        with waiting_for_disk(), self._reading:
            self._waiting = None
            self._source.close()

    def is_cut(self, before: int, after: int) -> bool:
        """True when a new shot begins at ``after``, the frame that follows ``before``.

        A frame that cannot be read is no cut: whoever needs it meets the error.
        """
        found = self._verdicts.get((before, after))
        if found is None:
            found = self._verdicts[before, after] = self._judge(before, after)
            if found:
                self._met |= {(before, after)}
        return found

    def _judge(self, before: int, after: int) -> bool:
        first, second = self._look(before), self._look(after, keep=True)
        if first is None or second is None:
            return False
        return is_cut(
            first,
            second,
            # Only asked for where the two differ enough to matter, and then read: a verdict that followed
            # from what happened to be known would depend on the way on which the clip was tracked.
            # Between the two there is nothing: a gap may be a million frames long.
            around=lambda: self._pairs_at(
                (*range(before - AROUND_FRAMES, before), *range(after, after + AROUND_FRAMES))
            ),
            earlier=lambda: self._looks_at(range(before - PASSING_FRAMES, before)),
            later=lambda: self._looks_at(range(after + 1, after + 1 + PASSING_FRAMES)),
        )

    def _pairs_at(self, frames: Iterable[int]) -> list[tuple[Look, Look]]:
        pairs = ((self._look(frame), self._look(frame + 1)) for frame in frames)
        return [(one, other) for one, other in pairs if one is not None and other is not None]

    def _looks_at(self, frames: range) -> list[Look]:
        return [look for look in map(self._look, frames) if look is not None]

    def _look(self, frame: int, *, keep: bool = False) -> Look | None:
        with waiting_for_disk(), self._reading:
            found = self._looks.get(frame)
            info = self._source.info
            if found is not None or frame not in info.frames or frame in info.missing:
                return found
            try:
                picture = self._source.read(frame)
            except MaskletError:
                return None
            if keep:
                self._waiting = (frame, picture)
            found = self._looks[frame] = look_of(picture)
            return found
