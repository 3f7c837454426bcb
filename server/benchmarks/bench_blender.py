"""What masklet costs an artist in Blender: its start, a click, a track, splines.

    OMP_NUM_THREADS=2 python server/benchmarks/bench_blender.py > server/benchmarks/results/blender.jsonl

Needs what ``installers/host_environments.py`` installs. One line a case, times in milliseconds:

- ``start``: processor time in which each Blender module enables the add-on, as at its start; best of some.
- ``click``, ``click_again``: in a Blender with a window, from the mouse button to the mask that the viewer
  draws: on frames that were not seen before, then on the same frames. The embedded model, 854x480.
- ``return_undrawn``, ``again_undrawn``: by the operator with no viewer drawn, which the processor
  does on a virtual screen: on the frames clicked before, in turn, then once more on each.
- ``track``: how long the interface stood still at most while a clip was tracked and no viewer was
  drawn, and the longest stay of masklet in Blender's main thread with
  the viewer drawn.
- ``splines``: the longest such stay while the splines of that track were made and written.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from records import begin, write_line

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from blender_screen import BlenderWindow, open_blender  # noqa: E402
from masklet.transport.local_server import LocalServer  # noqa: E402
from masklet_server.demo.clip_writer import DemoClip, write_clip  # noqa: E402
from real_blender import Blender, blender_application, blender_wheel  # noqa: E402

SCRIPTS = ROOT / "tests/hosts/blender/scripts"
MODULES = ("4.2", "5.2")
FRAMES = 36
FIRST = 1001
CLICKED_FRAMES = 12


def main() -> None:
    """Run all cases and print their lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    begin("bench_blender", weights="masklet_embedded", footage="the demo clip")
    with tempfile.TemporaryDirectory() as folder:
        for version in MODULES:
            write_line({"case": "start", **start(blender_wheel(version), Path(folder), arguments.starts)})
        clip = write_clip(Path(folder) / "clip", frame_count=FRAMES)
        with window(Path(folder) / "user", clip) as blender:
            for line in worked(blender, clip):
                write_line(line)


def start(blender: Blender, folder: Path, starts: int) -> dict[str, Any]:
    """Processor time of enabling the add-on, after a first time that compiles it."""
    addons = folder / blender.version / "scripts/addons"
    addons.mkdir(parents=True)
    (addons / "masklet_blender").symlink_to(ROOT / "hosts/blender/masklet_blender")
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / blender.version / "cache")}
    times_ms = [
        1e3
        * blender.run(
            SCRIPTS / "time_enabling.py", user_folder=folder / blender.version, environment=compiled
        )["cpu_s"]
        for _ in range(starts + 1)
    ][1:]
    return {
        "blender": blender.version,
        "best_cpu_ms": round(min(times_ms)),
        "median_cpu_ms": round(statistics.median(times_ms)),
    }


@contextmanager
def window(user_folder: Path, clip: DemoClip) -> Iterator[BlenderWindow]:
    """A Blender that shows the clip, with a server of its own that is warm."""
    server = LocalServer()
    addons = user_folder / "scripts/addons"
    addons.mkdir(parents=True)
    (addons / "masklet_blender").symlink_to(ROOT / "hosts/blender/masklet_blender")
    environment = {
        "MASKLET_SERVER": server.address,
        "MASKLET_TOKEN": server.token,
        "MASKLET_PYTHON": sys.executable,
    }
    try:
        with open_blender(blender_application(), user_folder, environment, [str(ROOT / "core")]) as opened:
            setting_up = (SCRIPTS / "set_up_window.py").read_text(encoding="utf-8")
            opened.do(f"PLATE, FRAMES = {str(clip.pattern) % FIRST!r}, {FRAMES}\n{setting_up}")
            time.sleep(1.0)
            opened.do("show_all()")
            opened.wait_until("idle()")
            opened.do(SHOWN)
            yield opened
    finally:
        server.stop()


SHOWN = """
def shown(frame):
    memory = runtime().glimpse(clip)
    items = clip.masklet_plate.objects
    mask = memory.masks.get(items[0].uid, frame) if memory and len(items) else None
    return id(mask) if mask is not None else 0
"""
"""Tells one mask of a frame from the one before it."""


def worked(blender: BlenderWindow, clip: DemoClip) -> Iterator[dict[str, Any]]:
    """Clicks, tracks, makes splines, as the artist does; a line of each."""
    _, x_px, y_px = clip.clicks[0]
    fresh_ms, again_ms = [], []
    blender.do("with in_viewer(): bpy.ops.masklet.point('INVOKE_DEFAULT')")
    for number in range(CLICKED_FRAMES):
        frame = FIRST + number
        blender.do(f"bpy.context.scene.frame_current = {1 + number}")
        time.sleep(0.5)
        for times_ms, shift_px in ((fresh_ms, 0.0), (again_ms, 6.0)):
            times_ms.append(clicked_ms(blender, frame, (x_px + shift_px, y_px)))
    blender.press("Escape")
    # The first ones open the clip and its session.
    yield {"case": "click", **of(fresh_ms[2:])}
    yield {"case": "click_again", **of(again_ms[2:])}

    blender.do("area.ui_type = 'TEXT_EDITOR'; bpy.context.scene.active_clip = clip")
    time.sleep(1.0)
    return_ms, again_undrawn_ms = [], []
    for number in range(CLICKED_FRAMES):
        blender.do(f"bpy.context.scene.frame_current = {1 + number}")
        time.sleep(0.5)
        for times_ms, shift_px in ((return_ms, 12.0), (again_undrawn_ms, 15.0)):
            click = f"bpy.ops.masklet.click(x_px={x_px + shift_px}, y_px={y_px + 4.0})"
            times_ms.append(until_shown_ms(blender, FIRST + number, f"with in_viewer(): {click}"))
    yield {"case": "return_undrawn", **of(return_ms[2:])}
    yield {"case": "again_undrawn", **of(again_undrawn_ms[2:])}
    blender.do("area.ui_type = 'CLIP_EDITOR'; area.spaces.active.clip = clip")
    time.sleep(1.0)

    blender.do("bpy.context.scene.frame_current = 1; freeze.restart(), slices_s.clear()")
    blender.do("with in_viewer(): bpy.ops.masklet.track('INVOKE_DEFAULT', direction='BOTH')")
    blender.wait_until("done() >= 4")
    blender.wait_until("idle()")
    own_ms = 1e3 * blender.do("max(slices_s)")
    blender.do("area.ui_type = 'TEXT_EDITOR'; bpy.context.scene.active_clip = clip")
    time.sleep(1.0)
    blender.do("clip.masklet_plate.active_index = 0; freeze.restart()")
    blender.do("with in_viewer(): bpy.ops.masklet.track('INVOKE_DEFAULT', direction='BOTH')")
    blender.wait_until("done() >= 4")
    blender.wait_until("idle()")
    still_ms = 1e3 * blender.do("freeze.longest_s")
    yield {"case": "track", "standstill_max_ms": round(still_ms, 1), "own_cpu_max_ms": round(own_ms, 1)}

    blender.do("area.ui_type = 'CLIP_EDITOR'; area.spaces.active.clip = clip")
    time.sleep(1.0)
    blender.do("slices_s.clear()")
    blender.do("with in_viewer(): bpy.ops.masklet.splines('INVOKE_DEFAULT', tolerance_px=1.0)")
    # The dialog opens when the processor comes to draw it.
    for _ in range(30):
        time.sleep(1.0)
        blender.press("Return")
        if blender.do("len(bpy.data.masks) == 1 or not idle()"):
            break
    blender.wait_until("len(bpy.data.masks) == 1 and idle()")
    yield {"case": "splines", "own_cpu_max_ms": round(1e3 * blender.do("max(slices_s)"), 1)}


def clicked_ms(blender: BlenderWindow, frame: int, place_px: tuple[float, float]) -> float:
    """From the mouse button to another mask in the viewer's memory."""
    blender.move(*blender.do(f"place_on_screen{place_px}"))
    time.sleep(0.3)
    return until_shown_ms(blender, frame, None)


def until_shown_ms(blender: BlenderWindow, frame: int, code: str | None) -> float:
    """From code in Blender, or from the mouse button, to another mask in the viewer's memory."""
    before = blender.do(f"shown({frame})")
    if code is None:
        blender.press_button()
    started_s = time.perf_counter()
    if code is not None:
        blender.do(code)
    while blender.do(f"shown({frame})") == before:
        if time.perf_counter() - started_s > 30.0:
            raise SystemExit(f"no mask came on frame {frame}")
        time.sleep(0.002)
    return 1e3 * (time.perf_counter() - started_s)


def of(times_ms: list[float]) -> dict[str, Any]:
    """Median and the longest."""
    return {
        "median_ms": round(statistics.median(times_ms)),
        "max_ms": round(max(times_ms)),
        "n": len(times_ms),
    }


if __name__ == "__main__":
    main()
