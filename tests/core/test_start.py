"""start.py: the first minute, and what it says when that minute goes wrong."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def start() -> ModuleType:
    file = Path(__file__).parents[2] / "start.py"
    specification = importlib.util.spec_from_file_location("masklet_start", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command that would have been run; each of them succeeds."""
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


def make_interpreter(venv: Path) -> Path:
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.touch()
    return python


def test_an_old_python_is_told_which_one_is_needed(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))

    assert start.main() == 2

    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_second_run_installs_nothing(start: ModuleType, commands: list[list[str]], tmp_path: Path) -> None:
    python = make_interpreter(tmp_path)
    start.prepare(tmp_path, "server")
    commands.clear()

    assert start.prepare(tmp_path, "server") == python

    assert commands == []


def test_an_environment_for_developers_is_enough_for_the_demo(
    start: ModuleType, commands: list[list[str]], tmp_path: Path
) -> None:
    make_interpreter(tmp_path)
    start.prepare(tmp_path, "dev")
    commands.clear()

    start.prepare(tmp_path, "server")

    assert commands == []


def test_an_environment_for_the_demo_is_not_enough_for_developers(
    start: ModuleType, commands: list[list[str]], tmp_path: Path
) -> None:
    make_interpreter(tmp_path)
    start.prepare(tmp_path, "server")
    commands.clear()

    start.prepare(tmp_path, "dev")

    assert any("[dev]" in argument for command in commands for argument in command)


def test_changed_requirements_are_installed(
    start: ModuleType, commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_interpreter(tmp_path)
    start.prepare(tmp_path, "server")
    commands.clear()
    monkeypatch.setattr(start, "TORCH", "2.99.0")

    start.prepare(tmp_path, "server")

    assert commands


def test_a_failing_pip_is_explained_and_nothing_is_called_done(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_interpreter(tmp_path)
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, int("pip" in command))
    )

    with pytest.raises(start.SetupError, match=r"pip could not install .* check the network"):
        start.prepare(tmp_path, "server")

    assert not (tmp_path / start.STAMP_NAME).exists()


def test_all_tests_run_side_by_side_and_those_that_are_named_in_one_process(
    start: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)

    start.test(Path("python"), [])
    start.test(Path("python"), ["tests/core", "-k", "prompts"])
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    start.test(Path("python"), [])

    beside, named, alone = (command[3:] for command in commands)
    assert beside == ["-n", "4", "--dist", "loadfile"]
    assert named == ["tests/core", "-k", "prompts"]
    assert alone == []
