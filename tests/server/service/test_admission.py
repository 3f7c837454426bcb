"""Who gets a place on the server, and who keeps none from others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fakes.service import FakeClient, Running, new_id, running
from masklet.errors import LimitError
from masklet.v1 import server_pb2, session_pb2
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.settings import ServerSettings
from masklet_server.service.slots import Slots
from masklet_server.sessions.store import StoreLimits

ANN, BOB = "ann-has-a-long-token", "bob-has-a-long-token"
Work = Callable[[Running], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, limits: ServiceLimits | None = None) -> None:
    tokens = folder / "tokens"
    tokens.write_text(f"ann:{ANN}\nbob:{BOB}\n", encoding="utf-8")
    tokens.chmod(0o600)
    settings = replace(
        ServerSettings(),
        token_file=tokens,
        service=limits or ServiceLimits(),
        store=StoreLimits(max_sessions=1),
    )

    async def run() -> None:
        async with running(folder, settings=settings) as server:
            await work(server)

    asyncio.run(run())


async def answers_bob(server: Running) -> None:
    async with server.client(token=BOB) as client:
        started_s = time.perf_counter()
        await client.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=5.0)
        assert time.perf_counter() - started_s < 2.0


def silent(client: FakeClient, *, token: str | None = None) -> Any:
    """A call whose one message never comes."""
    method = client.channel.stream_unary("/masklet.v1.SessionService/OpenSession")

    async def nothing() -> Any:
        await asyncio.sleep(60.0)
        yield b""

    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    return method(nothing(), metadata=metadata)


def test_streams_of_health_without_a_token_take_no_places(tmp_path: Path) -> None:
    async def work(server: Running) -> None:
        async with server.client() as one, server.client(options=(("a", 1),)) as other:
            watches = [
                health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest())
                for client in (one, other)
                for _ in range(60)
            ]
            first = [asyncio.ensure_future(watch.read()) for watch in watches]
            await asyncio.wait(first, timeout=2.0)
            refused = [
                task
                for task in first
                if task.done()
                and isinstance(task.exception(), grpc.aio.AioRpcError)
                and task.exception().code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[union-attr]
            ]
            await answers_bob(server)
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*first, return_exceptions=True)

            assert len(refused) == 120 - 36

    serve(tmp_path, work)


def test_calls_without_a_token_are_refused_before_they_say_anything(tmp_path: Path) -> None:
    async def work(server: Running) -> None:
        # Whoever came with a valid token before is known at the door.
        await answers_bob(server)
        async with server.client() as client:
            calls = [asyncio.ensure_future(silent(client).code()) for _ in range(50)]
            codes = await asyncio.wait_for(asyncio.gather(*calls), 5.0)

            assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}
            await answers_bob(server)

    serve(tmp_path, work)


def test_a_call_whose_message_never_comes_is_ended(tmp_path: Path) -> None:
    async def work(server: Running) -> None:
        async with server.client() as client:
            call = silent(client, token=ANN)
            assert await asyncio.wait_for(call.code(), 5.0) == grpc.StatusCode.INVALID_ARGUMENT
            assert "nothing came from the client for 0.2 seconds" in await call.details()

    serve(tmp_path, work, ServiceLimits(first_message_s=0.2))


def test_an_upload_that_falls_silent_is_ended(tmp_path: Path) -> None:
    async def work(server: Running) -> None:
        async def silence() -> Any:
            yield session_pb2.UploadClipRequest(
                header=session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.####.exr")
            )
            await asyncio.sleep(60.0)

        async with server.client() as client:
            call = client.sessions.UploadClip(silence(), metadata=(("authorization", f"Bearer {ANN}"),))
            assert await asyncio.wait_for(call.code(), 5.0) == grpc.StatusCode.INVALID_ARGUMENT
            assert not list((tmp_path / "uploads").rglob("*.exr"))

    serve(tmp_path, work, ServiceLimits(silence_s=0.2))


def test_one_user_never_has_all_places(tmp_path: Path) -> None:
    async def work(server: Running) -> None:
        async with server.client() as one, server.client(options=(("a", 1),)) as other:
            calls = [silent(client, token=ANN) for client in (one, other) for _ in range(50)]
            codes = [asyncio.ensure_future(call.code()) for call in calls]
            await asyncio.sleep(0.5)
            await answers_bob(server)
            refused = [code.result() for code in codes if code.done()]
            for call in calls:
                call.cancel()
            await asyncio.gather(*codes, return_exceptions=True)

            assert refused == [grpc.StatusCode.RESOURCE_EXHAUSTED] * (100 - 36)

    serve(tmp_path, work)


def test_whoever_comes_next_finds_a_place_among_the_greedy() -> None:
    slots = Slots(60)
    held = []

    def greedy(who: str) -> int:
        count = 0
        while True:
            taking = slots.taken(who)
            try:
                taking.__enter__()
            except LimitError:
                return count
            held.append(taking)
            count += 1

    assert greedy("ann") == 30
    assert greedy("bob") == 15
    assert greedy("cat") >= 7
    with slots.taken("dan"):
        pass
    for taking in held:
        taking.__exit__(None, None, None)
    with pytest.raises(LimitError), slots.taken("ann"):
        raise LimitError("after all went, a place is taken again")
    assert greedy("ann") == 30
