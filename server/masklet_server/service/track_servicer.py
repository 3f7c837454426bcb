"""``masklet.v1.TrackService``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from masklet import codec, event_codec, mask_codec, state_codec
from masklet.events import Waiting
from masklet.types import MaskFormat
from masklet.v1 import track_pb2, track_pb2_grpc, values_pb2
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.rendering import Renderer, mask_size_px, update_of
from masklet_server.service.shared_memory import SharedCall, SharedMemory
from masklet_server.sessions.plan import range_in
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore
from masklet_server.tracking import ObjectFrame


class TrackServicer(track_pb2_grpc.TrackServiceServicer):
    """Follows objects and hands out their masks.

    Args:
        store: All sessions.
        renderer: Makes masks of results.
        shared: Memory that clients share.
    """

    def __init__(self, store: SessionStore, renderer: Renderer, shared: SharedMemory) -> None:
        self._shared = shared
        self._store = store
        self._renderer = renderer

    async def Track(  # noqa: N802  (gRPC names methods)
        self, request: track_pb2.TrackRequest, context: Context
    ) -> AsyncIterator[track_pb2.TrackResponse]:
        """Track over a range; leaving the stream stops the work after the frame in hand."""
        session = await self._store.get(request.session_id, current_user.get())
        mask_format = codec.mask_format_from_wire(request.mask_format)
        shared = self._shared.call_of(context.invocation_metadata(), current_user.get())
        events = session.tracks.track(
            frames=state_codec.range_from_wire(request.range) if request.HasField("range") else None,
            object_ids=tuple(request.object_ids),
            direction=codec.direction_from_wire(request.direction),
            stale_only=request.stale_only,
            at_cuts=state_codec.cut_policy_from_wire(request.at_cuts),
            farm=request.farm,
            request_id=request.request_id,
            received=state_codec.received_from_wire(request.received, session.results.frames_of),
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ObjectFrame):
                    update = await self._update(session, event, mask_format, shared)
                    if update is not None:
                        yield track_pb2.TrackResponse(update=update)
                elif request.tell_waiting or not isinstance(event, Waiting):
                    yield event_codec.track_event_to_wire(event)

    async def Cancel(  # noqa: N802
        self, request: track_pb2.CancelRequest, context: Context
    ) -> track_pb2.CancelResponse:
        """Stop the session's track."""
        session = await self._store.get(request.session_id, current_user.get())
        return track_pb2.CancelResponse(was_tracking=session.tracks.cancel())

    async def LookAt(  # noqa: N802
        self, request: track_pb2.LookAtRequest, context: Context
    ) -> track_pb2.LookAtResponse:
        """Hear where the artist looks."""
        session = await self._store.get(request.session_id, current_user.get())
        session.tracks.look_at(request.frame)
        return track_pb2.LookAtResponse()

    async def FetchMasks(  # noqa: N802
        self, request: track_pb2.FetchMasksRequest, context: Context
    ) -> AsyncIterator[track_pb2.FetchMasksResponse]:
        """Masks that exist, by frame and then object."""
        session = await self._store.get(request.session_id, current_user.get())
        frames = range_in(
            session.clip, state_codec.range_from_wire(request.range) if request.HasField("range") else None
        )
        mask_format = codec.mask_format_from_wire(request.mask_format)
        shared = self._shared.call_of(context.invocation_metadata(), current_user.get())
        chosen = [session.object(object_id).object_id for object_id in request.object_ids]
        object_ids = chosen or [info.object_id for info in session.objects()]
        with session.in_use():
            known = {
                (frame, object_id)
                for object_id in object_ids
                for frame in session.results.frames_of(object_id)
                if frame in frames
            }
            for frame, object_id in sorted(known):
                result = await self._renderer.run(session.results.find, object_id, frame)
                update = None if result is None else await self._update(session, result, mask_format, shared)
                if update is not None:
                    yield track_pb2.FetchMasksResponse(update=update)

    async def _update(
        self, session: Session, result: ObjectFrame, mask_format: MaskFormat, shared: SharedCall | None
    ) -> values_pb2.MaskUpdate | None:
        name = session.name_of(result.object_id)
        if name is None:
            # Removed while its mask was on the way.
            return None
        size_px = mask_size_px(session.clip, mask_format)
        put = None if shared is None else shared.put

        def make() -> values_pb2.MaskUpdate:
            update = update_of(session, result, name, size_px)
            return mask_codec.update_to_wire(update, bits=mask_format.bits, put=put)

        return await self._renderer.run(make)
