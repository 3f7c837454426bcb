"""A clip's files to a server on the same machine, through memory that both share."""

from __future__ import annotations

import hashlib
import logging
import os
from typing import TYPE_CHECKING

from masklet.errors import ClipError, MaskletError
from masklet.transport.grpc_review import new_id
from masklet.transport.upload_wire import UPLOAD_TIMEOUT_S, Progress, unreadable, upload_method
from masklet.v1 import session_pb2, values_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from masklet.transport.grpc_channel import Channel
    from masklet.transport.interface import ClipFile
    from masklet.transport.shared_memory import SharedCall

_log = logging.getLogger("masklet.upload")


def send_shared(
    channel: Channel,
    clip_name: str,
    files: Sequence[ClipFile],
    shared: SharedCall,
    *,
    on_progress: Callable[[int, int], None] | None,
) -> str:
    """Send a clip through memory shared with a server on this machine: all of it, and read once.

    Returns the id under which a session can open it; arguments are those of
    :meth:`masklet.transport.interface.Transport.upload`.

    Raises:
        ClipError: The movie, or no picture at all, can be read, or a picture breaks off.
        MaskletError: As every call; ServerUnreachableError also where the server does not read.
    """
    progress = Progress(files, on_progress)
    progress.restart_sending()
    upload = _SharedUpload(clip_name, files, shared, progress)
    try:
        response: session_pb2.UploadClipResponse = channel.call(
            upload_method(channel),
            upload.messages(),
            timeout_s=UPLOAD_TIMEOUT_S,
            retry=False,
            metadata=shared.metadata,
        )
    except MaskletError as error:
        if upload.failure is not None:
            raise upload.failure from error
        raise
    return response.upload_id


class _SharedUpload:
    """The messages of an upload through shared memory, and why they ended early if they did."""

    def __init__(
        self, clip_name: str, files: Sequence[ClipFile], shared: SharedCall, progress: Progress
    ) -> None:
        self._clip_name, self._files = clip_name, files
        self._memory, self._progress = shared.memory, progress
        self._unread: list[ClipError] = []
        self.failure: Exception | None = None

    def messages(self) -> Iterator[session_pb2.UploadClipRequest]:
        """Header, files in pieces, and the commit."""
        try:
            yield from self._messages()
        except Exception as error:  # noqa: BLE001  (raised again by who made the call)
            self.failure = error

    def _messages(self) -> Iterator[session_pb2.UploadClipRequest]:
        yield session_pb2.UploadClipRequest(
            header=session_pb2.UploadHeader(request_id=new_id(), clip_name=self._clip_name)
        )
        for file in self._files:
            yield from self._pieces(file)
        if self._unread and len(self._unread) == len(self._files):
            raise self._unread[0]
        commit = session_pb2.UploadCommit(files=len(self._files), sha256=hashlib.sha256().digest())
        yield session_pb2.UploadClipRequest(commit=commit)

    def _pieces(self, file: ClipFile) -> Iterator[session_pb2.UploadClipRequest]:
        try:
            # Unbuffered: straight into the memory that the server sees.
            opened = file.path.open("rb", buffering=0)
        except OSError as error:
            problem = unreadable(file.path, error)
            if file.frame is None:
                raise problem from error
            # The server names it, leaves it out and makes all others.
            _log.warning("%s", problem)
            self._unread.append(problem)
            yield _start_of(file, 0)
            return
        with opened:
            left_bytes = os.fstat(opened.fileno()).st_size
            yield _start_of(file, left_bytes)
            while left_bytes > 0:
                piece, view = self._memory.take()
                with view:
                    try:
                        count_bytes = opened.readinto(view[: min(len(view), left_bytes)]) or 0
                    except OSError as error:
                        raise unreadable(file.path, error) from error
                if not count_bytes:
                    # Shorter than it was: the server says so.
                    self._memory.give_back(piece)
                    return
                left_bytes -= count_bytes
                where = values_pb2.SharedPiece(piece=piece, size_bytes=count_bytes)
                yield session_pb2.UploadClipRequest(shared_chunk=where)
                self._progress.add(count_bytes)


def _start_of(file: ClipFile, size_bytes: int) -> session_pb2.UploadClipRequest:
    start = session_pb2.UploadFileStart(frame=file.frame, suffix=file.path.suffix, size_bytes=size_bytes)
    return session_pb2.UploadClipRequest(file=start)
