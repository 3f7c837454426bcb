"""The frames that need an artist most, for a contact sheet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from masklet.types import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.hosting.shown.frame_book import FrameBook, Strip


class Fault(Enum):
    """Why a frame is looked at, the worst first."""

    STALE = "stale"
    """Prompts have overtaken it."""
    UNCERTAIN = "uncertain"
    """The tracker is not sure that it is the object."""
    RIVAL = "rival"
    """Something that looks like the object is near."""
    DOUBTFUL = "doubtful"
    """It is, and the tracker thinks little of its mask."""


@dataclass(frozen=True)
class WorstFrame:
    """A frame of an object that is worth a look.

    Attributes:
        uid: Of the object.
        frame: The worst of its run.
        fault: Why.
        run: First and last frame of the run that is alike.
        quality: What the tracker thinks of the mask, 0 to 1; None where nobody has told.
    """

    uid: str
    frame: int
    fault: Fault
    run: tuple[int, int]
    quality: float | None = None


_DOUBTFUL_BELOW = 0.7
_APART = 12
"""Frames of one run that are both shown are at least so far apart: near ones look alike."""
_MOST_OF_A_RUN = 4


def worst_frames(book: FrameBook, uids: Iterable[str], *, limit: int) -> tuple[WorstFrame, ...]:
    """The worst frames of each bad run: first what prompts have overtaken, then what is uncertain.

    Present frames that the tracker itself thinks little of come last, one for each dip. Locked frames were
    looked at already.

    Args:
        book: What is known of the plate's frames.
        uids: Of the objects.
        limit: How many at most.
    """
    found: list[WorstFrame] = []
    for uid in uids:
        for fault, first, last in _runs(book.strips(uid)):
            if fault is Fault.DOUBTFUL:
                found.extend(_dips(book, uid, first, last))
            else:
                found.extend(_worst(book, uid, first, last, fault))
    order = list(Fault)
    found.sort(key=lambda item: (order.index(item.fault), _badness(item), item.frame, item.uid))
    return tuple(found[:limit])


def _runs(strips: Iterable[Strip]) -> Iterable[tuple[Fault, int, int]]:
    """Runs that are looked at for the same reason, however often they are divided for others."""
    runs: list[tuple[Fault, int, int]] = []
    for strip in strips:
        fault = _fault(strip)
        if fault is None:
            continue
        before = runs[-1] if runs else None
        if before is not None and before[0] is fault and before[2] + 1 == strip.first:
            runs[-1] = (fault, before[1], strip.last)
        else:
            runs.append((fault, strip.first, strip.last))
    return runs


def _fault(strip: Strip) -> Fault | None:
    """Why a run is looked at; None where nobody needs to, or somebody has."""
    if strip.locked or strip.prompted or not strip.held:
        return None
    if strip.stale:
        return Fault.STALE
    if strip.presence is Presence.UNCERTAIN:
        return Fault.UNCERTAIN
    if strip.presence is not Presence.PRESENT:
        return None
    return Fault.RIVAL if strip.rival else Fault.DOUBTFUL


def _worst(book: FrameBook, uid: str, first: int, last: int, fault: Fault) -> Iterable[WorstFrame]:
    """The frame of a run with the least quality, and in a long run others far from it."""

    def badness(frame: int) -> tuple[float, int]:
        quality = book.quality(uid, frame)
        return 1.0 if quality is None else quality, frame

    chosen: list[int] = []
    for frame in sorted(range(first, last + 1), key=badness):
        if all(abs(frame - other) >= _APART for other in chosen):
            chosen.append(frame)
            yield WorstFrame(uid, frame, fault, (first, last), book.quality(uid, frame))
        if len(chosen) == _MOST_OF_A_RUN:
            return


def _dips(book: FrameBook, uid: str, first: int, last: int) -> Iterable[WorstFrame]:
    dip: list[tuple[float, int]] = []
    for frame in range(first, last + 2):
        quality = book.quality(uid, frame) if frame <= last else None
        if quality is not None and quality < _DOUBTFUL_BELOW:
            dip.append((quality, frame))
        elif dip:
            least, worst = min(dip)
            yield WorstFrame(uid, worst, Fault.DOUBTFUL, (dip[0][1], dip[-1][1]), least)
            dip = []


def _badness(item: WorstFrame) -> tuple[float, int]:
    # A long run matters more than a short one of the same quality.
    return (1.0 if item.quality is None else item.quality, item.run[0] - item.run[1])
