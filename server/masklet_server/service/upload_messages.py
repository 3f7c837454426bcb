"""Messages of an upload, without the copies that protobuf makes of their chunks.

On the wire they are what ``session.proto`` says. A message that is nothing but a chunk begins with that
field's tag and its length, and the rest of it are the file's bytes: there is nothing to parse.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc

from masklet.v1 import session_pb2

SERVICE, METHOD = "masklet.v1.SessionService", "UploadClip"
_CHUNK_TAG = session_pb2.UploadClipRequest.CHUNK_FIELD_NUMBER << 3 | 2


class Chunk(NamedTuple):
    """A message that is a chunk.

    Attributes:
        data: The file's bytes, in the message as it came.
    """

    data: memoryview


UploadMessage = Chunk | session_pb2.UploadClipRequest


def read_message(data: bytes) -> UploadMessage:
    """A message as it came.

    Raises:
        google.protobuf.message.DecodeError: It is none.
    """
    if data[:1] == bytes((_CHUNK_TAG,)):
        size_bytes = shift = 0
        for place in range(1, min(len(data), 6)):
            size_bytes |= (data[place] & 0x7F) << shift
            shift += 7
            if not data[place] & 0x80:
                if place + 1 + size_bytes == len(data):
                    return Chunk(memoryview(data)[place + 1 :])
                break
    message = session_pb2.UploadClipRequest.FromString(data)
    # Written in another way, as other libraries may.
    return Chunk(memoryview(message.chunk)) if message.HasField("chunk") else message


def handler_for(servicer: Any) -> grpc.GenericRpcHandler:
    """What has uploads read so; to be registered before the rest of the service."""
    handler = grpc.stream_unary_rpc_method_handler(
        servicer.UploadClip,
        request_deserializer=read_message,
        response_serializer=session_pb2.UploadClipResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})
