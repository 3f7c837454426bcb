"""What Ray places: one for each device, which sees that its server runs, and one for the gateway.

A keeper holds its device by a lock, which the system takes from it when it ends, however it ends. It starts
the server where none runs and takes over the one that does. It touches no session and no picture.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from masklet.errors import BusyError
from masklet.own_folder import lock_file
from masklet_server.ray_cluster.device_server import DeviceServer
from masklet_server.ray_cluster.node import DRAINED_NAME, NODE_VARIABLE, Node, make_private_folder
from masklet_server.ray_cluster.ray_environment import server_environment
from masklet_server.ray_cluster.server_command import gateway_command, server_command

_LOOKS_EVERY_S = 0.5
_FORMER_KEEPER_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_STEADY_S = 60.0
_LOCK = "keeper.lock"


class Keeper:
    """Sees that one server runs, and takes over the one that does.

    Args:
        node: This machine.
        device: Which of its devices; None for the gateway.
        lock: Handle of the lock by which it is held.
    """

    def __init__(self, node: Node, device: int | None, lock: int) -> None:
        self._node, self._device, self._lock = node, device, lock
        self._server = DeviceServer(folder_of(node, device))
        self._started = 0
        self._adopted = self._server.running is not None
        self._error = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="keeper")
        self._thread.start()

    def state(self) -> dict[str, Any]:
        """The keeper and its server, as JSON can hold them."""
        running = self._server.running
        return {
            "node": self._node.name,
            "worker": "" if self._device is None else self._node.worker_name(self._device),
            "device": self._device,
            "keeper": os.getpid(),
            "server": None if running is None else running.process,
            "address": self._server.address,
            "adopted": self._adopted,
            "started": self._started,
            "drained": is_held(self._node, self._device),
            "error": self._error,
        }

    def close(self) -> None:
        """Let go of the server, which goes on."""
        self._ending.set()
        self._thread.join(_LOOKS_EVERY_S * 4)
        with suppress(OSError):
            os.close(self._lock)

    def _keep(self) -> None:
        pause_s, next_s, began_s = _FIRST_PAUSE_S, 0.0, -math.inf
        while True:
            now_s = time.monotonic()
            # In this order: a server that is drained says so before it ends.
            is_gone = self._server.running is None
            if is_gone and now_s >= next_s and not is_held(self._node, self._device):
                # A server that ran for long comes back at once; one that cannot start, less and less often.
                pause_s = (
                    _FIRST_PAUSE_S if now_s - began_s > _STEADY_S else min(2 * pause_s, _LONGEST_PAUSE_S)
                )
                began_s, next_s = now_s, now_s + pause_s
                self._start()
            if self._ending.wait(_LOOKS_EVERY_S):
                return

    def _start(self) -> None:
        self._error = self._server.last_words if self._started else ""
        self._started += 1
        try:
            command = (
                gateway_command(self._node)
                if self._device is None
                else server_command(self._node, self._device)
            )
            self._server.start(command, server_environment())
        except Exception as error:  # noqa: BLE001  (whatever it is, it is tried again)
            self._error = str(error)


class DeviceKeeper(Keeper):
    """Keeps the server of one device of this machine.

    Args:
        folder: The machine's; None for the one that the environment names.
        gpu: The graphics card that Ray gave; None for whatever slot is free.

    Raises:
        BusyError: Every device of this machine has a keeper.
        BadInputError: This machine is in no cluster.
    """

    def __init__(self, folder: Path | None = None, gpu: int | None = None) -> None:
        node = Node.read(folder or Path(os.environ[NODE_VARIABLE]))
        super().__init__(node, *_take(node, range(node.devices) if gpu is None else [gpu]))


class GatewayKeeper(Keeper):
    """Keeps the front door, on the machine of Ray's head.

    Raises:
        BusyError: It has a keeper.
        BadInputError: This machine is in no cluster.
    """

    def __init__(self, folder: Path | None = None) -> None:
        node = Node.read(folder or Path(os.environ[NODE_VARIABLE]))
        super().__init__(node, *_take(node, [None]))


def folder_of(node: Node, device: int | None) -> Path:
    """Of the server on a device, or of the gateway."""
    return node.gateway_folder if device is None else node.device_folder(device)


def hold(node: Node, device: int | None, *, held: bool) -> None:
    """Let a device rest, as a drained server does, or not any more: none is started for one that rests."""
    mark = folder_of(node, device) / DRAINED_NAME
    if held:
        mark.touch(mode=0o600)
    else:
        mark.unlink(missing_ok=True)


def is_held(node: Node, device: int | None) -> bool:
    """True for a device that rests."""
    return (folder_of(node, device) / DRAINED_NAME).exists()


def _take(node: Node, wanted: Sequence[int | None]) -> tuple[int | None, int]:
    """What nobody keeps of this, and the handle of its lock."""
    until_s = time.monotonic() + _FORMER_KEEPER_S
    while True:
        for device in wanted:
            folder = folder_of(node, device)
            make_private_folder(folder)
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                lock_file(handle)
            except OSError:
                os.close(handle)
            else:
                return device, handle
        if time.monotonic() >= until_s:
            raise BusyError(f"all that runs on {node.name} has a keeper already: there is nothing to keep")
        # The former one may be about to end.
        time.sleep(_LOOKS_EVERY_S / 2)
