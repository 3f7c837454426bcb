"""What both ways of uploading share: the call, its messages, progress, and files that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from masklet.errors import ClipError
from masklet.v1 import session_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from masklet.transport.grpc_channel import Channel
    from masklet.transport.interface import ClipFile

UPLOAD_TIMEOUT_S = 4 * 3600.0
_CHUNK_TAG = bytes((session_pb2.UploadClipRequest.CHUNK_FIELD_NUMBER << 3 | 2,))


def upload_method(channel: Channel) -> Any:
    """``UploadClip`` with chunks that are written without protobuf's copies."""
    return channel.raw.stream_unary(
        "/masklet.v1.SessionService/UploadClip",
        request_serializer=written,
        response_deserializer=session_pb2.UploadClipResponse.FromString,
    )


def written(message: session_pb2.UploadClipRequest | bytes) -> bytes:
    """A message for the wire; bytes are a chunk, which in protobuf is a tag, a length and the same bytes."""
    if not isinstance(message, bytes):
        return message.SerializeToString()
    length, size_bytes = bytearray(), len(message)
    while size_bytes > 0x7F:
        length.append(size_bytes & 0x7F | 0x80)
        size_bytes >>= 7
    length.append(size_bytes)
    return b"".join((_CHUNK_TAG, length, message))


class Progress:
    """Tells how far the reading and then the sending of all files is."""

    def __init__(self, files: Sequence[ClipFile], on_progress: Callable[[int, int], None] | None) -> None:
        self._on_progress = on_progress
        # A file that cannot be read is told where it is read.
        self._total_bytes = 2 * sum(size_of(file.path) for file in files)
        self._done_bytes = 0

    def add(self, count_bytes: int) -> None:
        """So much more is done."""
        self._done_bytes += count_bytes
        if self._on_progress is not None and count_bytes:
            self._on_progress(min(self._done_bytes, self._total_bytes), self._total_bytes)

    def restart_sending(self) -> None:
        """All is read and nothing is sent: the beginning of every attempt."""
        self._done_bytes = self._total_bytes // 2


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it cannot be asked, which is told where it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def unreadable(path: Path, error: OSError) -> ClipError:
    """The error of a file that cannot be read."""
    return ClipError(
        f"{path.name} cannot be read ({error.strerror}): check the file, then open the clip again"
    )
