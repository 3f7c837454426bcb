"""One helper process and the connection to it, as the host application sees them. Standard library only."""

from __future__ import annotations

import hmac
import json
import os
import queue
import secrets
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import HelperError, LimitError, VersionError, error_from_wire
from masklet.transport.bridge_values import decode, encode
from masklet.transport.bridge_wire import HELLO_BYTES, PROTOCOL, ClosedError, MalformedError, Message, Wire
from masklet.transport.helper_environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Generator

HELPER_MODULE = "masklet.transport.bridge_process"
WINDOW = 4
"""Values of a stream that may be on their way before the reader has taken the first of them."""

_START_TIMEOUT_S = 30.0
_ANSWER_LOOK_S = 5.0
_SILENT_LOOKS = 6
"""A helper that answers nothing, not even a ping, for this many looks is frozen and counts as dead."""
_END_TIMEOUT_S = 15.0
_END_SHOWS_WITHIN_S = 1.0

_Answers = queue.SimpleQueue  # of Message, or None when no more will come


class HelperLink:
    """A running helper. Safe to use from several threads.

    Args:
        python: The interpreter that has masklet with gRPC.

    Raises:
        HelperError: It did not start.
        VersionError: It is of another masklet.
    """

    def __init__(self, python: Path) -> None:
        self._numbers = count(1)
        self._waiting: dict[int, _Answers[Message | None]] = {}
        # Taken again by the same thread when the garbage collector closes a stream just then.
        self._lock = threading.RLock()
        self._gone = threading.Event()
        self._ended = threading.Event()
        self._closing = False
        self._heard_s = time.monotonic()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                # On Windows another user could share the port otherwise.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            listener.bind(("127.0.0.1", 0))
            listener.listen(4)
            token = secrets.token_urlsafe(32)
            self._process = self._start(python, listener.getsockname()[1], token)
            try:
                self._wire = self._welcome(listener, token, python)
            except BaseException:
                self._process.kill()
                self._process.wait()
                self._complaints.close()
                raise
        threading.Thread(target=self._read, name="masklet-helper", daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """False once the helper is gone or was closed."""
        return not self._gone.is_set() and not self._closing

    @property
    def pid(self) -> int:
        """The helper's process, for who wants to watch it."""
        return self._process.pid

    def call(self, method: str, **arguments: object) -> Any:
        """Have the helper call a method of its transport; return what that returns.

        Raises:
            HelperError: The helper is gone.
            MaskletError: What the method raised.
        """
        number, answers = self._ask("call", method, arguments)
        try:
            return self._value(self._answer(answers))
        finally:
            self._forget(number)

    def stream(self, method: str, **arguments: object) -> Generator[Any, None, None]:
        """Yield what a method of the helper's transport yields; closing stops it there."""
        number, answers = self._ask("stream", method, arguments)
        ended = False
        try:
            while True:
                message = self._answer(answers)
                if message.header.get("is") != "item":
                    ended = True
                    self._value(message)
                    return
                value = self._value(message)
                self._tell({"is": "more", "of": number})
                yield value
        finally:
            self._forget(number)
            if not ended:
                self._tell({"is": "cancel", "of": number})

    def ping(self, payload: bytes = b"") -> bytes:
        """Send bytes to the helper and return them as they came back."""
        number, answers = self._ask("ping", "", {"payload": payload})
        try:
            return bytes(self._value(self._answer(answers)))
        finally:
            self._forget(number)

    def close(self, *, wait_s: float) -> None:
        """Ask the helper to end, with the server that it may have started; wait for it a while.

        It ends by itself if it needs longer than ``wait_s``. Twice is fine.
        """
        self._closing = True
        self._tell({"is": "bye"})
        self._wire.close()
        self._ended.wait(wait_s)

    def _start(self, python: Path, port: int, token: str) -> subprocess.Popen[bytes]:
        home = Path.home()
        try:
            process = subprocess.Popen(
                [str(python), "-I", "-m", HELPER_MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                env=clean_environment(),
                # Not the host's folder, which may be a disk that is to be unmounted.
                cwd=home if home.is_dir() else None,
                # Ctrl-C is for the host, whose end the helper notices by itself.
                start_new_session=os.name != "nt",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self._complaints.close()
            raise HelperError(
                f"masklet's helper cannot be started with {python} ({error.strerror}): run 'masklet install' "
                "for this program again, or set MASKLET_PYTHON to the Python that has masklet"
            ) from error
        # By standard input: arguments and environments can be read by other users.
        assert process.stdin is not None
        with suppress(OSError), process.stdin as stdin:
            stdin.write(json.dumps({"port": port, "token": token}).encode("ascii") + b"\n")
        return process

    def _welcome(self, listener: socket.socket, token: str, python: Path) -> Wire:
        """The one connection that shows the token; all others are dropped, and then nobody is let in."""
        from masklet.version import VERSION

        deadline_s = time.monotonic() + _START_TIMEOUT_S
        listener.settimeout(0.1)
        while time.monotonic() < deadline_s:
            try:
                connection, _ = listener.accept()
            except socket.timeout:  # noqa: UP041  (another class than TimeoutError before 3.10)
                if self._process.poll() is not None:
                    raise self._start_error(python) from None
                continue
            connection.settimeout(2.0)
            wire = Wire(connection, send_timeout_s=_SILENT_LOOKS * _ANSWER_LOOK_S)
            try:
                hello = wire.receive(max_bytes=HELLO_BYTES).header
                shown = str(hello.get("token", "")).encode()
            except (ClosedError, MalformedError):
                hello, shown = {}, b""
            if not hmac.compare_digest(shown, token.encode()):
                wire.close()
                wire.release()
                continue
            connection.settimeout(None)
            if hello.get("protocol") != PROTOCOL:
                wire.close()
                wire.release()
                raise VersionError(
                    f"masklet's helper has masklet {hello.get('version')} and this program's add-on "
                    f"{VERSION}: update the older one"
                )
            return wire
        raise HelperError(
            f"masklet's helper was not ready after {_START_TIMEOUT_S:.0f} s: the machine may be short of "
            "memory, close other programs and try again"
        )

    def _start_error(self, python: Path) -> HelperError:
        self._complaints.seek(0)
        lines = self._complaints.read(65536).decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {self._process.returncode}"
        if "No module named" in reason:
            return HelperError(
                f"the Python at {python} has no masklet: install it there (pip install 'masklet[server]') "
                "or set MASKLET_PYTHON to the Python that has it"
            )
        return HelperError(f"masklet's helper did not start ({reason}): run 'masklet doctor'")

    def _ask(
        self, kind: str, method: str, arguments: dict[str, object]
    ) -> tuple[int, _Answers[Message | None]]:
        blobs: list[bytes] = []
        encoded = {name: encode(value, blobs) for name, value in arguments.items()}
        number = next(self._numbers)
        answers: _Answers[Message | None] = queue.SimpleQueue()
        with self._lock:
            self._waiting[number] = answers
        if self._gone.is_set():
            # Whoever ended the link has told those who waited then, and not this one.
            answers.put(None)
        header = {"is": kind, "of": number, "method": method, "arguments": encoded}
        if kind == "stream":
            header["window"] = WINDOW
        try:
            self._wire.send(header, blobs)
        except MalformedError as error:
            self._forget(number)
            raise LimitError(f"{error}: send less at a time") from error
        except ClosedError:
            self._wire.close()
        return number, answers

    def _answer(self, answers: _Answers[Message | None]) -> Message:
        silent_looks = 0
        while True:
            try:
                message = answers.get(timeout=_ANSWER_LOOK_S)
            except queue.Empty:
                quiet = time.monotonic() - self._heard_s > _ANSWER_LOOK_S
                silent_looks = silent_looks + 1 if quiet else 0
                self._tell({"is": "ping", "of": 0, "arguments": {"payload": ""}})
                if silent_looks >= _SILENT_LOOKS:
                    self._process.kill()
                    self._wire.close()
                continue
            if message is None:
                raise self._why_gone()
            return message

    def _value(self, message: Message) -> Any:
        header = message.header
        if header.get("is") == "error":
            raise error_from_wire(header.get("kind"), str(header.get("status")), str(header.get("message")))
        try:
            return decode(header.get("value"), message.blobs)
        except ValueError as error:
            raise VersionError(
                "masklet's helper answered with something unknown here: update the older of the two"
            ) from error

    def _tell(self, header: dict[str, Any]) -> None:
        # To a helper that is gone there is nothing to say; who waits for answers is told.
        with suppress(ClosedError):
            self._wire.send(header)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)

    def _why_gone(self) -> HelperError:
        if self._closing:
            return HelperError("the connection to masklet was closed: connect again")
        code = self._process.poll()
        reason = "" if code is None else f" (signal {-code})" if code < 0 else f" (exit code {code})"
        return HelperError(
            f"masklet's helper stopped in mid-work{reason}: try again, a new one starts by itself; what the "
            "server finished is kept there"
        )

    def _read(self) -> None:
        """Hand answers to those who wait, until there will be no more; then see the process off."""
        try:
            while True:
                message = self._wire.receive()
                self._heard_s = time.monotonic()
                with self._lock:
                    answers = self._waiting.get(message.header["of"])
                if answers is not None:
                    answers.put(message)
        except ClosedError:
            pass
        except (MalformedError, KeyError, TypeError):
            # Nothing that follows could be trusted.
            self._process.kill()
        self._wire.close()
        self._wire.release()
        if not self._closing:
            # So that those who wait can be told how it ended.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SHOWS_WITHIN_S)
        with self._lock:
            self._gone.set()
            for answers in list(self._waiting.values()):
                answers.put(None)
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()
        self._ended.set()
