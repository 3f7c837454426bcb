"""One session, three programs: clicked in the panel, corrected in Blender, rendered by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from real_blender import blender_wheel
from real_qt import QtPython, qt_python

HERE = Path(__file__).parent
FRAMES = 5


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each program said, in the order in which they were used."""
    blender, python = blender_wheel("4.2"), qt_python("qt-3.11")
    folder = tmp_path_factory.mktemp("carried")
    clip = write_clip(folder / "plate", frame_count=FRAMES)
    process = LocalServer()
    environment = {
        "MASKLET_SERVER": process.address,
        "MASKLET_TOKEN": process.token,
        "MASKLET_PYTHON": sys.executable,
    }
    try:
        frame, x_px, y_px = clip.clicks[0]
        found: dict[str, Any] = {"clip": clip}
        found["panel"] = panel(python, folder / "first", environment, clip.pattern, x_px, y_px, frame)
        document = found["panel"]["document"]
        found["blender"] = blender.run(
            HERE / "blender_corrects.py",
            folder / f"plate/duck.{frame:04d}.png",
            document,
            str(x_px + 4),
            str(y_px + 2),
            "4",
            user_folder=folder / "user",
            environment=environment,
        )
        found["again"] = panel(python, folder / "second", environment, document)
        found["mattes"] = folder / "mattes"
        command = [sys.executable, "-m", "masklet", "roto", str(clip.pattern), "--prompts", document]
        done = subprocess.run(
            [*command, "--out", str(found["mattes"]), "--format", "png8", "--json"],
            capture_output=True,
            text=True,
            env={**dict(environment), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found["document"] = json.loads(Path(document).read_text(encoding="utf-8"))
    finally:
        process.stop()
    return found


def panel(python: QtPython, folder: Path, environment: dict[str, str], *words: object) -> dict[str, Any]:
    """Run the panel's script in a host's Python and return what it printed."""
    folder.mkdir()
    done = subprocess.run(
        [str(python.executable), str(HERE / "panel_clicks.py"), *map(str, words)],
        env=python.environment(folder, environment),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_the_panel_clicks_tracks_and_keeps_it_beside_the_plate(carried: dict[str, Any]) -> None:
    clip: DemoClip = carried["clip"]
    assert carried["panel"]["document"] == str(clip.pattern.parent / "duck.masklet.json")
    assert carried["panel"]["clicks"] == {str(clip.clicks[0][0]): 1}
    assert covered(carried["panel"]["held"]) == set(range(1001, 1001 + FRAMES))


def test_blender_goes_on_with_the_same_session_masks_and_colours(carried: dict[str, Any]) -> None:
    blender = carried["blender"]
    assert [blender[step] for step in ("import", "click", "track", "export")] == [["FINISHED"]] * 4
    assert blender["session"] == carried["panel"]["session"]
    assert blender["objects"] == carried["panel"]["objects"]
    assert np.allclose(blender["colours"], carried["panel"]["colours"], atol=1e-6)
    assert {frame for first, last, held in blender["states"] if held for frame in range(first, last + 1)} == {
        *range(1001, 1001 + FRAMES)
    }


def test_the_panel_opens_what_blender_wrote_with_its_masks(carried: dict[str, Any]) -> None:
    assert carried["again"]["session"] == carried["panel"]["session"]
    assert sum(carried["again"]["clicks"].values()) == 2
    assert covered(carried["again"]["held"]) == set(range(1001, 1001 + FRAMES))
    assert carried["again"]["notice"] is None


def test_the_command_line_renders_it_from_the_document_alone(carried: dict[str, Any]) -> None:
    clip: DemoClip = carried["clip"]
    with np.load(clip.truth) as archive:
        truth = {int(name): archive[name] > 0 for name in archive.files}
    for frame in range(1001, 1001 + FRAMES):
        (file,) = carried["mattes"].rglob(f"*{frame}.png")
        matte = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert matte is not None
        inside = matte > 127
        union = np.logical_or(inside, truth[frame]).sum()
        assert np.logical_and(inside, truth[frame]).sum() / union > 0.8
    said = carried["document"]["objects"][0]["frames"]
    assert sum(len(item.get("clicks", ())) for item in said) == 2


def covered(held: list[list[Any]]) -> set[int]:
    """Frames whose masks the server holds and which are up to date."""
    good = [(first, last) for first, last, there, stale in held if there and not stale]
    return {frame for first, last in good for frame in range(first, last + 1)}
