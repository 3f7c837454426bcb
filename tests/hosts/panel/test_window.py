"""The desktop's window on a virtual screen, worked by a real mouse and keyboard on a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blender_screen import virtual_screen
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from real_qt import qt_python

SCRIPT = Path(__file__).parent / "scripts/window.py"
FRAMES = 6
_WAIT_S = 120.0


@dataclass
class Window:
    """The window of one panel.

    Attributes:
        display: Of the screen.
        told: Where the window tells what it shows.
        document: Beside the clip.
        process: The program.
    """

    display: str
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
        state = self.state()
        x, y = state["left"] + x_px * state["scale"], state["top"] + y_px * state["scale"]
        self.xdotool("mousemove", str(round(x) - 3), str(round(y)))
        self.xdotool("mousemove", str(round(x)), str(round(y)))

    def xdotool(self, *words: str) -> None:
        """Real events."""
        subprocess.run(
            ["xdotool", *words], env={**os.environ, "DISPLAY": self.display}, check=True, timeout=30
        )
        time.sleep(0.1)

    def picture(self, file: Path) -> bytes:
        """What the screen shows, kept as PNG; its pixels."""
        variables = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["import", "-window", "root", str(file)], env=variables, check=True, timeout=30)
        return file.read_bytes()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    return write_clip(tmp_path_factory.mktemp("window") / "plate", frame_count=FRAMES)


@pytest.fixture(scope="module")
def window(clip: DemoClip, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    python = qt_python("qt-3.11")
    if not all(shutil.which(tool) for tool in ("Xvfb", "xdotool", "import")):
        pytest.skip("a virtual screen needs Xvfb, xdotool and ImageMagick")
    folder = tmp_path_factory.mktemp("user")
    server = LocalServer()
    with virtual_screen() as display:
        environment = python.environment(
            folder,
            {
                "DISPLAY": display,
                "QT_QPA_PLATFORM": "xcb",
                "MASKLET_SERVER": server.address,
                "MASKLET_TOKEN": server.token,
            },
        )
        told = folder / "told.json"
        command = [str(python.executable), str(SCRIPT), str(clip.pattern), str(told)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            yield Window(display, told, clip.pattern.parent / "duck.masklet.json", process)
        finally:
            process.kill()
            process.wait()
            server.stop()


def test_the_whole_loop_goes_by_mouse_and_keyboard(window: Window, clip: DemoClip, tmp_path: Path) -> None:
    frame, x_px, y_px = clip.clicks[0]
    window.until(lambda: window.state().get("has_picture") and window.at_rest())
    empty = window.picture(tmp_path / "plate.png")

    # What a click would give shows before it is made, and nothing is said by it.
    window.move(x_px, y_px)
    window.until(lambda: window.state()["has_preview"])
    assert not window.kept()["objects"]

    window.xdotool("click", "1")
    window.until(lambda: window.state()["masks"] == ["object 1"])
    assert window.picture(tmp_path / "clicked.png") != empty

    # Track, with the keyboard; every frame gets its mask.
    window.xdotool("key", "t")
    window.until(lambda: tracked(window) == FRAMES and window.at_rest())

    # Correct on a later frame: what the click overtakes is out of date until it is tracked again.
    window.xdotool("key", "Home")
    window.xdotool("key", "Right")
    window.xdotool("key", "Right")
    window.until(lambda: window.state()["frame"] == frame + 2 and window.state()["has_picture"])
    window.move(x_px + 12, y_px + 4)
    window.xdotool("keydown", "alt")
    window.xdotool("click", "1")
    window.xdotool("keyup", "alt")
    window.until(lambda: said(window, frame + 2) and window.at_rest())
    assert [click["positive"] for click in said(window, frame + 2)[0]["clicks"]] == [False]
    window.until(lambda: any(strip[5] for strip in strips(window)))
    window.xdotool("key", "r")
    window.until(lambda: window.at_rest() and not any(strip[5] for strip in strips(window)))

    # Take it back, and say it again.
    window.xdotool("key", "ctrl+z")
    window.until(lambda: not said(window, frame + 2) and window.at_rest())
    window.xdotool("key", "ctrl+shift+z")
    window.until(lambda: said(window, frame + 2) and window.at_rest())

    # Lock what is good.
    window.xdotool("key", "ctrl+l")
    window.until(lambda: window.kept()["objects"][0].get("locks") == [[frame + 2, frame + 2]])
    assert window.state()["notice"] is None or "fault" not in window.state()["notice"]

    # Closing the window ends the program, with everything on disk.
    window.until(window.at_rest)
    window.xdotool("key", "ctrl+q")
    assert window.process.wait(30) == 0
    assert len(window.kept()["objects"][0]["frames"]) == 2


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
