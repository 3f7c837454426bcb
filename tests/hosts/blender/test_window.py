"""A Blender with a window: real clicks and keys, a live track, Esc, and how long masklet holds it up."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blender_screen import BlenderWindow, open_blender
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from processes import children_of, is_running
from real_blender import ROOT, blender_application

SCRIPTS = Path(__file__).parent / "scripts"
FRAMES = 24
DUCK_HEAD = (236.0, 285.0)
OTHER_DUCK = (705.0, 245.0)
FLOOR = (420.0, 440.0)
TAB_MASKLET = (1044, 336)
UNFOLD_ADDON = (189, 129)
SCREENSHOTS = "MASKLET_SCREENSHOTS"
"""A folder that keeps the pictures: ``docs/images/blender``."""
OWN_SHARE_S = 0.05
CLOSING_LIMIT_S = 10.0
# The first test waits for all that is done in the window, which a loaded processor draws.
pytestmark = pytest.mark.timeout(600)
FIRST = 1001


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    """Long enough to press Esc in the middle of its track."""
    return write_clip(tmp_path_factory.mktemp("long"), frame_count=FRAMES)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    named = os.environ.get(SCREENSHOTS)
    return Path(named) if named else tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def window(
    tmp_path_factory: pytest.TempPathFactory, long_clip: DemoClip, process: LocalServer
) -> Iterator[BlenderWindow]:
    """A Blender that shows the clip in its Movie Clip Editor, with masklet's tab open."""
    blender = blender_application()
    environment = {
        "MASKLET_SERVER": process.address,
        "MASKLET_TOKEN": process.token,
        "MASKLET_PYTHON": sys.executable,
    }
    user_folder = tmp_path_factory.mktemp("user")
    # As an add-on of Blender before extensions: found in the folder of the user's scripts.
    addons = user_folder / "scripts/addons"
    addons.mkdir(parents=True)
    (addons / "masklet_blender").symlink_to(ROOT / "hosts/blender/masklet_blender")
    folders = [str(ROOT / "core")]
    with open_blender(blender, user_folder, environment, folders) as opened:
        first_file = str(long_clip.pattern) % FIRST
        setting_up = (SCRIPTS / "set_up_window.py").read_text(encoding="utf-8")
        opened.do(f"PLATE, FRAMES = {first_file!r}, {FRAMES}\n{setting_up}")
        time.sleep(1.0)
        opened.do("show_all()")
        time.sleep(1.0)
        opened.click(*TAB_MASKLET)
        opened.wait_until("idle()")
        yield opened


@pytest.fixture(scope="module")
def work(
    window: BlenderWindow, long_clip: DemoClip, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What an artist does with mouse and keyboard, and what is there after each step."""
    facts: dict[str, Any] = {}
    _, x_px, y_px = long_clip.clicks[0]
    window.do("with in_viewer(): bpy.ops.masklet.point('INVOKE_DEFAULT')")
    click(window, (x_px, y_px))
    window.wait_until(f"has_mask({FIRST})")
    click(window, DUCK_HEAD)
    click(window, FLOOR, shift=True)
    window.wait_until("idle()")
    facts["after clicks"] = window.do("objects()")
    window.screenshot(pictures / "click.jpg")

    # Another object at another zoom and pan.
    window.do("bpy.ops.masklet.object_add(name='other duck')")
    window.do("with in_viewer(): bpy.ops.clip.view_zoom_in(location=(0.8, 0.5))")
    time.sleep(0.5)
    drag_box(window, OTHER_DUCK, 70.0)
    window.wait_until(f"has_mask({FIRST}, 1)")
    facts["after box"] = window.do("objects()")
    window.screenshot(pictures / "box.jpg")
    window.press("Escape")
    window.wait_until("not runtime().pointing")
    window.do("show_all()")

    window.do("with in_viewer(): bpy.ops.screen.animation_play()")
    window.press("alt+shift+q")
    window.wait_until("done() >= 2")
    window.press("Escape")
    window.wait_until("not playing()")
    facts["Esc in playback"] = window.do(
        "not idle() and not any(job.is_cancelled for job in runtime().board.jobs)"
    )
    window.do("bpy.context.scene.frame_current = 1; freeze.restart(), slices_s.clear()")
    window.wait_until("done() >= 8")
    facts["mask in mid-track"] = window.do(f"not idle() and has_mask({FIRST + 1})")
    window.screenshot(pictures / "tracking.jpg")
    window.press("Escape")
    window.wait_until("idle()")
    facts["after Esc"] = window.do("objects()")

    window.press("alt+shift+q")
    time.sleep(0.5)
    window.wait_until("idle()")
    facts["own share"] = window.do("max(slices_s)")
    facts["longest gap"] = window.do("freeze.longest_s")
    facts["after track"] = window.do("objects()")
    window.do("bpy.context.scene.frame_current = 12")
    window.wait_until(f"has_mask({FIRST + 11})")
    time.sleep(1.0)
    window.screenshot(pictures / "tracked.jpg")
    facts["splines share"] = make_splines(window)
    facts["made"] = bring_home(window, pictures, tmp_path_factory.mktemp("mattes"))
    facts["gap without drawing"] = gap_without_drawing(window)
    return facts


def bring_home(window: BlenderWindow, pictures: Path, folder: Path) -> list[list[str]]:
    """Mattes of the first object, then the preferences; names of images and masks."""
    window.do(f"with in_viewer(): bpy.ops.masklet.mattes('EXEC_DEFAULT', folder={str(folder)!r})")
    made = window.do("[[block.name for block in blocks] for blocks in (bpy.data.images, bpy.data.masks)]")
    window.do("area.spaces.active.mode = 'MASK'; area.tag_redraw()")
    window.do("bpy.ops.wm.redraw_timer(type='DRAW_WIN_SWAP', iterations=2)")
    time.sleep(1.0)
    window.screenshot(pictures / "splines.jpg")
    window.do("area.spaces.active.mode = 'TRACKING'")
    window.do("area.ui_type = 'PREFERENCES'; show_preferences()")
    time.sleep(1.0)
    window.click(*UNFOLD_ADDON)
    window.do("bpy.ops.masklet.test_connection()")
    window.wait_until("runtime().server_sentence != '' and idle()")
    time.sleep(1.0)
    window.screenshot(pictures / "preferences.jpg")
    window.do("area.ui_type = 'CLIP_EDITOR'")
    time.sleep(1.0)
    found: list[list[str]] = made
    return found


def make_splines(window: BlenderWindow) -> float:
    """Splines of the first object, by its dialog; how long masklet held the main thread for them at most."""
    window.do("clip.masklet_plate.active_index = 0; freeze.restart(), slices_s.clear()")
    window.do("with in_viewer(): bpy.ops.masklet.splines('INVOKE_DEFAULT', tolerance_px=1.0)")
    # The dialog opens when the processor comes to draw it.
    for _ in range(30):
        time.sleep(1.0)
        window.press("Return")
        if window.do("len(bpy.data.masks) == 1 or not idle()"):
            break
    window.wait_until("len(bpy.data.masks) == 1 and idle() and area.spaces.active.mask is not None")
    return float(window.do("max(slices_s)"))


def gap_without_drawing(window: BlenderWindow) -> float:
    """How long the interface stood still during a track that no editor shows.

    A virtual screen is drawn by the processor, which takes longer than everything else together.
    """
    window.do("area.ui_type = 'TEXT_EDITOR'; bpy.context.scene.active_clip = clip")
    window.do("clip.masklet_plate.active_index = 0")
    time.sleep(1.0)
    window.do("freeze.restart()")
    window.do("with in_viewer(): bpy.ops.masklet.track('INVOKE_DEFAULT', direction='BOTH')")
    window.wait_until("done() >= 8")
    window.wait_until("idle()")
    longest_s = float(window.do("freeze.longest_s"))
    window.do("area.ui_type = 'CLIP_EDITOR'; area.spaces.active.clip = clip")
    time.sleep(1.0)
    return longest_s


def click(window: BlenderWindow, place_px: tuple[float, float], *, shift: bool = False) -> None:
    """Click a place on the plate."""
    window.click(*window.do(f"place_on_screen{place_px}"), shift=shift)


def drag_box(window: BlenderWindow, centre_px: tuple[float, float], half_px: float) -> None:
    """Drag a box around a place on the plate."""
    corners = [(centre_px[0] + side * half_px, centre_px[1] + side * half_px) for side in (-1, 1)]
    start, end = (tuple(window.do(f"place_on_screen{corner}")) for corner in corners)
    window.drag(start, end)


def said(objects: list[list[str]], index: int) -> dict[str, Any]:
    """What was said about an object on the first frame."""
    found: dict[str, Any] = json.loads(objects[index][1])["objects"][0]["frames"][0]
    return found


def frames_with_masks(objects: list[list[str]], index: int) -> int:
    """How many frames of an object have a result."""
    return sum(last - first + 1 for first, last, *_ in json.loads(objects[index][2]))


def test_clicks_land_where_the_mouse_was(work: dict[str, Any], long_clip: DemoClip) -> None:
    clicks = said(work["after clicks"], 0)["clicks"]

    expected = [long_clip.clicks[0][1:], DUCK_HEAD, FLOOR]
    assert len(clicks) == len(expected)
    for found, (x_px, y_px) in zip(clicks, expected, strict=True):
        # The mouse stands in the middle of a pixel of the screen; at this zoom that is one of the plate.
        assert abs(found["x_px"] - x_px) < 0.6
        assert abs(found["y_px"] - y_px) < 0.6


def test_shift_means_that_it_does_not_belong(work: dict[str, Any]) -> None:
    clicks = said(work["after clicks"], 0)["clicks"]

    assert [found.get("positive", True) for found in clicks] == [True, True, False]


def test_a_dragged_box_is_right_at_another_zoom_too(work: dict[str, Any]) -> None:
    box = said(work["after box"], 1)["box"]

    assert abs((box["left_px"] + box["right_px"]) / 2 - OTHER_DUCK[0]) < 1.5
    assert abs((box["bottom_px"] - box["top_px"]) - 140.0) < 3.0


def test_masks_come_while_tracking_goes_on(work: dict[str, Any]) -> None:
    assert work["mask in mid-track"]


def test_escape_stops_the_track_and_keeps_what_is_done(work: dict[str, Any]) -> None:
    assert 2 <= frames_with_masks(work["after Esc"], 0) < FRAMES
    assert frames_with_masks(work["after track"], 0) == FRAMES


def test_masklet_never_holds_the_interface_for_long(work: dict[str, Any]) -> None:
    assert work["own share"] < OWN_SHARE_S


def test_escape_in_playback_stops_the_playback_first(work: dict[str, Any]) -> None:
    assert work["Esc in playback"]


def test_splines_are_written_without_holding_the_interface_for_long(work: dict[str, Any]) -> None:
    assert work["splines share"] < OWN_SHARE_S


def test_splines_and_mattes_are_native(work: dict[str, Any]) -> None:
    images, masks = work["made"]

    assert "object1 matte" in images
    assert masks == ["object1"]


def test_nothing_was_printed_that_an_artist_must_not_see(work: dict[str, Any], window: BlenderWindow) -> None:
    assert "Traceback" not in window.log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up as Linux shows them")
def test_blender_closes_at_once_in_mid_track_and_takes_the_helper_with_it(
    work: dict[str, Any], window: BlenderWindow
) -> None:
    assert work["after track"]
    helpers = children_of(window.process.pid)
    assert helpers != []
    window.do("with in_viewer(): bpy.ops.masklet.track('INVOKE_DEFAULT', direction='BOTH')")
    window.wait_until("done() >= 4")

    window.send("bpy.ops.wm.quit_blender()")
    started = time.monotonic()
    window.process.wait(CLOSING_LIMIT_S)

    while time.monotonic() - started < CLOSING_LIMIT_S and any(map(is_running, helpers)):
        time.sleep(0.1)
    assert not any(map(is_running, helpers))
