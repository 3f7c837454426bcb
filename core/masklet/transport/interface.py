"""What a client needs of a server, in values, whatever carries them.

In-process gRPC is one implementation; a bridge that keeps gRPC out of a host application's
interpreter can be another. Nothing here knows messages, channels or processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from masklet.events import MatteFormat, OverlayKind
from masklet.types import Direction, MaskFormat

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from masklet.events import ExportEvent, TrackEvent
    from masklet.types import (
        Click,
        FramePrompts,
        FrameRange,
        MaskUpdate,
        ObjectInfo,
        PromptDocument,
        ServerInfo,
        SessionInfo,
    )


@dataclass(frozen=True)
class ClipFile:
    """One file of a clip.

    Attributes:
        path: Where it lies on this machine.
        frame: The plate's own number; None for a movie.
    """

    path: Path
    frame: int | None


@dataclass(frozen=True)
class Undone:
    """What taking back a change of prompts restored.

    Attributes:
        prompts: What is said again about this object on this frame; empty when nothing is.
        update: The mask that follows, or None when nothing is said there any more.
        left: How many changes can still be taken back.
    """

    prompts: FramePrompts
    update: MaskUpdate | None
    left: int


@dataclass(frozen=True)
class TrackRequest:
    """What to track: no range is the whole clip, no ids are all objects with prompts."""

    frames: FrameRange | None = None
    object_ids: tuple[int, ...] = ()
    direction: Direction = Direction.BOTH
    mask_format: MaskFormat = field(default_factory=MaskFormat)


@dataclass(frozen=True)
class ExportRequest:
    """What to turn into files.

    Attributes:
        frames: None for the whole clip.
        object_ids: None given means all.
        matte_format: For mattes.
        overlay_kind: For overlays.
        server_folder: As the server sees it, under one of its roots; None to get the files in chunks.
        base_name: First part of file names; None for the clip's name.
    """

    frames: FrameRange | None = None
    object_ids: tuple[int, ...] = ()
    matte_format: MatteFormat = MatteFormat.EXR_LAYERS
    overlay_kind: OverlayKind = OverlayKind.MOVIE
    server_folder: str | None = None
    base_name: str | None = None


class Transport(Protocol):
    """One connection to one server. Safe to use from several threads.

    Every method raises classes of :mod:`masklet.errors` and nothing else. Calls that change
    something may be repeated after a lost connection: the server answers a repetition with the
    first answer. Closing a generator stops the work behind it; what is finished is kept.
    """

    def server_info(self) -> ServerInfo:
        """Version, device, models and limits."""
        ...

    def upload(self, clip_name: str, files: Sequence[ClipFile]) -> str:
        """Send the files of a clip and return the id under which a session can open it."""
        ...

    def open_session(
        self, *, path: str | None = None, upload_id: str | None = None, colour_space: str | None = None
    ) -> SessionInfo:
        """Open a session on a path as the server sees it, or on an upload."""
        ...

    def get_session(self, session_id: str) -> SessionInfo:
        """Clip, objects and states as they are now."""
        ...

    def close_session(self, session_id: str) -> None:
        """Forget the session; twice is fine."""
        ...

    def add_object(self, session_id: str, name: str) -> ObjectInfo:
        """Add an object under a name that is free; an empty one lets the server choose."""
        ...

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:
        """Give an object another name."""
        ...

    def remove_object(self, session_id: str, object_id: int) -> None:
        """Forget an object with its prompts and masks."""
        ...

    def set_prompts(
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat
    ) -> MaskUpdate | None:
        """Replace all that is said about one object on one frame; None when that is now nothing."""
        ...

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        """Add one click to what is said about one object on one frame."""
        ...

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        """Take back the last change of prompts."""
        ...

    def get_prompts(self, session_id: str) -> PromptDocument:
        """All objects and prompts of the session."""
        ...

    def set_prompts_of_session(self, session_id: str, document: PromptDocument) -> tuple[ObjectInfo, ...]:
        """Replace all objects, prompts and masks; return the objects with their new ids."""
        ...

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:
        """Track and yield what happens, as it happens."""
        ...

    def cancel(self, session_id: str) -> bool:
        """Stop the tracking of a session after the frame in hand; False when none was running."""
        ...

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        """Yield masks that exist, frame by frame; the request's direction does not matter."""
        ...

    def export_mattes(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        """Render mattes and yield progress and files."""
        ...

    def export_overlay(self, session_id: str, request: ExportRequest) -> Generator[ExportEvent, None, None]:
        """Render pictures with the masks drawn over them and yield progress and files."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
