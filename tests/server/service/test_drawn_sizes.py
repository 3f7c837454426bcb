"""Drawn masks that unpack to more than they look: refused before a byte of them is, and nobody waits."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from fakes.service import FakeClient, new_id, refusal, running
from masklet.types import ObjectInfo, PromptDocument
from masklet.v1 import prompt_pb2, values_pb2, view_pb2, view_pb2_grpc
from masklet_server.service import drawn_masks
from masklet_server.service.drawn_masks import Unpacking
from masklet_server.service.rendering import Renderer
from masklet_server.sessions import drawn_sizes
from masklet_server.sessions.session import Session

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


@pytest.fixture
def unpacking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unpacking]:
    """To which more than 100 bytes are many."""
    monkeypatch.setattr(drawn_masks, "LARGE_BYTES", 100)
    renderer = Renderer()
    unpacking = Unpacking(renderer)
    yield unpacking
    unpacking.close()
    renderer.close()


def thread_name() -> str:
    return threading.current_thread().name


def test_many_masks_are_unpacked_beside_what_clicks_wait_for(unpacking: Unpacking) -> None:
    async def run() -> None:
        small, large = [await unpacking.run("ann", size_bytes, thread_name) for size_bytes in (100, 101)]
        assert small.startswith("render")
        assert large == "documents"

    asyncio.run(run())


def test_a_user_sets_one_large_document_at_a_time(unpacking: Unpacking) -> None:
    async def setting(user: str) -> str:
        async with unpacking.setting(user, 101):
            return user

    async def run() -> None:
        async with (
            unpacking.setting("ann", 101),
            unpacking.setting("bob", 101),
            unpacking.setting("ann", 100),
        ):
            second = asyncio.ensure_future(setting("ann"))
            await asyncio.sleep(0)
            assert not second.done()
        assert await second == "ann"

    asyncio.run(run())


def test_whoever_leaves_and_asks_again_unpacks_once_at_a_time_and_all_together_twice(
    unpacking: Unpacking,
) -> None:
    go_on, begun = threading.Event(), list[str]()

    def hang(user: str) -> None:
        begun.append(user)
        go_on.wait(60.0)

    async def leave(user: str) -> None:
        asked = asyncio.ensure_future(unpacking.run(user, 101, lambda: hang(user)))
        while user not in begun:
            await asyncio.sleep(0.001)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    async def run() -> None:
        await leave("ann")
        again = asyncio.ensure_future(unpacking.run("ann", 101, lambda: begun.append("ann again")))
        await unpacking.run("bob", 101, lambda: None)
        assert begun == ["ann"]
        await leave("bob")
        third = asyncio.ensure_future(unpacking.run("carl", 101, lambda: begun.append("carl")))
        # Time enough for a thread that should not begin.
        for _ in range(10):
            await unpacking.run("ann", 100, lambda: None)
        assert begun == ["ann", "bob"]
        go_on.set()
        await asyncio.gather(again, third)
        assert sorted(begun[2:]) == ["ann again", "carl"]

    try:
        asyncio.run(run())
    finally:
        go_on.set()


def test_what_stands_is_answered_while_a_large_document_is_set_and_its_threads_end_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_masks, "LARGE_BYTES", 100)
    before, set_document = set(threading.enumerate()), Session.set_document

    async def run() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(session: Session, new: PromptDocument) -> tuple[ObjectInfo, ...]:
            begun.set()
            await go_on.wait()
            return await set_document(session, new)

        monkeypatch.setattr(Session, "set_document", slowly)
        async with running(tmp_path) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            await say(client, session_id, drawn(2))
            new = prompt_pb2.SetPromptDocumentRequest(session_id=session_id, document=document(drawn(3)))
            asking = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
            being_set = asyncio.ensure_future(client.prompts.SetPromptDocument(new))
            await begun.wait()
            stands = (await client.prompts.GetPromptDocument(asking, timeout=20.0)).document
            assert [each.frame for each in stands.prompts if each.HasField("mask")] == [2]
            assert not being_set.done()
            go_on.set()
            await being_set
            stands = (await client.prompts.GetPromptDocument(asking)).document
            assert [each.frame for each in stands.prompts] == [3]

    asyncio.run(run())
    for thread in set(threading.enumerate()) - before:
        if thread.name == "documents":
            thread.join(20.0)
            assert not thread.is_alive()
