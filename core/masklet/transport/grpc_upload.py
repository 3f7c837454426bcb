"""A clip's files to a server that cannot see them: each content once, however often the way breaks."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from masklet.errors import BadInputError, ClipError, MaskletError, ServerUnreachableError
from masklet.transport.grpc_review import STATUS_TIMEOUT_S, new_id
from masklet.transport.upload_wire import UPLOAD_TIMEOUT_S, Progress, unreadable, upload_method
from masklet.v1 import session_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from masklet.transport.grpc_channel import Channel
    from masklet.transport.interface import ClipFile
    from masklet.v1 import session_pb2_grpc

_log = logging.getLogger("masklet.upload")
_CHUNK_BYTES = 1024 * 1024
_ATTEMPTS_WITHOUT_PROGRESS = 8
"""A piece of 1 MiB has to come through whole: on a line that one packet in a hundred breaks, half do."""
_READ_AT_ONCE = 4
"""Files that are read at a time for their digests: those take longer than a good disk does."""


class _Content(NamedTuple):
    file: ClipFile
    size_bytes: int
    sha256: bytes


def send_clip(
    channel: Channel,
    sessions: session_pb2_grpc.SessionServiceStub,
    clip_name: str,
    files: Sequence[ClipFile],
    *,
    on_progress: Callable[[int, int], None] | None,
) -> str:
    """Send what the server does not hold yet; return the id under which a session can open the clip.

    A connection that breaks is taken up again where it broke, as long as each attempt brings more over.
    Arguments are those of :meth:`masklet.transport.interface.Transport.upload`.

    Raises:
        ClipError: No file can be read, or a movie, or one that could be read at first.
        MaskletError: As every call.
    """
    progress = Progress(files, on_progress)
    contents = _read_all(files, progress)
    question = session_pb2.FindContentsRequest(sha256=[content.sha256 for content in contents])
    request_id = new_id()
    most_held_bytes, idle_attempts = -1, 0
    while True:
        answer = channel.call(sessions.FindContents, question, timeout_s=STATUS_TIMEOUT_S)
        held_bytes = list(answer.held_bytes)
        if sum(held_bytes) > most_held_bytes:
            most_held_bytes, idle_attempts = sum(held_bytes), 0
        progress.restart_sending()
        upload = _Upload(request_id, clip_name, contents, held_bytes, progress)
        try:
            response: session_pb2.UploadClipResponse = channel.call(
                upload_method(channel), upload.messages(), timeout_s=UPLOAD_TIMEOUT_S, retry=False
            )
        except MaskletError as error:
            if upload.failure is not None:
                raise upload.failure from error
            idle_attempts += 1
            # What the server held may have been deleted in between: that too mends itself.
            mends = isinstance(error, ServerUnreachableError) or (
                isinstance(error, BadInputError) and any(held_bytes)
            )
            if not mends or idle_attempts >= _ATTEMPTS_WITHOUT_PROGRESS:
                raise
        else:
            return response.upload_id


class _Upload:
    """The messages of one attempt, and why they ended early if they did.

    gRPC reads the messages in a thread of its own and reports an exception there as a broken call
    and nothing else, so the reason waits here.
    """

    def __init__(
        self,
        request_id: str,
        clip_name: str,
        contents: Sequence[_Content],
        held_bytes: Sequence[int],
        progress: Progress,
    ) -> None:
        self._request_id = request_id
        self._clip_name = clip_name
        self._contents = contents
        self._held_bytes = held_bytes
        self._progress = progress
        self.failure: Exception | None = None

    def messages(self) -> Iterator[session_pb2.UploadClipRequest | bytes]:
        """Header, what is missing of the files, and the commit without which there is no upload."""
        try:
            yield from self._messages()
        except Exception as error:  # noqa: BLE001  (raised again by who made the call)
            self.failure = error

    def _messages(self) -> Iterator[session_pb2.UploadClipRequest | bytes]:
        header = session_pb2.UploadHeader(
            request_id=self._request_id, clip_name=self._clip_name, digests_of_files=True
        )
        yield session_pb2.UploadClipRequest(header=header)
        for content, held_bytes in zip(self._contents, self._held_bytes, strict=True):
            file = content.file
            # A server that holds more than there is holds something else under this name.
            start_bytes = held_bytes if held_bytes <= content.size_bytes else 0
            yield session_pb2.UploadClipRequest(
                file=session_pb2.UploadFileStart(
                    frame=file.frame,
                    suffix=file.path.suffix,
                    size_bytes=content.size_bytes,
                    sha256=content.sha256,
                    held_bytes=start_bytes,
                )
            )
            self._progress.add(start_bytes)
            if start_bytes == content.size_bytes:
                continue
            try:
                with file.path.open("rb") as opened:
                    opened.seek(start_bytes)
                    while chunk := opened.read(_CHUNK_BYTES):
                        yield chunk
                        self._progress.add(len(chunk))
            except OSError as error:
                raise unreadable(file.path, error) from error
        yield session_pb2.UploadClipRequest(commit=session_pb2.UploadCommit(files=len(self._contents)))


def _read_all(files: Sequence[ClipFile], progress: Progress) -> list[_Content]:
    """All files; a picture that cannot be read is sent as an empty one.

    The server names it, leaves it out and makes all others, as with files that it sees itself.
    """
    contents, problems = [], []
    for file, found in zip(files, _attempts(files, progress), strict=True):
        if isinstance(found, ClipError):
            problems.append(found)
            contents.append(_Content(file, 0, hashlib.sha256().digest()))
        else:
            contents.append(found)
    if problems and (len(problems) == len(files) or any(file.frame is None for file in files)):
        raise problems[0]
    for problem in problems:
        _log.warning("%s", problem)
    return contents


def _attempts(files: Sequence[ClipFile], progress: Progress) -> Iterator[_Content | ClipError]:
    if len(files) == 1:
        yield _attempt(files[0], progress.add)
        return
    with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="masklet-digest") as readers:
        for found in readers.map(_attempt, files):
            # Told by this thread: those who hear of progress may be bound to theirs.
            if not isinstance(found, ClipError):
                progress.add(found.size_bytes)
            yield found


def _attempt(file: ClipFile, told: Callable[[int], None] | None = None) -> _Content | ClipError:
    try:
        return _read(file, told)
    except ClipError as error:
        return error


def _read(file: ClipFile, told: Callable[[int], None] | None) -> _Content:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with file.path.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
                if told is not None:
                    told(len(chunk))
    except OSError as error:
        raise unreadable(file.path, error) from error
    return _Content(file, size_bytes, digest.digest())
