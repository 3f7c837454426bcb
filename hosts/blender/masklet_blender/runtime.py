"""What this Blender holds while it runs: the connection, the jobs, and each open plate's masks and states.

The main thread owns all of it. Jobs work on a plates' sessions in their threads; what they tell is
applied here, from a timer that runs while there are jobs, in slices too short to be felt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from masklet.errors import AccessDeniedError, CancelledError, MaskletError, ServerUnreachableError
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.work.connection import Connection, naming_setting
from masklet.hosting.work.jobs import Job, JobBoard
from masklet.hosting.work.plate_events import PlateRequest, ResultCame

from . import plates
from .fetching import Fetching
from .openings import Openings, release
from .plate_memory import PlateMemory
from .preferences import connection_settings, preferences
from .redrawing import Redraws, redraw
from .synchroniser import Synchroniser

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.plate_session import PlateSession

    from .openings import Closing
    from .plates import PlateBlock

    Work = Callable[[PlateSession, Job, Server], Iterator[object]]
    """What a job does, in its own thread."""

TICK_S = 0.015
"""How often results are taken while there are jobs."""
SLICE_S = 0.008
"""How long taking them may last each time."""
_CLOSE_TIMEOUT_S = 0.5


@dataclass(frozen=True)
class Drag:
    """A box that is being drawn, in the pixels of a viewer's region."""

    area: int
    x0: float
    y0: float
    x1: float
    y1: float


class Runtime:
    """The state of masklet in this Blender."""

    def __init__(self) -> None:
        self.board = JobBoard()
        self.connection = Connection()
        self.server_sentence = ""
        self.pointing = False
        self.drag: Drag | None = None
        self._memory: dict[str, PlateMemory] = {}
        self.openings = Openings(self)
        self.fetching = Fetching(self)
        self._synchroniser = Synchroniser(self, self._keep_ticking)
        self._redraws = Redraws(TICK_S)
        # Blender knows a timer by the very object: each look at a method makes another one.
        self._timer = self._tick

    def memory(self, block: PlateBlock) -> PlateMemory:
        """What is known of a plate; it is remembered from now on."""
        uid = plates.adopt(block)
        if uid not in self._memory:
            memory = self._memory[uid] = PlateMemory()
            memory.recall(block)
        return self._memory[uid]

    def glimpse(self, block: PlateBlock | None) -> PlateMemory | None:
        """What is known of a plate, without remembering or changing anything: for drawing."""
        return None if block is None else self._memory.get(plates.props(block).uid)

    def tell(self, block: PlateBlock | None, notice: Notice | None) -> None:
        """Show a sentence in the plate's panel and viewer, in place of the one before."""
        if block is not None:
            self.memory(block).notice = notice
        self.redraw()

    def job_of(self, block: PlateBlock | None) -> Job | None:
        """The work that an artist waits for; sending a plate's files is such work too."""
        if block is None:
            return None
        uid = plates.props(block).uid
        waited_for = (job for job in self.board.jobs if job.plate_uid == uid and (job.is_long or job.total))
        return next(waited_for, None)

    def request(self, block: PlateBlock) -> PlateRequest:
        """What is wanted of a plate now.

        Raises:
            MaskletError: The datablock is no plate, or its texts were damaged.
        """
        own = plates.props(block)
        chosen = preferences()
        return PlateRequest(
            plates.source_of(block),
            own.document(),
            own.session_id,
            own.fingerprint,
            1024 if chosen is None else chosen.max_side_px,
            self.memory(block).book.known(item.uid for item in own.objects),
            own.session_path,
        )

    def shot(self, block: PlateBlock) -> PlateSession:
        """The plate's session for jobs, with what is wanted now."""
        from masklet.hosting.work.plate_session import PlateSession

        request = self.request(block)
        memory = self.memory(block)
        if memory.shot is None:
            memory.shot = PlateSession(request)
        memory.shot.request = request
        return memory.shot

    def start(
        self,
        block: PlateBlock,
        name: str,
        work: Work,
        *,
        wait: bool,
        is_long: bool = True,
        on_made: Callable[[PlateBlock, object], None] | None = None,
        on_end: Callable[[MaskletError | None], None] | None = None,
    ) -> Job:
        """Run work for a plate.

        Args:
            block: The plate.
            name: "Tracking".
            work: Called in the job's thread with the plate's shot, the job and the server.
            wait: Return when it has ended; otherwise return at once.
            is_long: Show progress, and let Esc cancel it.
            on_made: Called with what the work was for.
            on_end: Called at the end, after the sentence of an error was shown.

        Raises:
            MaskletError: The plate cannot be used, or with ``wait``: the work failed.
        """
        shot = self.shot(block)
        uid = plates.props(block).uid
        settings = connection_settings()

        def run(job: Job) -> Iterator[object]:
            server = self.connection.server(settings)
            try:
                yield from work(shot, job, server)
            except ServerUnreachableError:
                # The next work reaches it anew, or starts another of Blender's own.
                self.connection.drop(server)
                raise
            except AccessDeniedError as error:
                raise naming_setting(error, settings.words) from error

        def apply(event: object) -> None:
            # Looked up each time, since undo may have replaced the datablock.
            owner, memory = plates.find_plate(uid), self._memory.get(uid)
            if owner is None or memory is None:
                return
            if not isinstance(event, ResultCame):
                memory.take(owner, job, event)
            elif on_made is not None:
                on_made(owner, event.value)

        def end(error: MaskletError | None) -> None:
            if error is not None and not wait and not isinstance(error, CancelledError):
                self.tell(plates.find_plate(uid), notice_of(error))
            if on_end is not None:
                on_end(error)

        job = Job(name, run, on_event=apply, on_end=end)
        job.plate_uid, job.is_long = uid, is_long
        self.board.run(job, wait=wait)
        if not wait:
            self._keep_ticking()
            # The bar and its Stop are there from the first moment, not from the first result.
            self.redraw()
        return job

    def run(self, job: Job) -> None:
        """Run work that belongs to no plate; without an interface it has ended on return.

        Raises:
            MaskletError: Without an interface: the work failed.
        """
        self.board.run(job, wait=bpy.app.background)
        self._keep_ticking()

    def synchronise(self, block: PlateBlock, *, wait: bool) -> None:
        """As :meth:`.synchroniser.Synchroniser.send`."""
        self._synchroniser.send(block, wait=wait)

    def request_synchronise(self, block: PlateBlock) -> None:
        """As :meth:`.synchroniser.Synchroniser.request`."""
        self._synchroniser.request(block)

    def after_history(self) -> None:
        """Follow what Blender's own undo or redo made of the documents."""
        for block in plates.all_plates():
            memory = self.glimpse(block)
            if memory is None or memory.shot is None:
                continue
            memory.remind(block)
            if self._differs(block, memory.shot):
                self.synchronise(block, wait=bpy.app.background)
        self.redraw()

    def follow_server(self, block: PlateBlock) -> None:
        """Make the document say what the server holds after a step through its history."""
        memory = self.memory(block)
        if memory.shot is not None:
            plates.props(block).take(memory.shot.held)
            memory.shot.request = self.request(block)
        self.redraw()

    def forget_plates(self) -> None:
        """Another file comes: cancel this one's work, drop what was in memory, give its sessions back."""
        release(self._let_go())

    def forget_plate(self, block: PlateBlock) -> None:
        """Drop what is in memory of one plate, whose session is no more."""
        self.memory(block).forget_session()
        self.redraw()

    def forget_server(self) -> None:
        """Have every plate open its session anew, on whatever server the settings name."""
        self.board.cancel_all()
        self._synchroniser.forget()
        for memory in self._memory.values():
            memory.shot = None
            memory.asked.clear()

    def close(self) -> None:
        """End all work, give sessions back that nobody can come back to, and let the server go."""
        closings = self._let_go()
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)

        def end() -> None:
            releasing = release(closings)
            if releasing is not None:
                releasing.join(_CLOSE_TIMEOUT_S / 2)
            self.connection.close()

        # A server that takes its time to stop must not hold Blender: it stops once its helper has gone.
        closing = threading.Thread(target=end, daemon=True, name="masklet-close")
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)

    def _let_go(self) -> list[Closing]:
        self.board.cancel_all()
        shots = [memory.shot for memory in self._memory.values() if memory.shot is not None]
        self._memory.clear()
        self._synchroniser.forget()
        return self.openings.closed(shots)

    def redraw(self, *, everything: bool = False) -> None:
        """Have viewers and timelines drawn again, or every editor."""
        redraw(everything=everything)

    def _keep_ticking(self) -> None:
        if not bpy.app.background and not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, first_interval=TICK_S, persistent=True)

    def _tick(self) -> float | None:
        self._redraws.measure()
        came = self.board.drain(SLICE_S)
        self._redraws.follow(came=came, is_busy=bool(self.board.jobs))
        self._synchroniser.send_settled()
        return TICK_S if self.board.jobs or self._synchroniser.is_waiting else None

    def _differs(self, block: PlateBlock, shot: PlateSession) -> bool:
        try:
            return plates.props(block).document() != shot.request.wanted
        except MaskletError as error:
            self.tell(block, notice_of(error))
            return False


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The one of this Blender; made when it is first needed."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
    return _runtime


def close_runtime() -> None:
    """End all work; the next call of :func:`runtime` begins anew."""
    global _runtime
    ended, _runtime = _runtime, None
    if ended is not None:
        ended.close()
