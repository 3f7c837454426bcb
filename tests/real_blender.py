"""Runs scripts in real Blenders: the wheels that installers/host_environments.py installed, and Debian's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installed_hosts import ROOT, absent, load_installer

_SCRIPTS = ROOT / "tests/hosts/blender/scripts"
SOURCE_FOLDERS = (ROOT / "core", ROOT / "hosts/blender")
_TIMEOUT_S = 240.0


class BlenderScriptError(AssertionError):
    """A script failed in Blender; the message holds all it printed."""


@dataclass(frozen=True)
class Blender:
    """One installed Blender.

    Attributes:
        version: ``4.2``.
        executable: The interpreter that imports bpy, or Blender itself.
        is_module: True for a wheel (``import bpy``), False for the application.
    """

    version: str
    executable: Path
    is_module: bool

    @property
    def numbers(self) -> tuple[int, ...]:
        """For comparisons: ``(4, 2)``."""
        return tuple(int(part) for part in self.version.split("."))

    def run(
        self,
        script: Path,
        *arguments: str | Path,
        user_folder: Path,
        sources: bool = True,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> dict[str, Any]:
        """Run a script and return the JSON of the last line it printed.

        Args:
            script: In Blender's Python; it sees its arguments as ``sys.argv[1:]``.
            arguments: For the script.
            user_folder: Stands in for the user's Blender folder: extensions, preferences.
            sources: Puts the checkout's client and add-on on the path; False for what is installed.
            environment: Variables on top.
            timeout_s: After which Blender is killed.

        Raises:
            BlenderScriptError: The script failed, or its last line is no JSON object.
        """
        words = [str(argument) for argument in arguments]
        folders = [str(folder) for folder in SOURCE_FOLDERS] if sources else []
        done = subprocess.run(
            self.command(script, words, folders),
            env=self.environment(user_folder, environment or {}, folders),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        try:
            # Blender itself says good-bye on standard output.
            answer = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
        except (StopIteration, ValueError):
            answer = None
        if done.returncode != 0 or not isinstance(answer, dict):
            raise BlenderScriptError(
                f"{script.name} in Blender {self.version}: exit code {done.returncode}\n"
                f"{done.stdout}\n{done.stderr}"
            )
        return answer

    def command_line(
        self, *words: str | Path, user_folder: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of Blender's own commands: ``("extension", "validate", file)``."""
        if self.is_module:
            words = ("--command", *words)
            command = self.command(_SCRIPTS / "blender_command.py", [str(word) for word in words], [])
        else:
            command = [str(self.executable), "--command", *(str(word) for word in words)]
        return subprocess.run(
            command,
            env=self.environment(user_folder, environment or {}, []),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )

    def command(self, script: Path, words: list[str], folders: list[str]) -> list[str]:
        """The command line that runs a script."""
        if self.is_module:
            return [str(self.executable), str(_SCRIPTS / "launcher.py"), str(script), *words]
        # The application ignores PYTHONPATH and keeps its own command line in sys.argv.
        folders = [*folders, str(script.parent)]
        prepare = f"import sys; sys.path[:0] = {folders!r}; sys.argv[:] = {[str(script), *words]!r}"
        options = ["-b", "--factory-startup", "--python-exit-code", "1", "--python-expr", prepare]
        return [str(self.executable), *options, "--python", str(script)]

    def environment(
        self, user_folder: Path, additional: Mapping[str, str], folders: list[str]
    ) -> dict[str, str]:
        """The variables of a Blender that shares nothing with the user's own."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLENDER"))
        }
        kept.update(
            BLENDER_USER_RESOURCES=str(user_folder),
            # Before 4.2 Blender knows only the folder of each kind.
            BLENDER_USER_CONFIG=str(user_folder / "config"),
            BLENDER_USER_SCRIPTS=str(user_folder / "scripts"),
            XDG_CONFIG_HOME=str(user_folder / "xdg-config"),
            XDG_CACHE_HOME=str(user_folder / "xdg-cache"),
        )
        if folders:
            kept.update(PYTHONPATH=os.pathsep.join(folders), PYTHONDONTWRITEBYTECODE="1")
        kept.update(additional)
        return kept


def blender_wheel(version: str) -> Blender:
    """A Blender as a module, ``4.2``; skips the test where it is not installed, fails it in CI."""
    hosts = load_installer("host_environments")
    wheel = hosts.host_named(f"blender-{version}")
    python = hosts.python_of(wheel)
    if not python.is_file():
        if hosts.find_python(wheel.python) is None:
            pytest.skip(f"Blender {version} needs Python {wheel.python}, which is not on this machine")
        absent(f"Blender {version}", f"python installers/host_environments.py {wheel.name}", version)
    return Blender(version, python, is_module=True)


def blender_application() -> Blender:
    """The Blender of the distribution with a virtual screen; skips the test without."""
    hosts = load_installer("host_environments")
    executable = hosts.gui_blender()
    if executable is None:
        absent("a Blender with a window", "python installers/host_environments.py blender-gui", "gui")
    done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    version = ".".join(done.stdout.split()[1].split(".")[:2])
    return Blender(version, executable, is_module=False)
