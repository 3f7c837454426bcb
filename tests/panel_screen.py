"""The desktop's window on a virtual screen, worked with real mouse and keyboard events."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WAIT_S = 120.0


@dataclass
class Window:
    """The window of one panel.

    Attributes:
        display: Of the screen.
        pictures: Where what it shows is kept.
        told: Where the window tells what it shows.
        document: Beside the clip.
        process: The program.
    """

    display: str
    pictures: Path
    told: Path
    document: Path
    process: subprocess.Popen[bytes]

    def state(self) -> dict[str, Any]:
        """What the window shows; empty until there is something."""
        try:
            state: dict[str, Any] = json.loads(self.told.read_text())
        except (OSError, ValueError):
            return {}
        return state

    def kept(self) -> dict[str, Any]:
        """The document on disk; empty until there is one."""
        try:
            kept: dict[str, Any] = json.loads(self.document.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept

    def until(self, happened: Callable[[], Any]) -> Any:
        """Wait until something is true."""
        until_s = time.monotonic() + _WAIT_S
        while not (found := happened()):
            assert self.process.poll() is None, "the panel ended"
            assert time.monotonic() < until_s, self.state()
            time.sleep(0.05)
        return found

    def at_rest(self) -> bool:
        """True while nothing is under way but pictures that are read ahead."""
        jobs = self.state().get("jobs")
        return jobs is not None and set(jobs) <= {"Reading pictures"}

    def move(self, x_px: float, y_px: float) -> None:
        """Move the mouse to a place on the plate."""
        x, y = self.on_screen(x_px, y_px)
        self.xdotool("mousemove", str(round(x) - 3), str(round(y)))
        self.xdotool("mousemove", str(round(x)), str(round(y)))

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.xdotool("key", key)

    def push(self, name: str) -> None:
        """Click on the control of this name."""
        self.over(name)
        self.xdotool("click", "1")

    def over(self, name: str) -> None:
        """Move the mouse over a control."""
        x, y = self.until(lambda: self.state()["places"].get(name))
        self.xdotool("mousemove", str(x), str(y))

    def focus(self, title: str) -> None:
        """Give the keyboard to a window, as a window manager does, of which there is none here."""
        words = ("search", "--onlyvisible", "--name", f"{title}$", "windowfocus", "--sync", "%1")
        environment = {**os.environ, "DISPLAY": self.display}
        # It is there a moment after it was asked for.
        self.until(
            lambda: (
                subprocess.run(
                    ["xdotool", *words], env=environment, capture_output=True, check=False, timeout=30
                ).returncode
                == 0
            )
        )
        time.sleep(0.1)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one place of the screen to another."""
        self.xdotool("mousemove", *(str(round(at)) for at in start))
        self.xdotool("mousedown", "1")
        for step in range(1, 9):
            x, y = (one + (other - one) * step / 8 for one, other in zip(start, end, strict=True))
            self.xdotool("mousemove", str(round(x)), str(round(y)))
        self.xdotool("mouseup", "1")

    def on_screen(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Where a place on the plate is."""
        state = self.state()
        return state["left"] + x_px * state["scale"], state["top"] + y_px * state["scale"]

    def xdotool(self, *words: str) -> None:
        """Real events."""
        subprocess.run(
            ["xdotool", *words], env={**os.environ, "DISPLAY": self.display}, check=True, timeout=30
        )
        time.sleep(0.1)

    def picture(self, name: str) -> bytes:
        """What the screen shows, kept as JPEG; its bytes."""
        file = self.pictures / f"{name}.jpg"
        command = ["import", "-window", "root", "-crop", "1230x790+0+0", "-quality", "90", str(file)]
        subprocess.run(command, env={**os.environ, "DISPLAY": self.display}, check=True, timeout=30)
        return file.read_bytes()


def strips(window: Window) -> list[list[Any]]:
    """States of frames as the document keeps them: first, last, …, stale, held."""
    objects = window.kept().get("kept", {}).get("objects", [])
    return [strip for item in objects for strip in json.loads(item["states"] or "[]")]


def tracked(window: Window) -> int:
    """How many frames have a mask."""
    return sum(strip[1] - strip[0] + 1 for strip in strips(window))


def said(window: Window, frame: int) -> list[dict[str, Any]]:
    """What the document says on a frame."""
    objects = window.kept().get("objects", [])
    return [item for each in objects for item in each["frames"] if item["frame"] == frame]
