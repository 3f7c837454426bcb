"""Sets of frame numbers that come in runs: the gaps of a clip, above all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class FrameSet:
    """Frame numbers as runs, so that a gap of a million frames costs no more than one of two.

    Args:
        frames: In any order; ascending ones are taken up fastest.
    """

    def __init__(self, frames: Iterable[int] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for frame in sorted(set(frames)):
            if self._lasts and self._lasts[-1] == frame - 1:
                self._lasts[-1] = frame
            else:
                self._firsts.append(frame)
                self._lasts.append(frame)

    def __contains__(self, frame: int) -> bool:
        place = bisect_right(self._firsts, frame) - 1
        return place >= 0 and frame <= self._lasts[place]

    @property
    def runs(self) -> tuple[range, ...]:
        """Runs of consecutive frames, ascending."""
        return tuple(range(first, last + 1) for first, last in zip(self._firsts, self._lasts))  # noqa: B905

    def past(self, frame: int, step: int) -> int:
        """The nearest frame outside of the set, from ``frame`` on; ``step`` is 1 or -1."""
        place = bisect_right(self._firsts, frame) - 1
        if place < 0 or frame > self._lasts[place]:
            return frame
        return self._lasts[place] + 1 if step > 0 else self._firsts[place] - 1

    def without(self, frames: range) -> Iterator[int]:
        """Those of some consecutive frames, in their order, that are not in the set.

        Takes as long as what it gives, however many frames it leaves out.
        """
        step = frames.step
        if step not in (1, -1):
            raise ValueError(f"consecutive frames are asked for, and these go by {step}")
        if not frames:
            return
        frame, end = frames[0], frames[-1] + step
        while (end - frame) * step > 0:
            free = self.past(frame, step)
            if free != frame:
                frame = free
                continue
            yield frame
            frame += step
