"""``masklet.v1.SessionService``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from masklet import codec, event_codec, sharing_codec
from masklet.errors import BadInputError
from masklet.v1 import session_pb2, session_pb2_grpc
from masklet_server.identity.caller import account_of, as_typed, check_name, tenant_of
from masklet_server.service.access import current_user
from masklet_server.service.clips import Clips
from masklet_server.service.context import Context
from masklet_server.service.rendering import Renderer
from masklet_server.service.shared_memory import SharedMemory
from masklet_server.service.upload_messages import UploadMessage
from masklet_server.service.uploads import UploadStore
from masklet_server.sessions.clip_reference import ClipReference
from masklet_server.sessions.durability import Answer
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore

CLIP_FOLDER = "clip"
"""Of an upload's files, in the folder of the session that was opened on them."""


class SessionServicer(session_pb2_grpc.SessionServiceServicer):
    """Opens and closes sessions and keeps their objects.

    Args:
        store: All sessions.
        clips: The way to clips.
        uploads: Clips that clients sent.
        renderer: Threads for long answers.
        shared: Memory that clients share.
    """

    def __init__(
        self,
        store: SessionStore,
        clips: Clips,
        uploads: UploadStore,
        renderer: Renderer,
        shared: SharedMemory,
    ) -> None:
        self._renderer = renderer
        self._shared = shared
        self._store = store
        self._clips = clips
        self._uploads = uploads
        self._closing: set[asyncio.Task[None]] = set()

    async def UploadClip(  # noqa: N802  (gRPC names methods)
        self, request_iterator: AsyncIterator[UploadMessage], context: Context
    ) -> session_pb2.UploadClipResponse:
        """Receive a clip's files."""
        user = current_user.get()
        shared = self._shared.call_of(context.invocation_metadata(), user)
        upload = await self._uploads.receive(request_iterator, user=user, shared=shared)
        return session_pb2.UploadClipResponse(upload_id=upload.upload_id, size_bytes=upload.size_bytes)

    async def FindContents(  # noqa: N802
        self, request: session_pb2.FindContentsRequest, context: Context
    ) -> session_pb2.FindContentsResponse:
        """What need not be sent again."""
        held_bytes = await self._uploads.held_bytes(request.sha256, user=current_user.get())
        return session_pb2.FindContentsResponse(held_bytes=held_bytes)

    async def OpenSession(  # noqa: N802
        self, request: session_pb2.OpenSessionRequest, context: Context
    ) -> session_pb2.OpenSessionResponse:
        """Open a session on a path or an upload."""
        user = current_user.get()
        replies = self._store.replies(user)
        if request.can_wait and request.request_id and not replies.knows("OpenSession", request.request_id):
            waiting = await self._store.wait_for_room(user, request.request_id)
            if waiting is not None:
                return session_pb2.OpenSessionResponse(waiting=event_codec.waiting_to_wire(waiting))
        response = await replies.once("OpenSession", request.request_id, lambda: self._open(request))
        loop = asyncio.get_running_loop()

        def sent(call: Any) -> None:
            # The client went before it heard of the session: nobody could ever close it.
            if call.cancelled():
                replies.forget("OpenSession", request.request_id)
                closing = loop.create_task(self._store.close_unfound(response.session.session_id))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

        done: Any = context  # its stubs know no function that would do
        done.add_done_callback(sent)
        return response

    async def GetSession(  # noqa: N802
        self, request: session_pb2.GetSessionRequest, context: Context
    ) -> session_pb2.GetSessionResponse:
        """Clip, objects and states."""
        session = await self._store.get(request.session_id, current_user.get())
        # In a thread: a long clip with many objects has tens of thousands of frames.
        message = await self._renderer.run(lambda: codec.session_to_wire(session.info()))
        return session_pb2.GetSessionResponse(session=message)

    async def ListSessions(  # noqa: N802
        self, request: session_pb2.ListSessionsRequest, context: Context
    ) -> session_pb2.ListSessionsResponse:
        """The caller's own sessions."""
        summaries = await self._store.of(current_user.get())
        return session_pb2.ListSessionsResponse(
            sessions=[sharing_codec.summary_to_wire(summary) for summary in summaries]
        )

    async def CloseSession(  # noqa: N802
        self, request: session_pb2.CloseSessionRequest, context: Context
    ) -> session_pb2.CloseSessionResponse:
        """Forget a session."""
        user = current_user.get()

        async def close() -> session_pb2.CloseSessionResponse:
            await self._store.close(request.session_id, user)
            return session_pb2.CloseSessionResponse()

        return await self._store.replies(user).once("CloseSession", request.request_id, close)

    async def ShareSession(  # noqa: N802
        self, request: session_pb2.ShareSessionRequest, context: Context
    ) -> session_pb2.ShareSessionResponse:
        """Let another user into a session."""
        user = current_user.get()

        async def share() -> session_pb2.ShareSessionResponse:
            account = account_of(tenant_of(user), check_name(as_typed(request.user), "user"))
            rights = sharing_codec.rights_from_wire(request.rights)
            shares = await self._store.share(request.session_id, user, account, rights)
            return session_pb2.ShareSessionResponse(shares=map(sharing_codec.share_to_wire, shares))

        return await self._store.replies(user).once("ShareSession", request.request_id, share)

    async def UnshareSession(  # noqa: N802
        self, request: session_pb2.UnshareSessionRequest, context: Context
    ) -> session_pb2.UnshareSessionResponse:
        """Take back what was shared with a user."""
        user = current_user.get()

        async def unshare() -> session_pb2.UnshareSessionResponse:
            account = account_of(tenant_of(user), check_name(as_typed(request.user), "user"))
            shares = await self._store.share(request.session_id, user, account, None)
            return session_pb2.UnshareSessionResponse(shares=map(sharing_codec.share_to_wire, shares))

        return await self._store.replies(user).once("UnshareSession", request.request_id, unshare)

    async def ListShares(  # noqa: N802
        self, request: session_pb2.ListSharesRequest, context: Context
    ) -> session_pb2.ListSharesResponse:
        """With whom a session is shared."""
        shares = await self._store.shares(request.session_id, current_user.get())
        return session_pb2.ListSharesResponse(shares=map(sharing_codec.share_to_wire, shares))

    async def AddObject(  # noqa: N802
        self, request: session_pb2.AddObjectRequest, context: Context
    ) -> session_pb2.AddObjectResponse:
        """Add an object."""
        session = await self._store.get(request.session_id, current_user.get())

        async def add() -> session_pb2.AddObjectResponse:
            info = await session.add_object(request.name)
            return session_pb2.AddObjectResponse(object=codec.object_to_wire(info))

        async def again(answer: Answer) -> session_pb2.AddObjectResponse:
            return session_pb2.AddObjectResponse(
                object=codec.object_to_wire(session.object(answer.object_id))
            )

        return await session.replies.once("AddObject", request.request_id, add, again=again)

    async def RenameObject(  # noqa: N802
        self, request: session_pb2.RenameObjectRequest, context: Context
    ) -> session_pb2.RenameObjectResponse:
        """Rename an object."""
        session = await self._store.get(request.session_id, current_user.get())

        async def rename() -> session_pb2.RenameObjectResponse:
            info = await session.rename_object(request.object_id, request.name)
            return session_pb2.RenameObjectResponse(object=codec.object_to_wire(info))

        async def again(answer: Answer) -> session_pb2.RenameObjectResponse:
            return session_pb2.RenameObjectResponse(
                object=codec.object_to_wire(session.object(answer.object_id))
            )

        return await session.replies.once("RenameObject", request.request_id, rename, again=again)

    async def RemoveObject(  # noqa: N802
        self, request: session_pb2.RemoveObjectRequest, context: Context
    ) -> session_pb2.RemoveObjectResponse:
        """Remove an object."""
        session = await self._store.get(request.session_id, current_user.get())

        async def remove() -> session_pb2.RemoveObjectResponse:
            await session.remove_object(request.object_id)
            return session_pb2.RemoveObjectResponse()

        async def again(answer: Answer) -> session_pb2.RemoveObjectResponse:
            return session_pb2.RemoveObjectResponse()

        return await session.replies.once("RemoveObject", request.request_id, remove, again=again)

    async def ListObjects(  # noqa: N802
        self, request: session_pb2.ListObjectsRequest, context: Context
    ) -> session_pb2.ListObjectsResponse:
        """All objects."""
        session = await self._store.get(request.session_id, current_user.get())
        objects = [codec.object_to_wire(info) for info in session.objects()]
        return session_pb2.ListObjectsResponse(objects=objects)

    async def _open(self, request: session_pb2.OpenSessionRequest) -> session_pb2.OpenSessionResponse:
        user = current_user.get()
        kind = request.WhichOneof("clip")
        session = await self._store.opened_by(user, request.request_id)
        if session is not None:
            # Before this server was started, by a client that never heard of it.
            pass
        elif kind == "path":
            clip = await self._clips.by_path(request.path, codec.opening_from_wire(request), user=user)
            session = await self._store.open(user, clip, request_id=request.request_id)
        elif kind == "upload_id":
            session = await self._open_upload(user, request)
        else:
            raise BadInputError("a session is opened on a path or on an upload: name one")
        return session_pb2.OpenSessionResponse(session=codec.session_to_wire(session.info()))

    async def _open_upload(self, user: str, request: session_pb2.OpenSessionRequest) -> Session:
        reading = codec.opening_from_wire(request)
        upload = self._uploads.open(request.upload_id, user)
        session_id = self._store.new_id()
        place = self._store.folder_for(session_id)

        async def release() -> None:
            await self._uploads.release(upload)

        try:
            if place is not None:
                await self._uploads.move(upload, place / CLIP_FOLDER)
            return await self._store.open(
                user,
                ClipReference(upload=upload.files_sent, reading=reading),
                session_id=session_id,
                request_id=request.request_id,
                on_close=release,
            )
        except BaseException:
            # Kept for another try, with another colour space perhaps.
            await self._uploads.return_unused(upload)
            raise
