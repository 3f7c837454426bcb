"""What a check finds, in the artist's words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Optional

from masklet.frame_runs import runs_joined, runs_minus
from masklet.publish.acceptance import Acceptance, acceptance_name, keep_acceptances, who

if TYPE_CHECKING:
    from masklet.publish.collected import Collected
    from masklet.types import FrameRange


class Repair(Enum):
    """What can be done by itself about a problem."""

    ACCEPT = "accept"
    """The artist has looked and finds it right."""
    REBUILD = "rebuild"
    """Track and write the mattes again, from the record of the run."""

    @property
    def label(self) -> str:
        """For a button."""
        return _LABELS[self]


_LABELS = {
    Repair.ACCEPT: "I have looked: it is right so",
    Repair.REBUILD: "Make the mattes again from their prompts",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        check: Name of the check that found it.
        words: What is wrong and what helps.
        object_name: Whose; empty where it is not about one object.
        frames: Which; empty where it is not about frames.
        repair: What can be done by itself; None where only a person can help.
    """

    check: str
    words: str
    object_name: str = ""
    frames: tuple[FrameRange, ...] = ()
    repair: Optional[Repair] = None


@dataclass(frozen=True)
class Check:
    """One question that is asked of a version before it is published.

    Attributes:
        name: For the command line and files.
        label: For people.
        find: Yields what is wrong.
    """

    name: str
    label: str
    find: Callable[[Collected], Iterator[Problem]]

    def problems(self, collected: Collected) -> list[Problem]:
        """What is wrong and was not accepted."""
        return [left for problem in self.find(collected) if (left := _left(problem, collected)) is not None]


def accept(collected: Collected, problems: list[Problem]) -> Collected:
    """The same with these problems accepted, which is written beside the mattes; others stay.

    Raises:
        OutputError: It cannot be written.
    """
    digest = collected.record.run.prompts_sha256
    new = [
        Acceptance(problem.check, problem.object_name, problem.frames, digest, who())
        for problem in problems
        if problem.repair is Repair.ACCEPT
    ]
    kept = [one for one in collected.accepted if one.prompts_sha256 == digest and one not in new]
    accepted = (*kept, *new)
    keep_acceptances(collected.folder / acceptance_name(collected.name), accepted)
    return replace(collected, accepted=accepted)


def _left(problem: Problem, collected: Collected) -> Problem | None:
    """What of a problem was not accepted; None for nothing."""
    if problem.repair is not Repair.ACCEPT:
        return problem
    accepted = [
        one
        for one in collected.accepted
        if (one.check, one.object_name, one.prompts_sha256)
        == (problem.check, problem.object_name, collected.record.run.prompts_sha256)
    ]
    if not accepted:
        return problem
    if not problem.frames:
        return None
    taken = runs_joined(span for one in accepted for span in one.frames)
    left = runs_minus(problem.frames, taken)
    # The words name the frames: where some are left, all of them are worth naming again.
    return replace(problem, frames=left) if left else None
