"""Which frames were tracked, and which way: constant in size for a clip tracked in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class _Run:
    """Neighbouring frames, both ends included, tracked the same way."""

    first: int
    last: int
    backward: bool


class FrameLog:
    """A set of frame numbers with a direction each, stored as runs of neighbours."""

    def __init__(self, frames: Iterable[int] = (), *, backward: bool = False) -> None:
        self._runs: list[_Run] = []
        for frame in frames:
            self.add(frame, backward=backward)

    def add(self, frame: int, *, backward: bool) -> None:
        """Note that ``frame`` was tracked; an earlier note of it is replaced."""
        for run in self._runs:
            if run.first <= frame <= run.last and run.backward == backward:
                return
        self.discard(frame, frame)
        first, last = frame, frame
        kept = []
        for run in self._runs:
            if run.backward == backward and run.last == frame - 1:
                first = run.first
            elif run.backward == backward and run.first == frame + 1:
                last = run.last
            else:
                kept.append(run)
        self._runs = [*kept, _Run(first, last, backward)]

    def discard(self, first: int, last: int) -> None:
        """Forget all frames from ``first`` to ``last``, both included."""
        kept = []
        for run in self._runs:
            if run.first < first:
                kept.append(_Run(run.first, min(run.last, first - 1), run.backward))
            if run.last > last:
                kept.append(_Run(max(run.first, last + 1), run.last, run.backward))
        self._runs = kept

    def was_backward(self, frame: int) -> bool | None:
        """The direction in which ``frame`` was tracked, None if it was not."""
        for run in self._runs:
            if run.first <= frame <= run.last:
                return run.backward
        return None

    def __contains__(self, frame: object) -> bool:
        return isinstance(frame, int) and self.was_backward(frame) is not None

    def __iter__(self) -> Iterator[int]:
        """The frames, ascending."""
        for run in sorted(self._runs, key=lambda run: run.first):
            yield from range(run.first, run.last + 1)

    def __len__(self) -> int:
        return sum(run.last - run.first + 1 for run in self._runs)

    @property
    def run_count(self) -> int:
        """Runs that the log stores: what its size depends on."""
        return len(self._runs)
