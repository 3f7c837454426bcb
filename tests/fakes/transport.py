"""A server that lives in the test: it remembers what it was asked and answers what it was told."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from masklet.errors import MaskletError
from masklet.events import ExportEvent, ExportFinished, FileChunk, TrackEvent, TrackFinished, TrackStarted
from masklet.transport.interface import ClipFile, ExportRequest, TrackRequest, Undone
from masklet.types import (
    Click,
    ClipInfo,
    FramePrompts,
    Mask,
    MaskFormat,
    MaskUpdate,
    ModelInfo,
    ObjectInfo,
    Presence,
    PromptDocument,
    ServerInfo,
    SessionInfo,
)

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
        closed: True once the connection is closed.
    """

    opens_paths: bool = True
    max_upload_bytes: int = 10**9
    refuses_path: MaskletError | None = None
    objects: list[ObjectInfo] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    uploads: list[list[tuple[str, int | None]]] = field(default_factory=list)
    prompts: list[FramePrompts] = field(default_factory=list)
    clicks: list[tuple[int, int, Click]] = field(default_factory=list)
    tracked: list[TrackRequest] = field(default_factory=list)
    exported: list[ExportRequest] = field(default_factory=list)
    tracks_left_early: int = 0
    closed: bool = False

    def server_info(self) -> ServerInfo:
        model = ModelInfo("fake", "none", 0, "")
        return ServerInfo(
            "0.1.0", "cpu", model, (model,), 4, 8, 4096, self.max_upload_bytes, self.opens_paths
        )

    def upload(self, clip_name: str, files: Sequence[ClipFile]) -> str:
        self.uploads.append([(file.path.name, file.frame) for file in files])
        return f"upload of {clip_name}"

    def open_session(
        self, *, path: str | None = None, upload_id: str | None = None, colour_space: str | None = None
    ) -> SessionInfo:
        if path is not None and self.refuses_path is not None:
            raise self.refuses_path
        self.opened.append(str(path or upload_id))
        return self.get_session("s1")

    def get_session(self, session_id: str) -> SessionInfo:
        return SessionInfo(session_id, CLIP, tuple(self.objects))

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
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat
    ) -> MaskUpdate | None:
        self.prompts.append(prompts)
        return None if prompts.is_empty else update(prompts.object_id, prompts.frame)

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        self.clicks.append((object_id, frame, click))
        return update(object_id, frame)

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        return Undone(FramePrompts(1, 1001), None, 0)

    def get_prompts(self, session_id: str) -> PromptDocument:
        return PromptDocument(tuple(self.objects), tuple(self.prompts))

    def set_prompts_of_session(self, session_id: str, document: PromptDocument) -> tuple[ObjectInfo, ...]:
        self.objects = list(document.objects)
        self.prompts = list(document.prompts)
        return document.objects

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

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        self.tracked.append(request)
        yield update(1, 1001)

    def export_mattes(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        self.exported.append(request)
        yield FileChunk("plate.1001.exr", b"pixels", 6, last=True)
        yield ExportFinished(1, (1002, 1003))

    def export_overlay(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        self.exported.append(request)
        yield FileChunk("plate.mp4", b"movie", 5, last=True)
        yield ExportFinished(1)

    def close(self) -> None:
        self.closed = True
