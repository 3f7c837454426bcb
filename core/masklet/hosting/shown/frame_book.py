"""What is known of every frame of every object, and the strips that show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from masklet.bad_frames import is_begun, next_place, untracked
from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.types import ClipInfo, FrameRange, Presence, StateRange


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
        rival: Something that looks like the object is near.
    """

    first: int
    last: int
    presence: Presence
    prompted: bool
    locked: bool
    stale: bool
    held: bool = True
    rival: bool = False


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
        cached = self._cached.get(uid) if self._since.get(uid) else None
        self._since.setdefault(uid, {})[frame] = presence
        if cached is None:
            self._cached.pop(uid, None)
        else:
            # Whoever looks while a track reports would pay for all of it each time.
            self._cached[uid] = _with_frame(cached, frame, presence)

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

    def states(self, uid: str) -> tuple[StateRange, ...]:
        """The same as a session tells it, of an object numbered 0; without frames whose masks are lost."""
        return tuple(_state(0, strip) for strip in self.strips(uid) if strip.held)

    def at(self, uid: str, frame: int) -> Strip | None:
        """The run that holds a frame, None where the object has no mask."""
        return next((strip for strip in self.strips(uid) if strip.first <= frame <= strip.last), None)

    def frames_with_masks(self, uid: str) -> int:
        """How many frames of an object have a mask."""
        return sum(strip.last - strip.first + 1 for strip in self.strips(uid))

    def next_bad(
        self, uids: Iterable[str], after: int, *, backward: bool, clip: ClipInfo | None = None
    ) -> tuple[str, int] | None:
        """Where the next run of bad frames behind another begins, and its object: :mod:`masklet.bad_frames`.

        Args:
            uids: In their order.
            after: A plate frame.
            backward: Search before it.
            clip: Whose frames without a mask count too, of objects that were tracked; none when None.
        """
        order, ranges = list(uids), []
        for place, uid in enumerate(order):
            strips = [strip for strip in self.strips(uid) if strip.held]
            ranges += [_state(place, strip) for strip in strips]
            if clip is not None:
                known, prompted = _frames(strips), _frames(strip for strip in strips if strip.prompted)
                ranges += untracked(place, clip, known) if is_begun(known, prompted) else ()
        found = next_place(ranges, after=after, backward=backward)
        return None if found is None else (order[found.state.object_id], found.frame)


def to_json(strips: Iterable[Strip]) -> str:
    """Strips as text, to be kept in a file."""
    return json.dumps(
        [[s.first, s.last, s.presence.value, s.prompted, s.locked, s.stale, s.held, s.rival] for s in strips]
    )


def from_json(text: str) -> tuple[Strip, ...]:
    """The strips in a text.

    Raises:
        BadInputError: The text was damaged.
    """
    try:
        # Files of earlier versions say nothing of what was lost, and of rivals.
        return tuple(
            Strip(first, last, Presence(presence), prompted, locked, stale, *more)
            for first, last, presence, prompted, locked, stale, *more in json.loads(text or "[]")
        )
    except (ValueError, TypeError) as error:
        raise BadInputError(phrase("the states kept in this file cannot be read: track again")) from error


def _frames(strips: Iterable[Strip]) -> list[int]:
    return [frame for strip in strips for frame in range(strip.first, strip.last + 1)]


def _strip(state: StateRange) -> Strip:
    frames = state.frames
    told = (state.presence, state.prompted, state.locked, state.stale)
    return Strip(frames.first, frames.last, *told, rival=state.rival)


def _state(object_id: int, strip: Strip) -> StateRange:
    frames = FrameRange(strip.first, strip.last)
    told = (strip.presence, strip.prompted, strip.locked, strip.stale)
    return StateRange(object_id, frames, *told, rival=strip.rival)


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
    """What was told with what was reported since laid over it; neighbours that are alike are one run."""
    if not since:
        return told
    # A track reports thousands of frames: only runs become strips, and only what was reported is walked.
    runs: list[tuple[int, int, tuple[object, ...]]] = []
    reported = sorted(since)
    place = 0
    for strip in (*told, None):
        behind = reported[-1] + 1 if strip is None else strip.first
        while place < len(reported) and reported[place] < behind:
            _add(runs, reported[place], reported[place], _look(since[reported[place]]))
            place += 1
        if strip is None:
            break
        look = (strip.presence, strip.prompted, strip.locked, strip.stale, strip.held, strip.rival)
        first = strip.first
        while place < len(reported) and reported[place] <= strip.last:
            frame = reported[place]
            if first < frame:
                _add(runs, first, frame - 1, look)
            _add(runs, frame, frame, _look(since[frame], strip.prompted, strip.locked))
            first, place = frame + 1, place + 1
        if first <= strip.last:
            _add(runs, first, strip.last, look)
    return tuple(Strip(first, last, *look) for first, last, look in runs)  # type: ignore[arg-type]


def _with_frame(strips: tuple[Strip, ...], frame: int, presence: Presence) -> tuple[Strip, ...]:
    """What :func:`_merged` gave, with one frame more laid over it."""
    low, high = 0, len(strips)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if strips[middle].first <= frame else (low, middle)
    first = last = low
    new = Strip(frame, frame, presence, prompted=False, locked=False, stale=False)
    parts = [new]
    if low and frame <= strips[low - 1].last:
        first = low - 1
        here = strips[first]
        parts = [replace(new, prompted=here.prompted, locked=here.locked)]
        if here.first < frame:
            parts.insert(0, replace(here, last=frame - 1))
        if frame < here.last:
            parts.append(replace(here, first=frame + 1))
    if first:
        first -= 1
        parts.insert(0, strips[first])
    if last < len(strips):
        parts.append(strips[last])
        last += 1
    joined: list[Strip] = []
    for part in parts:
        before = joined[-1] if joined else part
        if before.last + 1 == part.first and part == replace(before, first=part.first, last=part.last):
            joined[-1] = replace(before, last=part.last)
        else:
            joined.append(part)
    return (*strips[:first], *joined, *strips[last:])


def _look(presence: Presence, prompted: bool = False, locked: bool = False) -> tuple[object, ...]:
    """What a frame is drawn as that has just got its mask."""
    return presence, prompted, locked, False, True, False


def _add(
    runs: list[tuple[int, int, tuple[object, ...]]], first: int, last: int, look: tuple[object, ...]
) -> None:
    if runs and runs[-1][1] + 1 == first and runs[-1][2] == look:
        runs[-1] = (runs[-1][0], last, look)
    else:
        runs.append((first, last, look))
