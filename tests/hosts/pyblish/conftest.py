"""Tests here run plug-ins in a Python with pyblish; see installers/host_environments.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hosts_with_pyblish import RunWithPyblish
from installed_hosts import ROOT, absent, load_installer

HOST = "pyblish-3.10"
_TIMEOUT_S = 120.0


@pytest.fixture(scope="session")
def pyblish_python() -> Path:
    """The interpreter that has pyblish and its window."""
    hosts = load_installer("host_environments")
    host = hosts.host_named(HOST)
    python = Path(hosts.python_of(host))
    if not python.is_file():
        if hosts.find_python(host.python) is None:
            pytest.skip(f"{host.title} needs Python {host.python}, which is not on this machine")
        absent(host.title, f"python installers/host_environments.py {HOST}", HOST)
    return python


@pytest.fixture
def run_with_pyblish(pyblish_python: Path, tmp_path: Path) -> RunWithPyblish:
    """Runs a script beside this checkout's core; on a virtual screen where there is one."""

    def run(
        script: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        screen = shutil.which("xvfb-run")
        command = [str(pyblish_python), str(script), *map(str, arguments)]
        if screen is not None:
            command = [screen, "-a", "-s", "-screen 0 900x700x24", *command]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QT_"))}
        done = subprocess.run(
            command,
            env={
                **kept,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "core", ROOT / "tests"))),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(tmp_path),
                "QT_QPA_PLATFORM": "xcb" if screen else "offscreen",
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{script.name}: {done.stdout}\n{done.stderr}"
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return told

    return run
