"""A Blender with a window on a virtual screen, worked with real mouse and keyboard events."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from real_blender import Blender

SIZE = (1280, 800)
_START_TIMEOUT_S = 120.0
_ANSWER_TIMEOUT_S = 60.0
_REMOTE_CONTROL = Path(__file__).parent / "hosts/blender/scripts/remote_control.py"


class BlenderWindow:
    """One running Blender that a test looks at and works in.

    Args:
        display: Of the virtual screen, ``:99``.
        stream: To the script in Blender.
        process: Blender itself.
        log: What Blender prints.
    """

    def __init__(self, display: str, stream: Any, process: subprocess.Popen[bytes], log: Path) -> None:
        self._variables = {**os.environ, "DISPLAY": display}
        self._stream = stream
        self.process = process
        self.log = log

    def send(self, code: str) -> None:
        """Have Python run in Blender's main thread, and wait for nothing."""
        self._stream.write(json.dumps(code) + "\n")
        self._stream.flush()

    def do(self, code: str) -> Any:
        """Run Python in Blender's main thread; the value of its last expression."""
        self.send(code)
        line = self._stream.readline()
        if not line:
            raise AssertionError(f"Blender ended:\n{self.log.read_text(errors='replace')}")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def wait_until(self, expression: str, *, timeout_s: float = _ANSWER_TIMEOUT_S) -> Any:
        """Ask again and again until the value is true; the value."""
        end = time.monotonic() + timeout_s
        while True:
            value = self.do(expression)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"still not true after {timeout_s} s: {expression}")
            time.sleep(0.05)

    def move(self, x_px: float, y_px: float) -> None:
        """Move the mouse into the pixel of the screen that holds this point, y down."""
        self._xdotool("mousemove", str(int(x_px)), str(int(y_px)))
        time.sleep(0.1)

    def click(self, x_px: float, y_px: float, *, shift: bool = False) -> None:
        """Click with the left button there."""
        self.move(x_px, y_px)
        if shift:
            self._xdotool("keydown", "shift")
        self._xdotool("click", "1")
        if shift:
            self._xdotool("keyup", "shift")
        time.sleep(0.1)

    def press_button(self) -> None:
        """Click with the left button where the mouse is."""
        self._xdotool("click", "1")

    def drag(self, start_px: tuple[float, float], end_px: tuple[float, float]) -> None:
        """Drag with the left button."""
        # Blender asks where the mouse is when it gets to an event, which may be a while after it happened.
        self.move(*start_px)
        time.sleep(0.5)
        self._xdotool("mousedown", "1")
        time.sleep(0.5)
        steps = 8
        for step in range(1, steps + 1):
            part = step / steps
            self.move(
                start_px[0] + (end_px[0] - start_px[0]) * part, start_px[1] + (end_px[1] - start_px[1]) * part
            )
        time.sleep(0.5)
        self._xdotool("mouseup", "1")
        time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press a key: ``Escape``."""
        self._xdotool("key", key)
        time.sleep(0.1)

    def screenshot(self, file: Path) -> None:
        """Keep what the screen shows, as PNG."""
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["import", "-window", "root", file], env=self._variables, check=True, timeout=30)

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._variables, check=True, timeout=30)


@contextlib.contextmanager
def open_blender(
    blender: Blender, user_folder: Path, environment: dict[str, str], folders: list[str]
) -> Iterator[BlenderWindow]:
    """Start a screen and a Blender on it, and end both.

    Args:
        blender: The application.
        user_folder: Stands in for the user's Blender folder.
        environment: Variables on top.
        folders: For Python's path in Blender.
    """
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(virtual_screen())
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(_START_TIMEOUT_S)
        token = secrets.token_hex(8)
        words = [str(listener.getsockname()[1]), token]
        prepare = f"import sys; sys.path[:0] = {folders!r}; sys.argv[:] = {[str(_REMOTE_CONTROL), *words]!r}"
        geometry = [str(value) for value in (0, 0, *SIZE)]
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "blender.log"
        variables = blender.environment(user_folder, environment, folders)
        variables.update(DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1")
        process = subprocess.Popen(
            [
                *(blender.executable, "--factory-startup", "--no-window-focus", "-p", *geometry),
                *("--python-expr", prepare, "--python", _REMOTE_CONTROL),
            ],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, process)
        connection, _ = listener.accept()
        stack.enter_context(connection)
        connection.settimeout(_ANSWER_TIMEOUT_S)
        stream = stack.enter_context(connection.makefile("rw", encoding="utf-8"))
        if stream.readline().strip() != token:
            raise AssertionError("somebody else connected")
        yield BlenderWindow(display, stream, process, log)


@contextlib.contextmanager
def virtual_screen() -> Iterator[str]:
    reading, writing = os.pipe()
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "+extension", "GLX"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
