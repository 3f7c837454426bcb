"""The calls of review, matte settings, shapes and anchors over gRPC."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from masklet import geometry_codec, kept_codec, state_codec
from masklet.bad_frames import Place
from masklet.events import CutsFound, WorkProgress
from masklet.interpolation import Interpolation
from masklet.v1 import (
    geometry_pb2,
    geometry_pb2_grpc,
    prompt_pb2,
    prompt_pb2_grpc,
    review_pb2,
    review_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from masklet.anchors import AnchorTrack
    from masklet.matte_settings import MatteSettings
    from masklet.policies import MemoryPolicy
    from masklet.shapes import ObjectShapes, Piece
    from masklet.transport.grpc_channel import Channel
    from masklet.transport.interface import AnchorRequest
    from masklet.types import FrameRange, FrameState, LockedMask, LockedRange

STATUS_TIMEOUT_S = 10.0
WORK_TIMEOUT_S = 180.0
"""The first prompt of a session decodes a frame and runs the network on it, at worst a large one on a
processor, behind the prompts of others; and edits wait for the frame in hand."""


def new_id() -> str:
    """An id for a request that may be repeated."""
    return uuid.uuid4().hex


class GrpcReview:
    """A part of :class:`masklet.transport.grpc.GrpcTransport`; the protocol documents the methods."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._prompts = prompt_pb2_grpc.PromptServiceStub(channel.raw)
        self._review = review_pb2_grpc.ReviewServiceStub(channel.raw)
        self._geometry = geometry_pb2_grpc.GeometryServiceStub(channel.raw)

    def set_matte(self, session_id: str, object_id: int, settings: MatteSettings) -> None:  # noqa: D102
        request = prompt_pb2.SetMatteSettingsRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=object_id,
            settings=state_codec.matte_settings_to_wire(settings),
        )
        self._channel.call(self._prompts.SetMatteSettings, request, timeout_s=WORK_TIMEOUT_S)

    def set_policy(self, session_id: str, object_id: int, policy: MemoryPolicy) -> None:  # noqa: D102
        request = prompt_pb2.SetPolicyRequest(
            session_id=session_id, request_id=new_id(), object_id=object_id, policy=policy.value
        )
        self._channel.call(self._prompts.SetPolicy, request, timeout_s=WORK_TIMEOUT_S)

    def set_lock(  # noqa: D102
        self,
        session_id: str,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: tuple[LockedMask, ...] = (),
    ) -> tuple[LockedRange, ...]:
        request = review_pb2.SetLockRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=object_id,
            frames=state_codec.range_to_wire(frames),
            locked=locked,
            masks=kept_codec.locked_masks_to_wire(masks),
        )
        response = self._channel.call(self._review.SetLock, request, timeout_s=WORK_TIMEOUT_S)
        return tuple(state_codec.lock_from_wire(lock) for lock in response.locks)

    def next_frame(  # noqa: D102
        self,
        session_id: str,
        *,
        after: int,
        object_ids: tuple[int, ...],
        states: Collection[FrameState],
        backward: bool,
    ) -> Place | None:
        request = review_pb2.NextFrameRequest(
            session_id=session_id,
            after=after,
            object_ids=object_ids,
            states=[state_codec.frame_state_to_wire(state) for state in states],
            backward=backward,
        )
        response = self._channel.call(self._review.NextFrame, request, timeout_s=STATUS_TIMEOUT_S)
        return Place(response.frame, state_codec.state_from_wire(response.state)) if response.found else None

    def find_cuts(  # noqa: D102
        self, session_id: str, frames: FrameRange | None
    ) -> Generator[CutsFound, None, None]:
        request = review_pb2.FindCutsRequest(
            session_id=session_id, range=None if frames is None else state_codec.range_to_wire(frames)
        )
        return self._channel.stream(
            self._review.FindCuts,
            request,
            lambda response: CutsFound(
                WorkProgress(response.frames_done, response.frames_total), tuple(response.cuts)
            ),
        )

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
        request = geometry_pb2.FitShapesRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=object_id,
            range=None if frames is None else state_codec.range_to_wire(frames),
            tolerance_px=tolerance_px,
            raw_edges=raw_edges,
            interpolation=geometry_codec.interpolation_to_wire(interpolation),
        )
        pieces: list[Piece] = []

        def begun() -> geometry_pb2.FitShapesRequest:
            # Nothing of it is kept on the server: where the connection breaks, all is made again.
            pieces.clear()
            return request

        messages = self._channel.resumed(self._geometry.FitShapes, begun, lambda response: response)
        try:
            yield from geometry_codec.shapes_events_from_wire(messages, pieces)
        finally:
            messages.close()

    def track_anchor(  # noqa: D102
        self, session_id: str, request: AnchorRequest
    ) -> Generator[WorkProgress | AnchorTrack, None, None]:
        message = geometry_pb2.TrackAnchorRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=request.object_id,
            kind=geometry_codec.anchor_kind_to_wire(request.kind),
            range=None if request.frames is None else state_codec.range_to_wire(request.frames),
            reference_frame=request.reference_frame,
            point=geometry_codec.point_to_wire(request.point_px),
            absence=geometry_codec.absence_to_wire(request.absence),
            smoothing_frames=request.smoothing_frames,
            manual_keys=[geometry_codec.anchor_key_to_wire(key) for key in request.manual_keys],
        )
        return self._channel.resumed(
            self._geometry.TrackAnchor, lambda: message, geometry_codec.anchor_event_from_wire
        )
