"""Masks that are fetched because somebody looks at them: as tracked, or as they will be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet.phrases import phrase

from . import plates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession

    from .plate_memory import PlateMemory
    from .plates import PlateBlock
    from .properties import MaskletObject
    from .runtime import Runtime, Work

_FETCH_AHEAD = 12


class Fetching:
    """Asks once for what a viewer lacks.

    Args:
        owner: Runs the jobs.
    """

    def __init__(self, owner: Runtime) -> None:
        self._owner = owner

    def want_mask(self, block: PlateBlock, uid: str, frame: int) -> None:
        """Fetch the masks around a frame that the viewer shows, once."""
        memory = self._free_memory(block)
        if memory is None or memory.clip is None or (uid, frame) in memory.asked:
            return
        from masklet.hosting.work import plate_work
        from masklet.types import FrameRange

        clip = memory.clip
        frames = FrameRange(max(clip.first_frame, frame - 1), min(clip.last_frame, frame + _FETCH_AHEAD))
        uids = [item.uid for item in plates.props(block).objects if item.is_shown]
        for one in range(frames.first, frames.last + 1):
            memory.asked.update((other, one) for other in uids)
        self._start(
            block,
            phrase("Fetching masks"),
            lambda shot, job, server: plate_work.fetch(shot, job, server, uids, frames),
        )

    def want_finished(self, block: PlateBlock, frame: int) -> None:
        """Ask for the mattes of a frame as an export would write them, once, and not while it plays."""
        memory = self._free_memory(block)
        screen = bpy.context.screen
        if memory is None or (screen is not None and screen.is_animation_playing):
            return
        from masklet.hosting.work import plate_work

        uids = [
            item.uid
            for item in plates.props(block).objects
            if item.is_shown
            and (item.uid, frame) not in memory.finished_asked
            and _is_held(memory, item, frame)
        ]
        if not uids:
            return
        memory.finished_asked.update((uid, frame) for uid in uids)

        def work(shot: PlateSession, job: Job, server: Server) -> Iterator[object]:
            return plate_work.preview(shot, job, server, uids, frame)

        self._start(block, phrase("Finishing the matte"), work)

    def _free_memory(self, block: PlateBlock) -> PlateMemory | None:
        """What is known of a plate that has a session, while nothing else is being fetched."""
        memory = self._owner.glimpse(block)
        if memory is None or memory.shot is None or bpy.app.background:
            return None
        return None if any(job.is_fetch for job in self._owner.board.jobs) else memory

    def _start(self, block: PlateBlock, name: str, work: Work) -> None:
        try:
            job = self._owner.start(block, name, work, wait=False, is_long=False)
        except MaskletError as error:
            self._owner.tell(block, notice_of(error))
        else:
            job.is_fetch = True


def _is_held(memory: PlateMemory, item: MaskletObject, frame: int) -> bool:
    strip = memory.book.at(item.uid, frame)
    return strip is not None and strip.held
