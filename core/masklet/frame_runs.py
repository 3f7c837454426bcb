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
    return ", ".join(str(run.first) if run.first == run.last else f"{run.first}-{run.last}" for run in runs)
