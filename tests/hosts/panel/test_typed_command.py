"""``masklet panel`` as it is typed, with the Qt that ``masklet[panel]`` would bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from masklet_server.demo.clip_writer import DemoClip, write_clip
from processes import children_of, is_running
from real_qt import qt_python

_WAIT_S = 120.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    return write_clip(tmp_path_factory.mktemp("typed") / "plate", frame_count=2)


def environment(folder: Path) -> dict[str, str]:
    """One in which this Python has Qt too, and windows are drawn in memory."""
    python = qt_python("qt-3.11")
    packages = next(python.executable.parent.parent.glob("lib/python3.*/site-packages"), None)
    assert packages is not None
    assert packages.parent.name == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MASKLET_", "QT_"))},
        "PYTHONPATH": str(packages),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_DATA_HOME": str(folder),
    }


def typed(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "masklet"), "panel", *words]
    return subprocess.Popen(
        command,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until_kept(process: subprocess.Popen[bytes], document: Path, other_than: str = "") -> dict[str, Any]:
    """What the document keeps once a server has opened the plate."""
    until_s = time.monotonic() + _WAIT_S
    while True:
        assert process.poll() is None, "the panel ended"
        assert time.monotonic() < until_s
        if document.exists():
            kept: dict[str, Any] = json.loads(document.read_text(encoding="utf-8")).get("kept", {})
            if kept.get("session", {}).get("id", "") not in ("", other_than):
                return kept
        time.sleep(0.1)


def test_a_clip_is_opened_on_a_server_that_the_command_starts_and_that_ends_with_it(
    clip: DemoClip, tmp_path: Path
) -> None:
    document = clip.pattern.parent / "duck.masklet.json"
    with typed(tmp_path, str(clip.pattern)) as process:
        try:
            first = until_kept(process, document)["session"]["id"]
            helpers = children_of(process.pid)
            assert helpers
        finally:
            process.kill()
    until_s = time.monotonic() + 60.0
    while any(is_running(helper) for helper in helpers):
        assert time.monotonic() < until_s
        time.sleep(0.1)

    # The document opens in the same way, and needs no clip to be named.
    with typed(tmp_path, str(document)) as again:
        try:
            assert until_kept(again, document, other_than=first)["session"]["id"]
        finally:
            again.kill()


def test_without_a_screen_the_command_says_what_it_needs(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        variables.pop(name, None)
    command = [str(Path(sys.executable).parent / "masklet"), "panel"]
    done = subprocess.run(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "there is no screen here" in done.stderr
