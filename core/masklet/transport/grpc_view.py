"""The calls of whoever looks at the plate, over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet import codec, find_codec, mask_codec
from masklet.candidates import Candidate
from masklet.pictures import Picture
from masklet.transport.grpc_review import WORK_TIMEOUT_S, GrpcReview
from masklet.v1 import find_pb2, find_pb2_grpc, view_pb2, view_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Generator

    from masklet.found import FindEvent, FindRequest, Look
    from masklet.pictures import PictureRequest
    from masklet.transport.grpc_channel import Channel
    from masklet.types import FramePrompts, MaskFormat, MaskUpdate


class GrpcView(GrpcReview):
    """A part of :class:`masklet.transport.grpc.GrpcTransport`; the protocol documents the methods."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._view = view_pb2_grpc.ViewServiceStub(channel.raw)
        self._find = find_pb2_grpc.FindServiceStub(channel.raw)

    def fetch_pictures(  # noqa: D102
        self, session_id: str, request: PictureRequest
    ) -> Generator[Picture, None, None]:
        message = view_pb2.FetchPicturesRequest(
            session_id=session_id,
            frames=request.frames,
            max_side_px=request.max_side_px,
            exposure_stops=request.grade.exposure_stops,
            gamma=request.grade.gamma,
        )
        return self._channel.stream(
            self._view.FetchPictures,
            message,
            lambda sent: Picture(sent.frame, sent.width_px, sent.height_px, sent.jpeg, sent.reason),
        )

    def preview_prompts(  # noqa: D102
        self, session_id: str, prompts: FramePrompts, mask_format: MaskFormat
    ) -> MaskUpdate:
        request = view_pb2.PreviewPromptsRequest(
            session_id=session_id,
            prompts=codec.prompts_to_wire(prompts),
            mask_format=codec.mask_format_to_wire(mask_format),
        )
        response = self._channel.call(self._view.PreviewPrompts, request, timeout_s=WORK_TIMEOUT_S)
        return mask_codec.update_from_wire(response.update)

    def find_again(  # noqa: D102
        self, session_id: str, object_id: int, frame: int, limit: int, mask_format: MaskFormat
    ) -> tuple[Candidate, ...]:
        request = view_pb2.FindAgainRequest(
            session_id=session_id,
            object_id=object_id,
            frame=frame,
            limit=limit,
            mask_format=codec.mask_format_to_wire(mask_format),
        )
        response = self._channel.call(self._view.FindAgain, request, timeout_s=WORK_TIMEOUT_S)
        return tuple(
            Candidate(
                codec.prompts_from_wire(found.prompts),
                mask_codec.update_from_wire(found.update),
                found.likeness,
            )
            for found in response.candidates
        )

    def find(self, session_id: str, request: FindRequest) -> Generator[FindEvent, None, None]:  # noqa: D102
        message = find_codec.request_to_wire(session_id, request)
        return self._channel.stream(self._find.Find, message, find_codec.event_from_wire)

    def get_look(self, session_id: str, object_id: int, frame: int) -> Look:  # noqa: D102
        request = find_pb2.GetLookRequest(session_id=session_id, object_id=object_id, frame=frame)
        response = self._channel.call(self._find.GetLook, request, timeout_s=WORK_TIMEOUT_S)
        return find_codec.look_from_wire(response.look)
