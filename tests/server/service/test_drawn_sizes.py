"""Drawn masks that unpack to more than they look: refused before a byte of them is, and nobody waits."""

from __future__ import annotations

import asyncio
import threading
import zlib
from pathlib import Path

import grpc
import pytest

from fakes.service import FakeClient, new_id, refusal, running
from masklet.v1 import prompt_pb2, values_pb2, view_pb2, view_pb2_grpc
from masklet_server.service import drawn_masks
from masklet_server.service.drawn_masks import Unpacking
from masklet_server.service.rendering import Renderer
from masklet_server.sessions import drawn_sizes

SIZE_PX = (64, 48)


def drawn(
    frame: int, size_px: tuple[int, int] = SIZE_PX, data: bytes = zlib.compress(bytes(64 * 48))
) -> values_pb2.FramePrompts:
    mask = values_pb2.Mask(width_px=size_px[0], height_px=size_px[1], data=data)
    return values_pb2.FramePrompts(object_id=1, frame=frame, mask=mask)


async def say(client: FakeClient, session_id: str, prompts: values_pb2.FramePrompts) -> None:
    await client.prompts.SetPrompts(
        prompt_pb2.SetPromptsRequest(
            session_id=session_id, request_id=new_id(), prompts=prompts, replace_mask=True
        )
    )


def document(*prompts: values_pb2.FramePrompts) -> values_pb2.PromptDocument:
    return values_pb2.PromptDocument(
        objects=[values_pb2.ObjectInfo(object_id=1, name="hero")], prompts=prompts
    )


def test_a_mask_that_claims_to_be_huge_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    # What it holds is no mask at all: whoever looked inside would say so.
    bomb = drawn(1, (16384, 16384), b"nothing that unpacks")

    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            asked = {"session_id": session_id}
            calls = (
                client.prompts.SetPrompts(prompt_pb2.SetPromptsRequest(**asked, prompts=bomb)),
                client.prompts.SetPromptDocument(
                    prompt_pb2.SetPromptDocumentRequest(**asked, document=document(bomb))
                ),
                view_pb2_grpc.ViewServiceStub(client.channel).PreviewPrompts(
                    view_pb2.PreviewPromptsRequest(**asked, prompts=bomb)
                ),
            )
            for call in calls:
                status, kind, message = await refusal(call)
                assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
                assert "16384 x 16384 and the picture 64 x 48" in message

    asyncio.run(run())


def test_a_session_and_a_document_take_so_many_drawn_masks_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_sizes, "MAX_DRAWN_BYTES", 2 * 64 * 48)

    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            for frame in (2, 3, 3):
                await say(client, session_id, drawn(frame))
            one_more = prompt_pb2.SetPromptsRequest(session_id=session_id, prompts=drawn(4))
            three = prompt_pb2.SetPromptDocumentRequest(
                session_id=session_id, document=document(*map(drawn, (2, 3, 4)))
            )
            for call in (client.prompts.SetPrompts(one_more), client.prompts.SetPromptDocument(three)):
                status, kind, message = await refusal(call)
                assert (status, kind) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit")
                assert "draw on fewer frames" in message
            asking = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
            kept = (await client.prompts.GetPromptDocument(asking)).document
            assert [each.frame for each in kept.prompts if each.HasField("mask")] == [2, 3]

    asyncio.run(run())


def test_many_masks_are_unpacked_beside_what_clicks_wait_for_and_for_each_user_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawn_masks, "LARGE_BYTES", 100)
    renderer = Renderer()
    unpacking = Unpacking(renderer)

    async def run() -> None:
        small, large = [
            await unpacking.run(size_bytes, lambda: threading.current_thread().name)
            for size_bytes in (100, 101)
        ]
        assert small.startswith("render")
        assert not large.startswith("render")
        async with unpacking.turn("ann", 101), unpacking.turn("bob", 101), unpacking.turn("ann", 100):
            second = asyncio.ensure_future(taking("ann"))
            await asyncio.sleep(0)
            assert not second.done()
        assert await second == "ann"

    async def taking(user: str) -> str:
        async with unpacking.turn(user, 101):
            return user

    try:
        asyncio.run(run())
    finally:
        renderer.close()
