"""The desktop's window on a virtual screen, worked by a real mouse and keyboard on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blender_screen import virtual_screen
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from panel_screen import Window, said, strips, tracked
from real_qt import QtPython, qt_python

SCRIPT = Path(__file__).parent / "scripts/window.py"
DRAG_SOURCE = Path(__file__).parent / "scripts/drag_source.py"
OTHER_DUCK = (655.0, 170.0, 765.0, 280.0)
"""A box around it, in pixels of the plate."""
FRAMES = 12
PLATE_WIDTH_PX = 854
SCREENSHOTS = "MASKLET_SCREENSHOTS"
"""A folder that keeps the pictures: ``docs/images/panel``."""
DRAGGED_FROM = (1235, 740)
# The first test waits for all that is done in the window, which a loaded processor draws.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    return write_clip(tmp_path_factory.mktemp("window") / "plate", frame_count=FRAMES)


@pytest.fixture(scope="module")
def python() -> QtPython:
    found = qt_python("qt-3.11")
    if not all(shutil.which(tool) for tool in ("Xvfb", "xdotool", "import")):
        pytest.skip("a virtual screen needs Xvfb, xdotool and ImageMagick")
    return found


@pytest.fixture(scope="module")
def window(python: QtPython, clip: DemoClip, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    folder = tmp_path_factory.mktemp("user")
    pictures = Path(os.environ.get(SCREENSHOTS) or tmp_path_factory.mktemp("pictures"))
    server = LocalServer()
    with virtual_screen() as display:
        told = folder / "told.json"
        command = [str(python.executable), str(SCRIPT), str(told)]
        screen = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        choice = {"MASKLET_SERVER": server.address, "MASKLET_TOKEN": server.token}
        environment = python.environment(folder, {**screen, **choice})
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        document = clip.pattern.parent / "duck.masklet.json"
        try:
            yield Window(display, pictures, told, document, process)
        finally:
            process.kill()
            process.wait()
            server.stop()


@pytest.fixture(scope="module")
def work(
    window: Window, clip: DemoClip, python: QtPython, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What an artist does with mouse and keyboard, and what is there after each step."""
    facts: dict[str, Any] = {}
    frame, x_px, y_px = clip.clicks[0]
    open_clips(window, facts, clip)
    empty = window.picture("plate")
    click_and_track(window, clip, facts)
    facts["masks are seen"] = window.picture("tracked") != empty
    correct(window, facts, frame + 2, (x_px + 12, y_px + 4))
    look(window, facts)
    folder = tmp_path_factory.mktemp("out") / "mattes"
    export(window, facts, folder)
    move_the_plate(window, facts, clip)
    drop(window, facts, python, tmp_path_factory.mktemp("other"))
    window.until(window.at_rest)
    window.focus("masklet")
    window.press("ctrl+q")
    facts["exit code"] = window.process.wait(30)
    return facts


def open_clips(window: Window, facts: dict[str, Any], clip: DemoClip) -> None:
    """Through the dialog, from the page that shows first."""
    window.until(window.state)
    time.sleep(0.5)
    window.picture("start")
    facts["offered"] = sorted(window.state()["places"])
    window.push("Open Clip or Document …")
    window.focus("Open Clip or Document")
    window.xdotool("type", "--delay", "5", str(clip.pattern) % clip.clicks[0][0])
    window.press("Return")
    window.until(lambda: window.state()["path"] == str(clip.pattern) and window.state()["has_picture"])
    window.focus("masklet")
    window.until(window.at_rest)


def click_and_track(window: Window, clip: DemoClip, facts: dict[str, Any]) -> None:
    """Two objects, a track that is cancelled, and one that is not."""
    _, x_px, y_px = clip.clicks[0]
    window.move(x_px, y_px)
    window.until(lambda: window.state()["has_preview"])
    time.sleep(0.3)
    window.picture("preview")
    facts["said by the preview"] = window.kept()["objects"]
    window.xdotool("click", "1")
    window.until(lambda: window.state()["masks"] == ["object 1"])
    window.press("n")
    window.drag(window.on_screen(*OTHER_DUCK[:2]), window.on_screen(*OTHER_DUCK[2:]))
    window.until(lambda: window.state()["masks"] == ["object 1", "object 2"] and window.at_rest())

    window.press("t")
    window.until(lambda: window.state()["done"] >= 2)
    window.picture("tracking")
    window.press("Escape")
    window.until(lambda: window.at_rest() and window.state()["notice"])
    facts["cancelled"] = (window.state()["notice"], tracked(window))
    window.press("t")
    window.until(lambda: tracked(window) == 2 * FRAMES and window.at_rest())


def correct(window: Window, facts: dict[str, Any], frame: int, at_px: tuple[float, float]) -> None:
    """Correct on a later frame, find what that overtakes, track it again; undo, redo and a lock."""
    window.push("Timeline")
    window.press("Home", "1", "Right", "Right")
    window.until(lambda: window.state()["frame"] == frame and window.state()["has_picture"])
    window.move(*at_px)
    window.xdotool("keydown", "alt")
    window.xdotool("click", "1")
    window.xdotool("keyup", "alt")
    window.until(lambda: said(window, frame) and window.at_rest())
    facts["corrected"] = [click["positive"] for click in said(window, frame)[0]["clicks"]]
    window.until(lambda: any(strip[5] for strip in strips(window)))
    window.press("Home", "period")
    window.until(lambda: "out of date" in window.state()["notice"])
    facts["next bad frame"] = window.state()["notice"]
    window.press("r")
    window.until(lambda: window.at_rest() and not any(strip[5] for strip in strips(window)))
    facts["versions"] = window.state()["versions"]

    window.press("ctrl+z")
    window.until(lambda: not said(window, frame) and window.at_rest())
    window.press("ctrl+shift+z")
    window.until(lambda: said(window, frame) and window.at_rest())
    window.press("ctrl+l")
    window.until(lambda: window.kept()["objects"][0].get("locks"))
    facts["locked"] = (window.state()["frame"], window.kept()["objects"][0]["locks"])


def look(window: Window, facts: dict[str, Any]) -> None:
    """The worst frames, and the track before this one beside it."""
    window.press("c")
    window.focus("Worst Frames")
    time.sleep(1.0)
    window.picture("worst")
    window.press("Escape")
    window.until(lambda: "window: Worst Frames" not in window.state()["places"])
    window.focus("masklet")
    window.press("w")
    window.until(lambda: window.state()["wipe"] is not None)
    x, y = window.on_screen(PLATE_WIDTH_PX / 2, 40.0)
    window.drag((x, y), (x - 160, y))
    window.until(lambda: window.state()["wipe"] < 0.45)
    facts["wipe"] = window.state()["wipe"]
    window.picture("wipe")
    window.press("w")
    window.until(lambda: window.state()["wipe"] is None)


def export(window: Window, facts: dict[str, Any], folder: Path) -> None:
    """Mattes and shapes, into a folder that is typed."""
    window.press("ctrl+e")
    window.focus("Export")
    window.push("Folder")
    window.press("ctrl+a")
    window.xdotool("type", "--delay", "5", str(folder))
    window.push("Shapes, off the edge by at most")
    window.picture("export")
    window.push("Export")
    window.until(lambda: "files are in" in window.state()["notice"] and window.at_rest())
    facts["exported"] = (window.state()["notice"], sorted(path.suffix for path in folder.iterdir()))


def move_the_plate(window: Window, facts: dict[str, Any], clip: DemoClip) -> None:
    """The pictures go elsewhere, and are found again through the button below the sentence."""
    elsewhere = clip.pattern.parent.parent / "elsewhere"
    elsewhere.mkdir()
    for picture in clip.pattern.parent.glob("duck.*.png"):
        picture.rename(elsewhere / picture.name)
    window.focus("masklet")
    window.press("t")
    window.until(lambda: "Find Plate …" in window.state()["places"] and window.at_rest())
    facts["plate gone"] = window.state()["notice"]
    window.picture("plate_gone")
    window.push("Find Plate …")
    window.focus("Where Is the Plate Now.")
    window.xdotool("type", "--delay", "5", str(elsewhere / "duck.1003.png"))
    window.press("Return")
    window.until(lambda: window.state()["path"] == str(elsewhere / clip.pattern.name) and window.at_rest())
    facts["plate found"] = (window.state()["notice"], window.state()["objects"])


def drop(window: Window, facts: dict[str, Any], python: QtPython, folder: Path) -> None:
    """Another clip, dragged from another program."""
    other = write_clip(folder / "plate", frame_count=2)
    place = [str(at) for at in DRAGGED_FROM]
    environment = python.environment(folder, {"DISPLAY": window.display, "QT_QPA_PLATFORM": "xcb"})
    command = [str(python.executable), str(DRAG_SOURCE), str(other.pattern) % 1001, *place]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as source:
        try:
            assert source.stdout is not None
            source.stdout.readline()
            time.sleep(0.5)
            x, y = window.state()["places"]["Viewer"]
            window.drag((DRAGGED_FROM[0] + 20, DRAGGED_FROM[1] + 20), (x, y))
            window.until(lambda: window.state()["path"] == str(other.pattern))
        finally:
            source.kill()
    window.until(lambda: window.state()["has_picture"])
    facts["dropped"] = window.state()["path"], str(other.pattern)


def test_without_a_clip_the_demo_and_a_dialog_are_offered(work: dict[str, Any]) -> None:
    assert "Try the Demo Clip" in work["offered"]


def test_a_preview_shows_before_the_click_and_says_nothing(work: dict[str, Any]) -> None:
    assert work["said by the preview"] == []


def test_escape_stops_a_track_and_keeps_what_is_done(work: dict[str, Any]) -> None:
    sentence, masks = work["cancelled"]
    assert sentence.startswith("Stopped after")
    # The document may be a moment behind what it tells of.
    assert 2 <= masks < 2 * FRAMES
    assert work["masks are seen"]


def test_a_correction_is_found_as_a_bad_frame_tracked_again_undone_and_locked(work: dict[str, Any]) -> None:
    assert work["corrected"] == [False]
    assert work["next bad frame"] == "object 1 is out of date: track again"
    shown, locks = work["locked"]
    assert locks == [[shown, shown]]
    assert work["versions"] >= 2


def test_the_track_before_is_wiped_against_by_dragging_the_line(work: dict[str, Any]) -> None:
    assert 0.2 < work["wipe"] < 0.45


def test_mattes_and_shapes_are_exported_into_a_typed_folder(work: dict[str, Any]) -> None:
    sentence, suffixes = work["exported"]
    assert suffixes.count(".exr") == FRAMES
    assert ".json" in suffixes
    assert " files are in " in sentence


def test_a_plate_that_went_is_found_through_the_dialog_and_a_file_is_dropped(
    work: dict[str, Any], window: Window
) -> None:
    assert "no longer at" in work["plate gone"]
    assert work["plate found"][1] == ["object 1", "object 2"]
    assert work["dropped"][0] == work["dropped"][1]


def test_closing_the_window_ends_the_program_with_everything_on_disk(
    work: dict[str, Any], window: Window
) -> None:
    assert work["exit code"] == 0
    assert len(window.kept()["objects"][0]["frames"]) == 2
