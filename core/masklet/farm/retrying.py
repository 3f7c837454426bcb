"""A job made ready to do again what failed: states wait again, what is finished stays."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.farm.report import shot_reports
from masklet.farm.share import keep_file
from masklet.farm.task_states import TaskPhase, TaskState, keep_state
from masklet.publish.shot_record import read_object

if TYPE_CHECKING:
    from masklet.farm.job import FarmJob
    from masklet.farm.places import JobPlaces


def make_ready(
    job: FarmJob, places: JobPlaces, shots: tuple[str, ...] = (), accepted: tuple[str, ...] = ()
) -> None:
    """Let the tasks of shots begin again, from the first that is not done.

    Args:
        job: The job.
        places: Of it.
        shots: Names; none for all that failed or were stopped.
        accepted: Checks whose findings somebody found right.

    Raises:
        OutputError: The share cannot be written to.
    """
    with suppress(OSError):
        places.cancelled.unlink()
    for report in shot_reports(job, places):
        name = report.shot.name
        if name not in shots and (shots or report.phase not in (TaskPhase.FAILED, TaskPhase.STOPPED)):
            continue
        if accepted:
            _accept(places, name, accepted)
        again = False
        for state in report.states:
            # What a done task left may be gone: it sees by itself that nothing is left to do.
            again = again or state.phase is not TaskPhase.DONE or bool(accepted and state.stage == "check")
            if again or report.phase is TaskPhase.FAILED:
                keep_state(places.states, _begun(state))


def _begun(state: TaskState) -> TaskState:
    """As if it waited, but for how often it was begun."""
    return TaskState(
        state.shot, state.stage, state.piece, attempt=state.attempt, beat=state.beat, worker=state.worker
    )


def _accept(places: JobPlaces, shot: str, checks: tuple[str, ...]) -> None:
    path = places.accepted(shot)
    before: tuple[str, ...] = ()
    if path.is_file():
        with suppress(BadInputError):
            before = tuple(map(str, read_object(path, "what was accepted").get("checks", ())))
    content = {"checks": sorted({*before, *checks})}
    keep_file(path, (json.dumps(content) + "\n").encode())
