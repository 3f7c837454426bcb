"""Hosts have weights fetched by another process; a script stands in for ``masklet-server weights pull``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from masklet.hosting.work.weights_pull import PullProgress, WeightsPull

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")

STEP = 'print(\'{"done_bytes": 50, "total_bytes": 200}\', flush=True)\n'
DONE = 'print(\'{"name": "sam2.1_hiera_tiny", "sha256": "ab"}\')\n'


def program(folder: Path, *lines: str) -> Path:
    """Stands in for the interpreter that has masklet's server; refuses any other command."""
    file = folder / "python"
    check = "assert sys.argv[1:5] == ['-m', 'masklet_server', 'weights', 'pull'], sys.argv\n"
    file.write_text(f"#!{sys.executable}\nimport sys, time\n{check}{''.join(lines)}", encoding="utf-8")
    file.chmod(0o755)
    return file


def ended(
    pull: WeightsPull, until: Callable[[PullProgress], bool] = lambda now: not now.is_running
) -> PullProgress:
    deadline_s = time.monotonic() + 60
    while not until(pull.progress):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return pull.progress


def test_it_is_done_when_the_program_has_said_so(tmp_path: Path) -> None:
    pull = WeightsPull(program(tmp_path, STEP, DONE))
    assert pull.progress == PullProgress()

    pull.start()

    assert ended(pull) == PullProgress(50, 200, is_done=True)


def test_an_artist_stops_it_and_goes_on(tmp_path: Path) -> None:
    once = f"import pathlib; seen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
    hang = "if not seen.exists():\n    seen.touch(); time.sleep(600)\n"
    pull = WeightsPull(program(tmp_path, once, STEP, hang, DONE))
    pull.start()
    assert ended(pull, lambda now: now.done_bytes > 0).share == 0.25

    pull.cancel()
    assert ended(pull) == PullProgress(50, 200)
    pull.start()

    assert ended(pull).is_done


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("sys.exit('masklet-server: the disk has no room')\n", "the disk has no room"),
        ("sys.exit(3)\n", "exit code 3"),
        ("", "exit code 0"),
    ],
)
def test_what_went_wrong_is_told_in_the_programs_own_words(tmp_path: Path, line: str, problem: str) -> None:
    pull = WeightsPull(program(tmp_path, STEP, line))

    pull.start()

    assert ended(pull) == PullProgress(50, 200, problem=problem)


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    pull = WeightsPull(tmp_path / "none")

    pull.start()

    assert ended(pull).problem
