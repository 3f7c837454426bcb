"""Installing Blenders for the tests: complete or not there, and a sentence when it does not work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from installed_hosts import load_installer
from real_blender import blender_wheel
from real_qt import qt_python

hosts = load_installer("host_environments")
listed = load_installer("hosts_to_test")

HERE = ".".join(map(str, sys.version_info[:2]))
FAKE = listed.blender_wheel("4.2.23", HERE)
FAKE_QT = listed.qt_python(HERE, "PySide6-Essentials", "6.5.3")


class Machine:
    """Runs nothing: environments and packages appear, or do not, as a test wishes."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.fails = ""
        self.says = "4.2.23 LTS"
        self.lacks = ""

    def run(self, command: list[object], **_: object) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in command]
        self.commands.append(words)
        if self.fails and self.fails in words:
            return subprocess.CompletedProcess(words, 1, "", f"no {self.fails} today")
        if "venv" in words:
            python = Path(words[-1]) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
            python.parent.mkdir(parents=True)
            python.touch()
        if "apt-get" in words:
            self.lacks = ""
        if self.lacks and "import" in words[-1]:
            return subprocess.CompletedProcess(words, 1, "", self.lacks)
        said = self.says if "import" in words[-1] else ""
        return subprocess.CompletedProcess(words, 0, said, "")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    made = Machine()
    monkeypatch.setenv("MASKLET_TEST_HOSTS", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", made.run)
    monkeypatch.setattr(hosts, "find_python", lambda _: Path(sys.executable))
    return made


def test_it_is_installed_once(machine: Machine, tmp_path: Path) -> None:
    python = hosts.install_python_host(FAKE)
    machine.commands.clear()

    assert hosts.install_python_host(FAKE) == python

    assert python.is_relative_to(tmp_path / "bpy-4.2.23")
    assert not any("pip" in command for command in machine.commands)


@pytest.mark.parametrize("step", ["venv", "pip"])
def test_a_step_that_fails_is_explained_and_leaves_nothing(
    step: str, machine: Machine, tmp_path: Path
) -> None:
    machine.fails = step

    with pytest.raises(hosts.HostError, match=f"no {step} today"):
        hosts.install_python_host(FAKE)

    assert list(tmp_path.iterdir()) == []


def test_a_blender_that_does_not_start_is_not_called_ready(machine: Machine, tmp_path: Path) -> None:
    machine.says = "3.6.0"

    with pytest.raises(hosts.HostError, match="does not start"):
        hosts.install_python_host(FAKE)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "reason",
    [
        "ImportError: libEGL.so.1: cannot open shared object file",
        "This application failed to start because no Qt platform plugin could be initialized.\nAborted",
        "AssertionError: no font was found",
    ],
)
def test_what_qt_lacks_of_the_system_is_installed(
    reason: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.says, machine.lacks = "6.5.3", reason
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(hosts.shutil, "which", lambda name: f"/usr/bin/{name}")

    hosts.install_python_host(FAKE_QT)

    (install,) = [command for command in machine.commands if command[:2] == ["apt-get", "install"]]
    assert "fonts-dejavu-core" in install


def test_a_python_with_qt_holds_what_its_tests_need_and_nothing_of_ours(machine: Machine) -> None:
    machine.says = "6.5.3"

    hosts.install_python_host(FAKE_QT)

    (pip,) = [command for command in machine.commands if "pip" in command]
    assert [word for word in pip if "==" in word] == [*FAKE_QT.requirements]
    assert not any(heavy in " ".join(pip) for heavy in ("numpy", "grpc", "protobuf"))


def test_what_an_interrupted_run_left_is_removed_and_a_running_one_is_left_alone(
    machine: Machine, tmp_path: Path
) -> None:
    old, running = tmp_path / "partial-old", tmp_path / "partial-running"
    old.mkdir()
    running.mkdir()
    os.utime(old, (0, time.time() - 24 * 3600))

    hosts.install_python_host(FAKE)

    assert not old.exists()
    assert running.exists()


def test_a_missing_interpreter_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "find_python", lambda _: None)

    with pytest.raises(hosts.NoInterpreterError, match=rf"needs Python {FAKE.python} and none was found"):
        hosts.install_python_host(FAKE)


def test_a_python_of_this_version_is_found_and_one_of_the_future_is_not() -> None:
    found = hosts.find_python(FAKE.python)

    assert found is not None
    assert found.is_file()
    assert hosts.find_python("3.99") is None


def test_an_absent_blender_skips_a_test_and_fails_it_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASKLET_TEST_HOSTS", str(tmp_path))
    monkeypatch.setattr(hosts, "find_python", lambda _: Path(sys.executable))

    monkeypatch.delenv("MASKLET_REQUIRE_HOSTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"host_environments\.py blender-4\.2"):
        blender_wheel("4.2")
    monkeypatch.setenv("MASKLET_REQUIRE_HOSTS", "4.2 5.2")
    with pytest.raises(pytest.fail.Exception, match=r"host_environments\.py blender-4\.2"):
        blender_wheel("4.2")

    monkeypatch.setattr(hosts, "find_python", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match=r"needs Python 3\.11"):
        blender_wheel("4.2")


def test_an_absent_qt_skips_a_test_and_fails_it_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASKLET_TEST_HOSTS", str(tmp_path))
    monkeypatch.setattr(hosts, "find_python", lambda _: Path(sys.executable))

    monkeypatch.delenv("MASKLET_REQUIRE_HOSTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"host_environments\.py qt-3\.10"):
        qt_python("qt-3.10")
    monkeypatch.setenv("MASKLET_REQUIRE_HOSTS", "4.2 qt-3.10")
    with pytest.raises(pytest.fail.Exception, match=r"host_environments\.py qt-3\.10"):
        qt_python("qt-3.10")
