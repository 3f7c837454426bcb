"""Closing a plate's session gives its memory back, in Blender and on a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/memory.py"
TOKEN = "a-token-of-this-test"
FRAMES = 5


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a server that holds one session and no more."""
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    command = [sys.executable, "-m", "masklet_server.cli", "serve", "--address", "127.0.0.1:0"]
    command += ["--token-file", str(token_file), "--max-sessions", "1", "--announce", "--stop-with-stdin"]
    command += ["--root", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield json.loads(server.stdout.readline())["address"]
        server.stdin.close()


@pytest.mark.parametrize("version", ["4.2", "5.2"])
def test_closing_a_session_gives_masks_and_the_servers_place_back(
    version: str, address: str, clip: DemoClip, tmp_path: Path
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    first_files = []
    for name in ("first", "second"):
        folder = tmp_path / name
        shutil.copytree(clip.pattern.parent, folder)
        first_files.append(folder / (clip.pattern.name % frame))

    answer = blender_wheel(version).run(
        SCRIPT,
        "masklet_blender",
        *first_files,
        str(x_px),
        str(y_px),
        user_folder=tmp_path / "user",
        environment={"MASKLET_SERVER": address, "MASKLET_TOKEN": TOKEN, "MASKLET_PYTHON": sys.executable},
    )

    assert answer["tracked"] == {"alive": FRAMES, "kept": FRAMES}
    assert "this program holds 1 of its sessions itself: close the session" in answer["full"]
    assert answer["closed"] == {"alive": 0, "kept": 0}
    assert answer["prompts kept"] == 1
    assert answer["room"] == ""
