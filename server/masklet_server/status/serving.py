"""Serves the page beside the gRPC server, in the same loop, on an address of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError

CLOSES_WITHIN_S = 1
_MOST_AT_ONCE = 32


@dataclass(frozen=True)
class Tls:
    """A certificate chain and its key, both PEM."""

    certificate: Path
    key: Path


class StatusServer:
    """Answers browsers until it is stopped.

    Args:
        app: The page.
        host: Where to listen.
        port: 0 takes a free one.
        tls: None for plaintext.
    """

    def __init__(self, app: Any, host: str, port: int, tls: Tls | None) -> None:
        self._app = app
        self._place = host, port
        self._tls = tls
        self._server: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen, and say on which port.

        Raises:
            BadInputError: The port is taken, or uvicorn is not installed.
        """
        import uvicorn

        from masklet_server.status.patience import ImpatientProtocol

        class Served(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                # The process has its own handlers, which end this one as well.
                yield

        config = uvicorn.Config(
            self._app,
            lifespan="off",
            ws="none",
            http=ImpatientProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=16 << 10,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=CLOSES_WITHIN_S,
            ssl_certfile=None if self._tls is None else self._tls.certificate,
            ssl_keyfile=None if self._tls is None else str(self._tls.key),
        )
        host, port = self._place
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
        except OSError as error:
            listening.close()
            raise BadInputError(
                f"port {port} for the status page is taken, or {host} is not of this machine: give another "
                "--status-address"
            ) from error
        taken = int(listening.getsockname()[1])
        self._server = Served(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)
        if self._task.done():
            # It has not begun: nobody is told of a page that is not there.
            listening.close()
            await self._task
        return taken

    async def stop(self) -> None:
        """End it; requests under way have a second."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await asyncio.wait({self._task}, timeout=2.0 * CLOSES_WITHIN_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
