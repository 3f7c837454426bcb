"""``masklet.v1.FindService``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from masklet import find_codec
from masklet.errors import BadInputError
from masklet.found import FindProgress, FindRequest, Found, Look
from masklet.pictures import AS_IT_IS
from masklet.v1 import find_pb2, find_pb2_grpc
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.overscan import prompts_outside
from masklet_server.service.rendering import Renderer, mask_size_px, update_of
from masklet_server.service.studio_finder import StudioFinder
from masklet_server.sessions.search import FoundThing
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore
from masklet_server.sightings import ObjectLook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from masklet_server.sessions.session_tracker import ClosingSource

_NEW_OBJECT = "new"


class FindServicer(find_pb2_grpc.FindServiceServicer):
    """Proposes things in pictures.

    Args:
        store: All sessions.
        renderer: Makes masks of results.
        finder: The studio's own model; None for none.
    """

    def __init__(self, store: SessionStore, renderer: Renderer, finder: StudioFinder | None = None) -> None:
        self._store = store
        self._renderer = renderer
        self._finder = finder

    async def Find(  # noqa: N802  (gRPC names methods)
        self, message: find_pb2.FindRequest, context: Context
    ) -> AsyncIterator[find_pb2.FindResponse]:
        """Things on a frame, the best first; leaving the stream stops the search."""
        session = await self._store.get(message.session_id, current_user.get())
        request = find_codec.request_from_wire(message)
        if request.words:
            async with aclosing(self._by_words(session, request)) as answers:
                async for answer in answers:
                    yield answer
            return
        like = None if request.like is None else look_inside(request.like)
        bits = request.mask_format.bits
        with session.in_use():
            async with aclosing(session.search.find(request, like)) as steps:
                async for step in steps:
                    if step.found is not None:
                        found = await self._renderer.run(_shown, session, step.found, request)
                        yield await self._renderer.run(find_codec.event_to_wire, found, bits=bits)
                    else:
                        yield find_codec.event_to_wire(FindProgress(step.done, step.total))

    async def GetLook(  # noqa: N802
        self, request: find_pb2.GetLookRequest, context: Context
    ) -> find_pb2.GetLookResponse:
        """What an object looks like."""
        session = await self._store.get(request.session_id, current_user.get())
        with session.in_use():
            look = await session.search.look_of(request.object_id, request.frame)
        cells = look.cells.astype("<f2")
        sent = Look(look.model, cells.shape[1], cells.tobytes(), look.side_share)
        return find_pb2.GetLookResponse(look=find_codec.look_to_wire(sent))

    async def _by_words(
        self, session: Session, request: FindRequest
    ) -> AsyncGenerator[find_pb2.FindResponse, None]:
        if self._finder is None:
            raise BadInputError(
                "this server has no model that finds things by words: its keeper can name one of the studio's"
            )
        bits = request.mask_format.bits
        with session.in_use():
            shown = partial(_as_shown, request.frame)
            picture = await session.viewing.look(shown)
            proposals = await self._finder.find(picture, request.words, request.limit)
            boxes = [(each.box, each.score) for each in proposals.things]
            async with aclosing(session.search.boxed(request.frame, boxes, proposals.source)) as steps:
                labels = iter(proposals.things)
                async for step in steps:
                    assert step.found is not None
                    found = await self._renderer.run(_shown, session, step.found, request)
                    named = replace(found, label=next(labels).label, source=proposals.source)
                    yield find_codec.event_to_wire(FindProgress(step.done, step.total))
                    yield await self._renderer.run(find_codec.event_to_wire, named, bits=bits)


def _as_shown(frame: int, source: ClosingSource) -> NDArray[np.uint8]:
    return source.read_shown(frame, AS_IT_IS)


def look_inside(look: Look) -> ObjectLook:
    """A look that a client sent, as sessions have it.

    Raises:
        BadInputError: It holds what is no number.
    """
    cells = np.frombuffer(look.cells, "<f2").astype(np.float32).reshape(-1, look.width)
    lengths = np.linalg.norm(cells, axis=1, keepdims=True)
    if not (np.isfinite(cells).all() and (lengths > 0).all()):
        raise BadInputError("what to look for is damaged: take the object's look from its session again")
    return ObjectLook(look.model, cells / lengths, look.side_share)


def _shown(session: Session, thing: FoundThing, request: FindRequest) -> Found:
    """A thing with its mask; too much work for the event loop."""
    size_px = mask_size_px(session.clip, request.mask_format)
    update = update_of(session, thing.result, _NEW_OBJECT, size_px, is_preview=True)
    prompts = prompts_outside(thing.prompts, session.clip)
    return Found(prompts, update, thing.score, thing.likeness)
