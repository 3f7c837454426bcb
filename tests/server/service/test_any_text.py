"""Whatever clients write into the text fields of the protocol: an answer or a sentence, never a fault."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.service import refused_upload, running
from generated_media import write_picture
from masklet.v1 import export_pb2, geometry_pb2, prompt_pb2, review_pb2, session_pb2, track_pb2
from masklet_server.media.limits import Limits
from masklet_server.sandbox.opener import MediaOpener
from masklet_server.service.sentence import MAX_CHARACTERS

MODULES = (session_pb2, prompt_pb2, track_pb2, export_pb2, review_pb2, geometry_pb2)
_ENDING = ("CloseSession", "RemoveObject", "SetPromptDocument")
"""What others need would be gone after one of these."""
METHODS = [
    method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if not method.client_streaming and method.name not in _ENDING
]
HOSTILE = (
    *("", ".", "..", "/", "\0", "\n\r\t", "a\nb: c", "%s%n%d", "plate.%04d.png", "plate.%04d.%04d.png"),
    *("plate.@@@@.png", "plate.####.exr", "\u732b" * 300, "x" * 256, "x" * 5000, "\U0001f600" * 4000),
    *(
        "\u202e",
        "con",
        "nul.exr",
        "%99999999999d",
        "#" * 300,
        "~root",
        "$HOME",
        "file:///etc/passwd",
        "http://a",
    ),
    *("concat:a|b", "/etc/passwd", "/proc/self/mem", "/dev/zero", "C:\\x", "\\\\host\\share", "{}", "'\"`"),
)


def texts(root: Path) -> st.SearchStrategy[str]:
    """Any text, the awkward ones first, alone or behind the server's own folder."""
    own = st.sampled_from(HOSTILE) | st.text(max_size=300)
    below = st.tuples(st.sampled_from((f"{root}/", f"{root}/clip/", f"{root}/clip/plate.0001.png")), own)
    whole = st.sampled_from((f"{root}/clip/plate.%04d.png", f"{root}/clip", f"{root}/clip/plate.0001.png"))
    return own | below.map("".join) | whole


class Faults(logging.Handler):
    """What a log says of errors that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.told.append(self.format(record))


@pytest.fixture
def faults() -> Iterator[Faults]:
    handler = Faults()
    names = ("masklet_server", "grpc", "asyncio")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def filled(kind: Descriptor, data: st.DataObject, words: st.SearchStrategy[str], session_id: str) -> Message:
    """A request of any text and numbers, in a session that is there or, now and then, in one that is not."""
    request: Any = GetMessageClass(kind)()
    for field in kind.fields:
        if field.containing_oneof is not None and request.WhichOneof(field.containing_oneof.name):
            continue
        values = _values(field, data, words, session_id)
        if field.is_repeated:
            getattr(request, field.name).extend(data.draw(st.lists(values, max_size=3)))
        elif (field.message_type is None and not field.has_presence) or _is_drawn(field, data):
            value = data.draw(values)
            if field.message_type is None:
                setattr(request, field.name, value)
            else:
                getattr(request, field.name).CopyFrom(value)
    return request  # type: ignore[no-any-return]


def _is_drawn(field: FieldDescriptor, data: st.DataObject) -> bool:
    return data.draw(st.integers(0, 3)) == 3 or field.name == "path"


def _values(
    field: FieldDescriptor, data: st.DataObject, words: st.SearchStrategy[str], session_id: str
) -> st.SearchStrategy[Any]:
    if field.name == "session_id":
        return st.integers(0, 15).flatmap(lambda number: words if number == 15 else st.just(session_id))
    if field.message_type is not None:
        return st.deferred(lambda: st.builds(lambda: filled(field.message_type, data, words, session_id)))
    if field.name == "object_id":
        return st.sampled_from((1, 1, 1, 2, 0))
    if field.type == FieldDescriptor.TYPE_ENUM:
        return st.integers(0, 6) | st.just(99)
    if field.type == FieldDescriptor.TYPE_STRING:
        # One wrong word in a request hides the others.
        return st.just("") | st.just("") | st.just("") | words if field.name != "path" else words
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=64)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return st.floats(0, 60) | st.floats(width=32)
    least = 0 if field.type in (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_UINT64) else -(2**31)
    return st.integers(0, 3) | st.integers(least, 2**31 - 1)


async def answered(call: Any) -> tuple[grpc.StatusCode, str]:
    """Status and sentence of a call; OK where it was answered."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def test_no_text_in_any_request_is_a_fault_of_the_server(tmp_path: Path, faults: Faults) -> None:
    loop = asyncio.new_event_loop()
    serving = running(tmp_path, opener=MediaOpener(Limits()))  # type: ignore[arg-type]

    server = loop.run_until_complete(serving.__aenter__())
    for frame in (1, 2):
        write_picture(server.root / "clip" / f"plate.{frame:04d}.png", np.zeros((48, 64, 3), np.uint8))
    connecting = server.client()
    client = loop.run_until_complete(connecting.__aenter__())
    clicking = client.clicked(server.root / "clip" / "plate.%04d.png")
    session_id, _ = loop.run_until_complete(clicking)

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def asked(data: st.DataObject) -> None:
        method = data.draw(st.sampled_from(METHODS), label="method")
        request = filled(method.input_type, data, texts(server.root), session_id)
        path = f"/{method.containing_service.full_name}/{method.name}"
        make = client.channel.unary_stream if method.server_streaming else client.channel.unary_unary

        async def call() -> tuple[grpc.StatusCode, str]:
            return await answered(make(path)(sent, timeout=20))

        sent = request.SerializeToString()
        status, sentence = loop.run_until_complete(call())

        assert status not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), (sentence, faults.told)
        assert status is not grpc.StatusCode.DEADLINE_EXCEEDED
        assert sentence.isprintable()
        assert len(sentence) <= MAX_CHARACTERS + 5
        # What the server has and the client did not say: where it keeps things, and what it is made of.
        for inside in (str(tmp_path), "<class", "Traceback", " object at 0x", "masklet_server", ".py"):
            assert inside not in sentence or inside.encode() in sent, sentence
        assert faults.told == []

    try:
        asked()
    finally:
        loop.run_until_complete(connecting.__aexit__(None, None, None))
        loop.run_until_complete(serving.__aexit__(None, None, None))
        loop.close()


def test_no_text_in_an_upload_is_a_fault_of_the_server(tmp_path: Path, faults: Faults) -> None:
    own = st.sampled_from(HOSTILE) | st.text(max_size=300)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(own, own | st.just("plate.%04d.png"), own | st.just(".png"), st.integers(-(2**31), 2**31 - 1))
    def sent(request_id: str, clip_name: str, suffix: str, frame: int) -> None:
        header = session_pb2.UploadHeader(request_id=request_id, clip_name=clip_name)
        start = session_pb2.UploadFileStart(frame=frame, suffix=suffix, size_bytes=3)
        messages = [
            session_pb2.UploadClipRequest(header=header),
            session_pb2.UploadClipRequest(file=start),
            session_pb2.UploadClipRequest(chunk=b"abc"),
            # Never the right digest: every one of them has to be refused.
            session_pb2.UploadClipRequest(commit=session_pb2.UploadCommit(files=1, sha256=b"wrong")),
        ]
        status, kind, sentence = loop.run_until_complete(refused_upload(server, messages))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert sentence.isprintable()
        assert faults.told == []
        assert not [path for path in (tmp_path / "uploads").rglob("*.*") if path.suffix]

    loop = asyncio.new_event_loop()
    serving = running(tmp_path)
    server = loop.run_until_complete(serving.__aenter__())
    try:
        sent()
    finally:
        loop.run_until_complete(serving.__aexit__(None, None, None))
        loop.close()
