"""What this Nuke holds while it runs: the loop that hosts share, its beat, and its progress bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.loop import BEAT_S, Loop
from masklet.hosting.sentences import short_progress_text
from masklet_nuke import node_knobs, states_curve
from masklet_nuke.api import Node, any_thread, this_nuke, this_rotopaint
from masklet_nuke.host import NukeHost
from masklet_nuke.masklet_node import refresh_choices
from masklet_nuke.openings import Openings
from masklet_nuke.panel_seam import docked
from masklet_nuke.ticking import Ticking
from masklet_nuke.undoing import at_root, no_step

if TYPE_CHECKING:
    from masklet.hosting.work.connection import Connection
    from masklet.hosting.work.finding import FoundPlaces
    from masklet.hosting.work.jobs import Job
    from masklet_nuke.api import Nuke, Progress, Rotopaint


class Runtime(Loop[Node]):
    """The state of masklet in this Nuke.

    Args:
        nuke: The module.
        connection: To the server.
        rotopaint: Its module for shapes; None imports it when it is needed.

    Attributes:
        nuke: As given.
        openings: What comes with scripts, and goes with them.
        found: What Find Again found last, until one is taken.
    """

    def __init__(
        self, nuke: Nuke, connection: Connection | None = None, rotopaint: Rotopaint | None = None
    ) -> None:
        self.nuke = nuke
        self._rotopaint = rotopaint
        self._ticking = Ticking(any_thread(nuke), self._beat, BEAT_S, has_windows=bool(nuke.GUI))
        self._tasks: dict[Job, Progress] = {}
        self._curves: dict[str, str] = {}
        self.found: FoundPlaces | None = None
        super().__init__(NukeHost(nuke, self._ticking.keep_on, self._show), connection)
        self.openings = Openings(nuke, self)

    @property
    def rotopaint(self) -> Rotopaint:
        """The module for shapes."""
        if self._rotopaint is None:
            self._rotopaint = this_rotopaint()
        return self._rotopaint

    def close(self) -> None:
        """End all work and let the server go."""
        self._ticking.end()
        self._tasks.clear()
        self.end(self.openings.closed(self.let_go()))

    def synchronise(self, plate: Node, *, wait: bool) -> None:
        """As every loop does; where the panel is docked for the plate, the panel sends what is said."""
        panel = docked(self.host.uid(plate))
        if panel is None:
            super().synchronise(plate, wait=wait)
        else:
            panel.say(self.host.document(plate))

    def request_synchronise(self, plate: Node) -> None:
        """The same a moment later."""
        panel = docked(self.host.uid(plate))
        if panel is None:
            super().request_synchronise(plate)
        else:
            panel.say(self.host.document(plate))

    def after_history(self) -> None:
        """As every loop does; panels that are docked show and send what is said now."""
        for node in self.host.plates():
            panel = docked(self.host.uid(node))
            if panel is not None:
                panel.say(self.host.document(node))
        super().after_history()

    def follow_tasks(self) -> None:
        """Show how far jobs are, and cancel those whose bar was cancelled."""
        for job in self.board.jobs:
            if not (job.is_long or job.total):
                continue
            if job not in self._tasks:
                self._tasks[job] = self.nuke.ProgressTask(str(job.name))
            task = self._tasks[job]
            task.setMessage(str(short_progress_text(job)))
            task.setProgress(min(100, 100 * job.done // job.total) if job.total else 0)
            if task.isCancelled():
                job.cancel()
        # A bar goes away with the last that holds it.
        self._tasks = {job: task for job, task in self._tasks.items() if job in self.board.jobs}

    def _beat(self) -> bool:
        with at_root(self.nuke):
            # Before the jobs are asked: the bar of a short one is there for a moment too.
            self.follow_tasks()
            goes_on = self.beat()
            self.follow_tasks()
        return goes_on

    def _show(self, panels: bool) -> None:
        if not panels:
            return
        for node in self.host.plates():
            refresh_choices(self.nuke, node)
            memory = self.glimpse(node)
            if memory is not None:
                states_curve.write(self.nuke, node, memory.book, self._curves)
                self._tell_on_node(node, "" if memory.notice is None else str(memory.notice.sentence))

    def _tell_on_node(self, node: Node, sentence: str) -> None:
        with no_step(self.nuke):
            node_knobs.set_text(node, node_knobs.NOTICE, sentence)


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The one of this Nuke; made when it is first needed."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime(this_nuke())
    return _runtime


def set_runtime(chosen: Runtime | None) -> None:
    """Work with another: tests and self-tests have one of their own."""
    global _runtime
    _runtime = chosen


def close_runtime() -> None:
    """End all work; the next call of :func:`runtime` begins anew."""
    global _runtime
    ended, _runtime = _runtime, None
    if ended is not None:
        ended.close()
