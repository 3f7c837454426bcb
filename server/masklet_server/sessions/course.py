"""In which order a plan is gone through: first what the artist looks at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from masklet_server.sessions.plan import Plan, Step

NEAR_FRAMES = 24
"""So many frames on either side of the one that is looked at are looked at too: the artist scrubs there. Nor
does a track change to another run more often: what it needs of the way there may have to be rebuilt."""


@dataclass(eq=False)
class _Run:
    """Steps of which each needs those before it, and none of other runs."""

    steps: tuple[Step, ...]
    done: int = 0

    @property
    def next(self) -> Step:
        return self.steps[self.done]

    def passes(self, frame: int) -> bool:
        """Whether it is still to come to a frame."""
        ends = self.next.frame, self.steps[-1].frame
        return min(ends) <= frame <= max(ends)

    def distance(self, frame: int) -> int:
        """How near to a frame it comes, in frames."""
        if self.passes(frame):
            return 0
        return min(abs(self.next.frame - frame), abs(self.steps[-1].frame - frame))


class Course:
    """Goes through a plan, run by run; changes to another where that is nearer to what is looked at.

    Args:
        plan: What to do.
    """

    def __init__(self, plan: Plan) -> None:
        self._runs = [_Run(steps) for steps in plan.runs if steps]
        self._current: _Run | None = None

    @property
    def left(self) -> int:
        """How many steps are still to come."""
        return sum(len(run.steps) - run.done for run in self._runs)

    def next(self, looked_at: int | None) -> Step:
        """The next step, of those that are left.

        Args:
            looked_at: The frame that the artist looks at; None where nobody knows.
        """
        run = self._runs[0] if looked_at is None else self._nearest(self._runs, looked_at)
        self._current = run
        step = run.next
        run.done += 1
        if run.done == len(run.steps):
            self._runs.remove(run)
        return step

    def is_watched(self, step: Step, looked_at: int | None) -> bool:
        """Whether the step that was taken last is looked at, or leads to what is."""
        run = self._current
        if looked_at is None or run is None:
            return False
        if abs(step.frame - looked_at) <= NEAR_FRAMES:
            return True
        return run in self._runs and run.passes(looked_at)

    def _nearest(self, runs: Iterable[_Run], frame: int) -> _Run:
        return min(
            runs,
            key=lambda run: (
                run.distance(frame) // NEAR_FRAMES,
                not run.passes(frame),
                run is not self._current,
                abs(run.next.frame - frame),
            ),
        )
