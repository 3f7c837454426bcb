"""The server follows the document: sent at once, or once a value that is dragged has come to rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Generic

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet.hosting.ports import P
from masklet.hosting.workbench import Workbench
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession


_SETTLE_S = 0.12
"""A value that is being dragged is sent once it has rested for so long."""
_NAME = phrase("Sending to the server")


class Synchroniser(Generic[P]):
    """Sends what was said; one job at a time for each plate, which takes what is wanted by then.

    Args:
        owner: Runs the jobs; its host has :meth:`send_settled` called again and again.
    """

    def __init__(self, owner: Workbench[P]) -> None:
        self._owner = owner
        self._dirty: dict[str, float] = {}
        self._sending: set[str] = set()

    @property
    def is_waiting(self) -> bool:
        """True while something is to be sent."""
        return bool(self._dirty)

    def send(self, plate: P, *, wait: bool) -> None:
        """Make the server hold what is said about a plate.

        Raises:
            MaskletError: With ``wait``: the server is out of reach, or it refused an edit, which was taken
                out of the document again.
        """
        memory = self._owner.memory(plate)
        memory.refusals.clear()
        if not wait:
            self._dirty[self._owner.host.uid(plate)] = time.perf_counter()
            self._send_dirty(settled_by_s=float("inf"))
            return
        self._owner.start(plate, _NAME, _send, wait=True, is_long=False)
        if memory.refusals:
            raise memory.refusals[0]

    def request(self, plate: P) -> None:
        """The same a moment later, when a value that is being dragged has come to rest."""
        self._dirty[self._owner.host.adopt(plate)] = time.perf_counter()
        self._owner.host.keep_ticking()

    def send_settled(self) -> None:
        """Send what has come to rest."""
        self._send_dirty(settled_by_s=time.perf_counter() - _SETTLE_S)

    def forget(self) -> None:
        """Another file was opened, or another server is used."""
        self._dirty.clear()
        self._sending.clear()

    def _send_dirty(self, *, settled_by_s: float) -> None:
        for uid, changed_s in list(self._dirty.items()):
            if changed_s > settled_by_s or uid in self._sending:
                continue
            del self._dirty[uid]
            plate = self._owner.host.find(uid)
            if plate is None:
                continue
            self._sending.add(uid)
            try:
                self._owner.start(
                    plate, _NAME, _send, wait=False, is_long=False, on_end=partial(self._sent, uid)
                )
            except MaskletError as error:
                self._sending.discard(uid)
                self._owner.tell(plate, notice_of(error))

    def _sent(self, uid: str, error: MaskletError | None) -> None:
        self._sending.discard(uid)


def _send(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
    yield from session.synchronise(server, on_progress=job.count, on_waiting=job.wait_in_line)
