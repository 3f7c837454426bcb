"""What a client needs of a server, in values, whatever carries them.

In-process gRPC is one implementation; a bridge that keeps gRPC out of a host application's
interpreter can be another. Nothing here knows messages, channels or processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from masklet.anchors import Absence
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.deliveries import Existing
from masklet.events import EditKind, MatteFormat, OverlayKind
from masklet.interpolation import Interpolation
from masklet.types import CutPolicy, Direction, MaskFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence
    from pathlib import Path

    from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack, Point
    from masklet.bad_frames import Place
    from masklet.candidates import Candidate
    from masklet.events import CutsFound, ExportEvent, TrackEvent, Waiting, WorkProgress
    from masklet.found import FindEvent, FindRequest, Look
    from masklet.matte_settings import MatteSettings
    from masklet.pictures import Picture, PictureRequest
    from masklet.policies import MemoryPolicy
    from masklet.scopes import Scope
    from masklet.shapes import ObjectShapes
    from masklet.types import (
        Click,
        FramePrompts,
        FrameRange,
        FrameState,
        LockedMask,
        LockedRange,
        MaskUpdate,
        ObjectInfo,
        PromptDocument,
        ServerInfo,
        SessionInfo,
        SessionSummary,
        Share,
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
    """What taking back an edit, or making it again, brought.

    Attributes:
        prompts: What is said now about the object on the frame that changed; empty when nothing is,
            None when the edit was not one of prompts.
        update: The mask that follows, or None when nothing is said there any more.
        left: How many edits can still be taken back.
        redo_left: How many can be made again.
        kind: What the edit had changed.
        object_id: Whose.
    """

    prompts: FramePrompts | None
    update: MaskUpdate | None
    left: int
    redo_left: int = 0
    kind: EditKind = EditKind.PROMPTS
    object_id: int = 0


@dataclass(frozen=True)
class TrackRequest:
    """What to track: no range is the whole clip, no ids are all objects with prompts.

    Nobody waits for a track of a ``farm``: it takes what others leave of the device.
    """

    frames: FrameRange | None = None
    object_ids: tuple[int, ...] = ()
    direction: Direction = Direction.BOTH
    mask_format: MaskFormat = field(default_factory=MaskFormat)
    stale_only: bool = False
    at_cuts: CutPolicy = CutPolicy.STOP
    farm: bool = False


@dataclass(frozen=True)
class AnchorRequest:
    """Which anchor; the words are those of :meth:`masklet.session.Session.anchor`."""

    object_id: int
    kind: AnchorKind
    frames: FrameRange | None = None
    reference_frame: int | None = None
    point_px: Point | None = None
    absence: Absence = Absence.HOLD
    smoothing_frames: float = 0.0
    manual_keys: tuple[AnchorKey, ...] = ()


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
        raw_edges: Edges as the network gave them; otherwise they follow the plate's pixels.
        client_folder: Where the files will end on this machine. A transport may write them there itself
            and tell so with :class:`masklet.events.FileWritten`; one that does not sends chunks.
        existing: What becomes of files that are there.
        plan_only: Tell what would be written and whether it may be, and write nothing.
    """

    frames: FrameRange | None = None
    object_ids: tuple[int, ...] = ()
    matte_format: MatteFormat = MatteFormat.EXR_LAYERS
    overlay_kind: OverlayKind = OverlayKind.MOVIE
    server_folder: str | None = None
    base_name: str | None = None
    raw_edges: bool = False
    client_folder: Path | None = None
    existing: Existing = Existing.KEEP
    plan_only: bool = False


class Transport(Protocol):
    """One connection to one server. Safe to use from several threads.

    Every method raises classes of :mod:`masklet.errors` and nothing else. Calls that change
    something may be repeated after a lost connection: the server answers a repetition with the
    first answer. Closing a generator stops the work behind it; what is finished is kept.
    """

    def server_info(self) -> ServerInfo:
        """Version, device, models and limits."""
        ...

    def upload(
        self,
        clip_name: str,
        files: Sequence[ClipFile],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> str:
        """Send the files of a clip and return the id under which a session can open it.

        Args:
            clip_name: For people: the file or pattern without folders.
            files: In the order of their frames.
            on_progress: Told from any thread, time and again, the bytes done and the bytes in all, each
                byte counted once when it is read for its digest and once when it is sent. An exception
                raised in it ends the upload and comes out here; what has arrived is kept for another time.
        """
        ...

    def open_session(
        self,
        *,
        path: str | None = None,
        upload_id: str | None = None,
        reading: ClipReading = AS_FILES_SAY,
        ticket: str = "",
    ) -> SessionInfo | Waiting:
        """Open a session on a path as the server sees it, or on an upload, read as the artist said.

        With a ticket, chosen by the caller, a full server answers after some seconds with a place in its
        queue, which is kept for who calls again with the same ticket; without one it refuses.
        """
        ...

    def get_session(self, session_id: str) -> SessionInfo:
        """Clip, objects and states as they are now."""
        ...

    def list_sessions(self) -> tuple[SessionSummary, ...]:
        """The caller's own sessions and those that others share, the one used last first."""
        ...

    def share_session(self, session_id: str, user: str, rights: tuple[Scope, ...]) -> tuple[Share, ...]:
        """Let another user into one's own session; return with whom it is shared now."""
        ...

    def unshare_session(self, session_id: str, user: str) -> tuple[Share, ...]:
        """Take that back; return with whom it is still shared."""
        ...

    def list_shares(self, session_id: str) -> tuple[Share, ...]:
        """With whom one's own session is shared."""
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
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        """Replace all that is said about one object on one frame; None when that is now nothing.

        Clicks and boxes take the place of a drawn mask only with ``replace_mask``.
        """
        ...

    def add_click(
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        """Add one click to what is said about one object on one frame."""
        ...

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        """Take back the last edit."""
        ...

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:
        """Make the last edit that was taken back again."""
        ...

    def set_policy(self, session_id: str, object_id: int, policy: MemoryPolicy) -> None:
        """Choose how an object's memory is used while it is tracked."""
        ...

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:
        """Choose how an object's matte is finished."""
        ...

    def set_lock(
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        """Lock frames of an object against tracking, or unlock them; return all locks.

        ``masks`` are those that the frames keep, from a document; their object ids mean nothing.
        """
        ...

    def next_frame(
        self,
        session_id: str,
        *,
        after: int,
        object_ids: tuple[int, ...],
        states: Collection[FrameState],
        backward: bool,
    ) -> Place | None:
        """The nearest frame behind another in one of the states; None when there is no more."""
        ...

    def find_cuts(self, session_id: str, frames: FrameRange | None) -> Generator[CutsFound, None, None]:
        """Look for cuts and yield what is found so far."""
        ...

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
        """Fit shapes to an object's mattes: progress, then the shapes; ``raw_edges`` as for exports.

        The tolerance holds under ``interpolation``, which is how the tool that gets them draws.
        """
        ...

    def track_anchor(
        self, session_id: str, request: AnchorRequest
    ) -> Generator[WorkProgress | AnchorTrack, None, None]:
        """Follow an object with a transform: progress, then the anchor."""
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

    def look_at(self, session_id: str, frame: int) -> None:
        """Tell which frame the artist looks at: what is tracked goes there first."""
        ...

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        """Yield masks that exist, frame by frame; the request's direction does not matter."""
        ...

    def fetch_pictures(self, session_id: str, request: PictureRequest) -> Generator[Picture, None, None]:
        """Pictures as people look at them, one by one; those that cannot be used say why."""
        ...

    def preview_prompts(self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat) -> MaskUpdate:
        """The mask that all prompts of one object on one frame would give; nothing changes.

        Object 0 stands for one that is not there yet.
        """
        ...

    def find_again(
        self, session_id: str, object_id: int, frame: int, limit: int, mask_format: MaskFormat
    ) -> tuple[Candidate, ...]:
        """Places where an object may be on a frame, the likeliest first; nothing changes."""
        ...

    def find(self, session_id: str, request: FindRequest) -> Generator[FindEvent, None, None]:
        """How far a search for things on a frame is, then each of them, the best first; nothing changes."""
        ...

    def get_look(self, session_id: str, object_id: int, frame: int) -> Look:
        """What an object looks like on its prompted frame nearest to ``frame``, to be found elsewhere."""
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
