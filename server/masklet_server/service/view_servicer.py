"""``masklet.v1.ViewService``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from masklet import codec, mask_codec
from masklet.candidates import MAX_CANDIDATES
from masklet.errors import BadInputError, ClipError
from masklet.pictures import MAX_FRAMES, Grade
from masklet.types import MaskFormat
from masklet.v1 import view_pb2, view_pb2_grpc
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.drawn_masks import check_drawn
from masklet_server.service.overscan import prompts_inside, prompts_outside
from masklet_server.service.rendering import Renderer, mask_size_px, update_of
from masklet_server.sessions.store import SessionStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from masklet_server.sessions.session_tracker import ClosingSource

_QUALITY = 92
_NEW_OBJECT = "new"
_CANDIDATES = 3


class ViewServicer(view_pb2_grpc.ViewServiceServicer):
    """Shows the plate, and what prompts would give.

    Args:
        store: All sessions.
        renderer: Makes masks of results.
    """

    def __init__(self, store: SessionStore, renderer: Renderer) -> None:
        self._store = store
        self._renderer = renderer

    async def FetchPictures(  # noqa: N802  (gRPC names methods)
        self, request: view_pb2.FetchPicturesRequest, context: Context
    ) -> AsyncIterator[view_pb2.FetchPicturesResponse]:
        """Pictures in the order in which they are asked for."""
        session = await self._store.get(request.session_id, current_user.get())
        if len(request.frames) > MAX_FRAMES:
            raise BadInputError(f"{len(request.frames)} pictures at once: ask for {MAX_FRAMES} at most")
        try:
            grade = Grade(request.exposure_stops, request.gamma or 1.0)
        except ValueError as error:
            raise BadInputError(str(error)) from error
        size_px = mask_size_px(session.clip, MaskFormat(request.max_side_px))
        with session.in_use():
            for frame in request.frames:
                yield await session.viewing.look(partial(_shown, frame, size_px, grade))

    async def PreviewPrompts(  # noqa: N802
        self, request: view_pb2.PreviewPromptsRequest, context: Context
    ) -> view_pb2.PreviewPromptsResponse:
        """What prompts would give."""
        session = await self._store.get(request.session_id, current_user.get())
        if not request.HasField("prompts"):
            raise BadInputError("the prompts are missing: name the object and the frame")
        mask_format = codec.mask_format_from_wire(request.mask_format)
        check_drawn((request.prompts,), session.clip)
        prompts = await self._renderer.run(lambda: codec.prompts_from_wire(request.prompts))
        result = await session.preview(prompts_inside(prompts, session.clip))
        name = session.name_of(result.object_id) or _NEW_OBJECT
        size_px = mask_size_px(session.clip, mask_format)
        update = await self._renderer.run(
            lambda: mask_codec.update_to_wire(
                update_of(session, result, name, size_px, is_preview=True), bits=mask_format.bits
            )
        )
        return view_pb2.PreviewPromptsResponse(update=update)

    async def FindAgain(  # noqa: N802
        self, request: view_pb2.FindAgainRequest, context: Context
    ) -> view_pb2.FindAgainResponse:
        """Where an object may be on a frame."""
        session = await self._store.get(request.session_id, current_user.get())
        if request.limit > MAX_CANDIDATES:
            raise BadInputError(f"at most {MAX_CANDIDATES} places can be asked for, got {request.limit}")
        mask_format = codec.mask_format_from_wire(request.mask_format)
        found = await session.search.find_again(
            request.object_id, request.frame, request.limit or _CANDIDATES
        )
        name = session.name_of(request.object_id) or _NEW_OBJECT
        size_px = mask_size_px(session.clip, mask_format)

        def answer() -> list[view_pb2.FindAgainCandidate]:
            return [
                view_pb2.FindAgainCandidate(
                    prompts=codec.prompts_to_wire(prompts_outside(each.prompts, session.clip)),
                    update=mask_codec.update_to_wire(
                        update_of(session, each.result, name, size_px, is_preview=True), bits=mask_format.bits
                    ),
                    likeness=each.likeness,
                )
                for each in found
            ]

        return view_pb2.FindAgainResponse(candidates=await self._renderer.run(answer))


def _shown(
    frame: int, size_px: tuple[int, int], grade: Grade, source: ClosingSource
) -> view_pb2.FetchPicturesResponse:
    """One picture as it is sent; too much work for the event loop."""
    try:
        picture = source.read_shown(frame, grade)
    except ClipError as error:
        return view_pb2.FetchPicturesResponse(frame=frame, reason=str(error))
    shown: NDArray[np.uint8] = picture  # (H, W, 3)
    if shown.shape[1::-1] != size_px:
        shown = np.asarray(cv2.resize(shown, size_px, interpolation=cv2.INTER_AREA))
    parameters = (
        cv2.IMWRITE_JPEG_QUALITY,
        _QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    )
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(shown[..., ::-1]), parameters)
    return view_pb2.FetchPicturesResponse(
        frame=frame, width_px=size_px[0], height_px=size_px[1], jpeg=data.tobytes()
    )
