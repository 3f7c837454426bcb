"""The artist's loop: what is said is sent, what comes back is shown, a beat at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.fetching import Fetching
from masklet.hosting.notices import notice_of
from masklet.hosting.ports import Host, P
from masklet.hosting.redraw_pace import RedrawPace
from masklet.hosting.synchroniser import Synchroniser
from masklet.hosting.work.connection import Connection
from masklet.hosting.workbench import Workbench

if TYPE_CHECKING:
    from masklet.hosting.work.plate_session import PlateSession

BEAT_S = 0.015
"""How often a host calls :meth:`Loop.beat` while there is something to do."""
SLICE_S = 0.008
"""How long taking results may last each time."""


class Loop(Workbench[P]):
    """All that a host's buttons, handlers and viewers call.

    Args:
        host: Whose it is.
        connection: To the server.
        keeps_versions: As :class:`Workbench`.

    Attributes:
        fetching: Masks that are fetched because somebody looks at them.
    """

    def __init__(
        self, host: Host[P], connection: Connection | None = None, *, keeps_versions: bool = False
    ) -> None:
        super().__init__(host, connection, keeps_versions=keeps_versions)
        self.fetching = Fetching(self)
        self._synchroniser = Synchroniser(self)
        self._pace = RedrawPace(lambda panels: host.redraw(panels=panels), BEAT_S)

    def beat(self) -> bool:
        """Take what came, send what has come to rest; False once nothing is left to do. Main thread only."""
        self._pace.measure()
        came = self.board.drain(SLICE_S)
        is_awaited, self.has_answer = self.has_answer, False
        self._pace.follow(came=came, is_busy=bool(self.board.jobs), is_awaited=is_awaited)
        self._synchroniser.send_settled()
        return bool(self.board.jobs) or self._synchroniser.is_waiting

    def synchronise(self, plate: P, *, wait: bool) -> None:
        """As :meth:`.synchroniser.Synchroniser.send`."""
        self._synchroniser.send(plate, wait=wait)

    def request_synchronise(self, plate: P) -> None:
        """As :meth:`.synchroniser.Synchroniser.request`."""
        self._synchroniser.request(plate)

    def after_history(self) -> None:
        """Follow what the host's own undo or redo made of the documents."""
        for plate in self.host.plates():
            memory = self.glimpse(plate)
            if memory is None or memory.session is None:
                continue
            memory.remind(plate)
            if self._differs(plate, memory.session):
                self.synchronise(plate, wait=not self.host.has_interface)
        self.redraw()

    def follow_server(self, plate: P) -> None:
        """Make the document say what the server holds after a step through its history."""
        memory = self.memory(plate)
        if memory.session is not None:
            self.host.take(plate, memory.session.held)
            memory.session.request = self.request(plate)
        self.redraw()

    def forget_server(self) -> None:
        """Have every plate open its session anew, on whatever server the settings name."""
        super().forget_server()
        self._synchroniser.forget()

    def let_go(self) -> tuple[PlateSession, ...]:
        """Cancel all work and drop what is in memory; the sessions, for the host to give back or to leave."""
        sessions = super().let_go()
        self._synchroniser.forget()
        return sessions

    def _differs(self, plate: P, session: PlateSession) -> bool:
        try:
            return self.host.document(plate) != session.request.wanted
        except MaskletError as error:
            self.tell(plate, notice_of(error))
            return False
