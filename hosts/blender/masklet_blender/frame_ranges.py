"""Runs of frames, added up and taken away."""

from __future__ import annotations

from collections.abc import Iterable

from masklet.types import FrameRange


def minus(ranges: Iterable[FrameRange], taken: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """The parts of ranges that are in none of the others."""
    left = list(ranges)
    for hole in taken:
        parts = []
        for frames in left:
            if frames.last < hole.first or frames.first > hole.last:
                parts.append(frames)
                continue
            if frames.first < hole.first:
                parts.append(FrameRange(frames.first, hole.first - 1))
            if frames.last > hole.last:
                parts.append(FrameRange(hole.last + 1, frames.last))
        left = parts
    return tuple(left)


def joined(ranges: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """The same frames in as few ranges as possible, ascending."""
    runs: list[FrameRange] = []
    for frames in sorted(ranges, key=lambda frames: frames.first):
        if runs and frames.first <= runs[-1].last + 1:
            runs[-1] = FrameRange(runs[-1].first, max(runs[-1].last, frames.last))
        else:
            runs.append(frames)
    return tuple(runs)
