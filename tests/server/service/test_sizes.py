"""No text and no list of a request is without a limit, whatever is added to the protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from fakes.protocol import methods
from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet.errors import BadInputError, LimitError
from masklet.v1 import prompt_pb2, review_pb2, values_pb2
from masklet.v1.review_pb2_grpc import ReviewServiceStub
from masklet_server.service.sizes import LONGER, MAX_ENTRIES, MAX_TEXT_CHARACTERS, check_sizes


def fields(
    descriptor: Descriptor, way: tuple[FieldDescriptor, ...] = ()
) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Every field of a request, by the way that leads there."""
    for field in descriptor.fields:
        yield (*way, field)
        if field.message_type is not None and all(field.message_type != each.message_type for each in way):
            yield from fields(field.message_type, (*way, field))


def holder(message: Message, way: tuple[FieldDescriptor, ...]) -> Message:
    """The message in a request that has the last field of a way."""
    for field in way[:-1]:
        message = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
    return message


def value(field: FieldDescriptor) -> Any:
    if field.message_type is not None:
        return GetMessageClass(field.message_type)()
    return {FieldDescriptor.TYPE_STRING: "x", FieldDescriptor.TYPE_BYTES: b"x"}.get(field.type, 1)


def test_every_text_and_every_list_of_every_request_has_a_limit() -> None:
    texts = lists = 0
    for method in methods():
        for way in fields(method.request):
            field = way[-1]
            request = GetMessageClass(method.request)()
            inner = holder(request, way)
            if field.is_repeated:
                lists += 1
                getattr(inner, field.name).extend(
                    [value(field)] * (LONGER.get(field.full_name, MAX_ENTRIES) + 1)
                )
                with pytest.raises(LimitError, match="at most"):
                    check_sizes(request)
            elif field.type == FieldDescriptor.TYPE_STRING:
                texts += 1
                setattr(inner, field.name, "x" * (MAX_TEXT_CHARACTERS + 1))
                with pytest.raises(BadInputError, match="characters"):
                    check_sizes(request)
    assert texts > 60
    assert lists > 20


def test_longer_lists_are_such_as_there_are() -> None:
    known = {way[-1].full_name for method in methods() for way in fields(method.request)}
    assert set(LONGER) <= known


def test_all_lists_together_have_a_limit() -> None:
    request = prompt_pb2.SetPromptDocumentRequest()
    frames = list(range(90_000))
    for number in range(12):
        request.document.objects.append(values_pb2.ObjectInfo(object_id=number, prompted_frames=frames))
    with pytest.raises(LimitError, match="1000000 entries"):
        check_sizes(request)


def test_a_long_document_of_a_real_shot_passes_and_is_looked_at_quickly() -> None:
    click = values_pb2.Click(x_px=1, y_px=1, positive=True)
    document = values_pb2.PromptDocument(
        objects=[values_pb2.ObjectInfo(object_id=number, name=f"o{number}") for number in range(1, 17)],
        prompts=[
            values_pb2.FramePrompts(object_id=1 + frame % 16, frame=frame, clicks=[click] * 4)
            for frame in range(8000)
        ],
    )
    request = prompt_pb2.SetPromptDocumentRequest(document=document)
    began_s = time.perf_counter()
    check_sizes(request)
    assert time.perf_counter() - began_s < 2.0


def test_a_request_of_millions_of_entries_is_refused_and_others_click_on(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        request = review_pb2.NextFrameRequest(session_id=session_id, object_ids=[1] * 8_000_000)
        refused, _ = await asyncio.gather(
            refusal(ReviewServiceStub(client.channel).NextFrame(request)),
            client.click(session_id, hero, frame=2),
        )
        assert refused[1] == "limit"
        assert "8000000 object ids" in refused[2]

        named = prompt_pb2.SetPolicyRequest(session_id=session_id, request_id=new_id(), policy="x" * 100_000)
        assert (await refusal(client.prompts.SetPolicy(named)))[1] == "bad-input"

    async def run() -> None:
        async with (
            running(tmp_path) as server,
            server.client(options=[("grpc.max_send_message_length", 32 << 20)]) as client,
        ):
            await work(server, client)

    asyncio.run(run())
