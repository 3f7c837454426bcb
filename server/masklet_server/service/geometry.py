"""Shapes and anchors of a session's objects, made in threads that can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError, CancelledError
from masklet.events import WorkProgress
from masklet.matte_settings import MatteSettings
from masklet.types import FrameRange
from masklet_server.mattes.adjust import adjust
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.drawn import drawn_at
from masklet_server.mattes.export import AlphaSource
from masklet_server.mattes.strokes import obeyed
from masklet_server.service.coverage import plate_coverage
from masklet_server.sessions.session import Session
from masklet_server.sessions.worker_threads import WorkerThreads
from masklet_server.tracking import FrameSource, ObjectFrame

ValueT = TypeVar("ValueT")
Matte = NDArray[np.uint8] | NDArray[np.float32]

PROGRESS_EVERY_S = 0.25
WORKS_AT_ONCE = 2
"""More wait: each takes a thread and much of the processor for as long as it lasts."""
_SHARE_STEPS = 1000


@dataclass(eq=False)
class Report:
    """What a running work tells, and is told."""

    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def count(self, done: int, total: int) -> None:
        """So many of so many frames are done; raises CancelledError when nobody waits any more."""
        self.done, self.total = done, total
        if self.stop.is_set():
            raise CancelledError("the work was cancelled")

    def share(self, share: float) -> None:
        """So much of the work is done, 0 to 1; raises CancelledError when nobody waits any more."""
        self.count(round(share * _SHARE_STEPS), _SHARE_STEPS)


class Workshop:
    """Runs long works, a few at a time, and tells how far they are.

    Args:
        disk_s: How long a plate's disk may take.
    """

    def __init__(self, *, disk_s: float) -> None:
        self._workers = WorkerThreads("workshop", at_once=WORKS_AT_ONCE, disk_s=disk_s)

    async def follow(
        self, work: Callable[[Report], ValueT], *, user: str
    ) -> AsyncGenerator[WorkProgress | ValueT, None]:
        """Progress, then what the work made. Closing the generator stops the work."""
        report = Report()
        # Not in the renderer's threads: clicks wait for those.
        finished = asyncio.ensure_future(self._workers.run(work, report, whose=user))
        try:
            while not finished.done():
                await asyncio.wait({finished}, timeout=PROGRESS_EVERY_S)
                yield WorkProgress(report.done, report.total)
            yield await finished
        finally:
            report.stop.set()
            await asyncio.gather(finished, return_exceptions=True)


class Mattes(Mapping[int, Matte]):
    """Mattes of one object by frame, rendered when they are asked for.

    Each is ``(H, W)`` of 8 bits, or of float32 from 0 to 1 where the artist drew the mask.

    Args:
        session: Whose masks.
        object_id: Whose.
        frames: Which frames, as far as they have a mask.
        settings: How the matte is finished; overlap and inversion are left out, as they are not the
            object's own outline.
        max_side_px: Longest side of the mattes; 0 for the plate's size.
        coverage: Makes a result's coverage at the plate's size; straight from the logits when None.
    """

    def __init__(
        self,
        session: Session,
        object_id: int,
        frames: FrameRange,
        settings: MatteSettings,
        *,
        max_side_px: int = 0,
        coverage: AlphaSource | None = None,
    ) -> None:
        if coverage is not None and max_side_px:
            raise ValueError("coverage of the plate's size cannot have another size")
        self._coverage = coverage or self._from_logits
        clip, results = session.clip, session.results
        self._results = results
        self._drawn_on = session.drawn_on
        self._strokes_on = session.strokes_on
        self._plate_px = clip.width_px, clip.height_px
        self._object_id = object_id
        self._settings = settings
        # In order, and found at once: a hole in the range is no object that was removed.
        self._frames = dict.fromkeys(frame for frame in results.frames_of(object_id) if frame in frames)
        longest_px = max(clip.width_px, clip.height_px)
        self._scale = max_side_px / longest_px if 0 < max_side_px < longest_px else 1.0
        self._size_px = (
            max(1, round(clip.width_px * self._scale)),
            max(1, round(clip.height_px * self._scale)),
        )

    def __getitem__(self, frame: int) -> Matte:
        if frame not in self._frames:
            raise KeyError(frame)
        result = self._results.find(self._object_id, frame)
        if result is None:
            # Removed meanwhile: the work ends with this, and so does the need for it.
            raise CancelledError("the object was removed while its mattes were read")
        drawn = self._drawn_on(result)
        alpha = drawn_at(drawn, *self._size_px) if drawn is not None else self._coverage(result)
        if not self._settings.is_plain:
            alpha = adjust(alpha, self._settings, scale=self._scale)
        if drawn is not None:
            return alpha
        codes: NDArray[np.uint8] = np.rint(alpha * np.float32(255.0)).astype(np.uint8)
        return codes

    def _from_logits(self, result: ObjectFrame) -> NDArray[np.float32]:
        alpha = render_alpha(result.logits, *self._size_px)
        return obeyed(alpha, self._strokes_on(result), self._plate_px)

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


def mattes_of(
    session: Session,
    object_id: int,
    frames: FrameRange,
    *,
    max_side_px: int = 0,
    source: FrameSource | None = None,
) -> Mattes:
    """The mattes of an object.

    Args:
        session: Whose.
        object_id: Which of its objects.
        frames: As far as they have a mask.
        max_side_px: Longest side of the mattes; 0 for the plate's size, which ``source`` asks for.
        source: The plate, open for as long as mattes are read: edges then follow it as they do in an export.
            Straight from the network's logits when None.

    Raises:
        ObjectNotFoundError: The session has no such object.
        BadInputError: Nothing in the range has a mask.
    """
    info = session.object(object_id)
    own = replace(session.matte(object_id), exclusive=False, invert=False)
    coverage = plate_coverage(session, source) if source is not None else None
    mattes = Mattes(session, object_id, frames, own, max_side_px=max_side_px, coverage=coverage)
    if not mattes:
        raise BadInputError(f"{info.name} has no mask on {frames.worded}: track it there first")
    return mattes
