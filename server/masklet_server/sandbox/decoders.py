"""The server's end of its decoders: starts them, asks them, ends them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from masklet.errors import DeviceError
from masklet_server.sandbox.wire import GoneError, Line, Message

_log = logging.getLogger("masklet_server.sandbox")

MOST_DECODERS = 96
"""At a time; of idle ones, the one used longest ago gives way. Its clip opens again when it is read."""
_LOADING_S = 60.0
_FORKING_S = 10.0
_SECRETS = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "PRIVATE", "API_KEY")
_ENDS_WITHIN_S = 2.0


class Decoder:
    """One process that decodes; asked by one thread at a time.

    Args:
        line: To it.
        process: Its number.
        handle: The descriptor of the process, closed with this: no other process can be meant by it.
    """

    def __init__(self, line: Line, process: int, handle: int) -> None:
        self._line, self._handle = line, handle
        self.process = process
        self._lock = threading.Lock()

    def ask(
        self,
        what: str,
        words: Mapping[str, Any] | None = None,
        *,
        within_s: float,
        descriptor: int | None = None,
    ) -> Message:
        """The answer to a question. After an error there is no other.

        Raises:
            GoneError: It has ended, or answers nonsense.
            LateError: It has not answered in time.
        """
        try:
            self._line.send(Message({"do": what, **(words or {})}), descriptor=descriptor)
            return self._line.receive(within_s=within_s)[0]
        except GoneError:
            self.end()
            raise

    @property
    def is_computing(self) -> bool:
        """True where one of its threads wants a processor: it does not wait for a disk."""
        for file in Path(f"/proc/{self.process}/task").glob("*/stat"):
            with suppress(OSError, IndexError):
                state = file.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
                if state == "R":
                    return True
        return False

    def end(self) -> None:
        """End it, whatever it is at; from any thread, and more than once."""
        with self._lock:
            if self._handle < 0:
                return
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            os.close(self._handle)
            self._handle = -1
        self._line.close()


class Decoders:
    """All decoders of a server, and the process that they come from.

    Args:
        most: How many there are at a time.
        nursery: The module of that process.
    """

    def __init__(self, *, most: int = MOST_DECODERS, nursery: str = "masklet_server.sandbox.nursery") -> None:
        self._most, self._module = most, nursery
        self._lock = threading.Lock()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._is_ready = False
        self._using: OrderedDict[object, Callable[[], bool]] = OrderedDict()
        self._told: set[str] = set()

    @staticmethod
    def are_possible() -> bool:
        """True where decoders can be forked and ended safely."""
        if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
            return False
        try:
            # Some containers refuse it.
            os.close(os.pidfd_open(os.getpid()))
        except OSError:
            return False
        return True

    def warm_up(self) -> None:
        """Start the process that they come from, without waiting for it."""
        with self._lock:
            self._start()

    def hatch(self) -> Decoder:
        """A fresh decoder.

        Raises:
            DeviceError: None can be had; another try may help.
        """
        ours, theirs = socket.socketpair()
        with self._lock:
            for _ in range(2):
                try:
                    self._start()
                    process, handle = self._forked(theirs)
                    break
                except (OSError, ValueError):
                    _log.exception("the process that decoders come from has failed; it is started anew")
                    self._stop()
            else:
                ours.close()
                theirs.close()
                raise DeviceError(
                    "the server cannot start a process to read pictures in: try again, and look at its log"
                )
        theirs.close()
        return Decoder(Line(ours), process, handle)

    def use(self, user: object, give_way: Callable[[], bool]) -> None:
        """Count a clip as the one used last, and have others give their decoders where these are too many.

        Args:
            user: The clip.
            give_way: Ends its decoder if that is idle; False where it is at work.
        """
        with self._lock:
            self._using[user] = give_way
            self._using.move_to_end(user)
            surplus = len(self._using) - self._most
            oldest = [each for each in self._using.items() if each[0] is not user]
        for other, give in oldest:
            if surplus <= 0:
                break
            if give():
                surplus -= 1
                self.forget(other)

    def forget(self, user: object) -> None:
        """A clip has no decoder any more."""
        with self._lock:
            self._using.pop(user, None)

    def tell_missing(self, walls: object) -> None:
        """Write to the log, once each, what this system does not have of the walls around decoders."""
        for wall in walls if isinstance(walls, list) else ():
            if isinstance(wall, str) and wall not in self._told:
                self._told.add(wall)
                _log.warning("files are decoded without a wall that this system does not have: %s", wall)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        if self._nursery is not None and self._nursery.poll() is None:
            return
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = f"from {self._module} import main; main({theirs.fileno()})"
        try:
            self._nursery = subprocess.Popen(
                [sys.executable, "-c", command],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._line, self._is_ready = ours, False

    def _forked(self, theirs: socket.socket) -> tuple[int, int]:
        assert self._line is not None
        if not self._is_ready:
            self._line.settimeout(_LOADING_S)
            if self._line.recv(16) != b"ready":
                raise OSError("it did not load its libraries")
            self._is_ready = True
        self._line.settimeout(_FORKING_S)
        socket.send_fds(self._line, [b"1"], [theirs.fileno()])
        number, handles, _, _ = socket.recv_fds(self._line, 32, 1)
        if not handles:
            raise OSError("it has ended")
        return int(number), handles[0]

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
        nursery, self._line, self._nursery = self._nursery, None, None
        if nursery is not None:
            # Decoders end with it.
            nursery.kill()
            with suppress(subprocess.TimeoutExpired):
                nursery.wait(_ENDS_WITHIN_S)


def _environment() -> dict[str, str]:
    """The server's, without what is secret, and with one thread: what has more cannot fork safely."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MASKLET_") and not any(word in name.upper() for word in _SECRETS)
    }
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "4"}
