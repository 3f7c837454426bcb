"""The server behind a helper process: no gRPC and no protobuf in this interpreter.

Standard library only, Python 3.9 to 3.13: this side runs inside host applications.
"""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from masklet.bad_frames import Place
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import HelperError, VersionError
from masklet.events import Waiting
from masklet.found import Look
from masklet.interpolation import Interpolation
from masklet.transport.bridge_link import HelperLink
from masklet.transport.interface import ClipFile, Undone
from masklet.types import MaskUpdate, ObjectInfo, PromptDocument, ServerInfo, SessionInfo, SessionSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence
    from typing import Any

    from masklet.anchors import AnchorTrack
    from masklet.candidates import Candidate
    from masklet.events import CutsFound, ExportEvent, TrackEvent, WorkProgress
    from masklet.found import FindEvent, FindRequest
    from masklet.matte_settings import MatteSettings
    from masklet.pictures import Picture, PictureRequest
    from masklet.policies import MemoryPolicy
    from masklet.scopes import Scope
    from masklet.shapes import ObjectShapes
    from masklet.transport.endpoint import ServerChoice
    from masklet.transport.interface import AnchorRequest, ExportRequest, TrackRequest
    from masklet.types import (
        Click,
        FramePrompts,
        FrameRange,
        FrameState,
        LockedMask,
        LockedRange,
        MaskFormat,
        Share,
    )

_Value = TypeVar("_Value")

_CLOSE_WAIT_S = 2.0


class BridgeTransport:
    """:class:`masklet.transport.interface.Transport` through a helper process.

    The helper starts with the first call and ends with :meth:`close`, or with this process however
    that ends. One that died is replaced at the next call; calls that waited for it end with a
    :class:`masklet.errors.HelperError`. Sessions of a running server are still there then; those of a
    server of one's own went with it.

    Args:
        choice: The server.
        python: The interpreter that has masklet with gRPC.
    """

    def __init__(self, choice: ServerChoice, python: Path) -> None:
        self._choice = choice
        self._python = python
        self._starting = threading.Lock()
        self._connecting = threading.Lock()
        self._link: HelperLink | None = None
        self._connected: HelperLink | None = None
        self._closed = False

    @property
    def is_own(self) -> bool:
        """True when the server is one's own: it ends with the helper, and its sessions with it."""
        return self._choice.is_own

    @property
    def helper_pid(self) -> int | None:
        """The helper's process; None while none runs."""
        link = self._link
        return link.pid if link is not None and link.is_alive else None

    def ping(self, payload: bytes = b"") -> bytes:
        """Send bytes to the helper and return them as they came back; no server is needed."""
        return self._helper().ping(payload)

    def server_info(self) -> ServerInfo:  # noqa: D102  (the protocol documents the methods)
        return self._call(ServerInfo, "server_info")

    def upload(  # noqa: D102
        self,
        clip_name: str,
        files: Sequence[ClipFile],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> str:
        here = tuple(ClipFile(Path(file.path).absolute(), file.frame) for file in files)
        with closing(self._stream("upload", clip_name=clip_name, files=here)) as events:
            for event in events:
                if isinstance(event, str):
                    return event
                if on_progress is not None:
                    on_progress(event.done, event.total)
        raise _unknown("upload")

    def open_session(  # noqa: D102
        self,
        *,
        path: str | None = None,
        upload_id: str | None = None,
        reading: ClipReading = AS_FILES_SAY,
        ticket: str = "",
    ) -> SessionInfo | Waiting:
        arguments = {"path": path, "upload_id": upload_id, "reading": reading, "ticket": ticket}
        found = self._helper(connected=True).call("open_session", **arguments)
        if isinstance(found, (SessionInfo, Waiting)):
            return found
        raise _unknown("open_session")

    def get_session(self, session_id: str) -> SessionInfo:  # noqa: D102
        return self._call(SessionInfo, "get_session", session_id=session_id)

    def list_sessions(self) -> tuple[SessionSummary, ...]:  # noqa: D102
        return self._call(tuple, "list_sessions")

    def share_session(  # noqa: D102
        self, session_id: str, user: str, rights: tuple[Scope, ...]
    ) -> tuple[Share, ...]:
        return self._call(tuple, "share_session", session_id=session_id, user=user, rights=rights)

    def unshare_session(self, session_id: str, user: str) -> tuple[Share, ...]:  # noqa: D102
        return self._call(tuple, "unshare_session", session_id=session_id, user=user)

    def list_shares(self, session_id: str) -> tuple[Share, ...]:  # noqa: D102
        return self._call(tuple, "list_shares", session_id=session_id)

    def close_session(self, session_id: str) -> None:  # noqa: D102
        self._do("close_session", session_id=session_id)

    def add_object(self, session_id: str, name: str) -> ObjectInfo:  # noqa: D102
        return self._call(ObjectInfo, "add_object", session_id=session_id, name=name)

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:  # noqa: D102
        return self._call(ObjectInfo, "rename_object", session_id=session_id, object_id=object_id, name=name)

    def remove_object(self, session_id: str, object_id: int) -> None:  # noqa: D102
        self._do("remove_object", session_id=session_id, object_id=object_id)

    def set_prompts(  # noqa: D102
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        return self._call_or_none(
            MaskUpdate,
            "set_prompts",
            session_id=session_id,
            prompts=prompts,
            mask_format=mask_format,
            replace_mask=replace_mask,
        )

    def add_click(  # noqa: D102
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        return self._call(
            MaskUpdate,
            "add_click",
            session_id=session_id,
            object_id=object_id,
            frame=frame,
            click=click,
            mask_format=mask_format,
        )

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:  # noqa: D102
        return self._call(Undone, "undo_prompt", session_id=session_id, mask_format=mask_format)

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:  # noqa: D102
        return self._call(Undone, "redo_prompt", session_id=session_id, mask_format=mask_format)

    def set_policy(self, session_id: str, object_id: int, policy: MemoryPolicy) -> None:  # noqa: D102
        self._do("set_policy", session_id=session_id, object_id=object_id, policy=policy)

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:  # noqa: D102
        self._do("set_matte", session_id=session_id, object_id=object_id, settings=settings)

    def set_lock(  # noqa: D102
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        return self._call(
            tuple,
            "set_lock",
            session_id=session_id,
            object_id=object_id,
            frames=frames,
            locked=locked,
            masks=masks,
        )

    def next_frame(  # noqa: D102
        self,
        session_id: str,
        *,
        after: int,
        object_ids: tuple[int, ...],
        states: Collection[FrameState],
        backward: bool,
    ) -> Place | None:
        return self._call_or_none(
            Place,
            "next_frame",
            session_id=session_id,
            after=after,
            object_ids=object_ids,
            states=tuple(states),
            backward=backward,
        )

    def find_cuts(  # noqa: D102
        self, session_id: str, frames: FrameRange | None
    ) -> Generator[CutsFound, None, None]:
        return self._stream("find_cuts", session_id=session_id, frames=frames)

    def fit_shapes(  # noqa: D102
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange | None,
        *,
        tolerance_px: float,
        raw_edges: bool = False,
        interpolation: Interpolation = Interpolation.LINEAR,
    ) -> Generator[WorkProgress | ObjectShapes, None, None]:
        return self._stream(
            "fit_shapes",
            session_id=session_id,
            object_id=object_id,
            frames=frames,
            tolerance_px=tolerance_px,
            raw_edges=raw_edges,
            interpolation=interpolation,
        )

    def track_anchor(  # noqa: D102
        self, session_id: str, request: AnchorRequest
    ) -> Generator[WorkProgress | AnchorTrack, None, None]:
        return self._stream("track_anchor", session_id=session_id, request=request)

    def get_prompts(self, session_id: str) -> PromptDocument:  # noqa: D102
        return self._call(PromptDocument, "get_prompts", session_id=session_id)

    def set_prompts_of_session(  # noqa: D102
        self, session_id: str, document: PromptDocument
    ) -> tuple[ObjectInfo, ...]:
        return self._call(tuple, "set_prompts_of_session", session_id=session_id, document=document)

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:  # noqa: D102
        return self._stream("track", session_id=session_id, request=request)

    def cancel(self, session_id: str) -> bool:  # noqa: D102
        return self._call(bool, "cancel", session_id=session_id)

    def look_at(self, session_id: str, frame: int) -> None:  # noqa: D102
        self._do("look_at", session_id=session_id, frame=frame)

    def fetch_masks(  # noqa: D102
        self, session_id: str, request: TrackRequest
    ) -> Generator[MaskUpdate, None, None]:
        return self._stream("fetch_masks", session_id=session_id, request=request)

    def fetch_pictures(  # noqa: D102
        self, session_id: str, request: PictureRequest
    ) -> Generator[Picture, None, None]:
        return self._stream("fetch_pictures", session_id=session_id, request=request)

    def preview_prompts(  # noqa: D102
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat
    ) -> MaskUpdate:
        return self._call(
            MaskUpdate, "preview_prompts", session_id=session_id, prompts=prompts, mask_format=mask_format
        )

    def find_again(  # noqa: D102
        self, session_id: str, object_id: int, frame: int, limit: int, mask_format: MaskFormat
    ) -> tuple[Candidate, ...]:
        return self._call(
            tuple,
            "find_again",
            session_id=session_id,
            object_id=object_id,
            frame=frame,
            limit=limit,
            mask_format=mask_format,
        )

    def find(self, session_id: str, request: FindRequest) -> Generator[FindEvent, None, None]:  # noqa: D102
        return self._stream("find", session_id=session_id, request=request)

    def get_look(self, session_id: str, object_id: int, frame: int) -> Look:  # noqa: D102
        return self._call(Look, "get_look", session_id=session_id, object_id=object_id, frame=frame)

    def export_mattes(  # noqa: D102
        self, session_id: str, request: ExportRequest
    ) -> Generator[ExportEvent, None, None]:
        return self._stream("export_mattes", session_id=session_id, request=request)

    def export_overlay(  # noqa: D102
        self, session_id: str, request: ExportRequest
    ) -> Generator[ExportEvent, None, None]:
        return self._stream("export_overlay", session_id=session_id, request=request)

    def close(self) -> None:
        """End the helper, and the server that it may have started; calls that wait end at once."""
        with self._starting:
            self._closed = True
            link = self._link
        if link is not None:
            link.close(wait_s=_CLOSE_WAIT_S)

    def stop(self) -> None:
        """As :meth:`close`: a server of one's own ends with its helper."""
        self.close()

    def _do(self, method: str, **arguments: object) -> None:
        self._helper(connected=True).call(method, **arguments)

    def _call(self, expected: type[_Value], method: str, **arguments: object) -> _Value:
        found = self._call_or_none(expected, method, **arguments)
        if found is None:
            raise _unknown(method)
        return found

    def _call_or_none(self, expected: type[_Value], method: str, **arguments: object) -> _Value | None:
        found = self._helper(connected=True).call(method, **arguments)
        if found is None or isinstance(found, expected):
            return found
        raise _unknown(method)

    def _stream(self, method: str, **arguments: object) -> Generator[Any, None, None]:
        # Nothing happens before the first value is asked for, as with gRPC in this process.
        yield from self._helper(connected=True).stream(method, **arguments)

    def _helper(self, *, connected: bool = False) -> HelperLink:
        """A helper that lives, started now if need be; on wish one that is connected to the server."""
        with self._starting:
            if self._closed:
                raise HelperError("the connection to masklet was closed: connect again")
            if self._link is None or not self._link.is_alive:
                self._link = HelperLink(self._python)
            link = self._link
        if not connected:
            return link
        # Behind a lock of its own: a server of one's own takes seconds, and closing must not wait.
        with self._connecting:
            if self._connected is not link:
                link.call("connect", choice=self._choice)
                self._connected = link
        return link


def _unknown(method: str) -> VersionError:
    return VersionError(
        f"masklet's helper answered {method} with something unknown here: update the older of the two"
    )
