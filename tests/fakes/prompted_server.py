"""A server that holds what it is told, in the real server's book of prompts; its masks are squares."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from fakes.transport import RUN, FakeTransport
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.deliveries import Delivery, ExportPlan
from masklet.errors import SessionNotFoundError
from masklet.events import (
    ExportEvent,
    ExportFinished,
    FileChunk,
    MatteFormat,
    TrackEvent,
    TrackFinished,
    TrackStarted,
    Waiting,
)
from masklet.matte_settings import MatteSettings
from masklet.png import write_mask
from masklet.transport.interface import ExportRequest, TrackRequest, Undone
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
    MemoryPolicy,
    ObjectInfo,
    Presence,
    PromptDocument,
    SessionInfo,
    StateRange,
    TrackedMask,
)
from masklet_server.sessions.prompts import PromptBook

CLIP = ClipInfo("plate.%04d.png", 64, 36, 1001, 1012)


def tracked_mask(frame: int) -> TrackedMask:
    """A mask as it is packed: never looked into, and another on each frame."""
    return TrackedMask(4, 4, b"logits of %d" % frame)


@dataclass
class HeldSession:
    """One session: what was said, which frames have a mask, and which masks came with locks."""

    book: PromptBook
    tracked: dict[int, set[int]] = field(default_factory=dict)
    given: list[LockedMask] = field(default_factory=list)


@dataclass
class PromptedServer(FakeTransport):
    """:class:`masklet.transport.interface.Transport` that remembers like the server does.

    Attributes:
        max_objects: Of a session.
        sessions: By id; delete one to play a server that was restarted.
        calls: The names of the calls that changed something, in order.
        track_fails: Raised in the middle of a track.
        asked_sizes_px: Longest sides of the masks that prompts, undo and redo were to bring.
    """

    max_objects: int = 8
    sessions: dict[str, HeldSession] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    track_fails: Exception | None = None
    readings: list[ClipReading] = field(default_factory=list)
    waits: list[Waiting] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    looked_at: list[int] = field(default_factory=list)
    cancelled: bool = False
    asked_sizes_px: list[int] = field(default_factory=list)

    def open_session(
        self,
        *,
        path: str | None = None,
        upload_id: str | None = None,
        reading: ClipReading = AS_FILES_SAY,
        ticket: str = "",
    ) -> SessionInfo | Waiting:
        if self.waits:
            self.tickets.append(ticket)
            return self.waits.pop(0)
        self.opened.append(str(path or upload_id))
        self.readings.append(reading)
        session_id = f"session{len(self.opened)}"
        self.sessions[session_id] = HeldSession(PromptBook(CLIP, max_objects=self.max_objects))
        return self.get_session(session_id)

    def get_session(self, session_id: str) -> SessionInfo:
        held = self._held(session_id)
        book = held.book
        states = []
        for info in book.objects():
            prompted = set(book.prompted_frames(info.object_id))
            for frame in sorted(prompted | held.tracked.get(info.object_id, set())):
                lock = book.contents.is_locked(info.object_id, frame)
                one = FrameRange(frame, frame)
                states.append(StateRange(info.object_id, one, Presence.PRESENT, frame in prompted, lock))
        return SessionInfo(session_id, CLIP, book.objects(), tuple(states), book.locks(), book.mattes())

    def close_session(self, session_id: str) -> None:
        self.sessions.pop(session_id, None)

    def add_object(self, session_id: str, name: str) -> ObjectInfo:
        self.calls.append("add")
        return self._held(session_id).book.add_object(name)

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:
        self.calls.append("rename")
        return self._held(session_id).book.rename_object(object_id, name)

    def remove_object(self, session_id: str, object_id: int) -> None:
        self.calls.append("remove")
        self._held(session_id).book.remove_object(object_id)

    def set_prompts(
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        self.calls.append("prompts")
        self.asked_sizes_px.append(mask_format.max_side_px)
        book = self._held(session_id).book
        if not replace_mask:
            book.check_mask_stays(prompts)
        book.put(book.check(prompts))
        if prompts.is_empty:
            return None
        return replace(self._mask(session_id, prompts.object_id, prompts.frame), base=prompts.base)

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        self.calls.append("click")
        self.asked_sizes_px.append(mask_format.max_side_px)
        held = self._held(session_id)
        prompts = held.book.with_click(object_id, frame, click)
        # The first prompt on a tracked frame corrects what was tracked.
        if len(prompts.clicks) == 1 and frame in held.tracked.get(object_id, set()):
            prompts = replace(prompts, base=tracked_mask(frame))
        held.book.put(held.book.check(prompts))
        return replace(self._mask(session_id, object_id, frame), base=prompts.base)

    def set_policy(self, session_id: str, object_id: int, policy: MemoryPolicy) -> None:
        self.calls.append("policy")
        self._held(session_id).book.set_policy(object_id, policy)

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:
        self.calls.append("matte")
        self._held(session_id).book.set_matte(object_id, settings)

    def set_lock(
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        self.calls.append("lock" if locked else "unlock")
        book = self._held(session_id).book
        book.set_lock(object_id, frames, locked=locked)
        self._held(session_id).tracked.setdefault(object_id, set()).update(mask.frame for mask in masks)
        self._held(session_id).given.extend(masks)
        return book.locks()

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        self.calls.append("undo")
        self.asked_sizes_px.append(mask_format.max_side_px)
        book = self._held(session_id).book
        edit = book.history.last_done()
        book.take_back()
        return self._undone(session_id, edit.object_id, edit.frame)

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        self.calls.append("redo")
        self.asked_sizes_px.append(mask_format.max_side_px)
        book = self._held(session_id).book
        edit = book.history.last_undone()
        book.make_again()
        return self._undone(session_id, edit.object_id, edit.frame)

    def get_prompts(self, session_id: str) -> PromptDocument:
        held = self._held(session_id)
        document = held.book.document()
        masks = tuple(
            LockedMask(lock.object_id, frame, tracked_mask(frame))
            for lock in document.locks
            for frame in sorted(held.tracked.get(lock.object_id, set()))
            if frame in lock.frames
        )
        return replace(document, masks=masks)

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:
        held = self._held(session_id)
        self.tracked.append(request)
        ids = request.object_ids or tuple(info.object_id for info in held.book.objects())
        frames = request.frames or CLIP.frames
        if request.stale_only:
            # Nothing is ever overtaken here, and what has no mask is not stale either.
            yield TrackStarted(0, 0)
            yield TrackFinished(0, 0)
            return
        yield TrackStarted(len(frames), len(frames) * len(ids))
        for frame in range(frames.first, frames.last + 1):
            if self.cancelled:
                break
            if self.track_fails is not None and frame == frames.first + 2:
                raise self.track_fails
            for object_id in ids:
                held.tracked.setdefault(object_id, set()).add(frame)
                yield self._mask(session_id, object_id, frame)
        yield TrackFinished(len(frames), len(frames) * len(ids), cancelled=self.cancelled)

    def cancel(self, session_id: str) -> bool:
        self.cancelled = True
        return True

    def look_at(self, session_id: str, frame: int) -> None:
        self.looked_at.append(frame)

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        held = self._held(session_id)
        frames = request.frames or CLIP.frames
        for object_id in request.object_ids:
            for frame in sorted(held.tracked.get(object_id, set())):
                if frame in frames:
                    yield self._mask(session_id, object_id, frame)

    def export_mattes(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        self.exported.append(request)
        held = self._held(session_id)
        frames, word = request.frames or CLIP.frames, request.base_name or "plate"
        names = {object_id: held.book.name_of(object_id) or "" for object_id in request.object_ids}
        kind = request.matte_format
        suffix = "exr" if kind is MatteFormat.EXR_PER_OBJECT else "png"
        plans = tuple(
            Delivery(f"{name}/{word}_{name}.%04d.{suffix}", kind.value, (name,), 64, 36, frames)
            for name in names.values()
        )
        yield ExportPlan(word, RUN, plans)
        count = 0
        for object_id, name in names.items():
            for frame in sorted(held.tracked.get(object_id, set())):
                if frame in frames:
                    count += 1
                    content = write_mask(self._mask(session_id, object_id, frame).mask)
                    file = f"{name}/{word}_{name}.{frame}.{suffix}"
                    yield FileChunk(file, content, len(content), last=True)
        yield ExportFinished(count)

    def _held(self, session_id: str) -> HeldSession:
        if session_id not in self.sessions:
            raise SessionNotFoundError("the server holds no such session: open the clip again")
        return self.sessions[session_id]

    def _mask(self, session_id: str, object_id: int, frame: int) -> MaskUpdate:
        name = self._held(session_id).book.name_of(object_id) or ""
        row = bytes(10) + b"\xff" * 20 + bytes(34)
        mask = Mask(64, 36, bytes(640) + row * 16 + bytes(64 * 10))
        return MaskUpdate(object_id, name, frame, mask, Presence.PRESENT, 0.9, 0.8)

    def _undone(self, session_id: str, object_id: int, frame: int | None) -> Undone:
        book = self._held(session_id).book
        left, redo = book.history.undo_left, book.history.redo_left
        if frame is None:
            return Undone(None, None, left, redo, object_id=object_id)
        prompts = book.find(object_id, frame)
        update = None if prompts is None else self._mask(session_id, object_id, frame)
        return Undone(prompts or FramePrompts(object_id, frame), update, left, redo, object_id=object_id)
