"""A gateway process from its first line to its last."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from masklet.version import VERSION
from masklet_server.cluster.gateway import Gateway, GatewaySettings
from masklet_server.journal.places import state_folder
from masklet_server.service.running import stop_on_signals, stop_on_stdin
from masklet_server.service.supervisor import Supervisor

_log = logging.getLogger("masklet_server.cluster")


def default_directory(address: str) -> Path | None:
    """One for each port; None for port 0: nobody finds such a gateway again."""
    port = address.rpartition(":")[2]
    return None if port == "0" else state_folder().parent / "cluster" / f"{port}.sqlite"


async def run_gateway(
    settings: GatewaySettings, *, announce: Callable[[str], None], stop_with_stdin: bool = False
) -> None:
    """Serve until SIGTERM, SIGINT or, when asked, the end of standard input.

    Args:
        settings: What its keeper decided.
        announce: Given one line of JSON, with ``address``, ``pid`` and ``version``, once calls are answered.
        stop_with_stdin: Stop when standard input ends.

    Raises:
        BadInputError: The settings contradict each other, the port or the directory is taken.
    """
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    if stop_with_stdin:
        stop_on_stdin(stopping)
    gateway = Gateway(settings)
    supervisor = Supervisor()
    keeping = asyncio.get_running_loop().create_task(supervisor.keep_alive())
    try:
        address = await gateway.start()
        _log.info("the gateway listens on %s", address)
        announce(json.dumps({"address": str(address), "pid": os.getpid(), "version": VERSION}))
        supervisor.ready(f"listening on {address}")
        await stopping.wait()
    finally:
        supervisor.stopping()
        keeping.cancel()
        await gateway.stop()
