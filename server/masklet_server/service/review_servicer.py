"""``masklet.v1.ReviewService``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

from masklet import kept_codec, state_codec
from masklet.bad_frames import WORTH_A_LOOK, Place, next_place
from masklet.errors import BadInputError
from masklet.v1 import review_pb2, review_pb2_grpc
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.rendering import Renderer
from masklet_server.sessions.durability import Answer
from masklet_server.sessions.plan import range_in
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.worker_threads import WorkerThreads
from masklet_server.shots.watch import ShotWatch

REPORT_EVERY_FRAMES = 10


class ReviewServicer(review_pb2_grpc.ReviewServiceServicer):
    """Tells where to look and keeps locks.

    Args:
        store: All sessions.
        renderer: Threads for long answers.
        workers: Threads that look at every frame.
    """

    def __init__(self, store: SessionStore, renderer: Renderer, workers: WorkerThreads) -> None:
        self._store = store
        self._renderer = renderer
        self._workers = workers

    async def SetLock(  # noqa: N802  (gRPC names methods)
        self, request: review_pb2.SetLockRequest, context: Context
    ) -> review_pb2.SetLockResponse:
        """Lock frames of an object, or unlock them."""
        session = await self._store.get(request.session_id, current_user.get())

        def locks() -> review_pb2.SetLockResponse:
            return review_pb2.SetLockResponse(
                locks=[state_codec.lock_to_wire(lock) for lock in session.locks()]
            )

        async def again(answer: Answer) -> review_pb2.SetLockResponse:
            return locks()

        async def change() -> review_pb2.SetLockResponse:
            if not request.HasField("frames"):
                raise BadInputError("the frames to lock are missing: name a range")
            frames = state_codec.range_from_wire(request.frames)
            masks = kept_codec.locked_masks_from_wire(request.masks)
            await session.set_lock(request.object_id, frames, locked=request.locked, masks=masks)
            return locks()

        return await session.replies.once("SetLock", request.request_id, change, again=again)

    async def NextFrame(  # noqa: N802
        self, request: review_pb2.NextFrameRequest, context: Context
    ) -> review_pb2.NextFrameResponse:
        """The nearest frame in one of some states."""
        session = await self._store.get(request.session_id, current_user.get())
        wanted = frozenset(state_codec.frame_state_from_wire(state) for state in request.states)
        object_ids = tuple(request.object_ids)

        def find() -> Place | None:
            return next_place(
                (*session.states(object_ids), *session.untracked(object_ids)),
                after=request.after,
                states=wanted or WORTH_A_LOOK,
                backward=request.backward,
            )

        place = await self._renderer.run(find)
        if place is None:
            return review_pb2.NextFrameResponse(found=False)
        return review_pb2.NextFrameResponse(
            found=True, frame=place.frame, state=state_codec.state_to_wire(place.state)
        )

    async def FindCuts(  # noqa: N802
        self, request: review_pb2.FindCutsRequest, context: Context
    ) -> AsyncIterator[review_pb2.FindCutsResponse]:
        """Look for cuts; leaving the stream stops the search."""
        session = await self._store.get(request.session_id, current_user.get())
        frames = range_in(
            session.clip, state_codec.range_from_wire(request.range) if request.HasField("range") else None
        )
        numbers = list(session.clip.missing.without(range(frames.first, frames.last + 1)))
        with session.in_use():
            # A clip of its own: the tracker's may be busy for as long as a track runs.
            async with session.clip_beside() as source:
                watch = ShotWatch(source)
                for done, (before, after) in enumerate(pairwise(numbers), start=2):
                    await self._workers.run(watch.is_cut, before, after, whose=session.user)
                    if done % REPORT_EVERY_FRAMES == 0:
                        yield review_pb2.FindCutsResponse(
                            frames_done=done, frames_total=len(numbers), cuts=watch.cuts
                        )
                yield review_pb2.FindCutsResponse(
                    frames_done=len(numbers), frames_total=len(numbers), cuts=watch.cuts
                )
