"""A server of one's own: a process on this machine that lives as long as whoever started it.

It listens on a free port of the loopback interface and lets in only who knows the token made for
it. It may read whatever its user may, since nobody else can reach it.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from masklet.errors import MaskletError, ServerUnreachableError, WeightsError
from masklet.extras import server_sentence
from masklet.own_folder import OwnFolder, remove_abandoned
from masklet.transport.server_program import server_program
from masklet.transport.shared_memory import is_possible

# Importing torch alone takes seconds on a cold disk; large weights take more.
_START_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 10.0
_END_SHOWS_WITHIN_S = 0.5
_FOLDER_PREFIX = "masklet-server-"


class LocalServer:
    """A running ``masklet-server``.

    Args:
        weights: Name or file; None for the server's default, the embedded model.
        device: ``cpu``, ``cuda`` or ``cuda:1``; None lets the server choose.
        quality: ``fast``, ``balanced`` or ``best``; None as its model was trained.

    Raises:
        ServerUnreachableError: It did not start; the message holds the server's own reason.
        WeightsError: There are no such weights.
    """

    def __init__(
        self, *, weights: str | None = None, device: str | None = None, quality: str | None = None
    ) -> None:
        lacking = server_sentence()
        if lacking is not None:
            raise ServerUnreachableError(lacking)
        # Tokens and logs of hosts that were killed.
        remove_abandoned(_FOLDER_PREFIX)
        self._folder = OwnFolder(_FOLDER_PREFIX)
        self.token = secrets.token_urlsafe(32)
        self.log_file = self._folder.path / "server.log"
        token_file = self._folder.path / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(self.token, encoding="ascii")
        command = server_program("cli", "serve", "--address", "127.0.0.1:0")
        command += ["--token-file", str(token_file), "--announce", "--stop-with-stdin"]
        if is_possible():
            # Both run as one user on one machine: masks need no compressing for the way between them.
            command.append("--shared-memory")
        for root in _own_roots():
            command += ["--root", root]
        if weights is not None:
            command += ["--weights", weights]
        if device is not None:
            command += ["--device", device]
        if quality is not None:
            command += ["--quality", quality]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C is for whoever started the server, who then decides what it finishes.
                start_new_session=os.name != "nt",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        try:
            self.address = self._wait_for_address()
        except BaseException:
            # Ctrl-C too: a server that is still starting must not outlive who wanted it.
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process, for who wants to watch it."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def why_dead(self) -> str | None:
        """Why there is no point in waiting for the server, asked after a call broke; None while it runs."""
        try:
            # Its connections break a moment before it can be seen to have ended.
            code = self._process.wait(_END_SHOWS_WITHIN_S)
        except subprocess.TimeoutExpired:
            return None
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        return (
            f"masklet's own server stopped in mid-work ({reason}): finished frames are kept where they were "
            "written; run the same again, and if it stops again try fewer objects or a smaller model"
        )

    def stop(self) -> None:
        """Stop the server and delete what it needed; twice is fine."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.remove()

    def _wait_for_address(self) -> str:
        # In a thread of its own: reading a pipe cannot be given a time limit on Windows.
        first_line: queue.Queue[bytes] = queue.Queue()
        assert self._process.stdout is not None
        threading.Thread(
            target=_read_line,
            args=(self._process.stdout, first_line),
            daemon=True,
            name="masklet-server-start",
        ).start()
        try:
            line = first_line.get(timeout=_START_TIMEOUT_S)
        except queue.Empty:
            raise ServerUnreachableError(
                f"masklet's own server was not ready after {_START_TIMEOUT_S:.0f} s: the machine may be "
                "short of memory, close other programs or use a smaller model"
            ) from None
        try:
            return str(json.loads(line)["address"])
        except (ValueError, KeyError, TypeError):
            raise self._start_error() from None

    def _start_error(self) -> MaskletError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_TIMEOUT_S)
        log = self.log_file.read_text(encoding="utf-8", errors="replace").strip()
        reason = log.splitlines()[-1] if log else f"exit code {self._process.returncode}"
        reason = reason.removeprefix("masklet-server: ")
        error = WeightsError if "weights" in reason else ServerUnreachableError
        return error(f"masklet's own server did not start: {reason}")


def _own_roots() -> list[str]:
    """What a server of one's own may read and write: all that its user may, on every drive in sight."""
    anchors = {Path.cwd().anchor, Path.home().anchor, Path(tempfile.gettempdir()).resolve().anchor}
    return sorted(anchors)


def _read_line(stream: IO[bytes], into: queue.Queue[bytes]) -> None:
    with suppress(OSError, ValueError):
        into.put(stream.readline())
