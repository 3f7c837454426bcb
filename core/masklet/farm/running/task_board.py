"""Which tasks of a job wait, which are ready, which are finished: looked up, as a night has thousands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.farm.running.opened_job import EngineTask, task_words
from masklet.farm.template import stages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.farm.job import FarmJob
    from masklet.farm.running.opened_job import OpenedJob


@dataclass(frozen=True)
class TaskName:
    """A task as the job knows it.

    Attributes:
        shot: Its shot.
        stage: What it does.
        piece: Its number, for one that tracks; else 0.
    """

    shot: str
    stage: str
    piece: int


@dataclass
class TaskBoard:
    """The tasks of a job.

    Args:
        opened: The job as an engine has it.
        job: The same as it was submitted.

    Raises:
        BadInputError: The template has other steps or tasks than the job: it was changed by hand.
    """

    opened: OpenedJob
    job: FarmJob
    _names: dict[EngineTask, TaskName] = field(init=False, default_factory=dict)
    _counts: dict[str, int] = field(init=False, default_factory=dict)
    _before: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)
    _unfinished: dict[str, set[int]] = field(init=False, default_factory=dict)
    _waiting: dict[EngineTask, None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for step in self.opened.job.steps:
            shot, _, stage = step.name.rpartition(" ")
            tasks = self.opened.tasks(step.name)
            self._counts[step.name] = len(tasks)
            self._unfinished[step.name] = set(range(len(tasks)))
            self._before[step.name] = tuple(each.dependsOn for each in step.dependencies or ())
            for place, parameters in enumerate(tasks):
                piece = int(task_words(parameters).get("Piece", 0))
                self._names[EngineTask(step.name, place)] = TaskName(shot, stage, piece)
        self._check_steps()

    def __iter__(self) -> Iterator[EngineTask]:
        """All tasks, those of a shot together."""
        return iter(self._names)

    def name(self, task: EngineTask) -> TaskName:
        """What the job calls a task."""
        return self._names[task]

    def shown(self, task: EngineTask) -> str:
        """A task for people."""
        count = self._counts[task.step]
        return f"{task.step} {task.place + 1} of {count}" if count > 1 else task.step

    @property
    def has_waiting(self) -> bool:
        """False once nothing is left to give out."""
        return bool(self._waiting)

    def wait(self, task: EngineTask) -> None:
        """A task is to be given out, behind those that wait."""
        self._waiting[task] = None

    def take(self, task: EngineTask) -> None:
        """A task was given out."""
        del self._waiting[task]

    def wait_for_nothing(self) -> None:
        """Nothing more is given out."""
        self._waiting.clear()

    def finish(self, task: EngineTask) -> None:
        """A task is done: what waits for the last of its step becomes ready."""
        self._unfinished[task.step].discard(task.place)

    def ready(self) -> list[EngineTask]:
        """Tasks that may be given out; what comes last in a shot goes first, so that shots get done."""
        found = [
            task
            for task in self._waiting
            if not any(self._unfinished[before] for before in self._before[task.step])
        ]
        return sorted(found, key=lambda task: self._names[task].stage == "track")

    def _check_steps(self) -> None:
        """See that the template still has the steps of the job: what it has lost would never be done."""
        wanted = {f"{shot.name} {stage}" for shot in self.job.shots for stage in stages(self.job)}
        for shot in self.job.shots:
            count = self._counts.get(f"{shot.name} track", len(shot.pieces))
            if count != len(shot.pieces):
                raise BadInputError(
                    f"the template has {count} tasks that track {shot.name} and the job "
                    f"{len(shot.pieces)}: it was changed by hand; submit the shots again"
                )
        odd = sorted(wanted ^ self._counts.keys())
        if odd:
            raise BadInputError(
                f"template and job are not of each other ({', '.join(odd[:3])}): the template was changed by "
                "hand; submit the shots again"
            )
