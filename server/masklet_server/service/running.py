"""A server process from its first line to its last."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from masklet.version import VERSION
from masklet_server.media.limits import Limits
from masklet_server.sandbox.no_egress import can_leave, close_ways_out
from masklet_server.sandbox.opener import opener_for
from masklet_server.service.clips import ClipOpener
from masklet_server.service.heap import keep_together
from masklet_server.service.membership import Member
from masklet_server.service.server import Engine, MaskletServer
from masklet_server.service.settings import ServerSettings
from masklet_server.service.supervisor import Supervisor

DEVICE_FAILED_CODE = 75
"""With which the process ends when the device does not come back: for a while, in the words of sysexits.h."""

SWITCH_S = 0.0005
"""For so long a thread that draws or packs in Python may keep the interpreter from the loop and the device,
which hand over to each other several times a frame. Python's own 5 ms gave 64 sessions as many masks."""

_log = logging.getLogger("masklet_server.service")


async def run_server(
    settings: ServerSettings,
    engine: Engine,
    *,
    announce: Callable[[str], None],
    stop_with_stdin: bool = False,
    read_again: Callable[[], ServerSettings] | None = None,
    opener: ClipOpener | None = None,
    member: Member | None = None,
    on_drained: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM, SIGINT or, when asked, the end of standard input.

    SIGUSR1 has the server drain: it ends when nobody works there any more.

    Args:
        settings: What the server's keeper decided.
        engine: The network, loaded.
        announce: Given one line of JSON, with ``address``, ``pid`` and ``version``, once calls are
            answered.
        stop_with_stdin: Stop when standard input ends: a server started by a program goes with it,
            even when that is killed.
        read_again: Reads the settings anew, at SIGHUP; None where there is no file of them.
        opener: Opens clips; None for a server's own.
        member: Its place in a cluster; None for a server by itself.
        on_drained: Called where it ends because it was drained, before it does.

    Raises:
        BadInputError: The settings contradict each other, or the port is taken.
    """
    sys.setswitchinterval(SWITCH_S)
    keep_together()
    limits = Limits()
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    if stop_with_stdin:
        stop_on_stdin(stopping)
    opener = opener or opener_for(limits, disk_s=settings.service.disk_s)
    server = MaskletServer(settings, engine, opener, max_side_px=limits.max_side_px, member=member)
    supervisor = Supervisor()
    keeping = asyncio.get_running_loop().create_task(supervisor.keep_alive())
    try:
        address = await server.start()
        if settings.no_egress and close_ways_out() and not can_leave():
            await server.tell_no_egress()
        _drain_on_signal(server, supervisor)
        if read_again is not None:
            _reload_on_signal(server, read_again)
        _log.info("listening on %s", address)
        announce(json.dumps({"address": str(address), "pid": os.getpid(), "version": VERSION}))
        supervisor.ready(f"listening on {address}")
        await _first_of(stopping, server.failed, server.drained)
        if server.drained.is_set():
            on_drained()
        _log.info("stopping")
    finally:
        supervisor.stopping()
        keeping.cancel()
        await server.stop()
        if server.failed.is_set():
            # Whoever keeps the service starts it anew; sessions come back from their journals.
            logging.shutdown()
            sys.stdout.flush()
            os._exit(DEVICE_FAILED_CODE)
        if server.is_hanging:
            # The interpreter would tear the thread's libraries down under it.
            _log.warning("a disk or the device does not answer: the process ends without it")
            logging.shutdown()
            sys.stdout.flush()
            os._exit(0)


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _reload_on_signal(server: MaskletServer, read_again: Callable[[], ServerSettings]) -> None:
    if not hasattr(signal, "SIGHUP"):
        return

    def reload() -> None:
        try:
            left = server.apply(read_again())
        except Exception as error:  # noqa: BLE001  (whatever is wrong with it, the server goes on as it is)
            _log.error("the settings stay as they were: %s", error)
            return
        _log.info(
            "the settings were read again%s", f"; after a restart only: {', '.join(left)}" if left else ""
        )

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


def _drain_on_signal(server: MaskletServer, supervisor: Supervisor) -> None:
    if not hasattr(signal, "SIGUSR1"):
        return

    def drain() -> None:
        server.begin_drain()
        supervisor.status("draining: no new sessions")

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drain)


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Set this at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stopping.set)
        except NotImplementedError:
            # Windows' event loop has no signal handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))


def stop_on_stdin(stopping: asyncio.Event) -> None:
    """Set this when standard input ends."""
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        # Unbuffered: a thread that sits in sys.stdin's lock makes the interpreter's exit fail.
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=wait_for_end, daemon=True, name="stdin").start()
