"""A wrong token, a killed helper, a killed server: a sentence and a button each, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import write_clip
from real_qt import qt_python

SCRIPT = Path(__file__).parent / "scripts/mishaps.py"


@pytest.fixture(scope="module", params=["qt-3.10", "qt-3.11"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script saw, in each of two hosts' Pythons."""
    python = qt_python(request.param)
    folder = tmp_path_factory.mktemp("mishaps")
    clip = write_clip(folder / "plate", frame_count=3)
    frame, x_px, y_px = clip.clicks[0]
    token_file = folder / "token"
    process = LocalServer()
    token_file.write_text(process.token, encoding="utf-8")
    words = (clip.pattern, x_px, y_px, frame, token_file, process.pid)
    try:
        done = subprocess.run(
            [str(python.executable), str(SCRIPT), *map(str, words)],
            env=python.environment(folder / "user", {"MASKLET_TEST_SERVER": process.address}),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    finally:
        process.stop()
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_a_wrong_token_is_told_with_where_to_choose_the_right_one(found: dict[str, Any]) -> None:
    sentence, remedy = found["wrong token"]
    assert "token" in sentence
    assert "the token's file is chosen in Settings" in sentence
    assert remedy == "reconnect"


def test_a_helper_that_was_killed_takes_nothing_with_it(found: dict[str, Any]) -> None:
    clicks, session = found["after helper"]
    assert clicks == 2
    assert session == found["session"]


def test_a_server_that_was_killed_is_told_and_another_gets_what_was_said(found: dict[str, Any]) -> None:
    _, remedy = found["killed server"]
    assert remedy == "reconnect"
    assert found["after server"] == 3
    assert found["goes on"] == [3, "track"]
    assert found["on disk"] == 3
