"""What is known of every frame of every object, and the strips that show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from masklet.errors import BadInputError
from masklet.types import FrameRange, Presence, StateRange

_NO_ID = 0


@dataclass(frozen=True)
class Strip:
    """A run of frames that are drawn alike."""

    first: int
    last: int
    presence: Presence
    prompted: bool
    locked: bool
    stale: bool


class FrameBook:
    """States of one plate's objects: the server's word, and what a running track has reported since."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Strip, ...]] = {}
        self._since: dict[str, dict[int, Presence]] = {}
        self._cached: dict[str, tuple[Strip, ...]] = {}

    def replace(self, told: Mapping[str, tuple[StateRange, ...]]) -> None:
        """Take the server's word for all objects; what was reported in between is part of it."""
        self._told = {uid: tuple(_strip(state) for state in states) for uid, states in told.items()}
        self._since = {}
        self._cached = {}

    def report(self, uid: str, frame: int, presence: Presence) -> None:
        """Note that a frame has just got its mask."""
        self._since.setdefault(uid, {})[frame] = presence
        self._cached.pop(uid, None)

    def strips(self, uid: str) -> tuple[Strip, ...]:
        """All frames of an object that have a mask, ascending."""
        cached = self._cached.get(uid)
        if cached is None:
            cached = self._cached[uid] = _merged(self._told.get(uid, ()), self._since.get(uid, {}))
        return cached

    def at(self, uid: str, frame: int) -> Strip | None:
        """The run that holds a frame, None where the object has no mask."""
        return next((strip for strip in self.strips(uid) if strip.first <= frame <= strip.last), None)

    def frames_with_masks(self, uid: str) -> int:
        """How many frames of an object have a mask."""
        return sum(strip.last - strip.first + 1 for strip in self.strips(uid))

    def next_bad(self, uids: Iterable[str], after: int, *, backward: bool) -> tuple[str, int] | None:
        """The nearest frame behind another that is uncertain or out of date, and its object.

        The first frame of each run counts, or its last when searching backward; locked frames do not.
        """
        found: list[tuple[int, str]] = []
        for uid in uids:
            for strip in self.strips(uid):
                if strip.locked or not (strip.stale or strip.presence is Presence.UNCERTAIN):
                    continue
                frame = strip.last if backward else strip.first
                if frame < after if backward else frame > after:
                    found.append((frame, uid))
        if not found:
            return None
        frame, uid = max(found) if backward else min(found)
        return uid, frame


def to_json(strips: Iterable[Strip]) -> str:
    """Strips as text, to be kept in a file."""
    return json.dumps([[s.first, s.last, s.presence.value, s.prompted, s.locked, s.stale] for s in strips])


def from_json(text: str) -> tuple[StateRange, ...]:
    """The strips in a text.

    Raises:
        BadInputError: The text was damaged.
    """
    try:
        return tuple(
            StateRange(_NO_ID, FrameRange(first, last), Presence(presence), prompted, locked, stale)
            for first, last, presence, prompted, locked, stale in json.loads(text or "[]")
        )
    except (ValueError, TypeError) as error:
        raise BadInputError("the states kept in this file cannot be read: track again") from error


def _strip(state: StateRange) -> Strip:
    frames = state.frames
    return Strip(frames.first, frames.last, state.presence, state.prompted, state.locked, state.stale)


def _merged(told: tuple[Strip, ...], since: Mapping[int, Presence]) -> tuple[Strip, ...]:
    frames: dict[int, Strip] = {}
    for strip in told:
        if not since:
            return told
        for frame in range(strip.first, strip.last + 1):
            frames[frame] = strip
    for frame, presence in since.items():
        before = frames.get(frame)
        prompted, locked = (before.prompted, before.locked) if before else (False, False)
        frames[frame] = Strip(frame, frame, presence, prompted, locked, False)
    merged: list[Strip] = []
    for frame in sorted(frames):
        strip = replace(frames[frame], first=frame, last=frame)
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.last == frame - 1
            and replace(strip, first=last.first) == replace(last, last=frame)
        ):
            merged[-1] = replace(last, last=frame)
        else:
            merged.append(strip)
    return tuple(merged)
