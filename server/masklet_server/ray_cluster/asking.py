"""Questions to Ray, each in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from typing import IO, Any

from masklet.errors import ServerUnreachableError
from masklet_server.ray_cluster.node import Node
from masklet_server.ray_cluster.ray_environment import check_installed, ray_environment, ray_error

_CONNECT_S = 3.0
_ANSWER_S = 60.0
_HOPELESS = ("InvalidAuthToken", "Version mismatch")


def ask_ray(node: Node, command: str, *, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
    """What the driver answers; see :mod:`masklet_server.ray_cluster.driver`.

    Raises:
        ServerUnreachableError: The head does not answer, or does not let in.
        RayMissingError: Ray is not installed here.
    """
    check_installed()
    check_reachable(node.head)
    process = subprocess.Popen(
        [sys.executable, "-m", "masklet_server.ray_cluster.driver", str(node.folder), command],
        # On the loopback address Ray would look for its head at this machine's other address.
        env={**ray_environment(node), **loopback_variables(node.head)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Ray ends the process group of whoever connected, where that ends badly.
        start_new_session=os.name == "posix",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: queue.Queue[tuple[bool, str | None]] = queue.Queue()
    for stream, is_answer in ((process.stdout, True), (process.stderr, False)):
        threading.Thread(target=_pass_on, args=(stream, is_answer, lines), daemon=True).start()
    answer, words, open_streams, until_s = "", "", 2, time.monotonic() + timeout_s
    try:
        while open_streams and not any(sign in words for sign in _HOPELESS):
            try:
                is_answer, line = lines.get(timeout=max(0.0, until_s - time.monotonic()))
            except queue.Empty:
                words += "\nTimed out"
                break
            if line is None:
                open_streams -= 1
            elif is_answer:
                answer = line
            else:
                words += line
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    try:
        told = json.loads(answer)
    except ValueError:
        raise ray_error(words, node.head) from None
    if not isinstance(told, dict):
        raise ray_error(words, node.head)
    return told


def check_reachable(head: str) -> None:
    """See at once that something listens where the head should be: Ray itself would wait for a minute.

    Raises:
        ServerUnreachableError: Nothing does.
    """
    host, _, port = head.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise ServerUnreachableError(
            f"Ray's head at {head} does not answer ({getattr(error, 'strerror', None) or error}): is that "
            "machine on, and is its cluster up?"
        ) from None


def loopback_variables(head: str) -> dict[str, str]:
    """What keeps a driver on the loopback address where the head is there."""
    return {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"} if head.startswith("127.") else {}


def _pass_on(stream: IO[str], is_answer: bool, lines: queue.Queue[tuple[bool, str | None]]) -> None:
    try:
        for line in stream:
            lines.put((is_answer, line))
    except ValueError:  # closed under it
        pass
    lines.put((is_answer, None))
