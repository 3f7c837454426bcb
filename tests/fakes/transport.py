"""A server that lives in the test: it remembers what it was asked and answers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field

from masklet.anchors import AnchorKey, AnchorTrack
from masklet.bad_frames import Place
from masklet.candidates import Candidate
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.deliveries import Delivery, ExportPlan, RunMark
from masklet.errors import MaskletError
from masklet.events import (
    CutsFound,
    ExportEvent,
    ExportFinished,
    FileChunk,
    TrackEvent,
    TrackFinished,
    TrackStarted,
    Waiting,
    WorkProgress,
)
from masklet.found import FindEvent, FindProgress, FindRequest, Found, Look
from masklet.interpolation import Interpolation
from masklet.matte_settings import MatteSettings
from masklet.pictures import Picture, PictureRequest
from masklet.scopes import Scope
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.transport.interface import (
    AnchorRequest,
    ClipFile,
    ExportRequest,
    TrackRequest,
    Undone,
)
from masklet.types import (
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    FrameState,
    LockedMask,
    LockedRange,
    Mask,
    MaskFormat,
    MaskUpdate,
    MemoryPolicy,
    ModelInfo,
    ObjectInfo,
    Presence,
    PromptDocument,
    ServerInfo,
    SessionInfo,
    SessionSummary,
    Share,
    StateRange,
)

RUN = RunMark("12" * 32, "fake", "34" * 32, "{}")
CLIP = ClipInfo("plate.%04d.png", 4, 2, 1001, 1003)


def update(object_id: int, frame: int, name: str = "hero") -> MaskUpdate:
    """An empty mask that says where it belongs."""
    return MaskUpdate(object_id, name, frame, Mask(4, 2, bytes(8)), Presence.PRESENT, 0.9, 0.8)


@dataclass
class FakeTransport:
    """:class:`masklet.transport.interface.Transport` without a server behind it.

    Attributes:
        opens_paths: What the server says of itself.
        max_upload_bytes: What the server says of itself.
        refuses_path: Raised when a path is opened.
        opened: Path or upload of every opened session.
        uploads: Names and frames of every upload.
        tracked: Every track's request.
        tracks_left_early: How many tracks were closed before their end.
        shares: With whom sessions are shared.
        raw_shapes: Whether shapes of raw edges were asked for, each time.
        rules: Under which curve shapes were asked for, each time.
        closed: True once the connection is closed.
    """

    opens_paths: bool = True
    max_upload_bytes: int = 10**9
    refuses_path: MaskletError | None = None
    objects: list[ObjectInfo] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    readings: list[ClipReading] = field(default_factory=list)
    waits: list[Waiting] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    looked_at: list[int] = field(default_factory=list)
    uploads: list[list[tuple[str, int | None]]] = field(default_factory=list)
    prompts: list[FramePrompts] = field(default_factory=list)
    replaces_mask: list[bool] = field(default_factory=list)
    policies: list[tuple[int, MemoryPolicy]] = field(default_factory=list)
    clicks: list[tuple[int, int, Click]] = field(default_factory=list)
    tracked: list[TrackRequest] = field(default_factory=list)
    exported: list[ExportRequest] = field(default_factory=list)
    mattes: list[tuple[int, MatteSettings]] = field(default_factory=list)
    locks: list[tuple[int, FrameRange, bool]] = field(default_factory=list)
    states: list[StateRange] = field(default_factory=list)
    anchored: list[AnchorRequest] = field(default_factory=list)
    raw_shapes: list[bool] = field(default_factory=list)
    rules: list[Interpolation] = field(default_factory=list)
    pictured: list[PictureRequest] = field(default_factory=list)
    previewed: list[FramePrompts] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    searched: list[FindRequest] = field(default_factory=list)
    tracks_left_early: int = 0
    closed: bool = False

    def server_info(self) -> ServerInfo:
        model = ModelInfo("fake", "none", 0, "")
        return ServerInfo(
            "0.1.0", "cpu", model, (model,), 4, 8, 4096, self.max_upload_bytes, self.opens_paths
        )

    def upload(
        self,
        clip_name: str,
        files: Sequence[ClipFile],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> str:
        if on_progress is not None:
            on_progress(2, 2)
        self.uploads.append([(file.path.name, file.frame) for file in files])
        return f"upload of {clip_name}"

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
        if path is not None and self.refuses_path is not None:
            raise self.refuses_path
        self.readings.append(reading)
        self.opened.append(str(path or upload_id))
        return self.get_session("s1")

    def get_session(self, session_id: str) -> SessionInfo:
        return SessionInfo(session_id, CLIP, tuple(self.objects), tuple(self.states))

    def list_sessions(self) -> tuple[SessionSummary, ...]:
        return tuple(SessionSummary("s1", CLIP.name, len(self.objects), 0.0, False) for _ in self.opened)

    def share_session(self, session_id: str, user: str, rights: tuple[Scope, ...]) -> tuple[Share, ...]:
        self.shares = [each for each in self.shares if each.user != user] + [Share(user, rights)]
        return tuple(self.shares)

    def unshare_session(self, session_id: str, user: str) -> tuple[Share, ...]:
        self.shares = [each for each in self.shares if each.user != user]
        return tuple(self.shares)

    def list_shares(self, session_id: str) -> tuple[Share, ...]:
        return tuple(self.shares)

    def close_session(self, session_id: str) -> None:
        self.opened.remove(self.opened[-1])

    def add_object(self, session_id: str, name: str) -> ObjectInfo:
        self.objects.append(ObjectInfo(len(self.objects) + 1, name))
        return self.objects[-1]

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:
        self.objects[object_id - 1] = ObjectInfo(object_id, name)
        return self.objects[object_id - 1]

    def remove_object(self, session_id: str, object_id: int) -> None:
        self.objects = [info for info in self.objects if info.object_id != object_id]

    def set_prompts(
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        self.prompts.append(prompts)
        self.replaces_mask.append(replace_mask)
        return None if prompts.is_empty else update(prompts.object_id, prompts.frame)

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        self.clicks.append((object_id, frame, click))
        return update(object_id, frame)

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        return Undone(FramePrompts(1, 1001), None, 0)

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        return Undone(FramePrompts(1, 1001), None, 1)

    def set_policy(self, session_id: str, object_id: int, policy: MemoryPolicy) -> None:
        self.policies.append((object_id, policy))

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:
        self.mattes.append((object_id, settings))

    def set_lock(
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        self.locks.append((object_id, frames, locked))
        return ()

    def next_frame(
        self,
        session_id: str,
        *,
        after: int,
        object_ids: tuple[int, ...],
        states: Collection[FrameState],
        backward: bool,
    ) -> Place | None:
        for state in self.states:
            if after < state.frames.last and (not object_ids or state.object_id in object_ids):
                return Place(max(after + 1, state.frames.first), state)
        return None

    def find_cuts(self, session_id: str, frames: FrameRange | None) -> Generator[CutsFound, None, None]:
        yield CutsFound(WorkProgress(2, 3), ())
        yield CutsFound(WorkProgress(3, 3), (1002,))

    def fit_shapes(
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange | None,
        *,
        tolerance_px: float,
        raw_edges: bool = False,
        interpolation: Interpolation = Interpolation.LINEAR,
    ) -> Generator[WorkProgress | ObjectShapes, None, None]:
        self.raw_shapes.append(raw_edges)
        self.rules.append(interpolation)
        yield WorkProgress(0, 0)
        if not raw_edges:
            yield WorkProgress(1, 3, "hero")
        yield WorkProgress(1, 2)
        name = next(info.name for info in self.objects if info.object_id == object_id)
        vertices = tuple(BezierVertex(x_px, y_px) for x_px, y_px in ((0.0, 0.0), (4.0, 0.0), (4.0, 2.0)))
        piece = Piece("piece 1", False, (FrameRange(1001, 1003),), (ShapeKey(1001, vertices),), interpolation)
        report = ShapeReport(tolerance_px, 0.99, 0.98, 1002, 0.5, 3, 1, 3, interpolation=interpolation)
        yield ObjectShapes(name, CLIP.width_px, CLIP.height_px, 1.0, (piece,), report)

    def track_anchor(
        self, session_id: str, request: AnchorRequest
    ) -> Generator[WorkProgress | AnchorTrack, None, None]:
        self.anchored.append(request)
        yield WorkProgress(3, 3)
        name = next(info.name for info in self.objects if info.object_id == request.object_id)
        keys = tuple(AnchorKey(frame, 2.0, 1.0) for frame in range(1001, 1004))
        yield AnchorTrack(f"{name}_{request.kind.value}", name, request.kind, 1001, keys)

    def get_prompts(self, session_id: str) -> PromptDocument:
        return PromptDocument(tuple(self.objects), tuple(self.prompts))

    def set_prompts_of_session(self, session_id: str, document: PromptDocument) -> tuple[ObjectInfo, ...]:
        self.objects = list(document.objects)
        self.prompts = list(document.prompts)
        return document.objects

    def fetch_pictures(self, session_id: str, request: PictureRequest) -> Generator[Picture, None, None]:
        self.pictured.append(request)
        for frame in request.frames:
            if frame in CLIP.frames:
                yield Picture(frame, 4, 2, b"a JPEG of %d" % frame)
            else:
                yield Picture(frame, 0, 0, b"", f"the clip has no frame {frame}")

    def preview_prompts(self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat) -> MaskUpdate:
        self.previewed.append(prompts)
        return update(prompts.object_id, prompts.frame, "new")

    def find_again(
        self, session_id: str, object_id: int, frame: int, limit: int, mask_format: MaskFormat
    ) -> tuple[Candidate, ...]:
        prompts = FramePrompts(object_id, frame, (Click(3.0, 1.0),))
        return (Candidate(prompts, update(object_id, frame), 0.9),)[:limit]

    def find(self, session_id: str, request: FindRequest) -> Generator[FindEvent, None, None]:
        self.searched.append(request)
        yield FindProgress(0, 2)
        yield FindProgress(1, 2)
        for number in range(min(2, request.limit)):
            prompts = FramePrompts(0, request.frame, (Click(1.0 + number, 1.0),))
            yield Found(prompts, update(0, request.frame, "new"), 0.9 - 0.1 * number)

    def get_look(self, session_id: str, object_id: int, frame: int) -> Look:
        return Look("fake", 4, bytes(8), 0.25)

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:
        self.tracked.append(request)
        try:
            yield TrackStarted(3, 3)
            for frame in range(1001, 1004):
                yield update(1, frame)
            yield TrackFinished(3, 3)
        except GeneratorExit:
            self.tracks_left_early += 1
            raise

    def cancel(self, session_id: str) -> bool:
        return False

    def look_at(self, session_id: str, frame: int) -> None:
        self.looked_at.append(frame)

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        self.tracked.append(request)
        yield update(1, 1001)

    def export_mattes(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        self.exported.append(request)
        names = tuple(info.name for info in self.objects)
        mattes = Delivery("plate.%04d.exr", request.matte_format.value, names, 4, 2, CLIP.frames)
        yield ExportPlan(request.base_name or "plate", RUN, (mattes,))
        if request.plan_only:
            yield ExportFinished(0)
            return
        yield FileChunk("plate.1001.exr", b"pixels", 6, last=True)
        yield ExportFinished(1, (1002, 1003))

    def export_overlay(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        self.exported.append(request)
        movie = Delivery("plate.mp4", request.overlay_kind.value, (), 0, 0, CLIP.frames)
        yield ExportPlan(request.base_name or "plate", RUN, (movie,))
        if request.plan_only:
            yield ExportFinished(0)
            return
        yield FileChunk("plate.mp4", b"movie", 5, last=True)
        yield ExportFinished(1)

    def close(self) -> None:
        self.closed = True
