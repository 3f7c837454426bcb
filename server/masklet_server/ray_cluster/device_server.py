"""The masklet server of a device: a process of its own that outlives whoever started it.

It has a session of the system's and a parent that ends at once. So neither the actor's end nor Ray's reaches
it, and whoever has the device next finds it by what lies in the device's folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from masklet.errors import ServerUnreachableError
from masklet_server.ray_cluster.node import write_private

_RUNNING = "server.json"
_READY = "ready.json"
_LOG = "server.log"
_LAUNCH_S = 30.0
_POLL_S = 0.05
_LOG_BYTES = 8 << 20


@dataclass(frozen=True)
class RunningServer:
    """A process that was started for a device.

    Attributes:
        process: Its number, and that of its process group.
        began_s: When, as the system counts: numbers of processes come again.
        command: Its command line.
    """

    process: int
    began_s: float
    command: tuple[str, ...]

    @property
    def is_alive(self) -> bool:
        """False once it has ended."""
        try:
            found = psutil.Process(self.process)
            if found.status() == psutil.STATUS_ZOMBIE:
                return False
            # When the clock is set, the system tells of another beginning: the ready file is this device's.
            ending = tuple(found.cmdline()[-2:])
            return bool(found.create_time() == self.began_s or (ending and ending == self.command[-2:]))
        except psutil.Error:
            return False


class DeviceServer:
    """What a folder says of the server of its device.

    Args:
        folder: Of the device.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def running(self) -> RunningServer | None:
        """The server, if it is alive."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads((self.folder / _RUNNING).read_text(encoding="utf-8"))
            found = RunningServer(int(said["process"]), float(said["began_s"]), tuple(said["command"]))
            return found if found.is_alive else None
        return None

    @property
    def address(self) -> str:
        """Where it listens; empty until it is ready."""
        found = self.running
        with suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads((self.folder / _READY).read_text(encoding="utf-8"))
            if found is not None and said["pid"] == found.process:
                return str(said["address"])
        return ""

    @property
    def last_words(self) -> str:
        """The end of its log, for people."""
        with suppress(OSError):
            lines = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1].removeprefix("masklet-server: ") if lines else ""
        return ""

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> RunningServer:
        """Start one, unless it runs.

        Args:
            command: ``masklet-server serve`` with its options; the file that says when it is ready is added.
            environment: Its variables.

        Raises:
            ServerUnreachableError: No process could be started.
        """
        found = self.running
        if found is not None:
            return found
        for name in (_RUNNING, _READY):
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            if (self.folder / _LOG).stat().st_size > _LOG_BYTES:
                (self.folder / _LOG).replace(self.folder / f"{_LOG}.1")
        full = [*command, "--ready-file", str(self.folder / _READY)]
        launcher = [sys.executable, "-m", "masklet_server.ray_cluster.launch", str(self.folder), *full]
        try:
            done = subprocess.run(
                launcher,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LAUNCH_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServerUnreachableError(f"no server could be started for the device: {error}") from error
        found = self.running
        if found is None and done.returncode != 0:
            words = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
            raise ServerUnreachableError(f"no server could be started for the device: {words[-1]}")
        if found is None:
            raise ServerUnreachableError(f"the server of the device ended at once: {self.last_words}")
        return found

    def stop(self, *, within_s: float = 12.0) -> bool:
        """End it with its process group: it stops in order, and is killed where that takes too long.

        Returns:
            False where none ran.
        """
        found = self.running
        if found is None:
            return False
        _signal_group(found.process, signal.SIGTERM)
        until_s = time.monotonic() + within_s
        while found.is_alive and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        _signal_group(found.process, signal.SIGKILL)
        while found.is_alive and time.monotonic() < until_s + within_s:
            time.sleep(_POLL_S)
        (self.folder / _RUNNING).unlink(missing_ok=True)
        return True


def launch(folder: Path, command: Sequence[str]) -> None:
    """Start a server and let go of it: what the launcher does before it ends."""
    with (folder / _LOG).open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
    began_s = psutil.Process(process.pid).create_time()
    said = {"process": process.pid, "began_s": began_s, "command": list(command)}
    write_private(folder / _RUNNING, json.dumps(said))


def _signal_group(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, number)
