"""The server over gRPC, in this process."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

from masklet import codec, event_codec, mask_codec, state_codec
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import ServerUnreachableError
from masklet.events import TrackStarted
from masklet.transport.grpc_memory import MemoryToShare, getter_of, metadata_of
from masklet.transport.grpc_review import STATUS_TIMEOUT_S, WORK_TIMEOUT_S, new_id
from masklet.transport.grpc_sharing import GrpcSharing
from masklet.transport.grpc_upload import send_clip
from masklet.transport.interface import Undone
from masklet.transport.shared_upload import send_shared
from masklet.types import MaskUpdate
from masklet.v1 import (
    export_pb2,
    export_pb2_grpc,
    prompt_pb2,
    prompt_pb2_grpc,
    server_pb2,
    server_pb2_grpc,
    session_pb2,
    track_pb2,
    track_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from masklet.events import ExportEvent, TrackEvent, Waiting
    from masklet.transport.grpc_channel import Channel
    from masklet.transport.interface import ClipFile, ExportRequest, TrackRequest
    from masklet.types import (
        Click,
        FramePrompts,
        MaskFormat,
        ObjectInfo,
        PromptDocument,
        ServerInfo,
        SessionInfo,
    )


class GrpcTransport(GrpcSharing):
    """:class:`masklet.transport.interface.Transport` over one gRPC channel."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._server = server_pb2_grpc.ServerServiceStub(channel.raw)
        self._prompts = prompt_pb2_grpc.PromptServiceStub(channel.raw)
        self._tracks = track_pb2_grpc.TrackServiceStub(channel.raw)
        self._exports = export_pb2_grpc.ExportServiceStub(channel.raw)
        self._memory = MemoryToShare(channel, self._server)

    def server_info(self) -> ServerInfo:  # noqa: D102  (the protocol documents the methods)
        response = self._channel.call(
            self._server.GetServerInfo, server_pb2.GetServerInfoRequest(), timeout_s=STATUS_TIMEOUT_S
        )
        return codec.server_from_wire(response)

    def upload(  # noqa: D102
        self,
        clip_name: str,
        files: Sequence[ClipFile],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> str:
        with self._memory.call() as shared:
            if shared is not None:
                try:
                    return send_shared(self._channel, clip_name, files, shared, on_progress=on_progress)
                except ServerUnreachableError:
                    # On the long way, which is taken up again where it breaks.
                    self._memory.forget()
                except BaseException:
                    # What it has sent and nobody has read is nobody's any more: the next one starts afresh.
                    self._memory.forget(for_s=0.0)
                    raise
        return send_clip(self._channel, self._sessions, clip_name, files, on_progress=on_progress)

    def open_session(  # noqa: D102
        self,
        *,
        path: str | None = None,
        upload_id: str | None = None,
        reading: ClipReading = AS_FILES_SAY,
        ticket: str = "",
    ) -> SessionInfo | Waiting:
        request = codec.opening_to_wire(ticket or new_id(), reading)
        request.can_wait = bool(ticket)
        if path is not None:
            request.path = path
        elif upload_id is not None:
            request.upload_id = upload_id
        response = self._channel.call(self._sessions.OpenSession, request, timeout_s=WORK_TIMEOUT_S)
        if response.HasField("waiting"):
            return event_codec.waiting_from_wire(response.waiting)
        return codec.session_from_wire(response.session)

    def get_session(self, session_id: str) -> SessionInfo:  # noqa: D102
        request = session_pb2.GetSessionRequest(session_id=session_id)
        response = self._channel.call(self._sessions.GetSession, request, timeout_s=STATUS_TIMEOUT_S)
        return codec.session_from_wire(response.session)

    def close_session(self, session_id: str) -> None:  # noqa: D102
        request = session_pb2.CloseSessionRequest(session_id=session_id, request_id=new_id())
        self._channel.call(self._sessions.CloseSession, request, timeout_s=STATUS_TIMEOUT_S)

    def add_object(self, session_id: str, name: str) -> ObjectInfo:  # noqa: D102
        request = session_pb2.AddObjectRequest(session_id=session_id, request_id=new_id(), name=name)
        response = self._channel.call(self._sessions.AddObject, request, timeout_s=STATUS_TIMEOUT_S)
        return codec.object_from_wire(response.object)

    def rename_object(self, session_id: str, object_id: int, name: str) -> ObjectInfo:  # noqa: D102
        request = session_pb2.RenameObjectRequest(
            session_id=session_id, request_id=new_id(), object_id=object_id, name=name
        )
        response = self._channel.call(self._sessions.RenameObject, request, timeout_s=STATUS_TIMEOUT_S)
        return codec.object_from_wire(response.object)

    def remove_object(self, session_id: str, object_id: int) -> None:  # noqa: D102
        request = session_pb2.RemoveObjectRequest(
            session_id=session_id, request_id=new_id(), object_id=object_id
        )
        self._channel.call(self._sessions.RemoveObject, request, timeout_s=STATUS_TIMEOUT_S)

    def set_prompts(  # noqa: D102
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat, *, replace_mask: bool = False
    ) -> MaskUpdate | None:
        request = prompt_pb2.SetPromptsRequest(
            session_id=session_id,
            request_id=new_id(),
            prompts=codec.prompts_to_wire(prompts),
            mask_format=codec.mask_format_to_wire(mask_format),
            replace_mask=replace_mask,
        )
        response = self._channel.call(self._prompts.SetPrompts, request, timeout_s=WORK_TIMEOUT_S)
        return mask_codec.update_from_wire(response.update) if response.HasField("update") else None

    def add_click(  # noqa: D102
        self, session_id: str, object_id: int, frame: int, click: Click, mask_format: MaskFormat
    ) -> MaskUpdate:
        request = prompt_pb2.AddClickRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=object_id,
            frame=frame,
            click=codec.click_to_wire(click),
            mask_format=codec.mask_format_to_wire(mask_format),
        )
        response = self._channel.call(self._prompts.AddClick, request, timeout_s=WORK_TIMEOUT_S)
        return mask_codec.update_from_wire(response.update)

    def undo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:  # noqa: D102
        request = prompt_pb2.UndoPromptRequest(
            session_id=session_id,
            request_id=new_id(),
            mask_format=codec.mask_format_to_wire(mask_format),
        )
        return _undone(self._channel.call(self._prompts.UndoPrompt, request, timeout_s=WORK_TIMEOUT_S))

    def redo_prompt(self, session_id: str, mask_format: MaskFormat) -> Undone:  # noqa: D102
        request = prompt_pb2.RedoPromptRequest(
            session_id=session_id,
            request_id=new_id(),
            mask_format=codec.mask_format_to_wire(mask_format),
        )
        return _undone(self._channel.call(self._prompts.RedoPrompt, request, timeout_s=WORK_TIMEOUT_S))

    def get_prompts(self, session_id: str) -> PromptDocument:  # noqa: D102
        request = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
        response = self._channel.call(self._prompts.GetPromptDocument, request, timeout_s=STATUS_TIMEOUT_S)
        return codec.document_from_wire(response.document)

    def set_prompts_of_session(  # noqa: D102
        self, session_id: str, document: PromptDocument
    ) -> tuple[ObjectInfo, ...]:
        request = prompt_pb2.SetPromptDocumentRequest(
            session_id=session_id, request_id=new_id(), document=codec.document_to_wire(document)
        )
        response = self._channel.call(self._prompts.SetPromptDocument, request, timeout_s=WORK_TIMEOUT_S)
        return tuple(codec.object_from_wire(info) for info in response.objects)

    def track(self, session_id: str, request: TrackRequest) -> Generator[TrackEvent, None, None]:  # noqa: D102
        message = track_pb2.TrackRequest(
            session_id=session_id,
            request_id=new_id(),
            range=None if request.frames is None else state_codec.range_to_wire(request.frames),
            object_ids=request.object_ids,
            direction=codec.direction_to_wire(request.direction),
            mask_format=codec.mask_format_to_wire(request.mask_format),
            stale_only=request.stale_only,
            at_cuts=state_codec.cut_policy_to_wire(request.at_cuts),
            farm=request.farm,
            tell_waiting=True,
            together=True,
        )
        received: dict[int, set[int]] = {}
        started = False

        def rest() -> track_pb2.TrackRequest:
            del message.received[:]
            message.received.extend(state_codec.received_to_wire(received))
            return message

        with (
            self._memory.call() as shared,
            closing(
                self._channel.resumed(
                    self._tracks.Track,
                    rest,
                    lambda response: event_codec.track_events_from_wire(response, getter_of(shared)),
                    metadata=metadata_of(shared),
                )
            ) as messages,
        ):
            for event in chain.from_iterable(messages):
                if isinstance(event, TrackStarted) and started:
                    # Of the rest, after the connection broke.
                    continue
                started = started or isinstance(event, TrackStarted)
                if isinstance(event, MaskUpdate):
                    received.setdefault(event.object_id, set()).add(event.frame)
                yield event

    def cancel(self, session_id: str) -> bool:  # noqa: D102
        request = track_pb2.CancelRequest(session_id=session_id, request_id=new_id())
        response = self._channel.call(self._tracks.Cancel, request, timeout_s=STATUS_TIMEOUT_S)
        return response.was_tracking

    def look_at(self, session_id: str, frame: int) -> None:  # noqa: D102
        request = track_pb2.LookAtRequest(session_id=session_id, frame=frame)
        self._channel.call(self._tracks.LookAt, request, timeout_s=STATUS_TIMEOUT_S)

    def fetch_masks(  # noqa: D102
        self, session_id: str, request: TrackRequest
    ) -> Generator[MaskUpdate, None, None]:
        message = track_pb2.FetchMasksRequest(
            session_id=session_id,
            range=None if request.frames is None else state_codec.range_to_wire(request.frames),
            object_ids=request.object_ids,
            mask_format=codec.mask_format_to_wire(request.mask_format),
            together=True,
        )
        received: set[tuple[int, int]] = set()
        with (
            self._memory.call() as shared,
            closing(
                self._channel.resumed(
                    self._tracks.FetchMasks,
                    lambda: message,
                    lambda response: mask_codec.updates_from_wire(response, getter_of(shared)),
                    metadata=metadata_of(shared),
                )
            ) as messages,
        ):
            for update in chain.from_iterable(messages):
                place = (update.frame, update.object_id)
                if place not in received:
                    received.add(place)
                    if request.frames is not None:
                        # They come by frame: where the connection breaks, they go on from here.
                        message.range.first = update.frame
                    yield update

    def export_mattes(  # noqa: D102
        self, session_id: str, request: ExportRequest
    ) -> Generator[ExportEvent, None, None]:
        message = export_pb2.ExportMattesRequest(
            session_id=session_id,
            request_id=new_id(),
            range=None if request.frames is None else state_codec.range_to_wire(request.frames),
            object_ids=request.object_ids,
            format=event_codec.matte_format_to_wire(request.matte_format),
            folder=request.server_folder or "",
            base_name=request.base_name or "",
            raw_edges=request.raw_edges,
            existing=event_codec.existing_to_wire(request.existing),
            plan_only=request.plan_only,
        )
        return self._channel.stream(
            self._exports.ExportMattes,
            message,
            lambda response: event_codec.export_event_from_wire(response.event),
        )

    def export_overlay(  # noqa: D102
        self, session_id: str, request: ExportRequest
    ) -> Generator[ExportEvent, None, None]:
        message = export_pb2.ExportOverlayRequest(
            session_id=session_id,
            request_id=new_id(),
            range=None if request.frames is None else state_codec.range_to_wire(request.frames),
            object_ids=request.object_ids,
            kind=event_codec.overlay_kind_to_wire(request.overlay_kind),
            folder=request.server_folder or "",
            base_name=request.base_name or "",
            existing=event_codec.existing_to_wire(request.existing),
            plan_only=request.plan_only,
        )
        return self._channel.stream(
            self._exports.ExportOverlay,
            message,
            lambda response: event_codec.export_event_from_wire(response.event),
        )

    def close(self) -> None:  # noqa: D102
        self._memory.forget()
        self._channel.close()


def _undone(response: prompt_pb2.UndoPromptResponse | prompt_pb2.RedoPromptResponse) -> Undone:
    return Undone(
        prompts=codec.prompts_from_wire(response.prompts) if response.HasField("prompts") else None,
        update=mask_codec.update_from_wire(response.update) if response.HasField("update") else None,
        left=response.left,
        redo_left=response.redo_left,
        kind=event_codec.edit_kind_from_wire(response.kind),
        object_id=response.object_id,
    )
