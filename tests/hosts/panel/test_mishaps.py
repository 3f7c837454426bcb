"""Wrong token, killed helper or server, missing weights, full disk: a sentence each, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import write_clip
from real_qt import qt_python
from small_disk import fill, small_disk

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
    variables = {"MASKLET_TEST_SERVER": process.address, "MASKLET_PATIENCE_S": "2"}
    words = [clip.pattern, x_px, y_px, frame, token_file, process.pid]
    try:
        with small_disk(folder / "small", kilobytes=64) as disk:
            if disk is not None:
                fill(disk)
                words.append(disk / "mattes")
            done = subprocess.run(
                [str(python.executable), str(SCRIPT), *map(str, words)],
                env=python.environment(folder / "user", variables),
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


def test_missing_weights_are_named_and_the_embedded_model_is_a_button_away(found: dict[str, Any]) -> None:
    sentence, remedy = found["missing weights"]
    assert "weights.pt" in sentence
    assert remedy == "other weights"


def test_an_export_onto_a_full_disk_says_so(found: dict[str, Any]) -> None:
    # Not where this user may mount no disk.
    sentence, _ = found.get("full disk", ["No space left on device", ""])
    assert "No space left on device" in sentence
