"""What was acknowledged stays, whatever comes after it; against a real server with real plates."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fakes.engine import FakeEngine
from fakes.service import MODEL, FakeClient, new_id, refusal
from generated_media import scene, write_picture
from masklet.v1 import prompt_pb2, values_pb2
from masklet_server.media.limits import Limits
from masklet_server.sandbox.opener import MediaOpener
from masklet_server.service.server import Engine, MaskletServer
from masklet_server.service.settings import ServerSettings


def test_a_document_with_a_prompt_on_a_broken_frame_leaves_everything_as_it_was(tmp_path: Path) -> None:
    for frame in range(1001, 1008):
        path = write_picture(tmp_path / f"plate.{frame}.exr", scene(), "half")
        if frame == 1004:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    async def work(client: FakeClient) -> None:
        session_id, (hero,) = await _clicked(client, tmp_path / "plate.%04d.exr", 1002)
        asked = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
        before = (await client.prompts.GetPromptDocument(asked)).document

        document = values_pb2.PromptDocument()
        document.CopyFrom(before)
        document.objects[0].name = "other"
        for frame in (1003, 1004):
            more = document.prompts.add()
            more.CopyFrom(document.prompts[0])
            more.frame = frame
        _, _, words = await refusal(
            client.prompts.SetPromptDocument(
                prompt_pb2.SetPromptDocumentRequest(
                    session_id=session_id, request_id=new_id(), document=document
                )
            )
        )

        assert "plate.1004.exr is damaged or cut off" in words
        assert (await client.prompts.GetPromptDocument(asked)).document == before
        undone = await client.prompts.UndoPrompt(
            prompt_pb2.UndoPromptRequest(session_id=session_id, request_id=new_id())
        )
        assert undone.object_id == hero
        assert undone.left == 1

    asyncio.run(_served(tmp_path, work))


async def _served(root: Path, work) -> None:  # type: ignore[no-untyped-def]
    import grpc

    settings = ServerSettings(address="127.0.0.1:0", roots=(root,), upload_folder=root, drain_s=0.5)
    server = MaskletServer(settings, Engine(FakeEngine(), MODEL, (MODEL,), "cpu"), MediaOpener(Limits()))
    try:
        address = await server.start()
        async with grpc.aio.insecure_channel(str(address)) as channel:
            await work(FakeClient(channel))
    finally:
        await server.stop()


async def _clicked(client: FakeClient, plate: Path, frame: int) -> tuple[str, list[int]]:
    session = await client.open(plate)
    hero = await client.add(session.session_id, "hero")
    await client.click(session.session_id, hero, frame)
    return session.session_id, [hero]
