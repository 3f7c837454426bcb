"""Frame numbers as runs of consecutive frames, and as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Iterable


def runs_of(frames: Iterable[int]) -> tuple[FrameRange, ...]:
    """The frames, in any order, as ascending ranges that neither touch nor overlap."""
    ends: list[list[int]] = []
    for frame in sorted(set(frames)):
        if ends and frame == ends[-1][1] + 1:
            ends[-1][1] = frame
        else:
            ends.append([frame, frame])
    return tuple(FrameRange(first, last) for first, last in ends)


def runs_without(span: FrameRange, frames: Iterable[int]) -> tuple[FrameRange, ...]:
    """The frames of ``span`` that are not among ``frames``, as ascending ranges."""
    there = frozenset(frames)
    return runs_of(frame for frame in range(span.first, span.last + 1) if frame not in there)


def shown(runs: Iterable[FrameRange]) -> str:
    """Ranges for people: ``1003, 1010-1014``."""
    return ", ".join(run.shown for run in runs)


def runs_joined(runs: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """The same frames in as few ranges as possible, ascending."""
    joined: list[FrameRange] = []
    for run in sorted(runs, key=lambda run: run.first):
        if joined and run.first <= joined[-1].last + 1:
            joined[-1] = FrameRange(joined[-1].first, max(joined[-1].last, run.last))
        else:
            joined.append(run)
    return tuple(joined)


def part_in(run: FrameRange, span: FrameRange) -> FrameRange | None:
    """What two ranges have in common; None for nothing."""
    first, last = max(run.first, span.first), min(run.last, span.last)
    return FrameRange(first, last) if first <= last else None


def runs_minus(runs: Iterable[FrameRange], taken: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """The parts of ranges that are in none of the others."""
    left = list(runs)
    for hole in taken:
        parts = []
        for run in left:
            if run.last < hole.first or run.first > hole.last:
                parts.append(run)
                continue
            if run.first < hole.first:
                parts.append(FrameRange(run.first, hole.first - 1))
            if run.last > hole.last:
                parts.append(FrameRange(hole.last + 1, run.last))
        left = parts
    return tuple(left)


def counted(frames: int) -> str:
    """For people: ``1 frame``, ``12 frames``."""
    return "1 frame" if frames == 1 else f"{frames} frames"
