"""A Chromium without a window, as installers/host_environments.py installed what drives it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installed_hosts import absent, load_installer

_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Browser:
    """What drives it.

    Attributes:
        python: An interpreter that has Playwright.
        program: The browser.
    """

    python: Path
    program: str

    def visit(self, script: Path, url: str, folder: Path, *words: str) -> Any:
        """Run a script in the browser's Python and give what it prints as JSON.

        Args:
            script: Is told the program, the address, a folder for pictures, and the words.
            url: Of a page on this machine.
            folder: For pictures and the browser's own files.
            words: For the script.

        Raises:
            AssertionError: The script failed; the message holds what it said.
        """
        done = subprocess.run(
            [str(self.python), str(script), self.program, url, str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env={**os.environ, "HOME": str(folder), "PYTHONPATH": ""},
        )
        assert done.returncode == 0, f"{script.name}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)


def browser() -> Browser:
    """The browser; skips the test, or fails it where it is required, when it is not installed."""
    installer, listed = load_installer("host_environments"), load_installer("hosts_to_test")
    host = installer.host_named("browser")
    python, program = installer.python_of(host), listed.BROWSER
    if not python.is_file() or not Path(program).is_file():
        if installer.find_python(host.python) is None and not python.is_file():
            pytest.skip(f"{host.title} needs Python {host.python}")
        absent(host.title, f"python installers/host_environments.py {host.name}", host.name)
    return Browser(python, program)
