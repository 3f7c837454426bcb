"""A stand-in for ``masklet`` on a worker: tasks that tell of themselves like real ones, and do nothing.

It is run by the real OpenJD engine. ``behaviour.json`` beside the job says what a stage does: ``slow``
counts up until it is told to end, and then keeps what it has; ``rest`` does what ``slow`` left; ``lost-once``
ends its worker the first time, ``server-lost-once`` its server, and ``silent-once`` itself; ``lost`` ends
every worker; ``fail`` says what a person can understand; everything else is done at once. States and signals
are the real program's own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from masklet.errors import OutputError
from masklet.farm.results import ShotResult, keep_result
from masklet.farm.task import FarmTask, Stop, StoppedError, Teller, find_task, tell_failure
from masklet.farm.task_states import TaskPhase

_STEP_S = 0.05
_STEPS = 2000


def main() -> int:
    """Do what the command line says; the exit code."""
    words = sys.argv[1:]
    said = dict(zip(words[2::2], words[3::2], strict=True))
    bundle = Path(said["--job"])
    task = find_task(
        bundle, Path(said["--out"]), said["--shot"], said["--stage"], int(said.get("--piece", 0))
    )
    with suppress(OSError):
        _log(bundle, f"{task.shot.name} {task.stage}")
    try:
        teller, stop = Teller(task), Stop(task.places)
    except OutputError as error:
        tell_failure(str(error))
        return 1
    with stop.listening():
        try:
            _behave(_behaviour(bundle, task), task, teller, stop)
        except StoppedError as error:
            teller.end(TaskPhase.STOPPED, str(error))
            return 1
    if teller.state.phase is TaskPhase.RUNNING:
        if task.stage == "check":
            keep_result(task.places, ShotResult(task.shot.name, "k", True, "checked: nothing is wrong"))
        teller.end(TaskPhase.DONE)
    return 0 if teller.state.phase is TaskPhase.DONE else 1


def _behaviour(bundle: Path, task: FarmTask) -> str:
    file = bundle / "behaviour.json"
    said = json.loads(file.read_text()) if file.is_file() else {}
    return str(said.get(f"{task.shot.name} {task.stage}", said.get(task.stage, "")))


def _behave(word: str, task: FarmTask, teller: Teller, stop: Stop) -> None:
    kept = task.places.out / f"{task.shot.name}.kept"
    if word == "fail":
        teller.end(TaskPhase.FAILED, "the plate is not there: put it back, then run masklet farm retry")
    elif word == "slow":
        done = int(kept.read_text()) if kept.is_file() else 0
        for step in range(done, _STEPS):
            if stop.check():
                kept.write_text(str(step))
                raise StoppedError(f"stopped; {step} are kept")
            teller.progress(step, _STEPS, "tracking", reused=done)
            time.sleep(_STEP_S)
    elif word == "rest":
        teller.progress(_STEPS, _STEPS, "tracking", reused=int(kept.read_text()))
    elif word == "server-lost-once" and teller.state.attempt == 1:
        teller.end(TaskPhase.FAILED, "masklet's own server stopped in mid-work", is_lost=True)
    elif word == "silent-once" and teller.state.attempt == 1:
        os._exit(1)
    elif word == "lost" or (word == "lost-once" and teller.state.attempt == 1):
        # The worker is the parent, or above the shell that OpenJD puts between. Its machine goes with it.
        os.kill(int(os.environ["MASKLET_FARM_OWNER"]), signal.SIGKILL)
        os._exit(1)


def _log(bundle: Path, line: str) -> None:
    with (bundle / "calls.log").open("a") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
