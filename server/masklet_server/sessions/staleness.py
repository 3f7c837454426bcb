"""Which frames have a mask that later prompts would have made differently, or none where one belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class StaleFrames:
    """Stale frames by object. Changed on the device's thread only; others may read meanwhile."""

    def __init__(self) -> None:
        self._frames: dict[int, frozenset[int]] = {}

    def of(self, object_id: int) -> frozenset[int]:
        """Stale frames of one object."""
        return self._frames.get(object_id, frozenset())

    @property
    def all(self) -> Mapping[int, frozenset[int]]:
        """Stale frames by object, a value that does not change."""
        return self._frames

    def restore(self, frames: Mapping[int, frozenset[int]]) -> None:
        """Know again which frames are stale."""
        self._frames = dict(frames)

    def mark(self, object_id: int, frames: Iterable[int]) -> frozenset[int]:
        """Mark frames; return those that were not stale before."""
        before = self.of(object_id)
        fresh = frozenset(frames) - before
        self._frames = {**self._frames, object_id: before | fresh}
        return fresh

    def clear(self, object_id: int, frames: Iterable[int]) -> None:
        """These frames are as their prompts want them."""
        left = self.of(object_id) - frozenset(frames)
        self._frames = {**self._frames, object_id: left}

    def forget(self, object_id: int) -> None:
        """Drop all marks of one object."""
        self._frames = {owner: frames for owner, frames in self._frames.items() if owner != object_id}
