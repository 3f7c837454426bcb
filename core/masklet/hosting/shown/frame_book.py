"""What is known of every frame of every object, and the strips that show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.types import FrameRange, Presence, StateRange


@dataclass(frozen=True)
class Strip:
    """A run of frames that are drawn alike.

    Attributes:
        first: Plate frame.
        last: Plate frame.
        presence: What the tracker believed.
        prompted: The artist said something here.
        locked: Tracking leaves it.
        stale: Prompts have overtaken it.
        held: False where the file alone remembers that there was a mask: the server has none any more.
    """

    first: int
    last: int
    presence: Presence
    prompted: bool
    locked: bool
    stale: bool
    held: bool = True


@dataclass(frozen=True)
class Known:
    """Frames of one object that have a mask as far as is known here.

    Attributes:
        held: The server has it, when it was asked last.
        lost: The server has none any more.
    """

    held: tuple[FrameRange, ...] = ()
    lost: tuple[FrameRange, ...] = ()


class FrameBook:
    """States of one plate's objects: from the file, from the server, and what a track reported since."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Strip, ...]] = {}
        self._since: dict[str, dict[int, Presence]] = {}
        self._cached: dict[str, tuple[Strip, ...]] = {}
        self._qualities: dict[str, dict[int, float]] = {}

    def recall(self, kept: Mapping[str, tuple[Strip, ...]]) -> None:
        """Begin with what the file keeps, until the server is asked."""
        self._told, self._since, self._cached = dict(kept), {}, {}

    def replace(self, told: Mapping[str, tuple[StateRange, ...]]) -> None:
        """Take the server's word for all objects; what was reported in between is part of it.

        Frames that it lost are remembered until they have a mask again.
        """
        lost = {uid: tuple(strip for strip in strips if not strip.held) for uid, strips in self._told.items()}
        told_now = {uid: tuple(_strip(state) for state in states) for uid, states in told.items()}
        self._told = {
            uid: _laid_over(lost.get(uid, ()), told_now.get(uid, ())) for uid in {**lost, **told_now}
        }
        self._since = {}
        self._cached = {}

    def lose(self) -> None:
        """The session is gone with its masks: all that is known is what was."""
        known = {uid: self.strips(uid) for uid in {**self._told, **self._since}}
        self._told = {
            uid: tuple(replace(strip, held=False) for strip in strips) for uid, strips in known.items()
        }
        self._since, self._cached, self._qualities = {}, {}, {}

    def forget_lost(self, uids: Iterable[str]) -> None:
        """Remember nothing any more of frames whose masks are gone."""
        for uid in uids:
            self._told[uid] = tuple(strip for strip in self._told.get(uid, ()) if strip.held)
            self._cached.pop(uid, None)

    def known(self, uids: Iterable[str]) -> dict[str, Known]:
        """Which frames had a mask once, by object."""
        return {
            uid: Known(
                tuple(FrameRange(strip.first, strip.last) for strip in self.strips(uid) if strip.held),
                tuple(FrameRange(strip.first, strip.last) for strip in self.strips(uid) if not strip.held),
            )
            for uid in uids
        }

    def report(self, uid: str, frame: int, presence: Presence) -> None:
        """Note that a frame has just got its mask."""
        self._since.setdefault(uid, {})[frame] = presence
        self._cached.pop(uid, None)

    def rate(self, uid: str, frame: int, quality: float | None) -> None:
        """Note what the tracker thinks of the mask that a frame has now, 0 to 1."""
        rated = self._qualities.setdefault(uid, {})
        if quality is None:
            rated.pop(frame, None)
        else:
            rated[frame] = quality

    def forget_qualities(self, uid: str) -> None:
        """The masks of an object are others now."""
        self._qualities.pop(uid, None)

    def quality(self, uid: str, frame: int) -> float | None:
        """What the tracker thinks of a frame's mask, as far as masks have told; it is in no file."""
        return self._qualities.get(uid, {}).get(frame)

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
                if (
                    strip.locked
                    or not strip.held
                    or not (strip.stale or strip.presence is Presence.UNCERTAIN)
                ):
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
    return json.dumps(
        [[s.first, s.last, s.presence.value, s.prompted, s.locked, s.stale, s.held] for s in strips]
    )


def from_json(text: str) -> tuple[Strip, ...]:
    """The strips in a text.

    Raises:
        BadInputError: The text was damaged.
    """
    try:
        # Files of earlier versions say nothing of what was lost.
        return tuple(
            Strip(first, last, Presence(presence), prompted, locked, stale, *held)
            for first, last, presence, prompted, locked, stale, *held in json.loads(text or "[]")
        )
    except (ValueError, TypeError) as error:
        raise BadInputError(phrase("the states kept in this file cannot be read: track again")) from error


def _strip(state: StateRange) -> Strip:
    frames = state.frames
    return Strip(frames.first, frames.last, state.presence, state.prompted, state.locked, state.stale)


def _laid_over(lost: tuple[Strip, ...], told: tuple[Strip, ...]) -> tuple[Strip, ...]:
    """What was lost, less what is there again, with what is there."""
    left = list(lost)
    for there in told:
        parts = []
        for strip in left:
            if strip.last < there.first or strip.first > there.last:
                parts.append(strip)
                continue
            if strip.first < there.first:
                parts.append(replace(strip, last=there.first - 1))
            if strip.last > there.last:
                parts.append(replace(strip, first=there.last + 1))
        left = parts
    return tuple(sorted((*left, *told), key=lambda strip: strip.first))


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
