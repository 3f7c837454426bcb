"""Prompts of many clicks, and sessions of many frames, beside others who wait."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np

from fakes.engine import FakeEngine
from fakes.service import SMALL, FakeClient, new_id, running
from masklet.types import Presence
from masklet.v1 import prompt_pb2, session_pb2, values_pb2
from masklet_server.tracking import ObjectFrame

CLICK_S = 0.05


def prompting(client: FakeClient, session_id: str, object_id: int, clicks: int) -> Any:
    return client.prompts.SetPrompts(
        prompt_pb2.SetPromptsRequest(
            session_id=session_id,
            request_id=new_id(),
            prompts=values_pb2.FramePrompts(
                object_id=object_id,
                frame=2,
                clicks=[values_pb2.Click(x_px=1.0 + each, y_px=1.0, positive=True) for each in range(clicks)],
            ),
            mask_format=SMALL,
        )
    )


def test_prompts_of_many_clicks_keep_another_session_waiting_for_one(tmp_path: Path) -> None:
    async def run() -> None:
        engine = FakeEngine(frame_s=CLICK_S)
        async with running(tmp_path, engine=engine) as server, server.client() as client:
            many, (hero,) = await client.clicked(server.root / "clip")
            other, (dog,) = await client.clicked(server.root / "clip")
            call = asyncio.ensure_future(prompting(client, many, hero, 40))
            await asyncio.sleep(2 * CLICK_S)
            started_s = time.perf_counter()
            await client.click(other, dog)
            waited_s = time.perf_counter() - started_s
            assert not call.done()
            # What comes later on the same session does not overtake them.
            later = asyncio.ensure_future(client.click(many, hero, frame=2, x_px=5.0))
            await call
            assert len((await later).prompts.clicks) == 41

            assert waited_s < 10 * CLICK_S

    asyncio.run(run())


def test_prompts_of_many_clicks_end_with_the_client_that_leaves(tmp_path: Path) -> None:
    async def run() -> None:
        engine = FakeEngine(frame_s=CLICK_S)
        async with running(tmp_path, engine=engine) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            call = prompting(client, session_id, hero, 60)
            waiting = asyncio.ensure_future(call.code())
            await asyncio.sleep(4 * CLICK_S)
            call.cancel()
            await waiting
            await asyncio.sleep(4 * CLICK_S)
            made = len(engine.calls)
            await asyncio.sleep(4 * CLICK_S)

            assert len(engine.calls) == made < 20
            session = await server.server.store.get(session_id, "local")
            assert [own.frame for own in session.document().prompts] == [1]

    asyncio.run(run())


def test_a_long_answer_about_a_session_leaves_the_loop_to_others(tmp_path: Path) -> None:
    objects, frames = 16, 2000
    logits, pointer = np.zeros((1, 1), np.float16), np.zeros(1, np.float16)

    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip", *(f"hero{n}" for n in range(objects)))
            session = await server.server.store.get(session_id, "local")
            for object_id in range(1, objects + 1):
                for frame in range(1, frames + 1):
                    presence = Presence.PRESENT if frame % 2 else Presence.ABSENT
                    session.results.put(ObjectFrame(object_id, frame, logits, 1.0, 0.9, presence, pointer))
            request = session_pb2.GetSessionRequest(session_id=session_id)
            # Of this thread alone, whatever else the machine does; the client's part is in it.
            started_s = time.thread_time()
            answer = await client.sessions.GetSession(request)
            took_s = time.thread_time() - started_s

            assert len(answer.session.states) >= objects * (frames - 1)
            assert took_s < 0.05

    asyncio.run(run())
