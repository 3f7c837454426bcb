"""A server for the panel's tests: it keeps what it is told, and its objects are discs that wander.

It needs the standard library and the client alone, so that it runs in a host's Python, beside the panel.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from fakes.transport import FakeTransport
from masklet.errors import BadInputError, MaskletError, SessionNotFoundError
from masklet.events import TrackEvent, TrackFinished, TrackStarted, Waiting
from masklet.frame_runs import runs_joined, runs_minus
from masklet.matte_settings import MatteSettings
from masklet.transport.interface import TrackRequest, Undone
from masklet.types import (
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    Mask,
    MaskFormat,
    MaskUpdate,
    ObjectInfo,
    ObjectMatte,
    Presence,
    PromptDocument,
    SessionInfo,
    StateRange,
    TrackedMask,
)

PLATE = ClipInfo("plate.%04d.png", 96, 54, 1001, 1040, frames_per_s=24.0)
_BASE = TrackedMask(1, 1, b"logits")


@dataclass
class PanelServer(FakeTransport):
    """:class:`masklet.transport.interface.Transport` for one plate.

    Attributes:
        clip: The plate.
        presences: What the tracker will believe, by the object's name and frame; else that it is present.
        qualities: What it will think of its masks; 0.9 where nothing is said.
        frame_s: How long a frame takes.
        fails: Raised after the first frame of a track.
        line: Places in a queue that a track is told of first, half a second each.
        tracks: Every track's request.
    """

    clip: ClipInfo = PLATE
    presences: dict[tuple[str, int], Presence] = field(default_factory=dict)
    qualities: dict[tuple[str, int], float] = field(default_factory=dict)
    frame_s: float = 0.0
    fails: MaskletError | None = None
    line: list[Waiting] = field(default_factory=list)
    tracks: list[TrackRequest] = field(default_factory=list)
    cuts: tuple[int, ...] = ()
    said: dict[tuple[int, int], FramePrompts] = field(default_factory=dict)
    masked: dict[int, dict[int, Presence]] = field(default_factory=dict)
    stale: set[tuple[int, int]] = field(default_factory=set)
    held_locks: dict[int, tuple[FrameRange, ...]] = field(default_factory=dict)
    held_mattes: dict[int, MatteSettings] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def get_session(self, session_id: str) -> SessionInfo:
        if session_id != "s1" or not self.opened:
            raise SessionNotFoundError("there is no such session")
        states = [
            StateRange(
                number,
                FrameRange(frame, frame),
                presence,
                (number, frame) in self.said,
                any(frame in lock for lock in self.held_locks.get(number, ())),
                (number, frame) in self.stale,
            )
            for number, frames in self.masked.items()
            for frame, presence in sorted(frames.items())
        ]
        locks = tuple(LockedRange(number, lock) for number, own in self.held_locks.items() for lock in own)
        mattes = tuple(ObjectMatte(number, own) for number, own in self.held_mattes.items())
        return SessionInfo("s1", self.clip, tuple(self.objects), tuple(states), locks, mattes, self.cuts)

    def add_object(self, session_id: str, name: str) -> ObjectInfo:
        number = 1 + max([info.object_id for info in self.objects], default=0)
        self.objects.append(ObjectInfo(number, name))
        self.masked[number] = {}
        return self.objects[-1]

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:
        renamed = ObjectInfo(object_id, name)
        self.objects = [renamed if info.object_id == object_id else info for info in self.objects]
        return renamed

    def remove_object(self, session_id: str, object_id: int) -> None:
        super().remove_object(session_id, object_id)
        self.masked.pop(object_id, None)
        self.held_locks.pop(object_id, None)
        self.said = {key: value for key, value in self.said.items() if key[0] != object_id}

    def set_prompts(
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        key = (prompts.object_id, prompts.frame)
        if any(prompts.frame in lock for lock in self.held_locks.get(prompts.object_id, ())):
            raise BadInputError("the frame is locked")
        self.said.pop(key, None)
        if prompts.is_empty:
            return None
        self.said[key] = prompts
        frames = self.masked[prompts.object_id]
        self.stale.update((prompts.object_id, frame) for frame in frames if frame != prompts.frame)
        frames[prompts.frame] = Presence.PRESENT
        return replace(self._mask(prompts.object_id, prompts.frame), base=prompts.base)

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        before = self.said.get((object_id, frame), FramePrompts(object_id, frame))
        base = before.base
        if before.is_empty and frame in self.masked[object_id]:
            base = _BASE
        made = self.set_prompts(
            session_id, replace(before, clicks=(*before.clicks, click), base=base), mask_format
        )
        assert made is not None
        return made

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        raise BadInputError("this server keeps no history: what is wanted is sent to it")

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        raise BadInputError("this server keeps no history: what is wanted is sent to it")

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:
        super().set_matte(session_id, object_id, settings)
        self.held_mattes[object_id] = settings

    def set_lock(
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        own = runs_minus(self.held_locks.get(object_id, ()), (frames,))
        self.held_locks[object_id] = runs_joined((*own, frames)) if locked else tuple(own)
        return tuple(LockedRange(object_id, lock) for lock in self.held_locks[object_id])

    def get_prompts(self, session_id: str) -> PromptDocument:
        locks = tuple(LockedRange(number, lock) for number, own in self.held_locks.items() for lock in own)
        mattes = tuple(ObjectMatte(number, own) for number, own in self.held_mattes.items())
        said = tuple(self.said[key] for key in sorted(self.said))
        return PromptDocument(tuple(self.objects), said, locks, mattes)

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:
        self.tracks.append(request)
        self._stopped.clear()
        numbers = request.object_ids or tuple(dict.fromkeys(number for number, _ in self.said))
        frames = request.frames or self.clip.frames
        wanted = [
            (number, frame)
            for frame in range(frames.first, frames.last + 1)
            for number in numbers
            if not any(frame in lock for lock in self.held_locks.get(number, ()))
            and (not request.stale_only or (number, frame) in self.stale)
        ]
        for waiting in self.line:
            yield waiting
            time.sleep(0.5)
        yield TrackStarted(len(wanted), len(wanted))
        for place, (number, frame) in enumerate(wanted):
            if self._stopped.is_set():
                yield TrackFinished(place, place, cancelled=True)
                return
            if self.fails is not None and place:
                raise self.fails
            time.sleep(self.frame_s)
            name = next(info.name for info in self.objects if info.object_id == number)
            presence = self.presences.get((name, frame), Presence.PRESENT)
            self.masked[number][frame] = presence
            self.stale.discard((number, frame))
            yield self._mask(number, frame)
        yield TrackFinished(len(wanted), len(wanted), cuts=self.cuts)

    def cancel(self, session_id: str) -> bool:
        self._stopped.set()
        return True

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        frames = request.frames or self.clip.frames
        for number in request.object_ids or tuple(self.masked):
            for frame in self.masked.get(number, {}):
                if frame in frames:
                    yield self._mask(number, frame)

    def _mask(self, number: int, frame: int) -> MaskUpdate:
        name = next(info.name for info in self.objects if info.object_id == number)
        presence = self.masked.get(number, {}).get(frame, Presence.PRESENT)
        quality = self.qualities.get((name, frame), 0.9)
        width, height = self.clip.width_px, self.clip.height_px
        x = 12.0 + (frame - self.clip.first_frame) * 1.7 % (width - 24)
        y = 12.0 + number * 9.0 % (height - 20)
        radius = 0.0 if presence is Presence.ABSENT else 7.0 + 1.5 * number
        alpha = bytes(
            255 if (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= radius**2 else 0
            for row in range(height)
            for column in range(width)
        )
        prompted = (number, frame) in self.said
        return MaskUpdate(number, name, frame, Mask(width, height, alpha), presence, 1.0, quality, prompted)
