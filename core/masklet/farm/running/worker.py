"""``python -m masklet.farm.running.worker BUNDLE LOG PROGRAM``: one worker of ``masklet farm run``.

A process of its own, so that it may be lost as a machine of a farm is. It takes tasks as lines of JSON on
standard input and tells how they ended on standard output. Tasks run in a session of ``openjd-sessions``,
whose environments are entered with the first of them.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.farm.running.opened_job import as_line, open_bundle
from masklet.farm.worker_server import OWNER_VARIABLE

if TYPE_CHECKING:
    from openjd.sessions import Session

    from masklet.farm.running.opened_job import OpenedJob

_POLL_S = 0.05


@dataclass
class _Worker:
    """A session, when there is one, and the words that come meanwhile."""

    opened: OpenedJob
    words: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    session: Session | None = None
    entered: list[str] = field(default_factory=list)
    last_words: str = ""

    def work(self) -> None:
        """Do tasks until there are no more words."""
        while True:
            word = self.words.get()
            if "task" not in word:
                break
            tell(self._done(str(word["task"]), int(word["place"])))
        self.end()

    def end(self) -> None:
        """Leave the environments and end the session."""
        session, self.session = self.session, None
        if session is None:
            return
        while self.entered:
            session.exit_environment(identifier=self.entered.pop())
            self._wait(session, cancellable=False)
        session.cleanup()

    def _done(self, step: str, place: int) -> dict[str, Any]:
        """How a task ended."""
        if self.session is None and not self._enter():
            return {"ended": "environment", "words": self.last_words}
        session = self.session
        assert session is not None
        script = self.opened.step(step).script
        self.last_words = ""
        session.run_task(
            step_script=script, task_parameter_values=self.opened.tasks(step)[place], step_name=step
        )
        ended = self._wait(session, cancellable=True)
        from openjd.sessions import SessionState

        if session.state is not SessionState.READY:
            self.end()
        return {"ended": ended, "words": self.last_words}

    def _enter(self) -> bool:
        from openjd.sessions import Session

        session = Session(
            session_id=uuid.uuid4().hex,
            job_parameter_values=self.opened.parameters,
            callback=self._heard,
            os_env_vars={OWNER_VARIABLE: str(os.getpid())},
        )
        self.session = session
        for environment in self.opened.job.jobEnvironments or ():
            self.entered.append(session.enter_environment(environment=environment))
            if self._wait(session, cancellable=True) != "success":
                self.end()
                return False
        return True

    def _heard(self, session_id: str, status: Any) -> None:
        del session_id
        if status.fail_message:
            self.last_words = str(status.fail_message)

    def _wait(self, session: Session, *, cancellable: bool) -> str:
        from openjd.sessions import SessionState

        asked = False
        while session.state in (SessionState.RUNNING, SessionState.CANCELING):
            if cancellable and not asked and self._is_cancelled():
                asked = True
                try:
                    session.cancel_action()
                except RuntimeError:
                    # It ended in the meantime.
                    continue
            time.sleep(_POLL_S)
        status = session.action_status
        return "failed" if status is None else str(status.state.value)

    def _is_cancelled(self) -> bool:
        """A word that comes in the middle of a task ends it, whatever it is."""
        return not self.words.empty()


def tell(content: dict[str, Any]) -> None:
    """One line to whoever gave the task."""
    sys.stdout.write(as_line(content))
    sys.stdout.flush()


def _log_to(log: Path) -> None:
    """A full share takes no log, which is no reason to do no work, nor to fill somebody's terminal."""
    logging.raiseExceptions = False
    try:
        logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(message)s")
    except OSError:
        logging.basicConfig(handlers=[logging.NullHandler()])


def main() -> int:
    """Work until standard input ends; the exit code."""
    bundle, log, program = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    _log_to(log)
    try:
        worker = _Worker(open_bundle(bundle, program=program))
    except BadInputError as error:
        tell({"ended": "environment", "words": str(error)})
        return 1
    signal.signal(signal.SIGTERM, lambda *_: worker.words.put({"end": True}))

    def listen() -> None:
        for line in sys.stdin:
            worker.words.put(json.loads(line))
        worker.words.put({"end": True})

    threading.Thread(target=listen, daemon=True, name="masklet-farm-words").start()
    worker.work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
