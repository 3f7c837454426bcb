"""Runs tests inside the Pythons of hosts that bring Qt, as installers/host_environments.py installed them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from installed_hosts import ROOT, absent, load_installer

QT_PYTHONS = ("qt-3.9", "qt-3.10", "qt-3.11", "qt-3.13")
SOURCE_FOLDERS = (ROOT / "core", ROOT / "hosts/panel")
_FAKES_FOLDER = ROOT / "tests"
_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class QtPython:
    """One host's Python with its Qt.

    Attributes:
        name: As in :data:`QT_PYTHONS`.
        executable: The interpreter.
    """

    name: str
    executable: Path

    def run_tests(self, *files: Path, folder: Path, environment: Mapping[str, str] | None = None) -> int:
        """Run files of tests in one process of this Python, without a screen, and return how many passed.

        Args:
            files: Of one folder; their tests see the checkout's client and panel, and nothing else of it.
            folder: Empty; stands in for the user's own folder.
            environment: Variables on top.

        Raises:
            AssertionError: One failed or was skipped, or there was none; the message holds what pytest says.
        """
        report = folder / "report.xml"
        command = [str(self.executable), "-m", "pytest", *map(str, files), "-q", f"--junitxml={report}"]
        done = subprocess.run(
            command,
            cwd=files[0].parent,
            env=self.environment(folder, environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        names = ", ".join(file.name for file in files)
        said = f"{names} in {self.name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        suite = ElementTree.parse(report).getroot().find("testsuite")
        assert suite is not None, said
        assert suite.get("skipped") == "0", said
        return int(suite.get("tests", "0"))

    def environment(
        self, folder: Path, additional: Mapping[str, str], *, screen: bool = False
    ) -> dict[str, str]:
        """The variables of a host that shares nothing with the user's own settings.

        Args:
            folder: Stands in for the user's own folder.
            additional: Variables on top.
            screen: Windows are shown on the screen of ``DISPLAY``; otherwise they are drawn in memory.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QT_"))}
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.update(
            PYTHONPATH=os.pathsep.join(str(source) for source in (*SOURCE_FOLDERS, _FAKES_FOLDER)),
            PYTHONDONTWRITEBYTECODE="1",
            QT_QPA_PLATFORM="xcb" if screen else "offscreen",
            HOME=str(folder),
            XDG_CONFIG_HOME=str(folder / "config"),
            XDG_CACHE_HOME=str(folder / "cache"),
            XDG_DATA_HOME=str(folder / "data"),
            XDG_RUNTIME_DIR=str(runtime),
            # The Python of the tests, which has all of masklet: a helper and a server run in it.
            MASKLET_TEST_PYTHON=sys.executable,
        )
        kept.update(additional)
        return kept


def qt_python(name: str) -> QtPython:
    """A host's Python, ``qt-3.10``; skips the test where it is not installed, fails it in CI."""
    hosts = load_installer("host_environments")
    host = hosts.host_named(name)
    python = hosts.python_of(host)
    if not python.is_file():
        if hosts.find_python(host.python) is None:
            pytest.skip(f"{host.title} needs Python {host.python}, which is not on this machine")
        absent(host.title, f"python installers/host_environments.py {name}", name)
    return QtPython(name, python)
