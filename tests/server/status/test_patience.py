"""Whoever says nothing to the page, or half of something, does not keep others from it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="the page is an extra")

from masklet_server.status import patience  # noqa: E402
from masklet_server.status.serving import StatusServer  # noqa: E402

HEAD = b"GET / HTTP/1.1\r\nhost: localhost\r\n"


async def page(scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"\r\n", HEAD + b"\r\n" + HEAD])
def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    is_whole = said.count(b"\r\n\r\n") == 1
    # It has to be there in time, also on a machine that is busy.
    monkeypatch.setattr(patience, "WAITS_S", 1.0 if is_whole else 0.1)

    async def run() -> bytes:
        server = StatusServer(page, "127.0.0.1", 0, None)
        port = await server.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            heard = b""
            with suppress(ConnectionResetError):
                async with asyncio.timeout(20.0):
                    while part := await reader.read(4096):
                        heard += part
            writer.close()
            return heard
        finally:
            await server.stop()

    # A whole request before was answered all the same.
    assert (b"200 OK" in asyncio.run(run())) == is_whole
