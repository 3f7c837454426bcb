"""Ray's processes of this machine: started, found again, ended. No others are touched."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from masklet.errors import BadInputError, OutputError, ServerUnreachableError
from masklet.own_folder import remove_tree
from masklet_server.ray_cluster.device_server import DeviceServer
from masklet_server.ray_cluster.node import NODE_VARIABLE, SLOT_RESOURCE, Node
from masklet_server.ray_cluster.ray_environment import (
    HEALTH,
    check_installed,
    ray_environment,
    ray_error,
)

_START_S = 180.0
_ATTEMPTS = 3
_ENDS_S, _STOP_S = 3.0, 10.0
# The least that Ray takes: nothing of masklet's goes through its store.
_STORE_BYTES = 80_000_000
_PREFIX = "masklet-ray-"


def new_ray_folder() -> Path:
    """What will hold Ray's sockets and logs: a short path, as names of sockets are short."""
    base = Path("/tmp") if os.name == "posix" else Path(tempfile.gettempdir())
    return base / f"{_PREFIX}{secrets.token_hex(4)}"


def is_loopback(host: str) -> bool:
    """True for an address that this machine alone reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_ports(node: Node) -> None:
    """See that the ports are free that will be listened on for sure.

    Raises:
        BadInputError: One is taken.
    """
    ports = [
        node.ports.ray[f"{name}-port"] for name in ("node-manager", "object-manager", "runtime-env-agent")
    ]
    ports += [node.first_port] if node.is_head else []
    # A server that still runs has its port, and is taken over.
    fresh = [each for each in range(node.devices) if DeviceServer(node.device_folder(each)).running is None]
    ports += [node.ports.server(device) for device in fresh]
    for port in ports:
        with socket.socket(socket.AF_INET6 if ":" in node.host else socket.AF_INET) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind((node.host, port))
            except OSError as error:
                raise BadInputError(
                    f"port {port} of {node.host} cannot be listened on ({error.strerror}): end what has it, "
                    "or name the first of a hundred free ports with --port"
                ) from None


def start_ray(node: Node) -> None:
    """Start Ray's part of a machine, the head or one that joins it, and wait until it runs.

    Raises:
        ServerUnreachableError: It did not start.
        RayMissingError: Ray is not installed.
        OutputError: There is no room for its sockets and logs.
    """
    check_installed()
    options: dict[str, object] = {**node.ports.ray, "node-ip-address": node.host, "node-name": node.name}
    options |= {"num-cpus": 0, "num-gpus": node.devices if node.on_gpus else 0}
    options |= {"object-store-memory": _STORE_BYTES}
    if not node.on_gpus:
        options |= {"resources": json.dumps({SLOT_RESOURCE: node.devices})}
    words = [f"--{name}={value}" for name, value in options.items()]
    words += ["--disable-usage-stats", "--include-log-monitor=false", f"--temp-dir={node.ray_folder / 'r'}"]
    if node.is_head:
        words += ["--head", f"--port={node.first_port}", "--include-dashboard=false", "--no-monitor"]
        words += [f"--system-config={json.dumps(HEALTH)}"]
    else:
        words += [f"--address={node.head}"]
    for attempt in range(_ATTEMPTS):
        _make_ray_folder(node.ray_folder, again=attempt > 0)
        words_of_ray = _run_start(node, words)
        if words_of_ray is None:
            return
        stop_ray(node)
        # Ray gives its own processes half a minute to start, which a busy machine may exceed.
        if "timed out during startup" not in words_of_ray or attempt == _ATTEMPTS - 1:
            raise ray_error(words_of_ray, node.head)


def _make_ray_folder(folder: Path, *, again: bool) -> None:
    """For this user alone: Ray opens its own folder, which is in this one, with its sockets to everybody."""
    try:
        folder.mkdir(mode=0o700, exist_ok=again)
    except OSError as error:
        raise OutputError(
            f"the folder {folder} for Ray's sockets cannot be made ({error.strerror}): make room there"
        ) from error


def _run_start(node: Node, words: list[str]) -> str | None:
    """What Ray said where it did not start; None where it did."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "masklet_server.ray_cluster.start_ray", "start", *words],
            env=ray_environment(node),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_START_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        stop_ray(node)
        raise ServerUnreachableError(
            f"Ray was not up after {_START_S:.0f} s: the machine may be short of memory or very busy"
        ) from None
    return None if done.returncode == 0 else done.stdout


def ray_processes(node: Node) -> list[psutil.Process]:
    """Those of this machine's part: what Ray started there by our variable, and their children.

    Servers are none of these: they have not that variable, and their parents have ended.
    """
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            # Ray's Python writes its title over its variables, but what started it has them still.
            if process.environ().get(NODE_VARIABLE) == str(node.folder):
                found |= {each.pid: each for each in (process, *process.children(recursive=True))}
    return list(found.values())


def stop_ray(node: Node) -> int:
    """End Ray's part of this machine, and no other Ray; how many processes.

    Servers go on: they are not among these.
    """
    processes = ray_processes(node)
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_ENDS_S)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_STOP_S)
    until_s = time.monotonic() + _STOP_S
    while left := ray_processes(node):
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        if time.monotonic() > until_s:
            break
        time.sleep(0.2)
    if node.ray_folder.name.startswith(_PREFIX):
        remove_tree(node.ray_folder)
    return len(processes)
