"""A cluster of real Ray on this machine: in the environment that installers/host_environments.py installed.

Ray and the commands run there; the gateway and the servers in the Python of the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

import masklet
from installed_hosts import REQUIRED_VARIABLE, ROOT, absent, load_installer
from masklet.scopes import SHARED, Scope
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token
from masklet_server.ray_cluster.device_server import DeviceServer
from masklet_server.ray_cluster.keeper import folder_of
from masklet_server.ray_cluster.node import Node, write_private
from masklet_server.ray_cluster.ray_processes import is_loopback, ray_processes

COMMAND_S = 240.0


@cache
def ray_python() -> Path:
    """The interpreter that imports Ray; skips the test where there is none, fails it where it is required."""
    if sys.platform != "linux":
        pytest.skip("a cluster on one machine was tried on Linux only")
    hosts = load_installer("host_environments")
    host = hosts.host_named("ray")
    python: Path = hosts.python_of(host)
    if not python.is_file():
        if hosts.find_python(host.python) is None:
            pytest.skip(f"Ray is tested with Python {host.python}, which is not on this machine")
        absent("Ray", "python installers/host_environments.py ray", "ray")
    return python


def asked_for() -> None:
    """Skip a module that takes minutes of two processors and a gigabyte, unless it was asked for."""
    if "ray" not in os.environ.get(REQUIRED_VARIABLE, "").split():
        pytest.skip(f"slow: set {REQUIRED_VARIABLE}=ray")
    ray_python()


@dataclass
class RayCluster:
    """Machines that are folders and ports of this one.

    Args:
        folder: For all of them, short: sockets have their names from it.
        frame_s: What a frame takes.
        host: The address of all of them; with any but the loopback one they have TLS and tokens.
        version: Which one servers tell that they are; empty for this one.
    """

    folder: Path
    frame_s: float = 0.0
    host: str = "127.0.0.1"
    version: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    _entering: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sessions = self.folder / "sessions"
        self.clips = self.folder / "clips"
        self.clips.mkdir(exist_ok=True)
        self._ports = free_blocks()
        self._ports_lock = threading.Lock()
        self.gateway_port = self._block()
        self.tokens: dict[str, str] = {}
        if not is_loopback(self.host):
            register = self.folder / "tokens.json"
            for who, scopes in (("ann", SHARED), ("cluster", (Scope.ADMIN,))):
                self.tokens[who] = make_token(register, named(who, scopes=scopes), 3600.0)[0]
            write_private(self.folder / "worker.token", self.tokens["cluster"])

    def connect(self, **other: Any) -> masklet.Server:
        """An artist at the front door."""
        secured = (
            {"token": self.tokens["ann"], "tls_ca_file": self.nodes["head"].authority} if self.tokens else {}
        )
        return masklet.connect(f"{self.host}:{self.gateway_port}", **{**secured, **other})

    def masklet(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``masklet-server cluster …`` beside Ray."""
        done = subprocess.run(
            [ray_python(), "-P", "-m", "masklet_server.cli", "cluster", *words],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"cluster {words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def told(self, *words: str) -> Any:
        """The same, for its JSON."""
        return json.loads(self.masklet(*words, "--json").stdout)

    def up(self, name: str = "head", *, slots: int) -> Node:
        """Start the head."""
        words = ["up", "--gateway-port", str(self.gateway_port), *self._words(name, slots)]
        return self._entered(name, words)

    def join(self, name: str, *, slots: int = 1, key: Path | None = None) -> Node:
        """Have another machine enter."""
        head = self.nodes["head"]
        words = ["join", head.head, "--key", str(key or head.key_file), *self._words(name, slots)]
        return self._entered(name, words)

    def again(self, name: str) -> Node:
        """Start a machine anew, with the folder and the ports that it had."""
        return self._entered(name, self._entering[name])

    def status(self) -> Any:
        """As ``masklet cluster status --json`` has it."""
        return self.told("status", "--folder", str(self.nodes["head"].folder))

    def workers(self) -> dict[str, Any]:
        """The servers by name."""
        return {each["worker"]: each for each in self.status()["workers"]}

    def server_of(self, name: str, device: int = 0) -> int:
        """Process of a server."""
        file = self.nodes[name].device_folder(device) / "server.json"
        return int(json.loads(file.read_text(encoding="utf-8"))["process"])

    def processes(self, name: str) -> list[psutil.Process]:
        """All of a machine: Ray's, and its servers."""
        node = self.nodes[name]
        found = ray_processes(node)
        for device in [*range(node.devices), *([None] if node.is_head else [])]:
            running = DeviceServer(folder_of(node, device)).running
            if running is not None:
                found.append(psutil.Process(running.process))
        return found

    def keepers_of(self, name: str) -> list[psutil.Process]:
        """The actors of a machine's devices that run."""
        found = []
        for each in ray_processes(self.nodes[name]):
            with suppress(psutil.Error):
                if "DeviceKeeper" in " ".join(each.cmdline()):
                    found.append(each)
        return found

    def keeper_of(self, name: str) -> psutil.Process:
        """The actor of a machine with one device."""
        (found,) = self.keepers_of(name)
        return found

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal to all of a machine: as if it were switched off, hung, or woke up."""
        for process in self.processes(name):
            with suppress(psutil.Error):
                process.send_signal(number)

    def close(self) -> None:
        """End everything at once."""
        for name in reversed(self.nodes):
            for process in self.processes(name):
                with suppress(psutil.Error):
                    process.kill()
            shutil.rmtree(self.nodes[name].ray_folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Variables of the commands, and of all that they start."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RAY_"))}
        sources = [str(ROOT / folder) for folder in ("core", "server", "tests")]
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(sources),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "MASKLET_CLUSTER_PROGRAM": json.dumps([sys.executable, "-m", "fakes.clustered_program"]),
            "MASKLET_TEST_FRAME_S": str(self.frame_s),
            **({"MASKLET_TEST_VERSION": self.version} if self.version else {}),
        }

    def _block(self) -> int:
        """First of a hundred ports; machines enter side by side."""
        with self._ports_lock:
            return next(self._ports)

    def _words(self, name: str, slots: int) -> list[str]:
        words = ["--name", name, "--slots", str(slots), "--port", str(self._block())]
        words += ["--folder", str(self.folder / name), "--root", str(self.clips), "--host", self.host]
        if self.tokens:
            words += ["--signed-tokens", str(self.folder / "tokens.json")]
            words += ["--worker-token", str(self.folder / "worker.token")]
        return [*words, "--sessions", str(self.sessions)]

    def _entered(self, name: str, words: Sequence[str]) -> Node:
        self.told(*words)
        self._entering[name] = words
        self.nodes[name] = Node.read(self.folder / name)
        return self.nodes[name]


def free_blocks() -> Iterator[int]:
    """First ports of blocks of a hundred in which nobody listens, below those that the system gives away."""
    for first in range(12000 + 100 * (os.getpid() % 150), 32000, 100):
        if all(is_free(first + port) for port in (*range(8), *range(60, 64))):
            yield first


def is_free(port: int) -> bool:
    """True for a port that can be listened on."""
    with socket.socket() as door:
        # As servers do: what was closed a moment ago is no hindrance.
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def until(happens: Any, *, within_s: float, every_s: float = 0.05) -> float:
    """Wait until something is true; how long that took.

    Raises:
        AssertionError: It never was.
    """
    began_s = time.monotonic()
    while not happens():
        if time.monotonic() - began_s > within_s:
            raise AssertionError(f"nothing after {within_s} s")
        time.sleep(every_s)
    return time.monotonic() - began_s
