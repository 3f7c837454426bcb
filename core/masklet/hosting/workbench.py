"""What a host holds while it runs: the connection, the jobs, and each open plate's masks and states.

The main thread owns all of it. Jobs work on plates' sessions in their threads; what they tell is applied
here, in slices too short to be felt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic

from masklet.errors import AccessDeniedError, CancelledError, MaskletError, ServerUnreachableError
from masklet.hosting.notices import notice_of
from masklet.hosting.plate_memory import PlateMemory
from masklet.hosting.ports import Host, P
from masklet.hosting.shown.track_versions import TrackVersions
from masklet.hosting.work.connection import Connection, naming_setting
from masklet.hosting.work.jobs import Job, JobBoard
from masklet.hosting.work.plate_events import MaskCame, PlateRequest, ResultCame
from masklet.hosting.work.releasing import release
from masklet.phrases import text_of

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.notices import Notice
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.hosting.work.releasing import Closing

    Work = Callable[[PlateSession, Job, Server], Iterator[object]]
    """What a job does, in its own thread."""

_CLOSE_TIMEOUT_S = 0.5


class Workbench(Generic[P]):
    """Plates in memory, jobs on them, and one server.

    Args:
        host: Whose it is.
        connection: To the server.
        keeps_versions: Masks that are tracked over are kept, to compare; see :mod:`.shown.track_versions`.

    Attributes:
        host: As given.
        board: All jobs.
        has_answer: A mask came that a hand waits for; whoever draws it takes it back.
        connection: As given.
    """

    def __init__(
        self, host: Host[P], connection: Connection | None = None, *, keeps_versions: bool = False
    ) -> None:
        self.host = host
        self._keeps_versions = keeps_versions
        self.board = JobBoard()
        self.has_answer = False
        self.connection = connection or Connection()
        self._memory: dict[str, PlateMemory[P]] = {}

    def memory(self, plate: P) -> PlateMemory[P]:
        """What is known of a plate; it is remembered from now on."""
        uid = self.host.adopt(plate)
        if uid not in self._memory:
            versions = TrackVersions() if self._keeps_versions else None
            memory = self._memory[uid] = PlateMemory(self.host, versions=versions)
            memory.recall(plate)
        return self._memory[uid]

    def glimpse(self, plate: P | None) -> PlateMemory[P] | None:
        """What is known of a plate, without remembering or changing anything: for drawing."""
        return None if plate is None else self._memory.get(self.host.uid(plate))

    def tell(self, plate: P | None, notice: Notice | None) -> None:
        """Show a sentence in the plate's panel and viewer, in place of the one before."""
        if plate is not None:
            self.memory(plate).notice = notice
        self.redraw()

    def dismiss(self, plate: P | None) -> None:
        """What was told was acted upon: it goes; what went wrong stays to be read."""
        memory = self.glimpse(plate)
        if memory is not None and memory.notice is not None and not memory.notice.is_alarm:
            memory.notice = None
        self.redraw()

    def job_of(self, plate: P | None) -> Job | None:
        """The work that an artist waits for; so is sending a plate's files, or waiting in line."""
        if plate is None:
            return None
        uid = self.host.uid(plate)
        mine = (job for job in self.board.jobs if job.plate_uid == uid)
        return next((job for job in mine if job.is_long or job.total or job.waiting), None)

    def request(self, plate: P) -> PlateRequest:
        """What is wanted of a plate now.

        Raises:
            MaskletError: It is no plate, or what was kept was damaged.
        """
        kept = self.host.session(plate)
        return PlateRequest(
            self.host.source(plate),
            self.host.document(plate),
            kept.session_id,
            kept.fingerprint,
            self.host.max_side_px,
            self.memory(plate).book.known(self.host.uids(plate)),
            kept.path,
        )

    def session(self, plate: P) -> PlateSession:
        """The plate's session for jobs, with what is wanted now.

        Raises:
            MaskletError: As :meth:`request`.
        """
        from masklet.hosting.work.plate_session import PlateSession

        request = self.request(plate)
        memory = self.memory(plate)
        if memory.session is None:
            memory.session = PlateSession(request)
        memory.session.request = request
        return memory.session

    def start(
        self,
        plate: P,
        name: str,
        work: Work,
        *,
        wait: bool,
        is_long: bool = True,
        on_made: Callable[[P, object], None] | None = None,
        on_end: Callable[[MaskletError | None], None] | None = None,
    ) -> Job:
        """Run work for a plate.

        Args:
            plate: The plate.
            name: "Tracking".
            work: Called in the job's thread with the plate's session, the job and the server.
            wait: Return when it has ended; otherwise return at once.
            is_long: Show progress, and let Esc cancel it.
            on_made: Called with what the work was for.
            on_end: Called at the end, after the sentence of an error was shown.

        Raises:
            MaskletError: The plate cannot be used, or with ``wait``: the work failed.
        """
        session = self.session(plate)
        uid = self.host.uid(plate)
        settings = self.host.connection_settings()

        def run(job: Job) -> Iterator[object]:
            server = self.connection.server(settings)
            try:
                yield from work(session, job, server)
            except ServerUnreachableError as error:
                # The next work reaches it anew, or starts another of the host's own.
                if not self.connection.drop(server) and not job.is_long:
                    # What was told of that server was repaired since: nobody waited for this.
                    raise CancelledError(text_of(error)) from error
                raise
            except AccessDeniedError as error:
                raise naming_setting(error, settings.words) from error

        def apply(event: object) -> None:
            # Looked up each time, since undo may have replaced what the handle stands for.
            owner, memory = self.host.find(uid), self._memory.get(uid)
            if owner is None or memory is None:
                return
            if not isinstance(event, ResultCame):
                memory.take(owner, job, event)
                streams = job.is_long or job.is_fetch
                self.has_answer = self.has_answer or (isinstance(event, MaskCame) and not streams)
            elif on_made is not None:
                on_made(owner, event.value)

        def end(error: MaskletError | None) -> None:
            if error is not None and not wait and not isinstance(error, CancelledError):
                self.tell(self.host.find(uid), notice_of(error))
            if on_end is not None:
                on_end(error)

        job = Job(name, run, on_event=apply, on_end=end)
        job.plate_uid, job.is_long = uid, is_long
        if wait:
            others = (memory.session for other, memory in self._memory.items() if other != uid)
            job.blocked_places = sum(1 for other in others if other is not None and other.session_id)
        self.board.run(job, wait=wait)
        if not wait:
            self.host.keep_ticking()
            # The bar and its Stop are there from the first moment, not from the first result.
            self.redraw()
        return job

    def run(self, job: Job) -> None:
        """Run work that belongs to no plate; without an interface it has ended on return.

        Raises:
            MaskletError: Without an interface: the work failed.
        """
        self.board.run(job, wait=not self.host.has_interface)
        self.host.keep_ticking()

    def forget_plate(self, plate: P) -> None:
        """Drop what is in memory of one plate, whose session is no more."""
        self.memory(plate).forget_session()
        self.redraw()

    def forget_server(self) -> None:
        """Have every plate open its session anew, on whatever server the settings name."""
        self.board.cancel_all()
        for memory in self._memory.values():
            memory.session = None
            memory.asked.clear()

    def let_go(self) -> tuple[PlateSession, ...]:
        """Cancel all work and drop what is in memory; the sessions, for the host to give back or to leave."""
        self.board.cancel_all()
        sessions = tuple(memory.session for memory in self._memory.values() if memory.session is not None)
        self._memory.clear()
        return sessions

    def end(self, closings: Iterable[Closing]) -> None:
        """Give these sessions back and let the server go, without holding the host for long."""
        leaving = tuple(closings)

        def close() -> None:
            releasing = release(leaving)
            if releasing is not None:
                releasing.join(_CLOSE_TIMEOUT_S / 2)
            self.connection.close()

        # A server that takes its time to stop must not hold the host: it stops once its helper has gone.
        closing = threading.Thread(target=close, daemon=True, name="masklet-close")
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)

    def redraw(self, *, everything: bool = False) -> None:
        """Have viewers and timelines drawn again, or everything."""
        self.host.redraw(everything=everything)
