"""``masklet dataset`` is the server's own command, reached from the client's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes import annotated_sets as sets
from masklet.cli import make_app
from masklet.errors import ServerUnreachableError
from masklet.transport.server_program import server_program


def masklet(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "masklet.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_a_data_set_is_counted(tmp_path: Path) -> None:
    done = masklet("dataset", "stats", str(sets.write_plain(tmp_path / "set")))

    assert done.returncode == 0, done.stderr
    assert "annotated_frames: 6" in done.stdout


def test_faults_end_in_the_exit_code_of_the_server_command(tmp_path: Path) -> None:
    data = sets.write_plain(tmp_path / "set")
    next(data.rglob("masks/*.png")).write_bytes(b"not a picture")

    done = masklet("dataset", "check", str(data))

    assert done.returncode == 1
    assert "1 faults" in done.stdout


def test_options_reach_the_server_command() -> None:
    done = masklet("dataset", "export", "--help")

    assert done.returncode == 0
    assert "--mattes" in done.stdout


def test_an_unknown_option_is_an_error_of_the_command_line() -> None:
    assert masklet("dataset", "stats", "--wish").returncode == 2


def test_without_the_server_package_the_repair_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without_server(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "torch" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_server)

    result = CliRunner().invoke(make_app(), ["dataset", "check", "anywhere"])

    assert isinstance(result.exception, ServerUnreachableError)
    assert "pip install 'masklet[server]'" in str(result.exception)


def test_modules_in_the_working_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sets.write_plain(tmp_path / "set")
    (tmp_path / "typer.py").write_text("raise SystemExit('run from the working folder')\n")
    monkeypatch.chdir(tmp_path)

    done = subprocess.run(
        server_program("cli", "dataset", "stats", str(data)), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
