"""``masklet.v1.TrackService``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

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

ValueT = TypeVar("ValueT")
ResponseT = TypeVar("ResponseT")

DRAWN_AT_ONCE_PX = 1 << 20
"""Pixels of masks that are drawn in one go: about twenty milliseconds."""


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
                if isinstance(event, tuple):
                    async for response in self._drawn(
                        session, event, mask_format, shared, _tracked, together=request.together
                    ):
                        yield response
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
            for keys in _portions(sorted(known), mask_size_px(session.clip, mask_format)):
                found = await self._renderer.run(_found, session, keys)
                async for response in self._drawn(
                    session, found, mask_format, shared, _fetched, together=request.together
                ):
                    yield response

    async def _drawn(
        self,
        session: Session,
        results: Sequence[ObjectFrame],
        mask_format: MaskFormat,
        shared: SharedCall | None,
        respond: Callable[[Sequence[values_pb2.MaskUpdate]], ResponseT],
        *,
        together: bool,
    ) -> AsyncIterator[ResponseT]:
        """Messages of masks: small ones are drawn together, one job for a thread, and sent so if wanted."""
        size_px = mask_size_px(session.clip, mask_format)
        put, bits = None if shared is None else shared.put, mask_format.bits

        def drawn(some: Sequence[tuple[ObjectFrame, str]]) -> list[ResponseT]:
            updates = [
                mask_codec.update_to_wire(
                    update_of(session, result, name, size_px, bits=bits), bits=bits, put=put
                )
                for result, name in some
            ]
            return [respond(updates)] if together else [respond([update]) for update in updates]

        for some in _portions(results, size_px):
            # Without those that were removed while their masks were on the way.
            there = [
                (result, name) for result in some if (name := session.name_of(result.object_id)) is not None
            ]
            if there:
                for response in await self._renderer.run(drawn, there):
                    yield response


def _tracked(updates: Sequence[values_pb2.MaskUpdate]) -> track_pb2.TrackResponse:
    return track_pb2.TrackResponse(update=updates[0], more=updates[1:])


def _fetched(updates: Sequence[values_pb2.MaskUpdate]) -> track_pb2.FetchMasksResponse:
    return track_pb2.FetchMasksResponse(update=updates[0], more=updates[1:])


def _portions(all_of: Sequence[ValueT], size_px: tuple[int, int]) -> Iterator[Sequence[ValueT]]:
    """Masks of a size, as many together as are drawn in one go: clicks wait for the same threads."""
    count = max(1, DRAWN_AT_ONCE_PX // (size_px[0] * size_px[1]))
    return (all_of[first : first + count] for first in range(0, len(all_of), count))


def _found(session: Session, keys: Sequence[tuple[int, int]]) -> list[ObjectFrame]:
    """Results of frames and objects, those that are still there."""
    found = (session.results.find(object_id, frame) for frame, object_id in keys)
    return [result for result in found if result is not None]
