"""Tells systemd how the process is, where that started it with ``Type=notify``."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Whoever keeps the process and wants to hear of it; nobody, as a rule.

    Args:
        environment: Where systemd says so; the process's own unless given.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        values = os.environ if environment is None else environment
        self._place = values.get("NOTIFY_SOCKET", "")
        watchdog_us, pid = values.get("WATCHDOG_USEC", ""), values.get("WATCHDOG_PID", "")
        is_meant = not pid or pid == str(os.getpid())
        self._watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdecimal() and is_meant else 0.0

    def ready(self, status: str) -> None:
        """Calls are answered from now on."""
        self._tell(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """A line for ``systemctl status``."""
        self._tell(f"STATUS={status}")

    def stopping(self) -> None:
        """The process is about to end, as it should."""
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Say again and again that the loop turns; returns at once where nobody wants to know."""
        while self._watchdog_s:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 3.0)

    def _tell(self, state: str) -> None:
        if not self._place or not hasattr(socket, "AF_UNIX"):
            return
        # A name that begins with @ has no file: its first byte is a zero.
        place = f"\0{self._place[1:]}" if self._place.startswith("@") else self._place
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sent:
            # One that does not listen loses a word; the loop of the server does not wait for it.
            sent.setblocking(False)
            sent.connect(place)
            sent.sendall(state.encode())
