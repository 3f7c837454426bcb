"""Masks that are fetched because somebody looks at them: as tracked, or as they will be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet.hosting.ports import P
from masklet.hosting.workbench import Workbench
from masklet.phrases import phrase
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.client import Server
    from masklet.hosting.plate_memory import PlateMemory
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.hosting.workbench import Work

_FETCH_AHEAD = 12


class Fetching(Generic[P]):
    """Asks once for what a viewer lacks.

    Args:
        owner: Runs the jobs.
    """

    def __init__(self, owner: Workbench[P]) -> None:
        self._owner = owner

    def want_mask(self, plate: P, uid: str, frame: int) -> None:
        """Fetch the masks around a frame that the viewer shows, once."""
        memory = self._free_memory(plate)
        if memory is None or memory.clip is None or (uid, frame) in memory.asked:
            return
        from masklet.hosting.work import plate_work

        clip = memory.clip
        frames = FrameRange(max(clip.first_frame, frame - 1), min(clip.last_frame, frame + _FETCH_AHEAD))
        uids = self._owner.host.shown_uids(plate)
        for one in range(frames.first, frames.last + 1):
            memory.asked.update((other, one) for other in uids)
        self._start(
            plate,
            phrase("Fetching masks"),
            lambda session, job, server: plate_work.fetch(session, job, server, uids, frames),
        )

    def look(self, plate: P, frame: int) -> None:
        """Say which frame the viewer shows: what is tracked goes there first. Costs nothing."""
        memory = self._owner.glimpse(plate)
        if memory is not None and memory.session is not None:
            memory.session.looked_at = frame

    def want_finished(self, plate: P, frame: int) -> None:
        """Ask for the mattes of a frame as an export would write them, once, and not while it plays."""
        memory = self._free_memory(plate)
        if memory is None or self._owner.host.is_playing:
            return
        from masklet.hosting.work import plate_work

        uids = [
            uid
            for uid in self._owner.host.shown_uids(plate)
            if (uid, frame) not in memory.finished_asked and _is_held(memory, uid, frame)
        ]
        if not uids:
            return
        memory.finished_asked.update((uid, frame) for uid in uids)

        def work(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
            return plate_work.preview(session, job, server, uids, frame)

        self._start(plate, phrase("Finishing the matte"), work)

    def _free_memory(self, plate: P) -> PlateMemory[P] | None:
        """What is known of a plate that has a session, while nothing else is being fetched."""
        memory = self._owner.glimpse(plate)
        if memory is None or memory.session is None or not self._owner.host.has_interface:
            return None
        return None if any(job.is_fetch for job in self._owner.board.jobs) else memory

    def _start(self, plate: P, name: str, work: Work) -> None:
        try:
            job = self._owner.start(plate, name, work, wait=False, is_long=False)
        except MaskletError as error:
            self._owner.tell(plate, notice_of(error))
        else:
            job.is_fetch = True


def _is_held(memory: PlateMemory[P], uid: str, frame: int) -> bool:
    strip = memory.book.at(uid, frame)
    return strip is not None and strip.held
