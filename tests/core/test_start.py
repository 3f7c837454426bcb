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


def test_an_environment_for_developers_gets_the_panel_and_stays_one_for_developers(
    start: ModuleType, commands: list[list[str]], tmp_path: Path
) -> None:
    make_interpreter(tmp_path)
    start.prepare(tmp_path, "dev")
    commands.clear()

    start.prepare(tmp_path, "server", "panel")
    assert any("[server,panel]" in argument for command in commands for argument in command)
    commands.clear()
    start.prepare(tmp_path, "server", "panel")
    start.prepare(tmp_path, "dev")

    assert commands == []


@pytest.mark.parametrize("line", ["torch==2.99.0", "numpy==9.9.9"])
def test_changed_requirements_are_installed(
    start: ModuleType, commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    venv = tmp_path / "venv"
    make_interpreter(venv)
    start.prepare(venv, "server")
    commands.clear()
    changed = tmp_path / "constraints.txt"
    changed.write_text("torch==2.13.0\n" if line.startswith("numpy") else "")
    with changed.open("a") as file:
        file.write(line + "\n")
    monkeypatch.setattr(start, "CONSTRAINTS", changed)

    start.prepare(venv, "server")

    assert any(str(changed) in command for command in commands)


def test_the_build_of_torch_for_processors_is_taken_where_there_is_no_card_or_setting_up_stops(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(
            command, 1, stderr="Looking\nERROR: No matching distribution found"
        )

    monkeypatch.setattr(start.platform, "system", lambda: "Linux")
    monkeypatch.setattr(start.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.delenv("MASKLET_TORCH", raising=False)
    monkeypatch.setattr(subprocess, "run", refuse)

    with pytest.raises(start.SetupError, match=r"No matching distribution found.* MASKLET_TORCH=common"):
        start.install_torch(Path("python"))
    assert len(ran) == 2
    assert all(f"torch=={start.torch_version()}+cpu" in command for command in ran)
    assert "no NVIDIA card" in capsys.readouterr().err

    ran.clear()
    monkeypatch.setenv("MASKLET_TORCH", "common")
    with pytest.raises(start.SetupError):
        start.install_torch(Path("python"))
    assert ran[0][-1] == f"torch=={start.torch_version()}"


def test_after_setting_up_it_is_said_how_the_commands_are_found(
    start: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    start.setup(Path("/clone/.venv/bin/python"), [])

    said = capsys.readouterr().err
    assert "masklet and masklet-server are in" in said
    assert "activate" in said


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
    assert beside == ["--cache-clear", "-n", "4", "--dist", "loadfile"]
    assert named == ["tests/core", "-k", "prompts"]
    assert alone == []


@pytest.mark.parametrize(("codes", "verdict"), [([1, 0], 0), ([1, 1], 1), ([0], 0), ([2], 2), ([3], 3)])
def test_tests_that_fail_beside_others_run_once_more_alone_and_what_fails_again_has_failed(
    start: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    codes: list[int],
    verdict: int,
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[3:])
        return subprocess.CompletedProcess(command, codes[len(ran) - 1])

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    assert start.test(Path("python"), []) == verdict

    assert len(ran) == len(codes)
    if len(codes) == 2:
        assert ran[1] == ["--last-failed", "--maxfail=5"]
        assert "runs once more, alone" in capsys.readouterr().err
